/*
 * Input: a byte of flags, one of a count, and a cache file, or its records and layers. However it
 * came about, what is found is of the right size, and what is added comes back from the next file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/cache.h"
#include "swarm/scratch.h"

#define FAMILY "swarm: cache/"
#define HEADER ((size_t)64)
#define RECORD ((size_t)152)

enum {
	FLAG_SUM = 1,    /* the right sum is appended */
	FLAG_HEADER = 2, /* and a header that fits this count of records is put in front */
	FLAG_SAVE = 4,   /* a record is added, and all is saved */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The cache is a file of this name. */
static char path[] = "/tmp/swarm-fuzz-cache-XXXXXX";

static void remove_file(void)
{
	(void)unlink(path);
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

static uint64_t get(const uint8_t *from, int bytes)
{
	uint64_t n = 0;

	for (int i = bytes; i-- > 0;)
		n = n << 8 | from[i];
	return n;
}

static void put(uint8_t *to, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(n >> 8 * i);
}

static void write_file(const struct buf *image)
{
	static bool is_named;

	if (!is_named) {
		int fd = mkstemp(path);
		check(fd >= 0 && close(fd) == 0 && atexit(remove_file) == 0);
		is_named = true;
	}
	FILE *to = fopen(path, "wb");
	check(to != NULL);
	check(fwrite(image->data, 1, image->len, to) == image->len);
	check(fclose(to) == 0);
}

static void make_image(struct buf *image, unsigned flags, size_t count, const uint8_t *rest,
		       size_t len)
{
	uint8_t header[HEADER] = "swarm: cache/1\n", digest[SHA256_SIZE];
	struct err e;

	if ((flags & FLAG_HEADER) != 0) {
		if (count * RECORD > len)
			count = len / RECORD;
		put(header + 16, count);
		put(header + 24, len - count * RECORD);
		buf_add(image, header, sizeof header);
	}
	buf_add(image, rest, len);
	if ((flags & FLAG_SUM) != 0) {
		struct sha256 *sha = sha256_new(&e);
		check(sha != NULL);
		sha256_once(sha, image->data, image->len, digest);
		sha256_free(sha);
		buf_add(image, digest, sizeof digest);
	}
	check(!image->failed);
}

static struct cache *open_cache(bool *ret_used)
{
	struct buf said = BUF_INIT;
	struct err e;
	struct cache *c = cache_open(path, &said, &e);

	check(c != NULL);
	*ret_used = said.len == 0;
	buf_release(&said);
	return c;
}

static bool find(struct cache *c, const struct cache_key *key,
		 const struct filehash_options *options)
{
	struct filehash_digests d = FILEHASH_DIGESTS_INIT;
	struct err e;
	int status = cache_find(c, key, options, &d, &e);

	check(status == 0 || status == 1);
	if (status == 1) {
		uint64_t pieces = key->size > options->piece_length
				      ? merkle_pieces(key->size, options->piece_length)
				      : 0;
		check(d.size == key->size && d.has_sha256 == options->plain);
		check(d.layer.len == pieces * SHA256_SIZE);
	}
	filehash_release(&d);
	return status == 1;
}

/* The key that a record is of. */
static struct cache_key key_at(const uint8_t *record)
{
	struct cache_key key = {.stamp = {.device = get(record, 8),
					  .inode = get(record + 8, 8),
					  .mtime_s = (int64_t)get(record + 24, 8),
					  .ctime_s = (int64_t)get(record + 32, 8),
					  .mtime_ns = (int64_t)get(record + 40, 4),
					  .ctime_ns = (int64_t)get(record + 44, 4)},
				.size = get(record + 16, 8)};

	memcpy(key.seal, record + 72, CACHE_SEAL);
	return key;
}

/* Asks for all that stands where records would. */
static void ask(struct cache *c, const struct buf *image, bool used)
{
	for (size_t at = HEADER; at + RECORD <= image->len; at += RECORD) {
		const struct cache_key key = key_at((const uint8_t *)image->data + at);
		for (uint64_t length = MERKLE_PIECE_MIN; length <= MERKLE_PIECE_MAX; length *= 2)
			for (unsigned plain = 0; plain < 2; plain++) {
				const struct filehash_options how = {length, plain == 1};
				check(!find(c, &key, &how) || used);
			}
	}
}

static void add_and_save(struct cache *c, const struct buf *image)
{
	const struct filehash_options how = {MERKLE_PIECE_MIN, true};
	const struct cache_key key = {.stamp = {.device = 1, .inode = image->len, .ctime_ns = 1},
				      .size = MERKLE_PIECE_MIN + 1};
	struct filehash_digests d = {.size = key.size, .has_sha256 = true, .layer = BUF_INIT};
	struct err e;
	bool used;
	struct scratch *scratch = scratch_new(&e);

	check(scratch != NULL);
	buf_add(&d.layer, (const uint8_t[2 * SHA256_SIZE]){0}, 2 * SHA256_SIZE);
	check(cache_add(c, &key, &how, &d, &e) == 0);
	check(cache_save(c, scratch, &e) == 0);
	filehash_release(&d);
	scratch_free(scratch);
	struct cache *again = open_cache(&used);
	/* What is no cache was left alone. */
	size_t known = image->len < strlen(FAMILY) ? image->len : strlen(FAMILY);
	bool was_cache = memcmp(image->data, FAMILY, known) == 0;
	check(used == was_cache && find(again, &key, &how) == used);
	cache_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf image = BUF_INIT;
	bool used;

	if (size < 2)
		return 0;
	make_image(&image, data[0], data[1], data + 2, size - 2);
	write_file(&image);
	struct cache *c = open_cache(&used);
	ask(c, &image, used);
	if ((data[0] & FLAG_SAVE) != 0)
		add_and_save(c, &image);
	cache_free(c);
	buf_release(&image);
	return 0;
}
