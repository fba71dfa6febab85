#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/filehash.h"

#define PIECE ((size_t)32768)

static struct filehash *new_filehash(bool plain)
{
	const struct filehash_options options = {.piece_length = PIECE, .plain = plain};
	struct err e;
	struct filehash *f = filehash_new(&options, &e);

	if (f == NULL)
		fail_msg("%s", e.msg);
	return f;
}

/* The same from the two modules that it is made of. */
static void assert_digests(const struct filehash_digests *d, const uint8_t *bytes, size_t len)
{
	uint8_t root[SHA256_SIZE], digest[SHA256_SIZE];
	struct buf layer = BUF_INIT;
	struct err e;
	struct lanes *l = lanes_new(&e);
	struct merkle *m = merkle_new(PIECE, l, &e);
	struct sha256 *s = sha256_new(&e);

	assert_non_null(m);
	assert_non_null(s);
	merkle_update(m, bytes, len);
	assert_int_equal(merkle_final(m, root, &layer, &e), 0);
	sha256_once(s, bytes, len, digest);
	assert_int_equal(d->size, len);
	assert_memory_equal(d->root, root, SHA256_SIZE);
	assert_int_equal(d->layer.len, layer.len);
	assert_memory_equal(d->layer.data, layer.data, layer.len);
	if (d->has_sha256)
		assert_memory_equal(d->sha256, digest, SHA256_SIZE);
	merkle_free(m);
	lanes_free(l);
	sha256_free(s);
	buf_release(&layer);
}

/* Large ones before small ones: nothing of a file may be left in the next one's digests. */
static void filehash_starts_over_for_each_file(void **state)
{
	static uint8_t bytes[5 * PIECE];
	static const size_t sizes[] = {5 * PIECE, 0, 3 * PIECE + 1, 1, PIECE, PIECE + 1, 0, 100};

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 31 >> 3);
	for (int plain = 0; plain < 2; plain++) {
		struct filehash_digests d = FILEHASH_DIGESTS_INIT;
		struct filehash *f = new_filehash(plain == 1);
		struct err e;
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			for (size_t at = 0; at < sizes[i]; at += 9999)
				filehash_update(f, bytes + at,
						sizes[i] - at < 9999 ? sizes[i] - at : 9999);
			assert_int_equal(filehash_final(f, &d, &e), 0);
			assert_int_equal(d.has_sha256, plain == 1);
			assert_digests(&d, bytes, sizes[i]);
		}
		filehash_free(f);
		filehash_release(&d);
	}
}

static void filehash_reset_forgets_what_came(void **state)
{
	static uint8_t bytes[3 * PIECE];
	struct filehash_digests d = FILEHASH_DIGESTS_INIT;
	struct filehash *f = new_filehash(true);
	struct err e;

	(void)state;
	filehash_update(f, bytes, sizeof bytes);
	filehash_reset(f);
	filehash_update(f, "abc", 3);
	assert_int_equal(filehash_final(f, &d, &e), 0);
	assert_digests(&d, (const uint8_t *)"abc", 3);
	filehash_free(f);
	filehash_free(NULL);
	filehash_release(&d);
	filehash_release(&d);
}

/* Whoever moved the layer out may leave an empty one behind. */
static void filehash_digests_can_be_moved_out(void **state)
{
	static uint8_t bytes[3 * PIECE];
	struct filehash_digests d = FILEHASH_DIGESTS_INIT, moved;
	struct filehash *f = new_filehash(true);
	struct err e;

	(void)state;
	filehash_update(f, bytes, sizeof bytes);
	assert_int_equal(filehash_final(f, &d, &e), 0);
	moved = d;
	buf_init(&d.layer);
	filehash_update(f, bytes, 2 * PIECE);
	assert_int_equal(filehash_final(f, &d, &e), 0);
	assert_digests(&d, bytes, 2 * PIECE);
	assert_digests(&moved, bytes, 3 * PIECE);
	filehash_free(f);
	filehash_release(&d);
	filehash_release(&moved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filehash_starts_over_for_each_file),
	    cmocka_unit_test(filehash_reset_forgets_what_came),
	    cmocka_unit_test(filehash_digests_can_be_moved_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
