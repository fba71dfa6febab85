#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/text.h"

static void assert_printable(const char *text, size_t len, const char *want)
{
	struct buf b = BUF_INIT;

	text_printable(&b, text, len);
	assert_string_equal(b.data, want);
	buf_release(&b);
}

static void text_printable_leaves_text_alone(void **state)
{
	static const char text[] = "plain \\ \"quoted\" ~ é 日本語 \xF0\x9F\x98\x80 \xC2\xA0";

	(void)state;
	assert_printable(text, sizeof text - 1, text);
	assert_printable("", 0, "");
}

static void text_printable_escapes_control_characters(void **state)
{
	(void)state;
	assert_printable("a\nb\rc\td", 7, "a\\x0ab\\x0dc\\x09d");
	assert_printable("\0\x1F\x20\x7E\x7F", 5, "\\x00\\x1f ~\\x7f");
	assert_printable("\x1B[31mred", 8, "\\x1b[31mred");
	/* U+0080 and U+009F steer terminals as ESC does; U+00A0 does not. */
	assert_printable("\xC2\x80\xC2\x9F\xC2\xA0", 6, "\\xc2\\x80\\xc2\\x9f\xC2\xA0");
}

static void text_printable_escapes_what_reorders_or_hides(void **state)
{
	static const struct {
		unsigned long first, last;
	} hidden[] = {{0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x2069}, {0xFEFF, 0xFEFF}};

	(void)state;
	for (unsigned long c = 0x2000; c < 0x10000; c++) {
		if (c >= 0xD800 && c <= 0xDFFF)
			continue;
		const char text[] = {(char)(0xE0 | c >> 12), (char)(0x80 | (c >> 6 & 63)),
				     (char)(0x80 | (c & 63)), '\0'};
		bool escaped = false;
		for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
			escaped = escaped || (c >= hidden[i].first && c <= hidden[i].last);
		struct buf b = BUF_INIT;
		text_printable(&b, text, 3);
		assert_int_equal(b.len, escaped ? 12 : 3);
		buf_release(&b);
	}
}

static void text_printable_escapes_what_is_not_utf8(void **state)
{
	(void)state;
	assert_printable("\xFF", 1, "\\xff");
	assert_printable("a\x80"
			 "b",
			 3, "a\\x80b");
	assert_printable("\xC3", 1, "\\xc3");
	assert_printable("\xC3(", 2, "\\xc3(");
	assert_printable("\xE2\x82", 2, "\\xe2\\x82");
	assert_printable("\xED\xA0\x80", 3, "\\xed\\xa0\\x80");
	assert_printable("\xC0\xAF", 2, "\\xc0\\xaf");
}

/* The straightforward definition: encode every code point, and nothing else is well-formed. */
static size_t encode(unsigned long c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xC0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xE0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xF0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

static void text_utf8_reads_every_code_point(void **state)
{
	(void)state;
	for (unsigned long c = 0; c <= 0x10FFFF; c++) {
		char text[5] = "";
		unsigned long point = 0xFFFFFFFF;
		size_t n = encode(c, text);
		bool surrogate = c >= 0xD800 && c <= 0xDFFF;
		if (text_utf8(text, n, &point) != (surrogate ? 0 : n) || (!surrogate && point != c))
			fail_msg("U+%04lX", c);
		/* One byte short it is nothing. */
		if (text_utf8(text, n - 1, &point) != 0)
			fail_msg("U+%04lX cut", c);
	}
}

/* All sequences of up to four bytes whose last three are of every kind that matters. */
static void text_utf8_reads_nothing_else(void **state)
{
	static const unsigned char kinds[] = {0x00, 0x7F, 0x80, 0x8F, 0x90,
					      0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
	const size_t n = sizeof kinds;

	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		for (size_t i = 0; i < n * n * n; i++) {
			const char text[] = {(char)first, (char)kinds[i % n],
					     (char)kinds[i / n % n], (char)kinds[i / n / n]};
			unsigned long point = 0;
			char again[4];
			size_t len = text_utf8(text, 4, &point);
			if (len == 0)
				continue;
			assert_int_equal(encode(point, again), len);
			assert_memory_equal(again, text, len);
			assert_true(point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF));
		}
	}
}

static void text_nearest_finds_near_misses(void **state)
{
	static const char *const words[] = {"label", "match", "cache", "type", NULL};

	(void)state;
	assert_string_equal(text_nearest("label", words), "label");
	assert_string_equal(text_nearest("lable", words), "label");
	assert_string_equal(text_nearest("labl", words), "label");
	assert_string_equal(text_nearest("labels", words), "label");
	assert_string_equal(text_nearest("mtach", words), "match");
	assert_string_equal(text_nearest("tpye", words), "type");
	assert_string_equal(text_nearest("catch", words), "match");
}

static void text_nearest_does_not_guess(void **state)
{
	static const char *const words[] = {"label", "match", "cache", "type", NULL};
	static const char *const none[] = {NULL};
	static const char *const odd[] = {"", NULL};
	char longest[66];

	(void)state;
	assert_null(text_nearest("", words));
	assert_null(text_nearest("x", words));
	assert_null(text_nearest("banana", words));
	assert_null(text_nearest("ty", words));
	assert_null(text_nearest("label", none));
	assert_null(text_nearest("a", odd));
	/* Words of at most 64 bytes are compared. */
	memset(longest, 'a', sizeof longest - 1);
	longest[65] = '\0';
	const char *const lengthy[] = {longest + 1, longest, NULL};
	assert_null(text_nearest(longest, lengthy));
	assert_ptr_equal(text_nearest(longest + 1, lengthy), longest + 1);
	assert_ptr_equal(text_nearest(longest + 20, lengthy), longest + 1);
}

typedef void put_number(struct buf *to, unsigned long long n);

static void assert_number(put_number *put, unsigned long long n, const char *want)
{
	struct buf b = BUF_INIT;

	put(&b, n);
	assert_string_equal(b.data, want);
	buf_release(&b);
}

static void text_count_groups_digits(void **state)
{
	(void)state;
	assert_number(text_count, 0, "0");
	assert_number(text_count, 7, "7");
	assert_number(text_count, 999, "999");
	assert_number(text_count, 1000, "1,000");
	assert_number(text_count, 999999, "999,999");
	assert_number(text_count, 1000000, "1,000,000");
	assert_number(text_count, 1234567, "1,234,567");
	assert_number(text_count, UINT64_MAX, "18,446,744,073,709,551,615");
}

static void text_bytes_rounds_to_a_unit(void **state)
{
	(void)state;
	assert_number(text_bytes, 0, "0 bytes");
	assert_number(text_bytes, 1, "1 byte");
	assert_number(text_bytes, 123, "123 bytes");
	assert_number(text_bytes, 999, "999 bytes");
	assert_number(text_bytes, 1000, "1.0 kB");
	assert_number(text_bytes, 41300000, "41.3 MB");
	assert_number(text_bytes, UINT64_MAX, "18.4 EB");
}

/* Never "1000.0 kB". */
static void text_bytes_changes_unit_before_it_rounds_up(void **state)
{
	(void)state;
	assert_number(text_bytes, 999949, "999.9 kB");
	assert_number(text_bytes, 999950, "1.0 MB");
	assert_number(text_bytes, 999999, "1.0 MB");
	assert_number(text_bytes, 999949999, "999.9 MB");
	assert_number(text_bytes, 999950000, "1.0 GB");
	for (unsigned long long n = 1; n < UINT64_MAX / 10; n *= 10) {
		struct buf b = BUF_INIT;
		text_bytes(&b, n * 10 - 1);
		assert_null(strstr(b.data, "1000"));
		buf_release(&b);
	}
}

static void text_plural_takes_an_s(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	text_plural(&b, 1, "file");
	buf_addc(&b, ' ');
	text_plural(&b, 0, "file");
	buf_addc(&b, ' ');
	text_plural(&b, 2000, "file");
	assert_string_equal(b.data, "1 file 0 files 2,000 files");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_printable_leaves_text_alone),
	    cmocka_unit_test(text_printable_escapes_control_characters),
	    cmocka_unit_test(text_printable_escapes_what_reorders_or_hides),
	    cmocka_unit_test(text_printable_escapes_what_is_not_utf8),
	    cmocka_unit_test(text_utf8_reads_every_code_point),
	    cmocka_unit_test(text_utf8_reads_nothing_else),
	    cmocka_unit_test(text_nearest_finds_near_misses),
	    cmocka_unit_test(text_nearest_does_not_guess),
	    cmocka_unit_test(text_count_groups_digits),
	    cmocka_unit_test(text_bytes_rounds_to_a_unit),
	    cmocka_unit_test(text_bytes_changes_unit_before_it_rounds_up),
	    cmocka_unit_test(text_plural_takes_an_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
