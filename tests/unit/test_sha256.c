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

#include "swarm/hex.h"
#include "swarm/sha256.h"

#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

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

static struct sha256 *new_sha256(void)
{
	struct err e;
	struct sha256 *s = sha256_new(&e);

	if (s == NULL)
		fail_msg("%s", e.msg);
	return s;
}

static void assert_digest(const uint8_t *digest, const char *want)
{
	char text[2 * SHA256_SIZE + 1];

	hex_format(text, digest, SHA256_SIZE);
	assert_string_equal(text, want);
}

/* FIPS 180-4 and NIST's examples. */
static void sha256_agrees_with_the_standard(void **state)
{
	static const char *const cases[][2] = {
	    {"", EMPTY},
	    {"abc", ABC},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmno"
	     "pqr"
	     "lmnopqrsmnopqrstnopqrstu",
	     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};
	uint8_t digest[SHA256_SIZE];
	struct sha256 *s = new_sha256();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		sha256_once(s, cases[i][0], strlen(cases[i][0]), digest);
		assert_digest(digest, cases[i][1]);
	}
	sha256_free(s);
}

static void sha256_of_a_million_letters(void **state)
{
	static char letters[1000];
	uint8_t digest[SHA256_SIZE];
	struct err e;
	struct sha256 *s = new_sha256();

	(void)state;
	memset(letters, 'a', sizeof letters);
	for (int i = 0; i < 1000; i++)
		sha256_update(s, letters, sizeof letters);
	sha256_final(s, digest);
	assert_digest(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	assert_int_equal(sha256_check(s, &e), 0);
	sha256_free(s);
}

static void sha256_does_not_depend_on_the_pieces(void **state)
{
	static uint8_t bytes[300];
	uint8_t whole[SHA256_SIZE], pieces[SHA256_SIZE];
	struct sha256 *s = new_sha256();

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	for (size_t cut = 0; cut <= sizeof bytes; cut++) {
		sha256_once(s, bytes, sizeof bytes, whole);
		sha256_reset(s);
		sha256_update(s, bytes, cut);
		sha256_update(s, NULL, 0);
		sha256_update(s, bytes + cut, sizeof bytes - cut);
		sha256_final(s, pieces);
		assert_memory_equal(whole, pieces, SHA256_SIZE);
	}
	sha256_free(s);
}

static void sha256_once_starts_over(void **state)
{
	uint8_t digest[SHA256_SIZE];
	struct sha256 *s = new_sha256();

	(void)state;
	sha256_update(s, "left over", 9);
	sha256_once(s, "abc", 3, digest);
	assert_digest(digest, ABC);
	sha256_once(s, "abc", 3, digest);
	assert_digest(digest, ABC);
	sha256_reset(s);
	sha256_final(s, digest);
	assert_digest(digest, EMPTY);
	sha256_free(s);
	sha256_free(NULL);
}

/* A digest that could not be computed is never mistaken for one. */
static void sha256_remembers_that_libcrypto_failed(void **state)
{
	static const uint8_t zeros[SHA256_SIZE];
	uint8_t digest[SHA256_SIZE];
	struct err e = {.code = ERR_NONE};
	struct sha256 *s = new_sha256();

	(void)state;
	assert_int_equal(sha256_check(s, &e), 0);
	atomic_store(&broken, true);
	sha256_update(s, "abc", 3);
	atomic_store(&broken, false);
	sha256_final(s, digest);
	assert_memory_equal(digest, zeros, SHA256_SIZE);
	sha256_once(s, "abc", 3, digest);
	assert_memory_equal(digest, zeros, SHA256_SIZE);
	assert_int_equal(sha256_check(s, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "libcrypto failed to compute a SHA-256");
	sha256_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256_agrees_with_the_standard),
	    cmocka_unit_test(sha256_of_a_million_letters),
	    cmocka_unit_test(sha256_does_not_depend_on_the_pieces),
	    cmocka_unit_test(sha256_once_starts_over),
	    cmocka_unit_test(sha256_remembers_that_libcrypto_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
