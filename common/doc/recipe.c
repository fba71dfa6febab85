#include "swarm/recipe.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/body.h"
#include "swarm/io.h"
#include "swarm/num.h"
#include "swarm/path.h"

/* A line of the new manifest may be as long as any, and something stands around it. */
#define RECIPE_LINE_MAX (BODY_LINE_MAX + 4096)

struct recipe {
	struct io_lines lines;
	struct delta_header header;
	struct sha256 *sha;
	uint8_t digest[SHA256_SIZE];
	uint64_t length; /* of what was hashed */
	uint64_t removes, files, bytes;
	uint64_t payloads;    /* their sizes */
	bool has_sha256;      /* of the first file */
	struct buf last;      /* the path of the last line, with its NUL */
	struct buf last_file; /* of the last line that is of a file */
	const char *line;
	size_t line_len;
	bool ended;
};

/* Puts "<name>:<line>: " in front. */
static int at_line(const struct recipe *r, struct err *e)
{
	return err_prefix(e, "%s:%llu", r->lines.name, (unsigned long long)r->lines.number);
}

static int next_line(struct recipe *r, struct err *e)
{
	return io_lines_next(&r->lines, &r->line, &r->line_len, e);
}

static void hash_line(struct recipe *r)
{
	r->length += r->line_len + 1;
	sha256_update(r->sha, r->line, r->line_len);
	sha256_update(r->sha, "\n", 1);
}

struct recipe *recipe_open(int fd, uint64_t length, const char *name, struct err *e)
{
	struct recipe *r = calloc(1, sizeof *r);

	if (r == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	io_lines_init(&r->lines, fd, name, RECIPE_LINE_MAX);
	r->lines.left = length;
	buf_init(&r->last);
	buf_init(&r->last_file);
	r->sha = sha256_new(e);
	if (r->sha == NULL)
		goto fail;
	int got = next_line(r, e);
	if (got == 0)
		(void)err_set(e, ERR_MALFORMED, "'%s' is empty", name);
	if (got != 1)
		goto fail;
	if (delta_parse_header(r->line, r->line_len, &r->header, e) != 0) {
		(void)at_line(r, e);
		goto fail;
	}
	hash_line(r);
	return r;
fail:
	recipe_close(r);
	return NULL;
}

void recipe_close(struct recipe *r)
{
	if (r == NULL)
		return;
	io_lines_release(&r->lines);
	buf_release(&r->last);
	buf_release(&r->last_file);
	sha256_free(r->sha);
	free(r);
}

const struct delta_header *recipe_header(const struct recipe *r)
{
	return &r->header;
}

static void remember(struct buf *last, const char *path)
{
	buf_clear(last);
	buf_adds(last, path);
}

/* What must be so in the new manifest. */
static int check_file(struct recipe *r, const struct delta_line *line, struct err *e)
{
	const struct entry *file = &line->file;

	if (r->files > 0 && path_is_below(line->path, r->last_file.data))
		return err_set(e, ERR_MALFORMED, "'%s' lies below '%s', which is a file",
			       line->path, r->last_file.data);
	if (r->files > 0 && file->has_sha256 != r->has_sha256)
		return err_set(e, ERR_MALFORMED, "'sha256' must stand in all lines or none");
	if (line->solid && !r->header.has_solid)
		return err_set(e, ERR_MALFORMED, "'solid' stands here, but not in the first line");
	if (!num_add(r->bytes, file->size, &r->bytes) || r->bytes > r->header.header.bytes)
		return err_set(e, ERR_MALFORMED,
			       "the sizes add up to more than the new manifest's");
	if (!num_add(r->payloads, line->size, &r->payloads) || r->payloads > NUM_MAX)
		return err_set(e, ERR_MALFORMED, "the payloads add up to more than can be counted");
	r->has_sha256 = file->has_sha256;
	r->files++;
	remember(&r->last_file, line->path);
	return buf_check(&r->last_file, e);
}

static int check_sequence(struct recipe *r, const struct delta_line *line, struct err *e)
{
	if (r->removes + r->files > 0) {
		int order = path_compare(r->last.data, line->path);
		if (order == 0)
			return err_set(e, ERR_MALFORMED, "the path '%s' stands here twice",
				       line->path);
		if (order > 0)
			return err_set(e, ERR_MALFORMED, "'%s' is out of order behind '%s'",
				       line->path, r->last.data);
	}
	remember(&r->last, line->path);
	if (!line->remove)
		return check_file(r, line, e) != 0 ? -1 : buf_check(&r->last, e);
	r->removes++;
	return buf_check(&r->last, e);
}

static int check_count(const struct recipe *r, const char *what, uint64_t found, uint64_t told,
		       struct err *e)
{
	if (found == told)
		return 0;
	return err_set(e, ERR_MALFORMED,
		       "'%s' %s %llu files, but its first line says %llu: is it cut off?",
		       r->lines.name, what, (unsigned long long)found, (unsigned long long)told);
}

static int end_recipe(struct recipe *r, struct err *e)
{
	const struct delta_header *h = &r->header;

	r->ended = true;
	if (check_count(r, "removes", r->removes, h->removes, e) != 0 ||
	    check_count(r, "brings", r->files, h->files, e) != 0)
		return -1;
	if (r->files == h->header.files && r->bytes != h->header.bytes)
		return err_set(e, ERR_MALFORMED,
			       "'%s' brings all files of the new manifest, but their sizes add up "
			       "to %llu bytes, not %llu",
			       r->lines.name, (unsigned long long)r->bytes,
			       (unsigned long long)h->header.bytes);
	sha256_final(r->sha, r->digest);
	return sha256_check(r->sha, e);
}

int recipe_next(struct recipe *r, struct arena *arena, struct delta_line *ret, struct err *e)
{
	if (r->ended)
		return 0;
	int got = next_line(r, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return end_recipe(r, e);
	if (delta_parse_line(r->line, r->line_len, r->header.header.piece_length, arena, ret, e) !=
		0 ||
	    check_sequence(r, ret, e) != 0)
		return at_line(r, e);
	hash_line(r);
	return 1;
}

const char *recipe_line(const struct recipe *r, size_t *ret_len)
{
	*ret_len = r->line_len;
	return r->line;
}

void recipe_digest(const struct recipe *r, uint8_t digest[static SHA256_SIZE], uint64_t *ret_bytes)
{
	memcpy(digest, r->digest, SHA256_SIZE);
	*ret_bytes = r->length;
}
