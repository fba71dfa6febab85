#include "swarm/workbox.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "swarm/base64.h"
#include "swarm/hex.h"
#include "swarm/plain.h"
#include "swarm/sri.h"
#include "swarm/text.h"
#include "swarm/urlpath.h"

struct workbox {
	struct outfile *out;
	struct buf prefix;
	struct buf text;
	bool comma;
	uint64_t immutable;
};

static void stop(void *self)
{
	struct workbox *w = self;

	buf_release(&w->prefix);
	buf_release(&w->text);
	free(w);
}

static void *start(const struct exporter_job *job, struct err *e)
{
	struct workbox *w = calloc(1, sizeof *w);

	if (w == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	w->out = job->out;
	buf_init(&w->prefix);
	buf_init(&w->text);
	if (urlpath_add_prefix(&w->prefix, job->options->url_prefix, URLPATH_BROWSER, e) == 0)
		return w;
	stop(w);
	return NULL;
}

static int begin(void *self, const struct header *header, const struct head *head, struct err *e)
{
	struct workbox *w = self;

	(void)header;
	(void)head;
	(void)e;
	buf_adds(&w->text, "[\n");
	return 0;
}

/* Whether a Cache-Control has the directive `immutable` (RFC 8246). */
static bool is_immutable(const char *cache)
{
	static const char word[] = "immutable";

	while (*cache != '\0') {
		cache += strspn(cache, ", \t");
		size_t len = strcspn(cache, ", \t");
		if (len == sizeof word - 1 && strncasecmp(cache, word, len) == 0)
			return true;
		cache += len;
	}
	return false;
}

static void add_revision(struct buf *to, const struct entry *entry, bool immutable)
{
	char hex[2 * SHA256_SIZE + 1];

	if (immutable) {
		buf_adds(to, "null");
		return;
	}
	hex_format(hex, entry->sha256, SHA256_SIZE);
	buf_addf(to, "\"%s\"", hex);
}

/* Nothing that JSON escapes is left of a path once it is percent-encoded. */
static int add(void *self, const struct entry *entry, struct err *e)
{
	struct workbox *w = self;
	bool immutable = entry->cache != NULL && is_immutable(entry->cache);

	if (plain_check(entry, "which is what integrity is told by", e) != 0)
		return -1;
	w->immutable += immutable;
	buf_adds(&w->text, w->comma ? ",\n{\"url\":\"" : "{\"url\":\"");
	w->comma = true;
	buf_add(&w->text, w->prefix.data, w->prefix.len);
	urlpath_add(&w->text, entry->path, URLPATH_BROWSER);
	buf_adds(&w->text, "\",\"revision\":");
	add_revision(&w->text, entry, immutable);
	buf_adds(&w->text, ",\"integrity\":\"" SRI_ALGORITHM);
	base64_format(&w->text, entry->sha256, SHA256_SIZE);
	buf_adds(&w->text, "\"}");
	return outfile_gather(w->out, &w->text, e);
}

static int end(void *self, struct err *e)
{
	struct workbox *w = self;

	buf_adds(&w->text, "\n]\n");
	return outfile_drain(w->out, &w->text, e);
}

static void describe(const void *self, bool verbose, struct buf *text)
{
	const struct workbox *w = self;

	if (!verbose)
		return;
	buf_adds(text, "without a revision, since they are immutable: ");
	text_plural(text, w->immutable, "file");
	buf_addc(text, '\n');
}

static void members(const void *self, struct jsonl_writer *to)
{
	const struct workbox *w = self;

	jsonl_number(to, "immutable", w->immutable);
}

static const char *const options[] = {"url-prefix", NULL};

const struct exporter_format workbox_format = {
    .name = "workbox",
    .options = options,
    .start = start,
    .begin = begin,
    .add = add,
    .end = end,
    .describe = describe,
    .members = members,
    .stop = stop,
};
