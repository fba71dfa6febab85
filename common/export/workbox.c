#include "swarm/workbox.h"

#include <string.h>
#include <strings.h>

#include "swarm/base64.h"
#include "swarm/hex.h"
#include "swarm/plain.h"
#include "swarm/sri.h"
#include "swarm/text.h"
#include "swarm/urlpath.h"

struct workbox {
	struct format_state state;
	struct buf prefix;
	bool comma;
	uint64_t immutable;
};

static void stop(void *self)
{
	struct workbox *w = self;

	buf_release(&w->prefix);
}

static int start(void *self, struct err *e)
{
	struct workbox *w = self;

	buf_init(&w->prefix);
	buf_adds(&w->state.text, "[\n");
	return urlpath_add_prefix(&w->prefix, w->state.job->options->url_prefix, URLPATH_BROWSER,
				  e);
}

/* Where the directive at the start ends: not at a comma in quotes (RFC 9110, 5.6.4). */
static size_t directive_length(const char *text)
{
	bool quoted = false;
	size_t n = 0;

	for (; text[n] != '\0' && (quoted || text[n] != ','); n++) {
		if (text[n] == '"')
			quoted = !quoted;
		else if (quoted && text[n] == '\\' && text[n + 1] != '\0')
			n++;
	}
	return n;
}

/* Whether a Cache-Control has the directive `immutable` (RFC 8246). */
static bool is_immutable(const char *cache)
{
	static const char word[] = "immutable";

	while (*cache != '\0') {
		cache += strspn(cache, ", \t");
		size_t len = directive_length(cache), end = len;
		while (end > 0 && strchr(" \t", cache[end - 1]) != NULL)
			end--;
		if (end == sizeof word - 1 && strncasecmp(cache, word, end) == 0)
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
	struct buf *text = &w->state.text;
	bool immutable = entry->cache != NULL && is_immutable(entry->cache);

	if (plain_check(entry, "which is what integrity is told by", e) != 0)
		return -1;
	w->immutable += immutable;
	buf_adds(text, w->comma ? ",\n{\"url\":\"" : "{\"url\":\"");
	w->comma = true;
	buf_add(text, w->prefix.data, w->prefix.len);
	urlpath_add(text, entry->path, URLPATH_BROWSER);
	buf_adds(text, "\",\"revision\":");
	add_revision(text, entry, immutable);
	buf_adds(text, ",\"integrity\":\"" SRI_ALGORITHM);
	base64_format(text, entry->sha256, SHA256_SIZE);
	buf_adds(text, "\"}");
	return outfile_gather(w->state.job->out, text, e);
}

static int end(void *self, struct err *e)
{
	struct workbox *w = self;

	buf_adds(&w->state.text, "\n]\n");
	return buf_check(&w->state.text, e);
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

const struct format workbox_format = {
    .name = "workbox",
    .options = options,
    .size = sizeof(struct workbox),
    .start = start,
    .add = add,
    .end = end,
    .describe = describe,
    .members = members,
    .stop = stop,
};
