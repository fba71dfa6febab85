#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/piecer.h"

#define MIB ((size_t)1024 * 1024)

static int keep(void *context, const void *digests, size_t len, struct err *e)
{
	(void)e;
	buf_add(context, digests, len);
	return 0;
}

static struct pool *new_pool(unsigned threads)
{
	struct err e;
	struct pool *p = pool_new(threads, &e);

	assert_non_null(p);
	return p;
}

/* One piece after the other. */
static void hash_simply(const uint8_t *bytes, size_t len, size_t piece, struct buf *ret)
{
	struct err e;
	struct sha1 *s = sha1_new(&e);
	uint8_t digest[SHA1_SIZE];

	assert_non_null(s);
	for (size_t at = 0; at < len; at += piece) {
		sha1_reset(s);
		sha1_update(s, bytes + at, len - at < piece ? len - at : piece);
		sha1_final(s, digest);
		buf_add(ret, digest, sizeof digest);
	}
	sha1_free(s);
}

/* In runs of changing lengths; zeros go in as padding. */
static void hash_by_piecer(const uint8_t *bytes, size_t len, size_t piece, unsigned threads,
			   struct buf *ret)
{
	struct pool *pool = new_pool(threads);
	struct err e;
	struct piecer *p = piecer_new(pool, piece, keep, ret, &e);
	unsigned seed = 1;

	assert_non_null(p);
	for (size_t at = 0; at < len;) {
		seed = seed * 1103515245 + 12345;
		size_t zeros = 0, n = 1 + (seed >> 4) % 300000;
		if (n > len - at)
			n = len - at;
		while (at + zeros < len && bytes[at + zeros] == 0)
			zeros++;
		if (zeros > 0)
			assert_int_equal(piecer_pad(p, zeros, &e), 0);
		else
			assert_int_equal(piecer_add(p, bytes + at, n, &e), 0);
		at += zeros > 0 ? zeros : n;
	}
	assert_int_equal(piecer_end(p, &e), 0);
	piecer_free(p);
	pool_free(pool);
}

static uint8_t *make_bytes(size_t len)
{
	uint8_t *bytes = malloc(len);
	unsigned seed = 3;

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (uint8_t)(seed >> 16) | 1;
	}
	memset(bytes + len / 3, 0, len / 9);
	return bytes;
}

static void assert_same_pieces(size_t len, size_t piece, unsigned threads)
{
	uint8_t *bytes = make_bytes(len + 9);
	struct buf want = BUF_INIT, got = BUF_INIT;

	hash_simply(bytes, len, piece, &want);
	hash_by_piecer(bytes, len, piece, threads, &got);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.data, want.data, want.len);
	buf_release(&want);
	buf_release(&got);
	free(bytes);
}

static void piecer_hashes_pieces_of_any_length(void **state)
{
	static const size_t pieces[] = {16384, 65536, MIB, 4 * MIB, 8 * MIB};

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		assert_same_pieces(9 * MIB + 12345, pieces[i], 2);
		assert_same_pieces(pieces[i] - 1, pieces[i], 2);
		assert_same_pieces(pieces[i], pieces[i], 2);
		assert_same_pieces(pieces[i] + 1, pieces[i], 1);
	}
	assert_same_pieces(40 * MIB, 16384, 3);
	assert_same_pieces(40 * MIB + 1, 8 * MIB, 3);
}

static void piecer_of_nothing_has_no_piece(void **state)
{
	(void)state;
	assert_same_pieces(0, 16384, 2);
	assert_same_pieces(0, 8 * MIB, 2);
}

static int refuse(void *context, const void *digests, size_t len, struct err *e)
{
	(void)context;
	(void)digests;
	(void)len;
	return err_set(e, ERR_SYSTEM, "refused");
}

static void piecer_passes_failures_on(void **state)
{
	static const uint8_t bytes[MIB];
	struct pool *pool = new_pool(2);
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t piece = 65536; piece <= 8 * MIB; piece *= 128) {
		struct piecer *p = piecer_new(pool, piece, refuse, NULL, &e);
		int status = 0;
		assert_non_null(p);
		for (int i = 0; status == 0 && i < 30; i++)
			status = piecer_add(p, bytes, sizeof bytes, &e);
		assert_int_equal(status, -1);
		assert_string_equal(e.msg, "refused");
		/* In the middle of it all. */
		piecer_free(p);
	}
	piecer_free(NULL);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(piecer_hashes_pieces_of_any_length),
	    cmocka_unit_test(piecer_of_nothing_has_no_piece),
	    cmocka_unit_test(piecer_passes_failures_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
