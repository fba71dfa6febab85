/* Input: a whole document. A body that is read to its end keeps all that readers rely on. */
#define _GNU_SOURCE /* memfd_create() */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "swarm/document.h"
#include "swarm/listing.h"
#include "swarm/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_listing(const struct listing *l)
{
	uint64_t bytes = 0;

	check(l->count == l->header.files);
	for (size_t i = 0; i < l->count; i++) {
		const char *path = l->entries[i].path;
		check(path_unportable(path) == NULL);
		check(i == 0 || path_compare(l->entries[i - 1].path, path) < 0);
		check(i == 0 || !path_is_below(path, l->entries[i - 1].path));
		check(listing_find(l, path) == &l->entries[i]);
		bytes += l->entries[i].size;
	}
	check(bytes == l->header.bytes);
}

static void read_body(struct document *d, const uint8_t *data)
{
	struct listing l;
	struct err e = {.code = ERR_NONE};
	uint8_t digest[SHA256_SIZE];
	struct body *b = document_body(d, &e);

	if (b == NULL) {
		check(e.code == ERR_MALFORMED);
		return;
	}
	if (listing_read(b, &l, &e) == 0) {
		check_listing(&l);
		check(l.bytes == document_body_bytes(d));
		struct sha256 *sha = sha256_new(&e);
		check(sha != NULL);
		sha256_once(sha, data, (size_t)l.bytes, digest);
		check(memcmp(digest, l.digest, SHA256_SIZE) == 0);
		sha256_free(sha);
	} else {
		check(e.code == ERR_MALFORMED);
	}
	listing_release(&l);
	body_close(b);
}

/* What stands in it is fuzz_delta's. */
static void read_recipe(struct document *d)
{
	struct arena arena = ARENA_INIT;
	struct delta_line line;
	struct err e = {.code = ERR_NONE};
	uint8_t digest[SHA256_SIZE];
	uint64_t bytes;
	int got = 0;
	struct recipe *r = document_recipe(d, &e);

	while (r != NULL && (got = recipe_next(r, &arena, &line, &e)) > 0)
		arena_release(&arena);
	if (r == NULL || got < 0) {
		check(e.code == ERR_MALFORMED);
	} else {
		recipe_digest(r, digest, &bytes);
		check(bytes == document_body_bytes(d));
	}
	arena_release(&arena);
	recipe_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct envelope v;
	struct err e = {.code = ERR_NONE};

	if (fd < 0) {
		fd = memfd_create("document", MFD_CLOEXEC);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	check(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	struct document *d = document_open(path, &e);
	if (d == NULL) {
		check(e.code == ERR_MALFORMED);
		return 0;
	}
	envelope_init(&v);
	if (document_is_signed(d) && document_envelope(d, &v, &e) != 0)
		check(e.code == ERR_MALFORMED);
	if (document_kind(d) == DOCUMENT_DELTA)
		read_recipe(d);
	else if (document_kind(d) != DOCUMENT_HEAD)
		read_body(d, data);
	check(document_body_bytes(d) <= size);
	envelope_release(&v);
	document_close(d);
	return 0;
}
