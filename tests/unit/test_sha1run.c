#define _DEFAULT_SOURCE /* setenv() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/sha1run.h"

#define LEN ((size_t)5 * 1024 * 1024)

static uint8_t *bytes;

static void assert_pieces(struct sha1run *r, size_t len, size_t piece)
{
	size_t count = (len + piece - 1) / piece;
	uint8_t *digests = calloc(count + 1, SHA1_SIZE);
	uint8_t want[SHA1_SIZE];
	struct err e;
	struct sha1 *one = sha1_new(&e);

	assert_non_null(digests);
	assert_non_null(one);
	assert_int_equal(sha1run_hash(r, bytes, len, piece, digests), count);
	for (size_t i = 0; i < count; i++) {
		size_t at = i * piece;
		sha1_once(one, bytes + at, len - at < piece ? len - at : piece, want);
		if (memcmp(want, digests + i * SHA1_SIZE, SHA1_SIZE) != 0)
			fail_msg("piece %zu of %zu, of %zu bytes of %zu", i, count, piece, len);
	}
	memset(want, 0, sizeof want);
	assert_memory_equal(digests + count * SHA1_SIZE, want, SHA1_SIZE);
	assert_int_equal(sha1run_check(r, &e), 0);
	sha1_free(one);
	free(digests);
}

static void assert_right(const char *how)
{
	struct err e;

	assert_int_equal(setenv("SWARM_HASH", how, 1), 0);
	struct sha1run *r = sha1run_new(&e);
	/* libipsec-mb is not everywhere. */
	if (r == NULL && strcmp(how, "ipsec-mb") == 0)
		return;
	assert_non_null(r);
	assert_true(sha1run_width(r) >= 1);
	for (size_t count = 0; count <= 70; count++) {
		assert_pieces(r, count * 1000, 1000);
		assert_pieces(r, count * 1000 + 1, 1000);
	}
	assert_pieces(r, LEN, 65536);
	assert_pieces(r, LEN, 4 * 1024 * 1024);
	assert_pieces(r, LEN, LEN);
	assert_pieces(r, LEN - 1, LEN);
	sha1run_free(r);
}

static void sha1run_is_what_libcrypto_says(void **state)
{
	(void)state;
	bytes = malloc(LEN);
	assert_non_null(bytes);
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (uint8_t)(i * 131 + i / 251 + i / 65521);
	assert_right("openssl");
	assert_right("ipsec-mb");
	assert_right("");
	free(bytes);
	sha1run_free(NULL);
}

static void sha1run_refuses_a_hash_that_is_none(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(setenv("SWARM_HASH", "md5", 1), 0);
	assert_null(sha1run_new(&e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(unsetenv("SWARM_HASH"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha1run_is_what_libcrypto_says),
	    cmocka_unit_test(sha1run_refuses_a_hash_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
