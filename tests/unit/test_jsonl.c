#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/jsonl.h"
#include "swarm/num.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct jsonl_object *parse(const char *text)
{
	struct err e = {.code = ERR_NONE};
	struct jsonl_object *o = jsonl_parse(text, strlen(text), &e);

	if (o == NULL)
		fail_msg("%s: %s", text, e.msg);
	return o;
}

static void assert_done(struct jsonl_object *o)
{
	struct err e = {.code = ERR_NONE};

	if (jsonl_done(o, &e) != 0)
		fail_msg("%s", e.msg);
	jsonl_free(o);
}

static void assert_problem(struct jsonl_object *o, const char *message)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(jsonl_done(o, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_string_equal(e.msg, message);
	jsonl_free(o);
}

static void assert_no_object(const char *text, size_t len)
{
	struct err e = {.code = ERR_NONE};
	struct jsonl_object *o = jsonl_parse(text, len, &e);

	if (o != NULL)
		fail_msg("'%.60s' was taken", text);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_int_equal(strncmp(e.msg, "not a JSON object: ", 19), 0);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void jsonl_writes_members_in_order(void **state)
{
	static const uint8_t bytes[] = {0, 1, 0xFE};
	struct buf b = BUF_INIT;
	struct jsonl_writer w = {.to = &b};

	(void)state;
	jsonl_open(&w, NULL);
	jsonl_string(&w, "s", "x");
	jsonl_number(&w, "n", NUM_MAX);
	jsonl_bool(&w, "t", true);
	jsonl_bool(&w, "f", false);
	jsonl_hex(&w, "h", bytes, sizeof bytes);
	jsonl_base64(&w, "b", bytes, sizeof bytes);
	jsonl_open(&w, "o");
	jsonl_close(&w);
	jsonl_open_array(&w, "a");
	jsonl_open(&w, NULL);
	jsonl_number(&w, "i", 0);
	jsonl_close(&w);
	jsonl_open_array(&w, NULL);
	jsonl_number(&w, NULL, 1);
	jsonl_number(&w, NULL, 2);
	jsonl_close_array(&w);
	jsonl_close_array(&w);
	jsonl_string(&w, "e", "");
	jsonl_close(&w);
	assert_string_equal(b.data, "{\"s\":\"x\",\"n\":9007199254740991,\"t\":true,\"f\":false,"
				    "\"h\":\"0001fe\",\"b\":\"AAH+\",\"o\":{},"
				    "\"a\":[{\"i\":0},[1,2]],\"e\":\"\"}");
	buf_release(&b);
}

static void jsonl_escapes_two_characters_only(void **state)
{
	struct buf b = BUF_INIT;
	struct jsonl_writer w = {.to = &b};

	(void)state;
	jsonl_open(&w, NULL);
	jsonl_string(&w, "s", "\"\\\\\"a/b\xC3\xA9\xF0\x9F\x98\x80\"");
	jsonl_close(&w);
	assert_string_equal(b.data, "{\"s\":\"\\\"\\\\\\\\\\\"a/b\xC3\xA9\xF0\x9F\x98\x80\\\"\"}");
	struct jsonl_object *o = parse(b.data);
	assert_string_equal(jsonl_get_string(o, "s"), "\"\\\\\"a/b\xC3\xA9\xF0\x9F\x98\x80\"");
	assert_done(o);
	buf_release(&b);
}

/* Any string of any bytes must become JSON that any reader takes. */
static void jsonl_any_string_is_always_json(void **state)
{
	unsigned seed = 3;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[40];
		struct buf b = BUF_INIT;
		struct jsonl_writer w = {.to = &b};
		size_t len = (size_t)round % sizeof text;
		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = (char)(1 + (seed >> 16) % 255);
		}
		text[len] = '\0';
		jsonl_open(&w, NULL);
		jsonl_any_string(&w, "s", text);
		jsonl_close(&w);
		for (size_t i = 0; i < b.len; i++)
			assert_true((unsigned char)b.data[i] >= 0x20 && b.data[i] != 0x7F);
		struct jsonl_object *o = parse(b.data);
		(void)jsonl_get_string(o, "s");
		assert_done(o);
		buf_release(&b);
	}
}

static void assert_path(const char *path, const char *want)
{
	struct buf b = BUF_INIT;
	struct jsonl_writer w = {.to = &b};

	jsonl_open(&w, NULL);
	jsonl_path(&w, "path", path);
	jsonl_close(&w);
	assert_string_equal(b.data, want);
	buf_release(&b);
}

static void jsonl_path_is_exact_or_has_the_bytes(void **state)
{
	(void)state;
	assert_path("a/b", "{\"path\":\"a/b\"}");
	assert_path("a\nb\x7F", "{\"path\":\"a\\u000ab\\u007f\"}");
	assert_path("\xC2\x9F", "{\"path\":\"\\u009f\"}");
	assert_path("a\xFF", "{\"path\":\"a\xEF\xBF\xBD\",\"path_base64\":\"Yf8=\"}");
	/* U+FFFD itself loses nothing. */
	assert_path("\xEF\xBF\xBD", "{\"path\":\"\xEF\xBF\xBD\"}");
}

/* --- reading ---------------------------------------------------------------------------------- */

static void jsonl_reads_what_it_wrote(void **state)
{
	uint8_t hex[2];
	struct buf b = BUF_INIT;
	struct jsonl_object *o =
	    parse("{\"s\":\"x\",\"n\":7,\"t\":true,\"h\":\"00fe\",\"b\":\"AAH+\","
		  "\"o\":{\"k\":1},\"a\":[{\"i\":0},{\"i\":1}]}");

	(void)state;
	assert_true(jsonl_has(o, "s"));
	assert_false(jsonl_has(o, "z"));
	assert_string_equal(jsonl_get_string(o, "s"), "x");
	assert_int_equal(jsonl_get_number(o, "n"), 7);
	assert_true(jsonl_get_bool(o, "t"));
	jsonl_get_hex(o, "h", hex, 2);
	assert_memory_equal(hex, "\0\xFE", 2);
	jsonl_get_base64(o, "b", &b);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "\0\1\xFE", 3);
	assert_int_equal(jsonl_get_number(jsonl_get_object(o, "o"), "k"), 1);
	assert_int_equal(jsonl_get_array(o, "a"), 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(jsonl_get_number(jsonl_get_item(o, "a", i), "i"), i);
	buf_release(&b);
	assert_done(o);
}

static void jsonl_rejects_what_is_no_object(void **state)
{
	static const char *const bad[] = {
	    "",
	    " ",
	    "null",
	    "1",
	    "\"a\"",
	    "[]",
	    "[{}]",
	    "{",
	    "}",
	    "{}{}",
	    "{} x",
	    "{},",
	    "{\"a\"}",
	    "{\"a\":}",
	    "{\"a\":1,}",
	    "{a:1}",
	    "{'a':1}",
	    "{\"a\":1 \"b\":2}",
	    "{\"a\":01}",
	    "{\"a\":+1}",
	    "{\"a\":.5}",
	    "{\"a\":NaN}",
	    "{\"a\":Infinity}",
	    "{\"a\":tru}",
	    "{\"a\":\"\n\"}",
	    "{\"a\":\"\x1F\"}",
	    "{\"a\":\"\\x41\"}",
	    "{\"a\":\"\\u12\"}",
	    "{\"a\":\"\\ud800\"}",
	    "{\"a\":\"\\udc00\\ud800\"}",
	    "{\"a\":\"\\u0000\"}",
	    "{\"a\\u0000b\":1}",
	    "{\"a\":\"\xFF\"}",
	    "{\"a\":\"\xED\xA0\x80\"}",
	    "{\"a\":\"\xC0\xAF\"}",
	    "\xEF\xBB\xBF{}",
	    "{}\xEF\xBB\xBF",
	    "// c\n{}",
	    "{\"a\":1e999}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_no_object(bad[i], strlen(bad[i]));
	assert_no_object("{}\0", 3);
	assert_no_object("{\"a\":\"b\0c\"}", 11);
	assert_done(parse("{}"));
	assert_done(parse(" {\t}\r\n"));
}

static void jsonl_rejects_doubled_keys_at_any_depth(void **state)
{
	static const char *const bad[] = {
	    "{\"a\":1,\"a\":1}",
	    "{\"a\":1,\"b\":2,\"\\u0061\":1}",
	    "{\"o\":{\"a\":1,\"a\":2}}",
	    "{\"a\":[{\"k\":1,\"k\":1}]}",
	    "{\"a\":{\"b\":{\"c\":{\"d\":1,\"d\":1}}}}",
	    "{\"\":1,\"\":2}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_no_object(bad[i], strlen(bad[i]));
	struct jsonl_object *o = parse("{\"a\":1,\"o\":{\"a\":2}}");
	assert_int_equal(jsonl_get_number(o, "a"), 1);
	assert_int_equal(jsonl_get_number(jsonl_get_object(o, "o"), "a"), 2);
	assert_done(o);
}

static void jsonl_survives_deep_nesting(void **state)
{
	static const char *const opening[] = {"[", "{\"a\":"};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t kind = 0; kind < COUNT(opening); kind++) {
		buf_clear(&b);
		buf_adds(&b, "{\"a\":");
		for (size_t i = 0; i < 300000; i++)
			buf_adds(&b, opening[kind]);
		assert_no_object(b.data, b.len);
	}
	buf_release(&b);
}

static void assert_number_is(const char *text, bool taken, uint64_t want)
{
	char line[128];

	(void)snprintf(line, sizeof line, "{\"n\":%s}", text);
	struct jsonl_object *o = parse(line);
	assert_int_equal(jsonl_get_number(o, "n"), want);
	if (taken)
		assert_done(o);
	else
		assert_problem(o, "'n' is not a whole number from 0 to 2^53-1");
}

static void jsonl_numbers_are_whole_and_below_two_to_the_53(void **state)
{
	(void)state;
	assert_number_is("0", true, 0);
	assert_number_is("9007199254740991", true, NUM_MAX);
	assert_number_is("9007199254740992", false, 0);
	assert_number_is("9223372036854775807", false, 0);
	assert_number_is("-1", false, 0);
	assert_number_is("-9223372036854775808", false, 0);
	assert_number_is("1.0", false, 0);
	assert_number_is("1e3", false, 0);
	assert_number_is("0.1", false, 0);
	assert_number_is("\"1\"", false, 0);
	assert_number_is("null", false, 0);
	assert_number_is("true", false, 0);
	/* Too big for the parser itself. */
	assert_no_object("{\"n\":9223372036854775808}", 25);
	assert_no_object("{\"n\":18446744073709551617}", 26);
	assert_no_object("{\"n\":99999999999999999999999999999999999}", 41);
}

static void jsonl_takes_what_can_only_be_one_thing(void **state)
{
	struct jsonl_object *o = parse("{\"n\":1,\"s\":\"x\"}");

	(void)state;
	assert_int_equal(jsonl_get_positive(o, "n"), 1);
	jsonl_get_fixed(o, "s", "x");
	assert_done(o);
	o = parse("{\"n\":0}");
	assert_int_equal(jsonl_get_positive(o, "n"), 0);
	assert_problem(o, "'n' is not at least 1");
	o = parse("{\"n\":-1}");
	assert_int_equal(jsonl_get_positive(o, "n"), 0);
	assert_problem(o, "'n' is not a whole number from 0 to 2^53-1");
	o = parse("{\"s\":\"xy\"}");
	jsonl_get_fixed(o, "s", "x");
	assert_problem(o, "'s' is not x");
	o = parse("{\"s\":7}");
	jsonl_get_fixed(o, "s", "");
	assert_problem(o, "'s' is not a string");
}

static void jsonl_getters_reject_other_kinds(void **state)
{
	uint8_t hex[2];
	struct buf b = BUF_INIT;
	struct jsonl_object *o;

	(void)state;
	o = parse("{\"k\":1}");
	assert_string_equal(jsonl_get_string(o, "k"), "");
	assert_problem(o, "'k' is not a string");
	o = parse("{\"k\":null}");
	assert_string_equal(jsonl_get_string(o, "k"), "");
	assert_problem(o, "'k' is not a string");
	o = parse("{\"k\":1}");
	assert_false(jsonl_get_bool(o, "k"));
	assert_problem(o, "'k' is neither true nor false");
	o = parse("{\"k\":\"true\"}");
	assert_false(jsonl_get_bool(o, "k"));
	assert_problem(o, "'k' is neither true nor false");
	o = parse("{\"k\":[]}");
	assert_int_equal(jsonl_get_number(jsonl_get_object(o, "k"), "x"), 0);
	assert_problem(o, "'k' is not an object");
	o = parse("{\"k\":{}}");
	assert_int_equal(jsonl_get_array(o, "k"), 0);
	assert_problem(o, "'k' is not an array");
	o = parse("{\"k\":[1]}");
	assert_int_equal(jsonl_get_array(o, "k"), 1);
	assert_string_equal(jsonl_get_string(jsonl_get_item(o, "k", 0), "x"), "");
	assert_problem(o, "'k' is not an object");
	o = parse("{\"k\":\"00FE\"}");
	jsonl_get_hex(o, "k", hex, 2);
	assert_memory_equal(hex, "\0\0", 2);
	assert_problem(o, "'k' is not lower-case hex of the right length");
	o = parse("{\"k\":\"00fe00\"}");
	jsonl_get_hex(o, "k", hex, 2);
	assert_problem(o, "'k' is not lower-case hex of the right length");
	o = parse("{\"k\":\"Zm8\"}");
	jsonl_get_base64(o, "k", &b);
	assert_int_equal(b.len, 0);
	assert_problem(o, "'k' is not canonical base64");
	o = parse("{\"k\":7}");
	jsonl_get_base64(o, "k", &b);
	assert_problem(o, "'k' is not a string");
	buf_release(&b);
}

static void jsonl_missing_keys_are_told(void **state)
{
	uint8_t hex[2] = {1, 1};
	struct buf b = BUF_INIT;
	struct jsonl_object *o = parse("{}");

	(void)state;
	assert_string_equal(jsonl_get_string(o, "first"), "");
	assert_int_equal(jsonl_get_number(o, "second"), 0);
	assert_false(jsonl_get_bool(o, "third"));
	jsonl_get_hex(o, "fourth", hex, 2);
	assert_memory_equal(hex, "\0\0", 2);
	jsonl_get_base64(o, "fifth", &b);
	assert_int_equal(jsonl_get_array(o, "sixth"), 0);
	assert_int_equal(jsonl_get_number(jsonl_get_object(o, "seventh"), "x"), 0);
	assert_int_equal(jsonl_get_number(jsonl_get_item(o, "eighth", 0), "x"), 0);
	buf_release(&b);
	assert_problem(o, "'first' is missing");
}

static void jsonl_left_over_keys_are_told_at_any_depth(void **state)
{
	struct jsonl_object *o = parse("{\"a\":1,\"b\":2}");

	(void)state;
	assert_int_equal(jsonl_get_number(o, "a"), 1);
	assert_int_equal(jsonl_get_number(o, "a"), 1);
	assert_problem(o, "'b' is not a key known here");
	o = parse("{\"o\":{\"x\":1}}");
	(void)jsonl_get_object(o, "o");
	assert_problem(o, "'x' is not a key known here");
	o = parse("{\"a\":[{},{\"y\":1}]}");
	for (size_t i = 0; i < jsonl_get_array(o, "a"); i++)
		(void)jsonl_get_item(o, "a", i);
	assert_problem(o, "'y' is not a key known here");
	o = parse("{\"\":1}");
	assert_problem(o, "'' is not a key known here");
}

static void jsonl_a_problem_comes_before_left_over_keys(void **state)
{
	struct jsonl_object *o = parse("{\"a\":1,\"zzz\":2}");

	(void)state;
	(void)jsonl_get_number(o, "a");
	jsonl_reject(o, "a", "is not wanted");
	jsonl_reject(o, "a", "is not the first problem");
	assert_problem(o, "'a' is not wanted");
}

/* A hostile key of any length stays within the record. */
static void jsonl_long_keys_are_cut_in_messages(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	(void)state;
	buf_adds(&b, "{\"");
	for (size_t i = 0; i < 100000; i++)
		buf_addc(&b, 'k');
	buf_adds(&b, "\":1}");
	struct jsonl_object *o = parse(b.data);
	assert_int_equal(jsonl_done(o, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_int_equal(strncmp(e.msg, "'kkk", 4), 0);
	jsonl_free(o);
	buf_release(&b);
}

/* The reader keeps which keys it asked for, in an array: more than that are still counted. */
static void jsonl_many_keys_can_be_read(void **state)
{
	static char keys[20][8];
	struct buf b = BUF_INIT;
	struct jsonl_writer w = {.to = &b};

	(void)state;
	jsonl_open(&w, NULL);
	for (size_t i = 0; i < COUNT(keys); i++) {
		(void)snprintf(keys[i], sizeof keys[i], "k%zu", i);
		jsonl_number(&w, keys[i], i);
	}
	jsonl_close(&w);
	struct jsonl_object *o = parse(b.data);
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_int_equal(jsonl_get_number(o, keys[i]), i);
	assert_done(o);
	buf_release(&b);
}

static void assert_spelling(const char *again, const char *line, size_t len, const char *message)
{
	struct buf b = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	buf_adds(&b, again);
	int status = jsonl_check_spelling(&b, line, len, &e);
	assert_int_equal(status, message == NULL ? 0 : -1);
	if (message != NULL) {
		assert_int_equal(e.code, ERR_MALFORMED);
		assert_int_equal(strncmp(e.msg, message, strlen(message)), 0);
	}
	buf_release(&b);
}

static void jsonl_spelling_names_the_column(void **state)
{
	(void)state;
	assert_spelling("{\"a\":1}", "{\"a\":1}", 7, NULL);
	assert_spelling("", "", 0, NULL);
	assert_spelling("{\"a\":1}", "{\"a\": 1}", 8, "column 6: not the one spelling");
	assert_spelling("{\"a\":1}", " {\"a\":1}", 8, "column 1: ");
	assert_spelling("{\"a\":1}", "{\"a\":1} ", 8, "column 8: ");
	assert_spelling("{\"a\":1}", "{\"a\":1", 6, "column 7: ");
	assert_spelling("{\"a\":1}", "", 0, "column 1: ");
	assert_spelling("\"/\"", "\"\\/\"", 4, "column 2: ");
}

static void jsonl_spelling_tells_of_a_lack_of_memory(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_null(buf_room(&b, SIZE_MAX));
	assert_int_equal(jsonl_check_spelling(&b, "", 0, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "out of memory");
	buf_release(&b);
}

static void jsonl_free_takes_null(void **state)
{
	(void)state;
	jsonl_free(NULL);
}

static void jsonl_flat_objects_hold_no_others(void **state)
{
	struct err e = {.code = ERR_NONE};
	static const char *const good[] = {"{}", "{\"a\":1,\"b\":\"[{,\\\"[{,\"}"};
	static const char *const bad[] = {"[]", "{\"a\":[1]}", "{\"a\":{}}",
					  "{\"a\":1,\"b\":2,\"c\":3}"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(jsonl_check_flat(good[i], strlen(good[i]), 2, &e), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(jsonl_check_flat(bad[i], strlen(bad[i]), 2, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
	}
	assert_string_equal(e.msg, "column 13: more than 2 keys");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(jsonl_flat_objects_hold_no_others),
	    cmocka_unit_test(jsonl_writes_members_in_order),
	    cmocka_unit_test(jsonl_escapes_two_characters_only),
	    cmocka_unit_test(jsonl_any_string_is_always_json),
	    cmocka_unit_test(jsonl_path_is_exact_or_has_the_bytes),
	    cmocka_unit_test(jsonl_reads_what_it_wrote),
	    cmocka_unit_test(jsonl_rejects_what_is_no_object),
	    cmocka_unit_test(jsonl_rejects_doubled_keys_at_any_depth),
	    cmocka_unit_test(jsonl_survives_deep_nesting),
	    cmocka_unit_test(jsonl_numbers_are_whole_and_below_two_to_the_53),
	    cmocka_unit_test(jsonl_takes_what_can_only_be_one_thing),
	    cmocka_unit_test(jsonl_getters_reject_other_kinds),
	    cmocka_unit_test(jsonl_missing_keys_are_told),
	    cmocka_unit_test(jsonl_left_over_keys_are_told_at_any_depth),
	    cmocka_unit_test(jsonl_a_problem_comes_before_left_over_keys),
	    cmocka_unit_test(jsonl_long_keys_are_cut_in_messages),
	    cmocka_unit_test(jsonl_many_keys_can_be_read),
	    cmocka_unit_test(jsonl_spelling_names_the_column),
	    cmocka_unit_test(jsonl_spelling_tells_of_a_lack_of_memory),
	    cmocka_unit_test(jsonl_free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
