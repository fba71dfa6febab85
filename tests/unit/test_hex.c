#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/hex.h"

static void hex_round_trips_every_byte(void **state)
{
	uint8_t bytes[256], again[256];
	char text[513];

	(void)state;
	for (size_t i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	hex_format(text, bytes, 256);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102030405060708090a0b0c0d0e0f10", 34);
	assert_memory_equal(text + 508, "feff", 5);
	assert_true(hex_parse(again, 256, text, 512));
	assert_memory_equal(again, bytes, 256);
}

static void hex_of_nothing_is_empty(void **state)
{
	uint8_t byte = 7;
	char text[] = "x";

	(void)state;
	hex_format(text, &byte, 0);
	assert_string_equal(text, "");
	assert_true(hex_parse(&byte, 0, "", 0));
	assert_int_equal(byte, 7);
}

static void hex_takes_lower_case_digits_only(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		const char high[] = {(char)c, '0'}, low[] = {'0', (char)c};
		uint8_t byte;
		assert_int_equal(hex_parse(&byte, 1, high, 2), digit);
		assert_int_equal(hex_parse(&byte, 1, low, 2), digit);
	}
}

static void hex_takes_the_right_length_only(void **state)
{
	uint8_t bytes[4];

	(void)state;
	assert_true(hex_parse(bytes, 2, "abcd", 4));
	assert_false(hex_parse(bytes, 2, "abc", 3));
	assert_false(hex_parse(bytes, 2, "abcde", 5));
	assert_false(hex_parse(bytes, 2, "abcdef", 6));
	assert_false(hex_parse(bytes, 2, "", 0));
	assert_false(hex_parse(bytes, 0, "a", 1));
	/* Twice this length wraps around to 4. */
	assert_false(hex_parse(bytes, SIZE_MAX / 2 + 3, "abcd", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hex_round_trips_every_byte),
	    cmocka_unit_test(hex_of_nothing_is_empty),
	    cmocka_unit_test(hex_takes_lower_case_digits_only),
	    cmocka_unit_test(hex_takes_the_right_length_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
