#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Parses from and to blocks of just the right size, so that a sanitizer sees one byte too many. */
static bool parse(const char *text, size_t len, uint8_t *ret, size_t *ret_len)
{
	char *from = malloc(len + 1);
	size_t size = base64_size(text, len);
	uint8_t *to = malloc(size + 1);

	assert_non_null(from);
	assert_non_null(to);
	memcpy(from + 1, text, len);
	memset(to, 0xEE, size + 1);
	bool ok = base64_parse(to, from + 1, len);
	assert_int_equal(to[size], 0xEE);
	if (ok && ret != NULL) {
		memcpy(ret, to, size);
		*ret_len = size;
	}
	free(from);
	free(to);
	return ok;
}

static void assert_pair(const char *plain, const char *text)
{
	struct buf b = BUF_INIT;
	uint8_t bytes[64];
	size_t len = 0;

	base64_format(&b, (const uint8_t *)plain, strlen(plain));
	assert_string_equal(b.data, text);
	assert_true(parse(text, strlen(text), bytes, &len));
	assert_int_equal(len, strlen(plain));
	assert_memory_equal(bytes, plain, len);
	buf_release(&b);
}

static void base64_agrees_with_the_rfc(void **state)
{
	(void)state;
	assert_pair("", "");
	assert_pair("f", "Zg==");
	assert_pair("fo", "Zm8=");
	assert_pair("foo", "Zm9v");
	assert_pair("foob", "Zm9vYg==");
	assert_pair("fooba", "Zm9vYmE=");
	assert_pair("foobar", "Zm9vYmFy");
}

static void base64_round_trips_every_length(void **state)
{
	uint8_t bytes[300], again[300];
	unsigned seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (uint8_t)(seed >> 16);
	}
	for (size_t len = 0; len <= sizeof bytes; len++) {
		struct buf b = BUF_INIT;
		size_t back = 0;
		buf_adds(&b, "before");
		base64_format(&b, bytes, len);
		assert_int_equal(b.len, 6 + (len + 2) / 3 * 4);
		assert_int_equal(base64_size(b.data + 6, b.len - 6), len);
		assert_true(parse(b.data + 6, b.len - 6, again, &back));
		assert_int_equal(back, len);
		assert_memory_equal(again, bytes, len);
		buf_release(&b);
	}
}

static void base64_takes_only_its_own_alphabet(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool known = c != 0 && strchr(alphabet, c) != NULL;
		for (size_t at = 0; at < 4; at++) {
			char text[8];
			memcpy(text, "AAAAAAAA", 8);
			text[at] = (char)c;
			assert_int_equal(parse(text, 8, NULL, NULL), known);
		}
	}
}

/* Of all quanta that end in pads, those that a writer would have written, and no others. */
static void base64_takes_one_spelling_of_each_value(void **state)
{
	size_t one = 0, two = 0;

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		for (size_t k = 0; k < 64; k++) {
			const char pads2[] = {alphabet[i], alphabet[k], '=', '='};
			const char pads1[] = {alphabet[i], 'A', alphabet[k], '='};
			one += parse(pads2, 4, NULL, NULL);
			two += parse(pads1, 4, NULL, NULL);
			assert_int_equal(parse(pads2, 4, NULL, NULL), k % 16 == 0);
			assert_int_equal(parse(pads1, 4, NULL, NULL), k % 4 == 0);
		}
	}
	assert_int_equal(one, 256);
	assert_int_equal(two, 64 * 16);
}

static void base64_rejects_misplaced_pads_and_white_space(void **state)
{
	static const char *const bad[] = {
	    "A",        "AA",       "AAA",
	    "AAAAA",    "Zg",       "Zg=",
	    "Zm9",      "====",     "=AAA",
	    "A=AA",     "AA=A",     "A===",
	    "Z===",     "Zg==Zg==", "Zm8=Zm8=",
	    "Zm9vZg",   "Zg== ",    " Zg==",
	    "Zm9v\n",   "Zm\n9v",   "Zm9vYg==\n\n\n\n",
	    "Zm-v",     "Zm_v",     "AAAA====",
	    "AAAA=AAA", "AAAAA===", "AA==AAAA",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(bad[i], strlen(bad[i]), NULL, NULL))
			fail_msg("'%s' was taken", bad[i]);
	assert_false(parse("AA\0A", 4, NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(base64_agrees_with_the_rfc),
	    cmocka_unit_test(base64_round_trips_every_length),
	    cmocka_unit_test(base64_takes_only_its_own_alphabet),
	    cmocka_unit_test(base64_takes_one_spelling_of_each_value),
	    cmocka_unit_test(base64_rejects_misplaced_pads_and_white_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
