#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/payload.h"

#define A64 "1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a"
#define B64 "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"

static bool is_name(const char *name)
{
	uint8_t file[SHA256_SIZE], base[SHA256_SIZE];
	bool has_base;

	return payload_name_parse(name, file, &has_base, base);
}

static void payloads_have_names_that_tell_their_content(void **state)
{
	uint8_t a[SHA256_SIZE], b[SHA256_SIZE], file[SHA256_SIZE], base[SHA256_SIZE];
	struct buf name = BUF_INIT;
	bool has_base = false;

	(void)state;
	memset(a, 0x1A, sizeof a);
	memset(b, 0xB2, sizeof b);
	payload_name(&name, a, b);
	assert_string_equal(name.data, A64 "." B64 ".dcz");
	assert_true(payload_name_parse(name.data, file, &has_base, base));
	assert_true(has_base);
	assert_memory_equal(file, a, SHA256_SIZE);
	assert_memory_equal(base, b, SHA256_SIZE);
	buf_clear(&name);
	payload_name(&name, b, NULL);
	assert_string_equal(name.data, B64 ".zst");
	assert_true(payload_name_parse(name.data, file, &has_base, base));
	assert_false(has_base);
	assert_memory_equal(file, b, SHA256_SIZE);
	buf_release(&name);
}

static void payload_names_have_one_form(void **state)
{
	static const char *const others[] = {
	    "",
	    ".zst",
	    A64,
	    A64 ".",
	    A64 ".zs",
	    A64 ".zstd",
	    A64 "zst",
	    A64 ".zst.tmp",
	    A64 ".dcz",
	    A64 "." B64,
	    A64 "." B64 ".zst",
	    A64 "." B64 "dcz",
	    A64 "_" B64 ".dcz",
	    A64 "." B64 ".dcz.",
	    A64 "." B64 "." B64 ".dcz",
	    "./" A64 ".zst",
	};
	char name[2 * 64 + 6] = A64 "." B64 ".dcz";

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (is_name(others[i]))
			fail_msg("'%s' was taken", others[i]);
	/* Any one character that is another one, unless it is a digit still. */
	for (size_t i = 0; i < sizeof name - 1; i++) {
		char kept = name[i];
		for (int c = 1; c < 256; c++) {
			bool digit = strchr("0123456789abcdef", c) != NULL;
			name[i] = (char)c;
			bool right = name[i] == kept || (digit && i != 64 && i < 129);
			if (is_name(name) != right)
				fail_msg("'%s' was %s", name, right ? "refused" : "taken");
		}
		name[i] = kept;
	}
	for (size_t i = 0; i < sizeof name - 1; i++) {
		char cut[sizeof name] = "";
		memcpy(cut, name, i);
		assert_false(is_name(cut));
	}
}

/* FIPS 180-4, the example of one block. */
static void payload_digests_are_sha256(void **state)
{
	static const uint8_t abc[SHA256_SIZE] = {0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA,
						 0x41, 0x41, 0x40, 0xDE, 0x5D, 0xAE, 0x22, 0x23,
						 0xB0, 0x03, 0x61, 0xA3, 0x96, 0x17, 0x7A, 0x9C,
						 0xB4, 0x10, 0xFF, 0x61, 0xF2, 0x00, 0x15, 0xAD};
	uint8_t digest[SHA256_SIZE];
	struct err e;

	(void)state;
	assert_int_equal(payload_digest("abc", 3, digest, &e), 0);
	assert_memory_equal(digest, abc, SHA256_SIZE);
	assert_int_equal(payload_digest("abd", 3, digest, &e), 0);
	assert_memory_not_equal(digest, abc, SHA256_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(payloads_have_names_that_tell_their_content),
	    cmocka_unit_test(payload_names_have_one_form),
	    cmocka_unit_test(payload_digests_are_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
