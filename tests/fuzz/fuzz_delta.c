/* Input: the lines of a delta. What is read has one spelling and makes sense. */
#define _GNU_SOURCE /* memfd_create() */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "swarm/path.h"
#include "swarm/recipe.h"
#include "swarm/tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Formatted again, it is the line that was read. */
static void check_spelling(const struct recipe *r, const struct buf *again)
{
	size_t len;
	const char *line = recipe_line(r, &len);

	check(!again->failed && again->len == len && memcmp(again->data, line, len) == 0);
}

static void check_header(const struct recipe *r)
{
	const struct delta_header *h = recipe_header(r);
	struct buf b = BUF_INIT;

	delta_format_header(&b, h);
	check_spelling(r, &b);
	check(header_is_name(h->product) && header_is_name(h->channel));
	check(h->from.serial >= 1 && h->from.serial < h->to.serial);
	check(h->header.kind == HEADER_MANIFEST && h->header.id.serial == h->to.serial);
	check(strcmp(h->header.id.version, h->to.version) == 0);
	check(h->files <= h->header.files);
	check(!h->has_solid || (h->solid.version >= 1 && h->solid.size >= 1));
	buf_release(&b);
}

static void check_line(const struct recipe *r, const struct delta_line *line)
{
	bool is_patch = line->source == DELTA_DCZ || line->source == DELTA_ZSTD;
	struct buf b = BUF_INIT;

	delta_format_line(&b, line);
	check_spelling(r, &b);
	check(path_unportable(line->path) == NULL);
	buf_release(&b);
	if (line->remove)
		return;
	check(strcmp(line->path, line->file.path) == 0);
	check((line->from != NULL) == (line->source == DELTA_COPY || line->source == DELTA_DCZ));
	check(line->from == NULL || path_unportable(line->from) == NULL);
	check(is_patch == (line->size > 0));
	check(line->file.size > 0 || (line->source == DELTA_BARE && !line->solid));
	check(!line->solid || (recipe_header(r)->has_solid && line->source != DELTA_COPY));
	entry_format(&b, &line->file);
	check(b.len == line->text_len && memcmp(b.data, line->text, b.len) == 0);
	buf_release(&b);
}

static void check_end(const struct recipe *r, const struct tally *t, const uint8_t *data,
		      size_t size)
{
	const struct delta_header *h = recipe_header(r);
	uint8_t digest[SHA256_SIZE], want[SHA256_SIZE];
	uint64_t bytes;
	struct err e;
	struct sha256 *sha = sha256_new(&e);

	check(sha != NULL && t->files == h->files && t->removes == h->removes);
	check(t->parts[DELTA_BARE].bytes + t->parts[DELTA_COPY].bytes <= h->header.bytes);
	recipe_digest(r, digest, &bytes);
	check(bytes == size);
	sha256_once(sha, data, size, want);
	check(memcmp(digest, want, SHA256_SIZE) == 0);
	sha256_free(sha);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct tally tally = {.files = 0};
	struct arena arena = ARENA_INIT;
	struct delta_line line;
	struct buf last = BUF_INIT;
	struct err e = {.code = ERR_NONE};
	int got = 0;

	if (fd < 0)
		fd = memfd_create("delta", MFD_CLOEXEC);
	check(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	check(lseek(fd, 0, SEEK_SET) == 0);
	struct recipe *r = recipe_open(fd, size, "x", &e);
	if (r != NULL)
		check_header(r);
	while (r != NULL && (got = recipe_next(r, &arena, &line, &e)) > 0) {
		check_line(r, &line);
		check(tally.files + tally.removes == 0 || path_compare(last.data, line.path) < 0);
		tally_add(&tally, &line);
		buf_clear(&last);
		buf_adds(&last, line.path);
		arena_release(&arena);
	}
	if (r == NULL || got < 0)
		check(e.code == ERR_MALFORMED);
	else
		check_end(r, &tally, data, size);
	arena_release(&arena);
	buf_release(&last);
	recipe_close(r);
	return 0;
}
