#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/bencode.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int check(const char *text, struct err *e)
{
	return bencode_check(text, strlen(text), e);
}

static void bencode_takes_its_one_spelling(void **state)
{
	static const char *const good[] = {
	    "i0e",
	    "i7e",
	    "i-1e",
	    "i123456789012345678901234567890e",
	    "0:",
	    "3:abc",
	    "le",
	    "de",
	    "li1e2:abe",
	    "d0:0:e",
	    "d1:ai1e1:bl1:x1:yee",
	    "d1:a0:2:aa0:1:b0:e",
	    "d3:abcde3:abddee",
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (check(good[i], &e) != 0)
			fail_msg("'%s': %s", good[i], e.msg);
}

static void bencode_takes_no_other(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	    {"", "byte 1: it ends too early"},
	    {"e", "byte 1: a digit is missing"},
	    {"x", "byte 1: a digit is missing"},
	    {"-1:", "byte 1: a digit is missing"},
	    {"i", "byte 2: a digit is missing"},
	    {"ie", "byte 2: a digit is missing"},
	    {"i1", "byte 3: a number has no end"},
	    {"i1x", "byte 3: a number has no end"},
	    {"i01e", "byte 4: a number starts with 0"},
	    {"i-0e", "byte 3: there is no number -0"},
	    {"i-01e", "byte 3: there is no number -0"},
	    {"i--1e", "byte 3: a digit is missing"},
	    {"i+1e", "byte 2: a digit is missing"},
	    {"3:ab", "byte 1: a string is longer than what there is"},
	    {"18446744073709551617:a", "byte 1: a string is longer than what there is"},
	    {"99999999999999999999999:a", "byte 1: a string is longer than what there is"},
	    {"03:abc", "byte 3: a number starts with 0"},
	    {"3", "byte 2: the length of a string has no colon behind it"},
	    {"3abc", "byte 2: the length of a string has no colon behind it"},
	    {"l", "byte 2: it ends too early"},
	    {"li1e", "byte 5: it ends too early"},
	    {"d1:ae", "byte 5: a key has no value"},
	    {"d1:a", "byte 5: it ends too early"},
	    {"di1ei1ee", "byte 2: a key is no string"},
	    {"dlei1ee", "byte 2: a key is no string"},
	    {"d1:b0:1:a0:e", "byte 7: the keys of a dictionary are not in order"},
	    {"d1:a0:1:a0:e", "byte 7: the keys of a dictionary are not in order"},
	    {"d2:aa0:1:a0:e", "byte 8: the keys of a dictionary are not in order"},
	    {"i1ei1e", "byte 4: there is more behind its end"},
	    {"dee", "byte 3: there is more behind its end"},
	    {"de\n", "byte 3: there is more behind its end"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(check(bad[i].text, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
		assert_string_equal(e.msg, bad[i].why);
	}
}

/* Keys rise as bytes, not as signed characters; a NUL is a byte like others. */
static void bencode_orders_keys_as_bytes(void **state)
{
	static const char high[] = "d1:a0:1:\x80"
				   "0:1:\xFF"
				   "0:e";
	static const char nul[] = "d1:a0:2:a\0"
				  "0:e";
	struct err e;

	(void)state;
	assert_int_equal(bencode_check(high, sizeof high - 1, &e), 0);
	assert_int_equal(bencode_check(nul, sizeof nul - 1, &e), 0);
}

static void bencode_is_not_deeper_than_it_may_be(void **state)
{
	char text[2 * BENCODE_DEPTH_MAX + 2];
	struct err e;

	(void)state;
	memset(text, 'l', BENCODE_DEPTH_MAX);
	memset(text + BENCODE_DEPTH_MAX, 'e', BENCODE_DEPTH_MAX);
	assert_int_equal(bencode_check(text, 2 * BENCODE_DEPTH_MAX, &e), 0);
	memset(text, 'l', BENCODE_DEPTH_MAX + 1);
	memset(text + BENCODE_DEPTH_MAX + 1, 'e', BENCODE_DEPTH_MAX + 1);
	assert_int_equal(bencode_check(text, sizeof text, &e), -1);
	assert_string_equal(e.msg, "byte 541: too many lists and dictionaries in each other");
}

static void bencode_finds_values(void **state)
{
	static const char text[] = "d1:ad1:xi5ee2:ab3:e:e1:bli7ed1:yleee1:ci-3ee";
	struct bencode root, v, item;
	struct bencode_walk w;
	struct err e;
	uint64_t n;
	size_t len;

	(void)state;
	assert_int_equal(check(text, &e), 0);
	root = bencode_root(text, sizeof text - 1);
	assert_int_equal(root.type, 'd');
	v = bencode_get(&root, "a");
	assert_int_equal(v.type, 'd');
	assert_memory_equal(v.at, "d1:xi5ee", v.len);
	v = bencode_get(&v, "x");
	assert_true(bencode_get_number(&v, &n));
	assert_int_equal(n, 5);
	assert_null(bencode_get_string(&v, &len));
	v = bencode_get(&root, "ab");
	assert_memory_equal(bencode_get_string(&v, &len), "e:e", 3);
	assert_int_equal(len, 3);
	assert_false(bencode_get_number(&v, &n));
	assert_int_equal(bencode_get(&v, "a").type, 0);
	v = bencode_get(&root, "c");
	assert_int_equal(v.type, 'i');
	assert_false(bencode_get_number(&v, &n));
	assert_int_equal(bencode_get(&root, "d").type, 0);
	assert_int_equal(bencode_get(&root, "").type, 0);
	v = bencode_get(&root, "b");
	w = bencode_begin(&v);
	assert_true(bencode_next(&w, NULL, &item));
	assert_int_equal(item.type, 'i');
	assert_true(bencode_next(&w, NULL, &item));
	assert_memory_equal(item.at, "d1:ylee", item.len);
	assert_false(bencode_next(&w, NULL, &item));
	w = bencode_begin(&item);
	assert_true(bencode_next(&w, &v, &item));
	assert_memory_equal(bencode_get_string(&v, &len), "y", 1);
	assert_int_equal(item.type, 'l');
	w = bencode_begin(&item);
	assert_false(bencode_next(&w, NULL, &v));
	/* Of what is no list, there is nothing. */
	w = bencode_begin(&v);
	v = (struct bencode){.type = 0};
	w = bencode_begin(&v);
	assert_false(bencode_next(&w, NULL, &item));
}

static void bencode_numbers_have_63_bits(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {{"i9223372036854775807e", true},
		     {"i9223372036854775808e", false},
		     {"i18446744073709551617e", false},
		     {"i99999999999999999999999e", false}};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bencode v = bencode_root(cases[i].text, strlen(cases[i].text));
		assert_int_equal(bencode_get_number(&v, &n), cases[i].good);
	}
}

static void bencode_writes_what_it_reads(void **state)
{
	struct buf text = BUF_INIT;
	struct bencode_writer w = {.to = &text};
	struct err e;

	(void)state;
	bencode_open_dictionary(&w);
	bencode_text(&w, "a");
	bencode_open_list(&w);
	bencode_number(&w, 0);
	bencode_number(&w, UINT64_MAX);
	bencode_close(&w);
	bencode_text(&w, "b");
	bencode_string(&w, "\0\1", 2);
	bencode_text(&w, "c");
	bencode_start_string(&w, 3);
	buf_adds(&text, "xyz");
	bencode_close(&w);
	static const char want[] = "d1:ali0ei18446744073709551615ee1:b2:\0\1"
				   "1:c3:xyze";
	assert_int_equal(text.len, sizeof want - 1);
	assert_memory_equal(text.data, want, sizeof want - 1);
	assert_int_equal(bencode_check(text.data, text.len, &e), 0);
	assert_int_equal(w.tokens, 2 + 3 + 2 + 2 + 2);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bencode_takes_its_one_spelling),
	    cmocka_unit_test(bencode_takes_no_other),
	    cmocka_unit_test(bencode_orders_keys_as_bytes),
	    cmocka_unit_test(bencode_is_not_deeper_than_it_may_be),
	    cmocka_unit_test(bencode_finds_values),
	    cmocka_unit_test(bencode_numbers_have_63_bits),
	    cmocka_unit_test(bencode_writes_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
