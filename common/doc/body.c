#include "swarm/body.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/io.h"
#include "swarm/num.h"
#include "swarm/path.h"

struct body {
	struct io_lines lines;
	struct header header;
	struct sha256 *sha;
	uint8_t digest[SHA256_SIZE];
	uint64_t length; /* of what was hashed */
	uint64_t files, bytes;
	bool has_sha256; /* of the first file */
	struct buf last; /* its path, with its NUL */
	const char *line;
	size_t line_len;
	bool ended;
};

/* Puts "<name>:<line>: " in front. */
static int at_line(const struct body *b, struct err *e)
{
	return err_prefix(e, "%s:%llu", b->lines.name, (unsigned long long)b->lines.number);
}

static int next_line(struct body *b, struct err *e)
{
	return io_lines_next(&b->lines, &b->line, &b->line_len, e);
}

static void hash_line(struct body *b)
{
	b->length += b->line_len + 1;
	sha256_update(b->sha, b->line, b->line_len);
	sha256_update(b->sha, "\n", 1);
}

/* `part` is filled by the first line of a part; NULL: it is another document's. */
static int read_header(struct body *b, struct part *part, struct err *e)
{
	if (part == NULL) {
		if (header_parse(b->line, b->line_len, &b->header, e) != 0)
			return at_line(b, e);
		hash_line(b);
		return 0;
	}
	if (part_parse(b->line, b->line_len, part, e) != 0)
		return at_line(b, e);
	b->header = (struct header){.kind = HEADER_INVENTORY,
				    .piece_length = part->piece_length,
				    .files = part->own_files,
				    .bytes = part->own_bytes};
	return 0;
}

static struct body *start(int fd, uint64_t length, const char *name, struct part *part,
			  struct err *e)
{
	struct body *b = calloc(1, sizeof *b);

	if (b == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	io_lines_init(&b->lines, fd, name, BODY_LINE_MAX);
	b->lines.left = length;
	buf_init(&b->last);
	b->sha = sha256_new(e);
	if (b->sha == NULL)
		goto fail;
	int got = next_line(b, e);
	if (got == 0)
		(void)err_set(e, ERR_MALFORMED, "'%s' is empty", name);
	if (got != 1)
		goto fail;
	if (read_header(b, part, e) != 0)
		goto fail;
	return b;
fail:
	body_close(b);
	return NULL;
}

struct body *body_open(int fd, uint64_t length, const char *name, struct err *e)
{
	return start(fd, length, name, NULL, e);
}

struct body *body_open_part(int fd, const char *name, struct part *ret, struct err *e)
{
	return start(fd, UINT64_MAX, name, ret, e);
}

void body_close(struct body *b)
{
	if (b == NULL)
		return;
	io_lines_release(&b->lines);
	buf_release(&b->last);
	sha256_free(b->sha);
	free(b);
}

const struct header *body_header(const struct body *b)
{
	return &b->header;
}

/* The order of files and what must be the same in all of them. */
static int check_sequence(struct body *b, const struct entry *entry, struct err *e)
{
	if (b->files > 0) {
		int order = path_compare(b->last.data, entry->path);
		if (order == 0)
			return err_set(e, ERR_MALFORMED, "the path '%s' stands here twice",
				       entry->path);
		if (order > 0)
			return err_set(e, ERR_MALFORMED, "'%s' is out of order behind '%s'",
				       entry->path, b->last.data);
		if (path_is_below(entry->path, b->last.data))
			return err_set(e, ERR_MALFORMED, "'%s' lies below '%s', which is a file",
				       entry->path, b->last.data);
		if (entry->has_sha256 != b->has_sha256)
			return err_set(e, ERR_MALFORMED,
				       "'sha256' must stand in all lines or none");
	}
	b->has_sha256 = entry->has_sha256;
	buf_clear(&b->last);
	buf_adds(&b->last, entry->path);
	b->files++;
	if (!num_add(b->bytes, entry->size, &b->bytes))
		return err_set(e, ERR_MALFORMED, "the sizes add up to more than can be counted");
	return buf_check(&b->last, e);
}

static int end_body(struct body *b, struct err *e)
{
	const struct header *h = &b->header;

	b->ended = true;
	if (b->files != h->files)
		return err_set(e, ERR_MALFORMED,
			       "'%s' holds %llu files, but its first line says %llu", b->lines.name,
			       (unsigned long long)b->files, (unsigned long long)h->files);
	if (b->bytes != h->bytes)
		return err_set(
		    e, ERR_MALFORMED,
		    "the sizes in '%s' add up to %llu bytes, but its first line says %llu",
		    b->lines.name, (unsigned long long)b->bytes, (unsigned long long)h->bytes);
	sha256_final(b->sha, b->digest);
	return sha256_check(b->sha, e);
}

int body_next(struct body *b, struct arena *arena, struct entry *ret, struct err *e)
{
	if (b->ended)
		return 0;
	int got = next_line(b, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return end_body(b, e);
	if (entry_parse(b->line, b->line_len, b->header.piece_length, arena, ret, e) != 0 ||
	    check_sequence(b, ret, e) != 0)
		return at_line(b, e);
	hash_line(b);
	return 1;
}

const char *body_line(const struct body *b, size_t *ret_len)
{
	*ret_len = b->line_len;
	return b->line;
}

void body_digest(const struct body *b, uint8_t digest[static SHA256_SIZE], uint64_t *ret_bytes)
{
	memcpy(digest, b->digest, SHA256_SIZE);
	*ret_bytes = b->length;
}
