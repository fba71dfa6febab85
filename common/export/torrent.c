#include "swarm/torrent.h"

#include <string.h>

#include "swarm/bencode.h"
#include "swarm/feed.h"
#include "swarm/hex.h"
#include "swarm/info.h"
#include "swarm/layers.h"
#include "swarm/limits.h"
#include "swarm/magnet.h"
#include "swarm/piecer.h"
#include "swarm/pool.h"
#include "swarm/relatives.h"
#include "swarm/sha1.h"
#include "swarm/sha256.h"
#include "swarm/spool.h"
#include "swarm/text.h"
#include "swarm/traps.h"
#include "swarm/weburl.h"

const char *const torrent_kinds[] = {"v2", "hybrid", "v1", NULL};

struct torrent {
	struct exporter_state state;
	enum info_kind kind;
	struct head head;
	struct buf name;
	struct info *info;
	struct layers *layers;
	struct sha256 *sha256;
	struct sha1 *sha1;
	struct bencode_writer writer;
	uint64_t size;   /* of the metainfo so far */
	uint64_t tokens; /* of `piece layers` */
	struct buf path; /* of the last file */
	uint64_t files;
	uint64_t bytes; /* of all files */
	uint64_t piece_length;
	uint8_t v2[SHA256_SIZE], v1[SHA1_SIZE];
	struct relatives relatives;
	/* Of v1: */
	struct pool *pool;
	struct feed *feed;
	struct piecer *piecer;
	struct spool *pieces;
};

static bool has_v2(const struct torrent *t)
{
	return t->kind != INFO_V1;
}

static bool has_v1(const struct torrent *t)
{
	return t->kind != INFO_V2;
}

static const struct exporter_options *options_of(const struct torrent *t)
{
	return t->state.job->options;
}

/* --- what is asked for --------------------------------------------------------------------------
 */

static enum info_kind kind_of(const struct exporter_options *o)
{
	if (o->kind == NULL || strcmp(o->kind, torrent_kinds[0]) == 0)
		return INFO_V2;
	return strcmp(o->kind, torrent_kinds[1]) == 0 ? INFO_HYBRID : INFO_V1;
}

static int check_options(const struct exporter_options *o, enum info_kind kind, struct err *e)
{
	if (kind != INFO_V2 && o->tree == NULL)
		return err_set(e, ERR_USAGE, "--kind %s hashes the content: give --tree", o->kind);
	if (kind == INFO_V2 && o->tree != NULL)
		return err_set(e, ERR_USAGE,
			       "--kind v2 needs no content: leave out --tree, or ask for "
			       "--kind hybrid");
	for (size_t i = 0; i < o->web_seed.count; i++)
		if (weburl_check("--web-seed", WEBURL_BASE, o->web_seed.items[i], e) != 0)
			return -1;
	for (size_t i = 0; i < o->tracker.count; i++)
		if (magnet_check_tracker(o->tracker.items[i], e) != 0)
			return -1;
	return 0;
}

static void stop(void *self)
{
	struct torrent *t = self;

	feed_free(t->feed);
	piecer_free(t->piecer);
	pool_free(t->pool);
	spool_free(t->pieces);
	relatives_release(&t->relatives);
	info_free(t->info);
	layers_free(t->layers);
	sha256_free(t->sha256);
	sha1_free(t->sha1);
	buf_release(&t->name);
	buf_release(&t->path);
}

static int read_relatives(struct torrent *t, struct err *e)
{
	const struct opt_list *list = &options_of(t)->previous;

	for (size_t i = 0; i < list->count; i++)
		if (relatives_read(&t->relatives, list->items[i], e) != 0)
			return -1;
	return 0;
}

static int open_content(struct torrent *t, struct err *e)
{
	if (!has_v1(t))
		return 0;
	if ((t->pool = pool_new(t->state.job->threads, e)) == NULL ||
	    (t->pieces = spool_new(e)) == NULL)
		return -1;
	t->feed = feed_new(options_of(t)->tree, t->pool, t->state.job->progress, e);
	return t->feed != NULL ? 0 : -1;
}

static int start(void *self, struct err *e)
{
	struct torrent *t = self;

	buf_init(&t->name);
	buf_init(&t->path);
	t->kind = kind_of(options_of(t));
	if (check_options(options_of(t), t->kind, e) != 0)
		return -1;
	t->writer.to = &t->state.text;
	if ((t->layers = layers_new(e)) == NULL || (t->sha256 = sha256_new(e)) == NULL ||
	    (t->sha1 = sha1_new(e)) == NULL || read_relatives(t, e) != 0)
		return -1;
	return open_content(t, e);
}

/* --- the metainfo -------------------------------------------------------------------------------
 */

/* Sends the text to the output; a magnet link is made of a metainfo that nobody gets to see. */
static int send(struct torrent *t, struct err *e)
{
	struct buf *text = &t->state.text;

	if (!options_of(t)->magnet)
		return outfile_gather(t->state.job->out, text, e);
	int status = buf_check(text, e);
	buf_clear(text);
	return status;
}

static int put(void *self, const void *bytes, size_t len, struct err *e)
{
	struct torrent *t = self;

	buf_add(&t->state.text, bytes, len);
	t->size += len;
	return send(t, e);
}

static int put_info(void *self, const void *bytes, size_t len, struct err *e)
{
	struct torrent *t = self;

	if (has_v2(t))
		sha256_update(t->sha256, bytes, len);
	if (has_v1(t))
		sha1_update(t->sha1, bytes, len);
	return put(self, bytes, len, e);
}

static void put_key(struct torrent *t, const char *key)
{
	bencode_text(&t->writer, key);
}

/* What writer has written since `from` counts as part of the metainfo. */
static int count(struct torrent *t, size_t from, struct err *e)
{
	t->size += t->state.text.len - from;
	return send(t, e);
}

/* Each tracker is a tier of its own: a client asks the next one if it cannot reach the first. */
static void put_trackers(struct torrent *t)
{
	const struct opt_list *list = &options_of(t)->tracker;

	if (list->count == 0)
		return;
	put_key(t, "announce");
	bencode_text(&t->writer, list->items[0]);
	if (list->count == 1)
		return;
	put_key(t, "announce-list");
	bencode_open_list(&t->writer);
	for (size_t i = 0; i < list->count; i++) {
		bencode_open_list(&t->writer);
		bencode_text(&t->writer, list->items[i]);
		bencode_close(&t->writer);
	}
	bencode_close(&t->writer);
}

static int keep_pieces(void *self, const void *digests, size_t len, struct err *e)
{
	struct torrent *t = self;

	return spool_write(t->pieces, digests, len, e);
}

static int begin_content(struct torrent *t, const struct header *header, struct err *e)
{
	if (!has_v1(t))
		return 0;
	t->piecer = piecer_new(t->pool, header->piece_length, keep_pieces, t, e);
	if (t->piecer == NULL)
		return -1;
	return feed_begin(t->feed, header->piece_length, header->bytes, e);
}

static int begin(void *self, const struct header *header, const struct head *head, struct err *e)
{
	struct torrent *t = self;
	size_t from = t->state.text.len;

	t->head = *head;
	t->piece_length = header->piece_length;
	header_torrent_name(&t->name, &head->id);
	if (buf_check(&t->name, e) != 0)
		return -1;
	const struct info_options how = {t->kind, t->name.data, header->piece_length};
	bencode_open_dictionary(&t->writer);
	put_trackers(t);
	put_key(t, "info");
	if (count(t, from, e) != 0)
		return -1;
	t->info = info_new(&how, put_info, t, e);
	return t->info != NULL ? begin_content(t, header, e) : -1;
}

/* --- files --------------------------------------------------------------------------------------
 */

/* What works in all clients that read this kind is fine. WebTorrent reads v1, and that of hybrids.
 */
static int check_name(const struct torrent *t, const char *path, struct err *e)
{
	if (t->kind == INFO_HYBRID && traps_are_swapped(t->path.data, path))
		return err_set(e, ERR_REFUSED,
			       "'%s' comes before '%s' in JavaScript, so WebTorrent would not find "
			       "the hybrid torrent: rename one, leave it out by --only, or make a "
			       "v1 and a v2 torrent",
			       path, t->path.data);
	char c = traps_in_url(path);
	if (c != 0 && has_v1(t) && options_of(t)->web_seed.count > 0)
		return err_set(e, ERR_REFUSED,
			       "'%s': WebTorrent would ask a web seed for another file, because of "
			       "the '%c': rename it, leave it out by --only, or leave out "
			       "--web-seed",
			       path, c);
	return 0;
}

static int check_limits(const struct torrent *t, bool all, struct err *e)
{
	const struct info_tally *tally = info_tally(t->info);
	const struct limits is = {.so_far = !all,
				  .bytes = all ? t->size : tally->bytes,
				  .pieces = tally->pieces,
				  .tokens = t->writer.tokens + tally->tokens + t->tokens,
				  .depth = tally->depth + 1};

	return options_of(t)->oversize ? 0 : limits_check(&is, e);
}

static int see(void *self, const void *bytes, size_t len, struct err *e)
{
	struct torrent *t = self;

	return piecer_add(t->piecer, bytes, len, e);
}

static int add_content(struct torrent *t, const struct entry *entry, struct err *e)
{
	/* Nobody reads for an hour to learn that it was in vain. */
	if (check_limits(t, false, e) != 0 || piecer_pad(t->piecer, info_padding(t->info), e) != 0)
		return -1;
	return feed_file(t->feed, entry, see, t, e);
}

static int add(void *self, const struct entry *entry, struct err *e)
{
	struct torrent *t = self;

	if (check_name(t, entry->path, e) != 0)
		return -1;
	buf_clear(&t->path);
	buf_adds(&t->path, entry->path);
	t->files++;
	t->bytes += entry->size;
	if (buf_check(&t->path, e) != 0 || info_add(t->info, entry, e) != 0 ||
	    (has_v2(t) && layers_add(t->layers, entry, e) != 0))
		return -1;
	return has_v1(t) ? add_content(t, entry, e) : 0;
}

/* --- what stands behind them --------------------------------------------------------------------
 */

static int put_similar(struct torrent *t, struct err *e)
{
	const uint8_t *const self[] = {t->v2, t->v1};
	size_t from = t->state.text.len;

	relatives_settle(&t->relatives, self, sizeof self / sizeof *self);
	if (t->relatives.count == 0)
		return 0;
	put_key(t, "similar");
	bencode_open_list(&t->writer);
	for (size_t i = 0; i < t->relatives.count; i++)
		bencode_string(&t->writer, t->relatives.list[i], RELATIVES_SIZE);
	bencode_close(&t->writer);
	return count(t, from, e);
}

/*
 * A client asks for <URL>/<name>/<path>; of a torrent with one file, the URL is that of the file
 * (BEP 19). libtorrent, which is alone in reading v2, takes the pad behind a file that does not end
 * on a piece for a second one, and knows a single file in no folder by its own name alone.
 */
static void add_seed(const struct torrent *t, struct buf *to, const char *url)
{
	bool in_folder = strchr(t->path.data, '/') != NULL;
	bool padded = t->kind == INFO_V2 && t->bytes % t->piece_length != 0;

	weburl_add(to, url, "");
	if (t->files > 1 || (padded && in_folder))
		return;
	weburl_add_path(to, t->name.data);
	buf_addc(to, '/');
	if (!padded)
		weburl_add_path(to, t->path.data);
}

static int put_seeds(struct torrent *t, struct err *e)
{
	const struct opt_list *list = &options_of(t)->web_seed;
	struct buf url = BUF_INIT;
	int status = 0;

	if (list->count == 0)
		return 0;
	put_key(t, "url-list");
	bencode_open_list(&t->writer);
	for (size_t i = 0; status == 0 && i < list->count; i++) {
		buf_clear(&url);
		add_seed(t, &url, list->items[i]);
		status = buf_check(&url, e);
		bencode_text(&t->writer, url.data);
	}
	bencode_close(&t->writer);
	buf_release(&url);
	return status;
}

static int put_layers(struct torrent *t, struct err *e)
{
	size_t from = t->state.text.len;

	if (!has_v2(t))
		return 0;
	put_key(t, "piece layers");
	if (count(t, from, e) != 0)
		return -1;
	return layers_write(t->layers, put, t, &t->tokens, e);
}

/* --- the end ------------------------------------------------------------------------------------
 */

static int finish_hashes(struct torrent *t, struct err *e)
{
	if (has_v2(t))
		sha256_final(t->sha256, t->v2);
	if (has_v1(t))
		sha1_final(t->sha1, t->v1);
	return sha256_check(t->sha256, e) != 0 ? -1 : sha1_check(t->sha1, e);
}

static bool is_whole(const struct torrent *t)
{
	const struct exporter_options *o = options_of(t);

	return o->only.count == 0 && (o->label == NULL || strcmp(o->label, "public") == 0);
}

static int disagrees(const struct torrent *t, const char *what, struct err *e)
{
	return err_set(e, ERR_UNTRUSTED,
		       "the head of %s %s names another %s: whoever made it did not make it of "
		       "these files",
		       t->head.id.product, t->head.id.version, what);
}

/* What clients go by must be what is handed out. */
static int check_hashes(const struct torrent *t, struct err *e)
{
	const struct head *h = &t->head;

	if (!is_whole(t))
		return 0;
	if (t->kind == INFO_V2 && (!h->has_btmh || memcmp(t->v2, h->btmh, SHA256_SIZE) != 0))
		return disagrees(t, "v2 torrent (btmh)", e);
	if (t->kind == INFO_HYBRID && h->has_hybrid &&
	    (memcmp(t->v2, h->hybrid_btmh, SHA256_SIZE) != 0 ||
	     memcmp(t->v1, h->hybrid_btih, SHA1_SIZE) != 0))
		return disagrees(t, "hybrid torrent (hybrid)", e);
	return 0;
}

static int put_magnet(struct torrent *t, struct err *e)
{
	const struct opt_list *seeds = &options_of(t)->web_seed;
	struct buf url = BUF_INIT;
	int status = 0;

	magnet_start(&t->state.text, has_v2(t) ? t->v2 : NULL, has_v1(t) ? t->v1 : NULL);
	magnet_add(&t->state.text, "dn", t->name.data);
	for (size_t i = 0; i < options_of(t)->tracker.count; i++)
		magnet_add(&t->state.text, "tr", options_of(t)->tracker.items[i]);
	for (size_t i = 0; status == 0 && i < seeds->count; i++) {
		buf_clear(&url);
		add_seed(t, &url, seeds->items[i]);
		status = buf_check(&url, e);
		magnet_add(&t->state.text, "ws", url.data);
	}
	buf_addc(&t->state.text, '\n');
	buf_release(&url);
	return status;
}

static int end(void *self, struct err *e)
{
	struct torrent *t = self;

	if (t->bytes == 0)
		return err_set(e, ERR_REFUSED,
			       "all files are empty: clients take no torrent without content");
	if (has_v1(t) && (piecer_end(t->piecer, e) != 0 || feed_end(t->feed, e) != 0))
		return -1;
	if (info_end(t->info, t->pieces, e) != 0 || finish_hashes(t, e) != 0 ||
	    put_layers(t, e) != 0 || put_similar(t, e) != 0)
		return -1;
	size_t from = t->state.text.len;
	if (put_seeds(t, e) != 0)
		return -1;
	bencode_close(&t->writer);
	if (count(t, from, e) != 0 || check_limits(t, true, e) != 0 || check_hashes(t, e) != 0)
		return -1;
	return options_of(t)->magnet ? put_magnet(t, e) : 0;
}

/* --- what was made ------------------------------------------------------------------------------
 */

static void describe_hash(struct buf *text, const char *kind, const uint8_t *hash, size_t len)
{
	char hex[2 * SHA256_SIZE + 1];

	hex_format(hex, hash, len);
	buf_addf(text, "infohash %s: %s\n", kind, hex);
}

static void describe(const void *self, bool verbose, struct buf *text)
{
	const struct torrent *t = self;
	const struct info_tally *tally = info_tally(t->info);

	(void)verbose;
	if (has_v2(t))
		describe_hash(text, "v2", t->v2, SHA256_SIZE);
	if (has_v1(t))
		describe_hash(text, "v1", t->v1, SHA1_SIZE);
	text_plural(text, tally->pieces, "piece");
	buf_adds(text, ", metainfo of ");
	text_bytes(text, t->size);
	buf_addc(text, '\n');
	if (t->kind != INFO_HYBRID)
		return;
	uint64_t tenths = tally->pad_bytes * 1000 / tally->length;
	buf_adds(text, "padding: ");
	text_bytes(text, tally->pad_bytes);
	buf_addf(text, ", %llu.%llu %% of the v1 torrent\n", (unsigned long long)tenths / 10,
		 (unsigned long long)tenths % 10);
}

static void members(const void *self, struct jsonl_writer *w)
{
	const struct torrent *t = self;
	const struct info_tally *tally = info_tally(t->info);

	jsonl_string(w, "kind", torrent_kinds[t->kind]);
	if (has_v2(t))
		jsonl_hex(w, "infohash_v2", t->v2, SHA256_SIZE);
	if (has_v1(t))
		jsonl_hex(w, "infohash_v1", t->v1, SHA1_SIZE);
	jsonl_number(w, "pieces", tally->pieces);
	jsonl_number(w, "metainfo_bytes", t->size);
	jsonl_number(w, "pads", tally->pads);
	jsonl_number(w, "pad_bytes", tally->pad_bytes);
}

static const char *const options[] = {"kind",     "tree",   "web-seed", "tracker",
				      "previous", "magnet", "oversize", NULL};

const struct exporter_format torrent_format = {
    .name = "torrent",
    .options = options,
    .public_only = true,
    .size = sizeof(struct torrent),
    .start = start,
    .begin = begin,
    .add = add,
    .end = end,
    .describe = describe,
    .members = members,
    .stop = stop,
};
