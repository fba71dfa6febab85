#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "swarm/hasher.h"

/* --- a libcrypto that can be told to fail ----------------------------------------------------- */

static atomic_bool broken;

int EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t len)
{
	int (*real)(EVP_MD_CTX *, const void *, size_t);
	void *found = dlsym(RTLD_NEXT, "EVP_DigestUpdate");

	assert_non_null(found);
	memcpy(&real, &found, sizeof real);
	return atomic_load(&broken) ? 0 : real(context, bytes, len);
}

/* --- helpers ---------------------------------------------------------------------------------- */

static const struct filehash_options how = {.piece_length = 32768, .plain = true};

static unsigned seed = 5;

static size_t chance(size_t below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 12) % below;
}

static struct pool *new_pool(unsigned threads)
{
	struct err e;
	struct pool *p = pool_new(threads, &e);

	assert_non_null(p);
	return p;
}

static struct hasher *new_hasher(struct pool *p)
{
	struct err e;
	struct hasher *h = hasher_new(p, &how, &e);

	assert_non_null(h);
	return h;
}

static void wait_for(struct hasher *h)
{
	struct err e;

	if (hasher_wait(h, &e) != 0)
		fail_msg("%s", e.msg);
}

/* The i-th file's bytes, by position. */
static uint8_t byte_of(size_t file, size_t at)
{
	return (uint8_t)((at ^ at >> 9) * 131 + file * 7);
}

static struct hasher_file *begin(struct hasher *h, struct filehash_digests *ret)
{
	struct err e;

	*ret = (struct filehash_digests)FILEHASH_DIGESTS_INIT;
	struct hasher_file *f = hasher_begin(h, NULL, ret, &e);
	if (f == NULL)
		fail_msg("%s", e.msg);
	return f;
}

static void push(struct hasher *h, struct hasher_file *f, size_t file, size_t at, size_t len)
{
	struct hasher_block *b = hasher_take(h);

	assert_int_equal(b->len, 0);
	for (size_t i = 0; i < len; i++)
		b->bytes[i] = byte_of(file, at + i);
	b->len = len;
	hasher_push(f, b);
}

/* Against the same on one thread. */
static void assert_digests(struct filehash *one, struct filehash_digests *d, size_t file,
			   size_t len)
{
	struct filehash_digests want = FILEHASH_DIGESTS_INIT;
	struct err e;
	uint8_t *bytes = malloc(len + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_of(file, i);
	filehash_update(one, bytes, len);
	assert_int_equal(filehash_final(one, &want, &e), 0);
	assert_int_equal(d->size, len);
	assert_true(d->has_sha256);
	assert_memory_equal(d->sha256, want.sha256, SHA256_SIZE);
	assert_memory_equal(d->root, want.root, SHA256_SIZE);
	assert_int_equal(d->layer.len, want.layer.len);
	assert_memory_equal(d->layer.data, want.layer.data, want.layer.len);
	free(bytes);
	filehash_release(&want);
	filehash_release(d);
}

static struct filehash *new_filehash(void)
{
	struct err e;
	struct filehash *f = filehash_new(&how, &e);

	assert_non_null(f);
	return f;
}

/* Files one after the other, of many blocks that are not all full. */
static void hasher_hashes_blocks_in_order(void **state)
{
	struct filehash *one = new_filehash();

	(void)state;
	for (unsigned threads = 1; threads <= 8; threads *= 2) {
		struct filehash_digests d[6];
		size_t sizes[6] = {0};
		struct pool *p = new_pool(threads);
		struct hasher *h = new_hasher(p);
		for (size_t i = 0; i < 6; i++) {
			struct hasher_file *f = begin(h, &d[i]);
			for (size_t n = 0; n < i * 8; n++) {
				size_t len =
				    chance(4) == 0 ? chance(HASHER_BLOCK + 1) : chance(20000);
				push(h, f, i, sizes[i], len);
				sizes[i] += len;
			}
			hasher_end(f);
		}
		wait_for(h);
		for (size_t i = 0; i < 6; i++)
			assert_digests(one, &d[i], i, sizes[i]);
		hasher_free(h);
		pool_free(p);
	}
	filehash_free(one);
}

/* The blocks of several files between each other. */
static void hasher_keeps_files_apart(void **state)
{
	enum { FILES = 10 };
	struct filehash *one = new_filehash();

	(void)state;
	for (unsigned threads = 1; threads <= 4; threads *= 2) {
		struct filehash_digests d[FILES];
		struct hasher_file *f[FILES];
		size_t sizes[FILES] = {0};
		struct pool *p = new_pool(threads);
		struct hasher *h = new_hasher(p);
		for (size_t i = 0; i < FILES; i++)
			f[i] = begin(h, &d[i]);
		for (int n = 0; n < 400; n++) {
			size_t i = chance(FILES), len = chance(30000);
			push(h, f[i], i, sizes[i], len);
			sizes[i] += len;
		}
		for (size_t i = 0; i < FILES; i++)
			hasher_end(f[i]);
		wait_for(h);
		for (size_t i = 0; i < FILES; i++)
			assert_digests(one, &d[i], i, sizes[i]);
		hasher_free(h);
		pool_free(p);
	}
	filehash_free(one);
}

static void hasher_takes_many_tiny_files(void **state)
{
	enum { FILES = 3000 };
	static struct filehash_digests d[FILES];
	struct filehash *one = new_filehash();
	struct pool *p = new_pool(4);
	struct hasher *h = new_hasher(p);

	(void)state;
	/* Twice with one hasher: a wait is no end. */
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < FILES; i++) {
			struct hasher_file *f = begin(h, &d[i]);
			if (i % 5 > 0)
				push(h, f, i, 0, i % 5 == 1 ? 0 : i % 97);
			hasher_end(f);
		}
		wait_for(h);
		for (size_t i = 0; i < FILES; i++)
			assert_digests(one, &d[i], i, i % 5 > 1 ? i % 97 : 0);
	}
	hasher_free(h);
	pool_free(p);
	filehash_free(one);
}

static void hasher_has_so_many_blocks(void **state)
{
	enum { TAKEN = 8, MORE = 1000 };
	struct hasher_block *taken[TAKEN];
	struct filehash_digests d;
	struct pool *p = new_pool(2);
	struct hasher *h = new_hasher(p);
	struct hasher_file *f = begin(h, &d);

	(void)state;
	/* At least a few for each thread, so that no one waits; they come back in any order. */
	for (size_t i = 0; i < TAKEN; i++)
		taken[i] = hasher_take(h);
	for (size_t i = 0; i < TAKEN; i++) {
		memset(taken[i]->bytes, (int)i, HASHER_BLOCK);
		taken[i]->len = HASHER_BLOCK;
	}
	for (size_t i = TAKEN; i > 0; i--)
		hasher_push(f, taken[i - 1]);
	/* A thousand more fit only because each is given back. */
	for (size_t i = 0; i < MORE; i++)
		push(h, f, 0, i, 1);
	hasher_end(f);
	wait_for(h);
	assert_int_equal(d.size, TAKEN * HASHER_BLOCK + MORE);
	filehash_release(&d);
	hasher_free(h);
	pool_free(p);
}

/* Files that are still being hashed when nobody waits for them. */
static void hasher_free_waits(void **state)
{
	static struct filehash_digests d[20];
	struct filehash *one = new_filehash();
	struct pool *p = new_pool(2);
	struct hasher *h = new_hasher(p);

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		struct hasher_file *f = begin(h, &d[i]);
		push(h, f, i, 0, HASHER_BLOCK);
		hasher_end(f);
	}
	hasher_free(h);
	hasher_free(NULL);
	for (size_t i = 0; i < 20; i++)
		assert_digests(one, &d[i], i, HASHER_BLOCK);
	pool_free(p);
	filehash_free(one);
}

static void hasher_tells_of_a_file_that_could_not_be_hashed(void **state)
{
	struct filehash_digests d[3];
	struct err e = {.code = ERR_NONE};
	struct pool *p = new_pool(2);
	struct hasher *h = new_hasher(p);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		atomic_store(&broken, i == 1);
		struct hasher_file *f = begin(h, &d[i]);
		push(h, f, i, 0, 40000);
		hasher_end(f);
		int status = hasher_wait(h, &e);
		atomic_store(&broken, false);
		/* It stays known, whatever comes after. */
		assert_int_equal(status, i == 0 ? 0 : -1);
	}
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "libcrypto failed to compute a SHA-256");
	for (size_t i = 0; i < 3; i++)
		filehash_release(&d[i]);
	hasher_free(h);
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hasher_hashes_blocks_in_order),
	    cmocka_unit_test(hasher_keeps_files_apart),
	    cmocka_unit_test(hasher_takes_many_tiny_files),
	    cmocka_unit_test(hasher_has_so_many_blocks),
	    cmocka_unit_test(hasher_free_waits),
	    cmocka_unit_test(hasher_tells_of_a_file_that_could_not_be_hashed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
