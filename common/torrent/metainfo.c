#include "swarm/metainfo.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/bencode.h"
#include "swarm/layers.h"
#include "swarm/limits.h"
#include "swarm/magnet.h"
#include "swarm/sha1.h"
#include "swarm/sha256.h"
#include "swarm/weburl.h"

struct metainfo {
	struct metainfo_options options;
	int (*put)(void *context, const void *bytes, size_t len, struct err *e);
	void *context;
	struct buf text; /* not passed on yet */
	struct bencode_writer writer;
	struct info *info;
	struct layers *layers; /* NULL: of v1 */
	uint64_t layer_tokens;
	struct sha256 *sha256;
	struct sha1 *sha1;
	uint8_t v2[SHA256_SIZE], v1[SHA1_SIZE];
	uint64_t size;         /* passed on */
	uint64_t files, bytes; /* of the release */
};

static bool has_v2(const struct metainfo *m)
{
	return m->options.info.kind != INFO_V1;
}

static bool has_v1(const struct metainfo *m)
{
	return m->options.info.kind != INFO_V2;
}

const uint8_t *metainfo_v2(const struct metainfo *m)
{
	return has_v2(m) ? m->v2 : NULL;
}

const uint8_t *metainfo_v1(const struct metainfo *m)
{
	return has_v1(m) ? m->v1 : NULL;
}

uint64_t metainfo_size(const struct metainfo *m)
{
	return m->size;
}

const struct info_tally *metainfo_tally(const struct metainfo *m)
{
	return info_tally(m->info);
}

const char *metainfo_last(const struct metainfo *m)
{
	return info_last(m->info);
}

uint64_t metainfo_padding(const struct metainfo *m)
{
	return info_padding(m->info);
}

/* --- bytes on their way -------------------------------------------------------------------------
 */

static int pass_on(void *self, const void *bytes, size_t len, struct err *e)
{
	struct metainfo *m = self;

	m->size += len;
	return m->put(m->context, bytes, len, e);
}

static int pass_on_info(void *self, const void *bytes, size_t len, struct err *e)
{
	struct metainfo *m = self;

	if (has_v2(m))
		sha256_update(m->sha256, bytes, len);
	if (has_v1(m))
		sha1_update(m->sha1, bytes, len);
	return pass_on(self, bytes, len, e);
}

static int put_text(struct metainfo *m, struct err *e)
{
	int status = buf_check(&m->text, e);

	if (status == 0)
		status = pass_on(m, m->text.data, m->text.len, e);
	buf_clear(&m->text);
	return status;
}

/* --- what stands before `info` ------------------------------------------------------------------
 */

/* Each tracker is a tier of its own: a client asks the next one if it cannot reach the first. */
static void add_trackers(struct metainfo *m)
{
	const struct opt_list *list = m->options.trackers;
	struct bencode_writer *w = &m->writer;

	if (list->count == 0)
		return;
	bencode_text(w, "announce");
	bencode_text(w, list->items[0]);
	if (list->count == 1)
		return;
	bencode_text(w, "announce-list");
	bencode_open_list(w);
	for (size_t i = 0; i < list->count; i++) {
		bencode_open_list(w);
		bencode_text(w, list->items[i]);
		bencode_close(w);
	}
	bencode_close(w);
}

static int begin(struct metainfo *m, struct err *e)
{
	m->writer.to = &m->text;
	if ((m->sha256 = sha256_new(e)) == NULL || (m->sha1 = sha1_new(e)) == NULL ||
	    (has_v2(m) && (m->layers = layers_new(e)) == NULL))
		return -1;
	bencode_open_dictionary(&m->writer);
	add_trackers(m);
	bencode_text(&m->writer, "info");
	if (put_text(m, e) != 0)
		return -1;
	m->info = info_new(&m->options.info, pass_on_info, m, e);
	return m->info != NULL ? 0 : -1;
}

struct metainfo *metainfo_new(const struct metainfo_options *options,
			      int (*put)(void *context, const void *bytes, size_t len,
					 struct err *e),
			      void *context, struct err *e)
{
	struct metainfo *m = calloc(1, sizeof *m);

	if (m == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	m->options = *options;
	m->put = put;
	m->context = context;
	buf_init(&m->text);
	if (begin(m, e) == 0)
		return m;
	metainfo_free(m);
	return NULL;
}

void metainfo_free(struct metainfo *m)
{
	if (m == NULL)
		return;
	info_free(m->info);
	layers_free(m->layers);
	sha256_free(m->sha256);
	sha1_free(m->sha1);
	buf_release(&m->text);
	free(m);
}

/* --- files --------------------------------------------------------------------------------------
 */

int metainfo_add(struct metainfo *m, const struct entry *entry, struct err *e)
{
	m->files++;
	m->bytes += entry->size;
	if (info_add(m->info, entry, e) != 0)
		return -1;
	return has_v2(m) ? layers_add(m->layers, entry, e) : 0;
}

static int check(const struct metainfo *m, bool all, struct err *e)
{
	const struct info_tally *tally = info_tally(m->info);
	const struct limits is = {.so_far = !all,
				  .bytes = all ? m->size : tally->bytes,
				  .pieces = tally->pieces,
				  .tokens = m->writer.tokens + tally->tokens + m->layer_tokens,
				  .depth = tally->depth + 1};

	return m->options.oversize ? 0 : limits_check(&is, e);
}

int metainfo_check(const struct metainfo *m, struct err *e)
{
	return check(m, false, e);
}

/* --- web seeds ----------------------------------------------------------------------------------
 */

/*
 * A client asks for <URL>/<name>/<path>; of a torrent with one file, the URL is that of the file
 * (BEP 19). libtorrent, which is alone in reading v2, takes the pad behind a file that does not end
 * on a piece for a second one, and knows a single file in no folder by its own name alone.
 */
static void add_seed(const struct metainfo *m, struct buf *to, const char *url)
{
	const struct info_options *info = &m->options.info;
	const char *path = info_last(m->info);
	bool in_folder = strchr(path, '/') != NULL;
	bool padded = info->kind == INFO_V2 && m->bytes % info->piece_length != 0;

	weburl_add(to, url, "");
	if (m->files > 1 || (padded && in_folder))
		return;
	weburl_add_path(to, info->name);
	buf_addc(to, '/');
	if (!padded)
		weburl_add_path(to, path);
}

/* Calls `use` with the URL of each. */
static int each_seed(const struct metainfo *m, void (*use)(void *context, const char *url),
		     void *context, struct err *e)
{
	const struct opt_list *list = m->options.web_seeds;
	struct buf url = BUF_INIT;
	int status = 0;

	for (size_t i = 0; status == 0 && i < list->count; i++) {
		buf_clear(&url);
		add_seed(m, &url, list->items[i]);
		status = buf_check(&url, e);
		if (status == 0)
			use(context, url.data);
	}
	buf_release(&url);
	return status;
}

static void put_in_list(void *writer, const char *url)
{
	bencode_text(writer, url);
}

static void put_in_link(void *link, const char *url)
{
	magnet_add(link, "ws", url);
}

/* --- what stands behind `info` ------------------------------------------------------------------
 */

static int add_layers(struct metainfo *m, struct err *e)
{
	if (!has_v2(m))
		return 0;
	bencode_text(&m->writer, "piece layers");
	if (put_text(m, e) != 0)
		return -1;
	return layers_write(m->layers, pass_on, m, &m->layer_tokens, e);
}

static void add_similar(struct metainfo *m, struct relatives *similar)
{
	const uint8_t *const self[] = {m->v2, m->v1};

	relatives_settle(similar, self, sizeof self / sizeof *self);
	if (similar->count == 0)
		return;
	bencode_text(&m->writer, "similar");
	bencode_open_list(&m->writer);
	for (size_t i = 0; i < similar->count; i++)
		bencode_string(&m->writer, similar->list[i], RELATIVES_SIZE);
	bencode_close(&m->writer);
}

static int add_seeds(struct metainfo *m, struct err *e)
{
	if (m->options.web_seeds->count == 0)
		return 0;
	bencode_text(&m->writer, "url-list");
	bencode_open_list(&m->writer);
	if (each_seed(m, put_in_list, &m->writer, e) != 0)
		return -1;
	bencode_close(&m->writer);
	return 0;
}

static int end_hashes(struct metainfo *m, struct err *e)
{
	if (has_v2(m))
		sha256_final(m->sha256, m->v2);
	if (has_v1(m))
		sha1_final(m->sha1, m->v1);
	return sha256_check(m->sha256, e) != 0 ? -1 : sha1_check(m->sha1, e);
}

int metainfo_end(struct metainfo *m, const struct spool *pieces, struct relatives *similar,
		 struct err *e)
{
	if (m->bytes == 0)
		return err_set(e, ERR_REFUSED,
			       "all files are empty: clients take no torrent without content");
	if (info_end(m->info, pieces, e) != 0 || end_hashes(m, e) != 0 || add_layers(m, e) != 0)
		return -1;
	add_similar(m, similar);
	if (add_seeds(m, e) != 0)
		return -1;
	bencode_close(&m->writer);
	return put_text(m, e) != 0 ? -1 : check(m, true, e);
}

int metainfo_magnet(const struct metainfo *m, struct buf *to, struct err *e)
{
	const struct opt_list *trackers = m->options.trackers;

	magnet_start(to, metainfo_v2(m), metainfo_v1(m));
	magnet_add(to, "dn", m->options.info.name);
	for (size_t i = 0; i < trackers->count; i++)
		magnet_add(to, "tr", trackers->items[i]);
	if (each_seed(m, put_in_link, to, e) != 0)
		return -1;
	return buf_check(to, e);
}
