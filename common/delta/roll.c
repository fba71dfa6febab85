#include "swarm/roll.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/body.h"
#include "swarm/envelope.h"
#include "swarm/io.h"
#include "swarm/num.h"
#include "swarm/path.h"
#include "swarm/trust.h"

struct roll {
	const struct document *document;
	struct io_lines lines;
	struct header header;
	struct sha256 *sha;
	uint8_t digest[SHA256_SIZE];
	uint64_t length; /* of what was hashed */
	uint64_t files;
	const char *line;
	size_t line_len;
	size_t path_len;
	unsigned now; /* which of the two is the line's path; the other is of the one before */
	char paths[2][PATH_LENGTH_MAX + 1];
	bool ended;
};

static const char path_key[] = "{\"path\":\"";

#define PATH_AT (sizeof path_key - 1)

int roll_locate(const struct roll *r, struct err *e)
{
	return err_prefix(e, "%s:%llu", r->lines.name, (unsigned long long)r->lines.number);
}

/* The line feed stands behind the line in the reader's buffer. */
static int read_line(struct roll *r, struct err *e)
{
	int got = io_lines_next(&r->lines, &r->line, &r->line_len, e);

	if (got > 0) {
		sha256_update(r->sha, r->line, r->line_len + 1);
		r->length += r->line_len + 1;
	}
	return got;
}

static int read_header(struct roll *r, struct err *e)
{
	int got = read_line(r, e);

	if (got == 0)
		return err_set(e, ERR_MALFORMED, "'%s' is empty", r->lines.name);
	if (got < 0)
		return -1;
	if (header_parse(r->line, r->line_len, &r->header, e) != 0)
		return roll_locate(r, e);
	return 0;
}

struct roll *roll_open(struct document *d, struct err *e)
{
	struct roll *r = NULL;

	if (document_kind(d) != DOCUMENT_MANIFEST) {
		(void)err_set(e, ERR_UNTRUSTED, "'%s' is no manifest", document_name(d));
		return NULL;
	}
	r = calloc(1, sizeof *r);
	if (r == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	r->document = d;
	r->sha = sha256_new(e);
	if (document_lines(d, &r->lines, e) != 0 || r->sha == NULL || read_header(r, e) != 0) {
		roll_close(r);
		return NULL;
	}
	return r;
}

void roll_close(struct roll *r)
{
	if (r == NULL)
		return;
	io_lines_release(&r->lines);
	sha256_free(r->sha);
	free(r);
}

const struct header *roll_header(const struct roll *r)
{
	return &r->header;
}

const char *roll_name(const struct roll *r)
{
	return r->lines.name;
}

/*
 * Copies the path. No path that a release can have needs an escape, nor holds a control character:
 * where there is one the line cannot be right.
 */
static bool copy_path(struct roll *r)
{
	char *to = r->paths[r->now];
	size_t room = r->line_len < PATH_AT ? 0 : r->line_len - PATH_AT;

	if (room == 0 || memcmp(r->line, path_key, PATH_AT) != 0)
		return false;
	const char *from = r->line + PATH_AT;
	const char *end = memchr(from, '"', room < sizeof r->paths[0] ? room : sizeof r->paths[0]);
	if (end == NULL)
		return false;
	r->path_len = (size_t)(end - from);
	for (size_t i = 0; i < r->path_len; i++) {
		if (from[i] == '\\' || (unsigned char)from[i] < 0x20)
			return false;
		to[i] = from[i];
	}
	to[r->path_len] = '\0';
	return r->path_len > 0;
}

/* Why the line has no path that could be read; if nothing else is wrong with it, that is. */
static int refuse_path(const struct roll *r, struct err *e)
{
	struct arena arena = ARENA_INIT;
	struct entry entry;
	int status = roll_parse(r, &arena, &entry, e);

	arena_release(&arena);
	if (status != 0)
		return -1;
	(void)err_set(e, ERR_MALFORMED, "the line does not begin with a path");
	return roll_locate(r, e);
}

static int check_order(const struct roll *r, struct err *e)
{
	const char *path = r->paths[r->now], *last = r->paths[!r->now];
	int order = r->files > 1 ? path_compare(last, path) : -1;

	if (order == 0)
		return err_set(e, ERR_MALFORMED, "the path '%s' stands here twice", path);
	if (order > 0)
		return err_set(e, ERR_MALFORMED, "'%s' is out of order behind '%s'", path, last);
	if (r->files > 1 && path_is_below(path, last))
		return err_set(e, ERR_MALFORMED, "'%s' lies below '%s', which is a file", path,
			       last);
	return 0;
}

static int end_roll(struct roll *r, struct err *e)
{
	r->ended = true;
	if (r->files != r->header.files)
		return err_set(e, ERR_MALFORMED,
			       "'%s' holds %llu files, but its first line says %llu", r->lines.name,
			       (unsigned long long)r->files, (unsigned long long)r->header.files);
	sha256_final(r->sha, r->digest);
	return sha256_check(r->sha, e);
}

int roll_next(struct roll *r, struct err *e)
{
	if (r->ended)
		return 0;
	int got = read_line(r, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return end_roll(r, e);
	r->files++;
	r->now = !r->now;
	if (!copy_path(r))
		return refuse_path(r, e);
	if (check_order(r, e) != 0)
		return roll_locate(r, e);
	return 1;
}

const char *roll_path(const struct roll *r)
{
	return r->paths[r->now];
}

const char *roll_line(const struct roll *r, size_t *ret_len)
{
	*ret_len = r->line_len;
	return r->line;
}

int roll_parse(const struct roll *r, struct arena *arena, struct entry *ret, struct err *e)
{
	if (entry_parse(r->line, r->line_len, r->header.piece_length, arena, ret, e) != 0)
		return roll_locate(r, e);
	return 0;
}

void roll_digest(const struct roll *r, uint8_t digest[static SHA256_SIZE], uint64_t *ret_bytes)
{
	memcpy(digest, r->digest, SHA256_SIZE);
	*ret_bytes = r->length;
}

int roll_check(const struct roll *r, struct err *e)
{
	struct envelope v;
	struct head head;
	int status = -1;

	envelope_init(&v);
	if (document_envelope(r->document, &v, e) != 0)
		goto out;
	if (head_parse(v.payload.data, v.payload.len, &head, e) != 0) {
		(void)err_prefix(e, "'%s': its last line", r->lines.name);
		goto out;
	}
	status = trust_digest(&r->header, r->digest, r->length, r->lines.name, &head, e);
out:
	envelope_release(&v);
	return status;
}

/* --- what a line says of the content ------------------------------------------------------------
 */

/* What is left of a line. */
struct rest {
	const char *at, *end;
};

static bool skip(struct rest *r, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, text, len) != 0)
		return false;
	r->at += len;
	return true;
}

static bool skip_number(struct rest *r, uint64_t *ret)
{
	const char *start = r->at;

	for (*ret = 0; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
		*ret = *ret * 10 + (uint64_t)(*r->at - '0');
		if (*ret > NUM_MAX)
			return false;
	}
	return r->at > start;
}

/* The string that begins here; none of those that are asked for has escapes. */
static const char *skip_string(struct rest *r, size_t *ret_len)
{
	const char *start = r->at, *quote = memchr(start, '"', (size_t)(r->end - start));

	if (quote == NULL)
		return NULL;
	*ret_len = (size_t)(quote - start);
	r->at = quote + 1;
	return start;
}

bool roll_content(const struct roll *r, struct roll_content *ret)
{
	struct rest rest = {r->line + PATH_AT + r->path_len, r->line + r->line_len};
	size_t len;

	*ret = (struct roll_content){.size = 0};
	if (!skip(&rest, "\",\"size\":") || !skip_number(&rest, &ret->size) ||
	    !skip(&rest, ",\"label\":\"") || skip_string(&rest, &len) == NULL)
		return false;
	if (skip(&rest, ",\"sha256\":\"") && skip_string(&rest, &len) == NULL)
		return false;
	if (ret->size == 0)
		return true;
	if (!skip(&rest, ",\"root\":\"") || (ret->root = skip_string(&rest, &len)) == NULL ||
	    len != 2 * SHA256_SIZE)
		return false;
	if (skip(&rest, ",\"pieces\":\"") &&
	    (ret->pieces = skip_string(&rest, &ret->pieces_len)) == NULL)
		return false;
	return true;
}
