#include "swarm/torrent.h"

#include <string.h>

#include "swarm/feed.h"
#include "swarm/hex.h"
#include "swarm/magnet.h"
#include "swarm/metainfo.h"
#include "swarm/piecer.h"
#include "swarm/pool.h"
#include "swarm/sha1.h"
#include "swarm/sha256.h"
#include "swarm/text.h"
#include "swarm/traps.h"
#include "swarm/weburl.h"

const char *const torrent_kinds[] = {"v2", "hybrid", "v1", NULL};

struct torrent {
	struct format_state state;
	enum info_kind kind;
	struct head head;
	struct buf name;
	struct relatives relatives;
	struct metainfo *metainfo;
	/* Of hybrid and v1, whose pieces are of the content: */
	struct pool *pool;
	struct feed *feed;
	struct piecer *piecer;
	struct spool *pieces;
};

static bool has_v1(const struct torrent *t)
{
	return t->kind != INFO_V2;
}

static const struct format_options *options_of(const struct torrent *t)
{
	return t->state.job->options;
}

/* --- what is asked for --------------------------------------------------------------------------
 */

static enum info_kind kind_of(const struct format_options *o)
{
	if (o->kind == NULL || strcmp(o->kind, torrent_kinds[0]) == 0)
		return INFO_V2;
	return strcmp(o->kind, torrent_kinds[1]) == 0 ? INFO_HYBRID : INFO_V1;
}

static int check_options(const struct format_options *o, enum info_kind kind, struct err *e)
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
	metainfo_free(t->metainfo);
	buf_release(&t->name);
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
	t->kind = kind_of(options_of(t));
	if (check_options(options_of(t), t->kind, e) != 0 || read_relatives(t, e) != 0)
		return -1;
	return open_content(t, e);
}

/* --- the beginning ------------------------------------------------------------------------------
 */

/* A magnet link is made of a metainfo that nobody gets to see. */
static int put(void *self, const void *bytes, size_t len, struct err *e)
{
	struct torrent *t = self;

	if (options_of(t)->magnet)
		return 0;
	buf_add(&t->state.text, bytes, len);
	return outfile_gather(t->state.job->out, &t->state.text, e);
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
	const struct format_options *o = options_of(t);

	t->head = *head;
	header_torrent_name(&t->name, &head->id);
	if (buf_check(&t->name, e) != 0)
		return -1;
	const struct metainfo_options how = {.info = {t->kind, t->name.data, header->piece_length},
					     .trackers = &o->tracker,
					     .web_seeds = &o->web_seed,
					     .oversize = o->oversize};
	t->metainfo = metainfo_new(&how, put, t, e);
	return t->metainfo != NULL ? begin_content(t, header, e) : -1;
}

/* --- files --------------------------------------------------------------------------------------
 */

/* What works in all clients that read this kind is fine. WebTorrent reads v1, and that of hybrids.
 */
static int check_name(const struct torrent *t, const char *path, struct err *e)
{
	const char *last = metainfo_last(t->metainfo);

	if (t->kind == INFO_HYBRID && traps_are_swapped(last, path))
		return err_set(e, ERR_REFUSED,
			       "'%s' comes before '%s' in JavaScript, so WebTorrent would not find "
			       "the hybrid torrent: rename one, leave it out by --only, or make a "
			       "v1 and a v2 torrent",
			       path, last);
	char c = traps_in_url(path);
	if (c != 0 && has_v1(t) && options_of(t)->web_seed.count > 0)
		return err_set(e, ERR_REFUSED,
			       "'%s': WebTorrent would ask a web seed for another file, because of "
			       "the '%c': rename it, leave it out by --only, or leave out "
			       "--web-seed",
			       path, c);
	return 0;
}

static int see(void *self, const void *bytes, size_t len, struct err *e)
{
	struct torrent *t = self;

	return piecer_add(t->piecer, bytes, len, e);
}

static int add_content(struct torrent *t, const struct entry *entry, struct err *e)
{
	/* Nobody reads for an hour to learn that it was in vain. */
	if (metainfo_check(t->metainfo, e) != 0 ||
	    piecer_pad(t->piecer, metainfo_padding(t->metainfo), e) != 0)
		return -1;
	return feed_file(t->feed, entry, see, t, e);
}

static int add(void *self, const struct entry *entry, struct err *e)
{
	struct torrent *t = self;

	if (check_name(t, entry->path, e) != 0 || metainfo_add(t->metainfo, entry, e) != 0)
		return -1;
	return has_v1(t) ? add_content(t, entry, e) : 0;
}

/* --- the end ------------------------------------------------------------------------------------
 */

static bool is_whole(const struct torrent *t)
{
	const struct format_options *o = options_of(t);

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
	const uint8_t *v2 = metainfo_v2(t->metainfo), *v1 = metainfo_v1(t->metainfo);

	if (!is_whole(t))
		return 0;
	if (t->kind == INFO_V2 && (!h->has_btmh || memcmp(v2, h->btmh, SHA256_SIZE) != 0))
		return disagrees(t, "v2 torrent (btmh)", e);
	if (t->kind == INFO_HYBRID && h->has_hybrid &&
	    (memcmp(v2, h->hybrid_btmh, SHA256_SIZE) != 0 ||
	     memcmp(v1, h->hybrid_btih, SHA1_SIZE) != 0))
		return disagrees(t, "hybrid torrent (hybrid)", e);
	return 0;
}

static int end(void *self, struct err *e)
{
	struct torrent *t = self;

	if (has_v1(t) && (piecer_end(t->piecer, e) != 0 || feed_end(t->feed, e) != 0))
		return -1;
	if (metainfo_end(t->metainfo, t->pieces, &t->relatives, e) != 0 || check_hashes(t, e) != 0)
		return -1;
	if (!options_of(t)->magnet)
		return 0;
	if (metainfo_magnet(t->metainfo, &t->state.text, e) != 0)
		return -1;
	buf_addc(&t->state.text, '\n');
	return 0;
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
	const struct info_tally *tally = metainfo_tally(t->metainfo);

	(void)verbose;
	if (metainfo_v2(t->metainfo) != NULL)
		describe_hash(text, "v2", metainfo_v2(t->metainfo), SHA256_SIZE);
	if (metainfo_v1(t->metainfo) != NULL)
		describe_hash(text, "v1", metainfo_v1(t->metainfo), SHA1_SIZE);
	text_plural(text, tally->pieces, "piece");
	buf_adds(text, ", metainfo of ");
	text_bytes(text, metainfo_size(t->metainfo));
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
	const struct info_tally *tally = metainfo_tally(t->metainfo);

	jsonl_string(w, "kind", torrent_kinds[t->kind]);
	if (metainfo_v2(t->metainfo) != NULL)
		jsonl_hex(w, "infohash_v2", metainfo_v2(t->metainfo), SHA256_SIZE);
	if (metainfo_v1(t->metainfo) != NULL)
		jsonl_hex(w, "infohash_v1", metainfo_v1(t->metainfo), SHA1_SIZE);
	jsonl_number(w, "pieces", tally->pieces);
	jsonl_number(w, "metainfo_bytes", metainfo_size(t->metainfo));
	jsonl_number(w, "pads", tally->pads);
	jsonl_number(w, "pad_bytes", tally->pad_bytes);
}

static const char *const options[] = {"kind",     "tree",   "web-seed", "tracker",
				      "previous", "magnet", "oversize", NULL};

const struct format torrent_format = {
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
