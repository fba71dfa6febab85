#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/summary.h"

static const struct guards_guard guard = {.id = "private-key", .description = "holds a key"};

static struct scan_problem problems[] = {
    {.fault = SCAN_UNLABELLED, .path = "a\n.png", .why = "no rule labels it"},
    {.fault = SCAN_COLLISION, .path = "b", .why = "it is 'B'", .other = "B"},
    {.fault = SCAN_GUARD, .path = "c", .why = "holds a key", .guard = &guard},
    {.fault = SCAN_GUARD,
     .path = "d",
     .why = "holds a key",
     .guard = &guard,
     .line = 7,
     .count = 1},
    {.fault = SCAN_GUARD,
     .path = "e\xFF",
     .why = "holds a key",
     .guard = &guard,
     .line = 12345,
     .count = 23456},
};

static const struct scan scan = {
    .problems = problems,
    .problem_count = sizeof problems / sizeof *problems,
    .totals = {[LABEL_PUBLIC] = {1234567, UINT64_C(5) << 40},
	       [LABEL_ORIGIN] = {1, 1},
	       [LABEL_PRIVATE] = {0, 0}},
};

static void assert_text(struct buf *text, const char *want)
{
	assert_string_equal(text->data != NULL ? text->data : "", want);
	buf_release(text);
}

static void summary_counts_by_label(void **state)
{
	struct scan skipping = scan;
	struct buf text = BUF_INIT;

	(void)state;
	summary_describe(&text, &scan, NULL);
	assert_text(&text, "public   1,234,567 files, 5.5 TB\n"
			   "origin   1 file, 1 byte\n"
			   "private  0 files, 0 bytes\n");
	skipping.skipped_links = 2;
	summary_describe(&text, &skipping, NULL);
	assert_non_null(strstr(text.data, "\nskipped  2 symbolic links\n"));
	buf_release(&text);
}

static void summary_says_what_each_problem_is(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	summary_problems(&text, &scan, 20);
	assert_text(&text, "'a\\x0a.png': no rule labels it\n"
			   "'b': it is 'B'\n"
			   "'c': holds a key (guard private-key)\n"
			   "'d': line 7: holds a key (guard private-key)\n"
			   "'e\\xff': line 12345: holds a key (guard private-key), 23,456 times\n");
}

static void summary_shows_no_more_problems_than_told(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	summary_problems(&text, &scan, 1);
	assert_text(&text, "'a\\x0a.png': no rule labels it\n");
	summary_problems(&text, &scan, 0);
	assert_text(&text, "");
}

static void summary_is_json_too(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	summary_format(&text, &scan, NULL, 65536, NULL, true);
	assert_text(&text, "{\"public\":{\"files\":1234567,\"bytes\":5497558138880},"
			   "\"origin\":{\"files\":1,\"bytes\":1},"
			   "\"private\":{\"files\":0,\"bytes\":0},"
			   "\"piece_length\":65536,\"dry_run\":true}\n");
}

static void summary_of_problems_is_json_too(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	summary_format_problems(&text, &scan);
	assert_text(
	    &text,
	    "{\"path\":\"a\\u000a.png\",\"problem\":\"unlabelled\","
	    "\"reason\":\"no rule labels it\"}\n"
	    "{\"path\":\"b\",\"problem\":\"collision\",\"reason\":\"it is 'B'\",\"other\":\"B\"}\n"
	    "{\"path\":\"c\",\"problem\":\"guard\",\"reason\":\"holds a key\","
	    "\"guard\":\"private-key\"}\n"
	    "{\"path\":\"d\",\"problem\":\"guard\",\"reason\":\"holds a key\","
	    "\"guard\":\"private-key\",\"line\":7,\"offset\":0,\"count\":1}\n"
	    "{\"path\":\"e\uFFFD\",\"path_base64\":\"Zf8=\",\"problem\":\"guard\","
	    "\"reason\":\"holds a key\",\"guard\":\"private-key\",\"line\":12345,\"offset\":0,"
	    "\"count\":23456}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(summary_counts_by_label),
	    cmocka_unit_test(summary_says_what_each_problem_is),
	    cmocka_unit_test(summary_shows_no_more_problems_than_told),
	    cmocka_unit_test(summary_is_json_too),
	    cmocka_unit_test(summary_of_problems_is_json_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
