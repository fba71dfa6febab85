#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/review.h"

/* --- an earlier release and a scan, as far as they matter here ---------------------------------
 */

struct fixture {
	char earlier[64];
	struct rules *rules;
	struct scan scan;
	struct scan_file files[8], kept[8];
};

static int make(void **state)
{
	static const char text[] = "swarm: rules/1\nrules: [{label: public, match: '*'}]\n";
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = {.code = ERR_NONE};

	if (f == NULL)
		return -1;
	(void)snprintf(f->earlier, sizeof f->earlier, "/tmp/swarm-test-review-XXXXXX");
	int fd = mkstemp(f->earlier);
	f->rules = rules_parse("r.yaml", text, sizeof text - 1, &e);
	f->scan = (struct scan){.files = f->files, .kept = f->kept, .arena = ARENA_INIT};
	*state = f;
	return fd >= 0 && close(fd) == 0 && f->rules != NULL ? 0 : -1;
}

static int unmake(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->earlier);
	free(f->scan.problems);
	rules_free(f->rules);
	free(f);
	return 0;
}

/* Writes an inventory of "path label" pairs, NULL at the end. */
static void publish(const struct fixture *f, const char *const *words)
{
	FILE *file = fopen(f->earlier, "w");
	size_t n = 0;

	assert_non_null(file);
	while (words[n] != NULL)
		n += 2;
	(void)fprintf(file,
		      "{\"swarm\":\"inventory/1\",\"piece_length\":65536,\"files\":%zu,"
		      "\"bytes\":0}\n",
		      n / 2);
	for (size_t i = 0; i < n; i += 2)
		(void)fprintf(file, "{\"path\":\"%s\",\"size\":0,\"label\":\"%s\"}\n", words[i],
			      words[i + 1]);
	assert_int_equal(fclose(file), 0);
}

#define PUBLISH(f, ...) publish(f, (const char *const[]){__VA_ARGS__, NULL})

static void add(struct fixture *f, const char *path, enum label label)
{
	const struct scan_file file = {
	    .path = path, .content = path, .label = label, .rule = rules_get(f->rules, 0)};

	if (label == LABEL_PRIVATE)
		f->kept[f->scan.kept_count++] = file;
	else
		f->files[f->scan.count++] = file;
}

static void compare(const struct fixture *f, struct review *ret)
{
	struct err e = {.code = ERR_NONE};

	if (review_run(ret, f->earlier, &f->scan, &e) != 0)
		fail_msg("%s", e.msg);
}

static void assert_review(const struct fixture *f, const char *want)
{
	struct review r;
	struct buf text = BUF_INIT;

	compare(f, &r);
	review_describe(&text, &r, 20);
	assert_string_equal(text.data, want);
	buf_release(&text);
	review_release(&r);
	review_release(&r);
}

/* --- what has changed ------------------------------------------------------------------------- */

static void review_of_the_same_tells_of_nothing(void **state)
{
	struct fixture *f = *state;

	PUBLISH(f, "a", "public", "b", "origin");
	add(f, "a", LABEL_PUBLIC);
	add(f, "b", LABEL_ORIGIN);
	add(f, "c", LABEL_PRIVATE);
	assert_review(f, "changes  none: the same paths are published, with the same labels\n");
}

static void review_tells_each_kind_of_change(void **state)
{
	struct fixture *f = *state;
	struct review r;

	PUBLISH(f, "b-down", "public", "c-up", "origin", "d-withdrawn", "public", "e-gone",
		"origin", "f-same", "public");
	add(f, "a-new", LABEL_PUBLIC);
	add(f, "b-down", LABEL_ORIGIN);
	add(f, "c-up", LABEL_PUBLIC);
	add(f, "d-withdrawn", LABEL_PRIVATE);
	add(f, "f-same", LABEL_PUBLIC);
	add(f, "g-new", LABEL_ORIGIN);
	compare(f, &r);
	assert_int_equal(r.count, 6);
	assert_int_equal(r.counts[REVIEW_PUBLISHED], 2);
	assert_int_equal(r.counts[REVIEW_RELABELLED], 2);
	assert_int_equal(r.counts[REVIEW_PRIVATE], 1);
	assert_int_equal(r.counts[REVIEW_GONE], 1);
	assert_int_equal(r.newly_public, 2);
	review_release(&r);
	assert_review(f, "changes  2 paths newly published, 2 no longer, 2 with another label; "
			 "newly public: 2\n"
			 "  + public 'a-new' (by r.yaml:2:9)\n"
			 "  + origin 'g-new' (by r.yaml:2:9)\n"
			 "  * origin, was public 'b-down' (by r.yaml:2:9)\n"
			 "  * public, was origin 'c-up' (by r.yaml:2:9)\n"
			 "  - public 'd-withdrawn' (private by r.yaml:2:9)\n"
			 "  - origin 'e-gone' (not in the tree)\n");
}

/* As strings, "a.txt" stands before "a/x". */
static void review_compares_in_file_tree_order(void **state)
{
	struct fixture *f = *state;

	PUBLISH(f, "a/x", "public", "a.txt", "public");
	add(f, "a/x", LABEL_PUBLIC);
	add(f, "a/y", LABEL_PUBLIC);
	add(f, "a.txt", LABEL_PUBLIC);
	assert_review(f, "changes  1 path newly published, 0 no longer, 0 with another label; "
			 "newly public: 1\n"
			 "  + public 'a/y' (by r.yaml:2:9)\n");
}

static void review_takes_a_rule_that_is_none_for_the_default(void **state)
{
	struct fixture *f = *state;

	PUBLISH(f, "a", "public");
	add(f, "a", LABEL_PRIVATE);
	f->kept[0].rule = NULL;
	assert_review(f, "changes  0 paths newly published, 1 no longer, 0 with another label; "
			 "newly public: 0\n"
			 "  - public 'a' (private by the default)\n");
}

/* What stops the release is there, and is not told to be gone. */
static void review_does_not_miss_what_has_a_problem(void **state)
{
	struct fixture *f = *state;
	struct err e;

	PUBLISH(f, "a", "public", "b", "public");
	assert_int_equal(scan_add_problem(&f->scan,
					  &(struct scan_problem){.fault = SCAN_UNLABELLED,
								 .path = "a",
								 .why = "no rule labels it"},
					  &e),
			 0);
	assert_review(f, "changes  0 paths newly published, 1 no longer, 0 with another label; "
			 "newly public: 0\n"
			 "  - public 'b' (not in the tree)\n");
}

static void review_shows_as_many_as_it_is_told(void **state)
{
	struct fixture *f = *state;
	struct review r;
	struct buf text = BUF_INIT;

	PUBLISH(f, "z", "public");
	add(f, "a\n", LABEL_PUBLIC);
	add(f, "b", LABEL_PUBLIC);
	add(f, "z", LABEL_PUBLIC);
	compare(f, &r);
	review_describe(&text, &r, 1);
	assert_string_equal(text.data,
			    "changes  2 paths newly published, 0 no longer, 0 with another label; "
			    "newly public: 2\n"
			    "  + public 'a\\x0a' (by r.yaml:2:9)\n"
			    "  ... and 1 more (-v shows all)\n");
	buf_release(&text);
	review_release(&r);
}

static void review_is_json_too(void **state)
{
	struct fixture *f = *state;
	struct review r;
	struct buf text = BUF_INIT;

	PUBLISH(f, "b", "public", "c", "origin", "d", "origin");
	add(f, "a\xFF", LABEL_PUBLIC);
	add(f, "b", LABEL_ORIGIN);
	add(f, "c", LABEL_PRIVATE);
	compare(f, &r);
	review_format(&text, &r);
	assert_string_equal(
	    text.data,
	    "{\"path\":\"a\uFFFD\",\"path_base64\":\"Yf8=\",\"change\":\"published\","
	    "\"label\":\"public\",\"rule\":\"r.yaml:2:9\"}\n"
	    "{\"path\":\"b\",\"change\":\"relabelled\",\"was\":\"public\",\"label\":\"origin\","
	    "\"rule\":\"r.yaml:2:9\"}\n"
	    "{\"path\":\"c\",\"change\":\"private\",\"was\":\"origin\",\"label\":\"private\","
	    "\"rule\":\"r.yaml:2:9\"}\n"
	    "{\"path\":\"d\",\"change\":\"gone\",\"was\":\"origin\"}\n");
	buf_release(&text);
	review_release(&r);
}

static void review_refuses_what_is_newly_public(void **state)
{
	struct fixture *f = *state;
	struct review r;
	struct err e;

	PUBLISH(f, "b", "origin", "c", "public", "d", "public", "e", "public");
	add(f, "a", LABEL_PUBLIC);
	add(f, "a2", LABEL_ORIGIN);
	add(f, "b", LABEL_PUBLIC);
	add(f, "c", LABEL_ORIGIN);
	add(f, "d", LABEL_PUBLIC);
	compare(f, &r);
	assert_int_equal(review_refuse_new(&r, &f->scan, &e), 0);
	assert_int_equal(f->scan.problem_count, 2);
	assert_string_equal(f->scan.problems[0].path, "a");
	assert_string_equal(f->scan.problems[1].path, "b");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f->scan.problems[i].fault, SCAN_NEW);
		assert_string_equal(f->scan.problems[i].why, "it is newly public");
	}
	review_release(&r);
}

/* --- what is no earlier release --------------------------------------------------------------- */

static void assert_fails(const struct fixture *f, const char *against, enum err_code code)
{
	struct review r;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(review_run(&r, against, &f->scan, &e), -1);
	assert_int_equal(e.code, code);
	review_release(&r);
}

static void review_needs_an_earlier_release(void **state)
{
	struct fixture *f = *state;

	assert_fails(f, "/nowhere/at/all", ERR_SYSTEM);
	assert_fails(f, f->earlier, ERR_MALFORMED); /* it is empty */
	PUBLISH(f, "a", "private");
	assert_fails(f, f->earlier, ERR_MALFORMED);
	PUBLISH(f, "b", "public", "a", "public");
	assert_fails(f, f->earlier, ERR_MALFORMED);
	PUBLISH(f, "a", "public", "a", "public");
	assert_fails(f, f->earlier, ERR_MALFORMED);
	PUBLISH(f, "../a", "public");
	assert_fails(f, f->earlier, ERR_MALFORMED);
	PUBLISH(f, "a", "public", "b", "public");
	assert_int_equal(truncate(f->earlier, 100), 0);
	assert_fails(f, f->earlier, ERR_MALFORMED);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, make, unmake)
	const struct CMUnitTest tests[] = {
	    WITH(review_of_the_same_tells_of_nothing),
	    WITH(review_tells_each_kind_of_change),
	    WITH(review_compares_in_file_tree_order),
	    WITH(review_takes_a_rule_that_is_none_for_the_default),
	    WITH(review_does_not_miss_what_has_a_problem),
	    WITH(review_shows_as_many_as_it_is_told),
	    WITH(review_is_json_too),
	    WITH(review_refuses_what_is_newly_public),
	    WITH(review_needs_an_earlier_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
