#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/finding.h"

static void assert_json(const struct finding *f, const char *want)
{
	struct buf b = BUF_INIT;

	finding_format(&b, f);
	assert_string_equal(b.data, want);
	buf_release(&b);
}

static void assert_text(const struct finding *f, const char *want)
{
	struct buf b = BUF_INIT;

	/* What stands before it must not matter. */
	buf_adds(&b, "before");
	finding_describe(&b, f);
	assert_string_equal(b.data + 6, want);
	buf_release(&b);
}

/* A corrupt file of `size` bytes in pieces of 16 KiB. */
static struct finding corrupt(uint64_t size, uint64_t found_size, struct finding_pieces *pieces,
			      size_t count)
{
	return (struct finding){.kind = FINDING_CORRUPT,
				.path = "f",
				.size = size,
				.found_size = found_size,
				.piece_length = 16384,
				.pieces = pieces,
				.piece_count = count};
}

static void finding_ranges_end_with_the_file(void **state)
{
	struct finding_pieces pieces[] = {{0, 0}, {2, 2}};
	struct finding f = corrupt(40000, 40000, pieces, 2);

	(void)state;
	assert_json(&f,
		    "{\"path\":\"f\",\"finding\":\"corrupt\",\"size\":40000,\"found_size\":40000,"
		    "\"pieces\":[[0,0],[2,2]],\"ranges\":[[0,16384],[32768,7232]]}");
	assert_text(&f, "2 of 3 pieces are bad: bytes 0-16383, 32768-39999");
	f = corrupt(32768, 32768, pieces, 1);
	assert_json(&f,
		    "{\"path\":\"f\",\"finding\":\"corrupt\",\"size\":32768,\"found_size\":32768,"
		    "\"pieces\":[[0,0]],\"ranges\":[[0,16384]]}");
	assert_text(&f, "1 of 2 pieces is bad: bytes 0-16383");
}

static void finding_of_one_piece_says_so(void **state)
{
	struct finding_pieces pieces[] = {{0, 0}};
	struct finding f = corrupt(100, 100, pieces, 1);

	(void)state;
	assert_json(&f, "{\"path\":\"f\",\"finding\":\"corrupt\",\"size\":100,\"found_size\":100,"
			"\"pieces\":[[0,0]],\"ranges\":[[0,100]]}");
	assert_text(&f, "its one piece is bad: bytes 0-99");
	f = corrupt(1, 1, pieces, 1);
	assert_text(&f, "its one piece is bad: bytes 0-0");
	f = corrupt(16384, 16384, pieces, 1);
	assert_text(&f, "its one piece is bad: bytes 0-16383");
}

static void finding_tells_of_the_size_first(void **state)
{
	struct finding_pieces pieces[] = {{1, 2}};
	struct finding f = corrupt(40000, 20000, pieces, 1);

	(void)state;
	assert_json(&f,
		    "{\"path\":\"f\",\"finding\":\"corrupt\",\"size\":40000,\"found_size\":20000,"
		    "\"pieces\":[[1,2]],\"ranges\":[[16384,23616]]}");
	assert_text(&f, "20.0 kB too short: 20000 instead of 40000; "
			"2 of 3 pieces are bad: bytes 16384-39999");
	f = corrupt(40000, 40001, NULL, 0);
	assert_text(&f, "1 byte too long: 40001 instead of 40000");
	assert_json(&f,
		    "{\"path\":\"f\",\"finding\":\"corrupt\",\"size\":40000,\"found_size\":40001,"
		    "\"pieces\":[],\"ranges\":[]}");
	f = corrupt(0, 5, NULL, 0);
	assert_text(&f, "5 bytes too long: 5 instead of 0");
}

static void finding_does_not_list_hundreds_of_runs(void **state)
{
	struct finding_pieces pieces[] = {{0, 0}, {2, 2}, {4, 4}, {6, 6}, {8, 9}, {20, 20}};
	struct finding f = corrupt(1000000, 1000000, pieces, 4);

	(void)state;
	assert_text(&f, "4 of 62 pieces are bad: bytes 0-16383, 32768-49151, 65536-81919, "
			"98304-114687");
	f.piece_count = 6;
	assert_text(&f, "7 of 62 pieces are bad: bytes 0-16383, 32768-49151, 65536-81919, "
			"98304-114687 and 2 more runs");
}

/* As large as a document can say, in the largest pieces. */
static void finding_ranges_do_not_wrap(void **state)
{
	struct finding_pieces pieces[] = {{0, 67108863}};
	struct finding f = corrupt(9007199254740991, 9007199254740991, pieces, 1);

	(void)state;
	f.piece_length = 134217728;
	assert_json(&f, "{\"path\":\"f\",\"finding\":\"corrupt\",\"size\":9007199254740991,"
			"\"found_size\":9007199254740991,\"pieces\":[[0,67108863]],"
			"\"ranges\":[[0,9007199254740991]]}");
	assert_text(&f, "67,108,864 of 67,108,864 pieces are bad: bytes 0-9007199254740990");
}

static void finding_names_are_told_as_they_are(void **state)
{
	struct finding f = {.kind = FINDING_MOVED, .path = "a\nb", .found = "\xFF\x1B[31m"};

	(void)state;
	assert_json(&f, "{\"path\":\"a\\u000ab\",\"finding\":\"moved\","
			"\"found\":\"\xEF\xBF\xBD\\u001b[31m\",\"found_base64\":\"/xtbMzFt\"}");
	assert_text(&f, "now at \\xff\\x1b[31m");
	f = (struct finding){
	    .kind = FINDING_UNSAFE_PATH, .path = "../x", .why = "says \"\x9F\" why"};
	assert_json(&f, "{\"path\":\"../x\",\"finding\":\"unsafe-path\","
			"\"reason\":\"says \\\"\xEF\xBF\xBD\\\" why\"}");
	assert_text(&f, "says \"\\x9f\" why");
}

static void finding_kinds_have_names(void **state)
{
	static const char *const names[] = {"corrupt",     "missing",    "wrong-type",
					    "unsafe-path", "unreadable", "moved",
					    "extra",       "wrong-mode", "ok"};

	(void)state;
	assert_int_equal(FINDING_KINDS, sizeof names / sizeof *names);
	for (int i = 0; i < FINDING_KINDS; i++) {
		const struct finding f = {.kind = (enum finding_kind)i, .path = "f"};
		char want[64];
		assert_string_equal(finding_name((enum finding_kind)i), names[i]);
		if (i == FINDING_CORRUPT)
			continue;
		(void)snprintf(want, sizeof want, "{\"path\":\"f\",\"finding\":\"%s\"}", names[i]);
		assert_json(&f, want);
		assert_text(&f, "");
	}
}

static void finding_list_counts_and_sorts(void **state)
{
	struct finding_list l = FINDING_LIST_INIT;
	struct err e;
	char path[32], why[32];

	(void)state;
	for (int i = 0; i < 500; i++) {
		(void)snprintf(path, sizeof path, "f%03d", i * 37 % 500);
		(void)snprintf(why, sizeof why, "because %d", i);
		assert_int_equal(
		    finding_add_reason(&l, i % 2 == 0 ? FINDING_OK : FINDING_EXTRA, path, why, &e),
		    0);
	}
	assert_int_equal(finding_add_reason(&l, FINDING_CORRUPT, "f007", NULL, &e), 0);
	struct finding owner = {.kind = FINDING_CORRUPT, .path = "a/x"};
	owner.pieces = malloc(sizeof *owner.pieces);
	owner.piece_count = 1;
	assert_int_equal(finding_add(&l, &owner, &e), 0);
	finding_sort(&l);
	assert_int_equal(l.count, 502);
	assert_int_equal(l.counts[FINDING_OK], 250);
	assert_int_equal(l.counts[FINDING_EXTRA], 250);
	assert_int_equal(l.counts[FINDING_CORRUPT], 2);
	assert_string_equal(l.items[0].path, "a/x");
	/* Of one path the worse kind first. */
	assert_string_equal(l.items[8].path, "f007");
	assert_int_equal(l.items[8].kind, FINDING_CORRUPT);
	assert_string_equal(l.items[9].path, "f007");
	for (size_t i = 1; i < l.count; i++)
		assert_true(strcmp(l.items[i - 1].path, l.items[i].path) <= 0);
	finding_list_release(&l);
	assert_int_equal(l.count, 0);
	finding_sort(&l);
	finding_list_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finding_ranges_end_with_the_file),
	    cmocka_unit_test(finding_of_one_piece_says_so),
	    cmocka_unit_test(finding_tells_of_the_size_first),
	    cmocka_unit_test(finding_does_not_list_hundreds_of_runs),
	    cmocka_unit_test(finding_ranges_do_not_wrap),
	    cmocka_unit_test(finding_names_are_told_as_they_are),
	    cmocka_unit_test(finding_kinds_have_names),
	    cmocka_unit_test(finding_list_counts_and_sorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
