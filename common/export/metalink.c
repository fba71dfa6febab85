#include "swarm/metalink.h"

#include <string.h>

#include "swarm/hex.h"
#include "swarm/pieces.h"
#include "swarm/text.h"
#include "swarm/utc.h"
#include "swarm/weburl.h"

struct metalink {
	struct format_state state;
	struct buf url;
	struct release_id id;
	uint64_t piece_length;
	struct pieces *pieces; /* NULL: without --tree */
	uint64_t piece_count;
	uint64_t empty, ampersands; /* files that aria2 has trouble with */
};

static void stop(void *self)
{
	struct metalink *m = self;

	pieces_free(m->pieces);
	buf_release(&m->url);
}

static const struct format_options *options_of(const struct metalink *m)
{
	return m->state.job->options;
}

static int start(void *self, struct err *e)
{
	struct metalink *m = self;
	const struct opt_list *mirrors = &options_of(m)->mirror;

	buf_init(&m->url);
	for (size_t i = 0; i < mirrors->count; i++)
		if (weburl_check("--mirror", WEBURL_BASE, mirrors->items[i], e) != 0)
			return -1;
	return 0;
}

/* --- XML ----------------------------------------------------------------------------------------
 */

static void add_escaped(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&': buf_adds(to, "&amp;"); break;
		case '<': buf_adds(to, "&lt;"); break;
		case '>': buf_adds(to, "&gt;"); break;
		case '"': buf_adds(to, "&quot;"); break;
		case '\'': buf_adds(to, "&apos;"); break;
		default: buf_addc(to, *text);
		}
	}
}

static void add_element(struct buf *to, const char *indent, const char *name, const char *text)
{
	buf_addf(to, "%s<%s>", indent, name);
	add_escaped(to, text);
	buf_addf(to, "</%s>\n", name);
}

static void add_hash(struct buf *to, const char *start, const uint8_t digest[static SHA256_SIZE])
{
	char hex[2 * SHA256_SIZE + 1];

	hex_format(hex, digest, SHA256_SIZE);
	buf_addf(to, "%s%s</hash>\n", start, hex);
}

/* Of what a path may hold, XML 1.0 has no way to write U+FFFE and U+FFFF. */
static int check_path(const char *path, struct err *e)
{
	if (strstr(path, "\xEF\xBF\xBE") == NULL && strstr(path, "\xEF\xBF\xBF") == NULL)
		return 0;
	return err_set(e, ERR_REFUSED,
		       "'%s' cannot stand in a Metalink: XML has no way to write U+FFFE and U+FFFF",
		       path);
}

/* --- files --------------------------------------------------------------------------------------
 */

static int add_pieces(struct metalink *m, const struct pieces_file *file, struct err *e)
{
	struct buf *text = &m->state.text;

	buf_addf(text, "    <pieces length=\"%llu\" type=\"sha-256\">\n",
		 (unsigned long long)m->piece_length);
	for (size_t i = 0; i < file->count; i++) {
		add_hash(text, "      <hash>", file->digests + i * SHA256_SIZE);
		if (outfile_gather(m->state.job->out, text, e) != 0)
			return -1;
	}
	buf_adds(text, "    </pieces>\n");
	m->piece_count += file->count;
	return 0;
}

static int put(void *self, const struct pieces_file *file, struct err *e)
{
	struct metalink *m = self;
	struct buf *text = &m->state.text;
	const struct opt_list *mirrors = &options_of(m)->mirror;

	if (check_path(file->path, e) != 0)
		return -1;
	buf_adds(text, "  <file name=\"");
	add_escaped(text, file->path);
	buf_adds(text, "\">\n");
	add_element(text, "    ", "identity", m->id.product);
	add_element(text, "    ", "version", m->id.version);
	buf_addf(text, "    <size>%llu</size>\n", (unsigned long long)file->size);
	add_hash(text, "    <hash type=\"sha-256\">", file->sha256);
	if (file->count > 0 && add_pieces(m, file, e) != 0)
		return -1;
	for (size_t i = 0; i < mirrors->count; i++) {
		buf_clear(&m->url);
		weburl_add(&m->url, mirrors->items[i], file->path);
		if (buf_check(&m->url, e) != 0)
			return -1;
		buf_addf(text, "    <url priority=\"%zu\">", i + 1);
		add_escaped(text, m->url.data);
		buf_adds(text, "</url>\n");
	}
	buf_adds(text, "  </file>\n");
	m->empty += file->size == 0;
	m->ampersands += strchr(file->path, '&') != NULL;
	return outfile_gather(m->state.job->out, text, e);
}

static int begin(void *self, const struct header *header, const struct head *head, struct err *e)
{
	struct metalink *m = self;
	const struct format_job *job = m->state.job;
	const struct pieces_options how = {
	    job->options->tree, header->piece_length, job->threads, job->progress, put, m};
	struct buf *text = &m->state.text;
	char issued[UTC_SIZE];

	m->id = head->id;
	m->piece_length = header->piece_length;
	utc_format(issued, head->issued);
	buf_adds(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\">\n");
	add_element(text, "  ", "generator", "swarmexport");
	add_element(text, "  ", "published", issued);
	if (how.tree == NULL)
		return 0;
	m->pieces = pieces_new(&how, e);
	return m->pieces != NULL ? 0 : err_prefix(e, "--tree");
}

static int add(void *self, const struct entry *entry, struct err *e)
{
	struct metalink *m = self;
	struct pieces_file file = {.path = entry->path, .size = entry->size};

	if (m->pieces != NULL)
		return pieces_add(m->pieces, entry, e);
	if (!entry->has_sha256)
		return err_set(e, ERR_REFUSED,
			       "'%s' has no plain digest in the manifest: give --tree, which it "
			       "can be taken from",
			       entry->path);
	memcpy(file.sha256, entry->sha256, SHA256_SIZE);
	return put(m, &file, e);
}

static int end(void *self, struct err *e)
{
	struct metalink *m = self;

	if (m->pieces != NULL && pieces_end(m->pieces, e) != 0)
		return -1;
	buf_adds(&m->state.text, "</metalink>\n");
	return 0;
}

/* --- what came of it ----------------------------------------------------------------------------
 */

static void describe(const void *self, bool verbose, struct buf *text)
{
	const struct metalink *m = self;

	(void)verbose;
	text_plural(text, options_of(m)->mirror.count, "mirror");
	if (m->pieces != NULL) {
		buf_adds(text, ", ");
		text_plural(text, m->piece_count, "piece");
	}
	buf_addc(text, '\n');
	if (m->empty > 0) {
		buf_adds(text, "aria2 cannot check empty files: there ");
		buf_adds(text, m->empty == 1 ? "is " : "are ");
		text_count(text, m->empty);
		buf_addc(text, '\n');
	}
	if (m->ampersands > 0) {
		buf_adds(text, "aria2 misspells names with '&': there ");
		buf_adds(text, m->ampersands == 1 ? "is " : "are ");
		text_count(text, m->ampersands);
		buf_addc(text, '\n');
	}
}

static void members(const void *self, struct jsonl_writer *w)
{
	const struct metalink *m = self;

	jsonl_number(w, "mirrors", options_of(m)->mirror.count);
	jsonl_number(w, "pieces", m->piece_count);
	jsonl_number(w, "empty", m->empty);
	jsonl_number(w, "ampersands", m->ampersands);
}

static const char *const options[] = {"mirror", "tree", NULL};

const struct format metalink_format = {
    .name = "metalink",
    .options = options,
    .public_only = true,
    .size = sizeof(struct metalink),
    .start = start,
    .begin = begin,
    .add = add,
    .end = end,
    .describe = describe,
    .members = members,
    .stop = stop,
};
