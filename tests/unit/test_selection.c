#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/selection.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The list is the whole file. */
static int read_text(struct selection *to, struct arena *arena, const char *text, struct err *e)
{
	const struct marked *root = marked_parse(arena, "t.yaml", text, strlen(text), e);

	if (root == NULL)
		fail_msg("%s", e->msg);
	return selection_read(to, arena, root, "match", e);
}

static void accepts(struct selection *to, struct arena *arena, const char *text)
{
	struct err e = {.code = ERR_NONE};

	if (read_text(to, arena, text, &e) != 0)
		fail_msg("%s", e.msg);
}

/* The text of the deciding pattern, NULL: none. */
static const char *decides(const struct selection *s, const char *path, enum glob_negation negation)
{
	const struct selection_pattern *pattern = NULL;
	bool matches = selection_match(s, path, false, negation, &pattern);

	assert_int_equal(matches, selection_match(s, path, false, negation, NULL));
	assert_int_equal(matches, pattern != NULL);
	return pattern != NULL ? pattern->text : NULL;
}

static void selection_is_a_list_of_patterns_that_know_their_places(void **state)
{
	struct selection s = {.count = 0};
	struct arena arena = ARENA_INIT;

	(void)state;
	accepts(&s, &arena, "- \"*.png\"\n- /static/**\n-   '!/static/tmp/'\n");
	assert_int_equal(s.count, 3);
	assert_string_equal(s.patterns[0].text, "*.png");
	assert_string_equal(s.patterns[2].text, "!/static/tmp/");
	for (size_t i = 0; i < s.count; i++) {
		assert_string_equal(s.patterns[i].place.file, "t.yaml");
		assert_int_equal(s.patterns[i].place.line, i + 1);
	}
	assert_int_equal(s.patterns[0].place.column, 3);
	assert_int_equal(s.patterns[2].place.column, 5);
	assert_string_equal(decides(&s, "a/b.png", GLOB_NEGATES_BELOW), "*.png");
	assert_string_equal(decides(&s, "static/b.png", GLOB_NEGATES_BELOW), "/static/**");
	assert_null(decides(&s, "static/tmp/b.png", GLOB_NEGATES_BELOW));
	assert_null(decides(&s, "a/static/b", GLOB_NEGATES_BELOW));
	/* As git has it, only what matched the directory is taken back. */
	assert_string_equal(decides(&s, "static/tmp/b.png", GLOB_NEGATES_DIRECTORY), "/static/**");
	selection_release(&s);
	assert_int_equal(s.count, 0);
	arena_release(&arena);
}

static void selection_may_be_one_pattern(void **state)
{
	struct selection s = {.count = 0};
	struct arena arena = ARENA_INIT;

	(void)state;
	accepts(&s, &arena, "a b\n");
	assert_int_equal(s.count, 1);
	assert_string_equal(decides(&s, "c/a b", GLOB_NEGATES_BELOW), "a b");
	assert_null(decides(&s, "a", GLOB_NEGATES_BELOW));
	selection_release(&s);
	arena_release(&arena);
}

/* Where one is the value of a key, what stands behind it is not part of it. */
static void selection_of_one_pattern_ends_with_it(void **state)
{
	static const char text[] = "match: a\nlabel: b\nother: [c, d]\n";
	struct selection s = {.count = 0};
	struct arena arena = ARENA_INIT;
	struct err e = {.code = ERR_NONE};
	const struct marked *root = marked_parse(&arena, "t.yaml", text, strlen(text), &e);

	(void)state;
	assert_non_null(root);
	assert_int_equal(selection_read(&s, &arena, marked_get(root, "match"), "match", &e), 0);
	assert_int_equal(s.count, 1);
	selection_release(&s);
	arena_release(&arena);
}

static void selection_of_nothing_matches_nothing(void **state)
{
	struct selection s = {.count = 0};

	(void)state;
	assert_null(decides(&s, "a", GLOB_NEGATES_BELOW));
	selection_release(&s);
}

static void selection_tells_directories(void **state)
{
	struct selection s = {.count = 0};
	struct arena arena = ARENA_INIT;

	(void)state;
	accepts(&s, &arena, "[\"a/\"]\n");
	assert_true(selection_match(&s, "a", true, GLOB_NEGATES_BELOW, NULL));
	assert_false(selection_match(&s, "a", false, GLOB_NEGATES_BELOW, NULL));
	assert_true(selection_match(&s, "a/b", false, GLOB_NEGATES_BELOW, NULL));
	selection_release(&s);
	arena_release(&arena);
}

static void selection_rejects_what_is_no_list_of_patterns(void **state)
{
	static const struct {
		const char *text, *msg;
	} bad[] = {
	    {"[]\n", "t.yaml:1:1: match is empty"},
	    {"{a: b}\n", "t.yaml:1:1: match must be a pattern or a list of patterns"},
	    {"~\n", "t.yaml:1:1: match must be a pattern or a list of patterns"},
	    {"[a, [b]]\n", "t.yaml:1:5: a pattern must be a string, not a list"},
	    {"[a, \"\"]\n", "t.yaml:1:5: a pattern is empty"},
	    {"[\"!a\", b]\n", "t.yaml:1:2: '!a' excludes from nothing: put it behind a pattern"},
	    {"\"!a\"\n", "t.yaml:1:1: '!a' excludes from nothing: put it behind a pattern"},
	    {"|\n  a\n  b\n", "t.yaml:1:1: a pattern has a control character"},
	    {"[\"a\\tb\"]\n", "t.yaml:1:2: a pattern has a control character"},
	    {"[\"a\\x7f\"]\n", "t.yaml:1:2: a pattern has a control character"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct selection s = {.count = 0};
		struct arena arena = ARENA_INIT;
		struct err e = {.code = ERR_NONE};
		assert_int_equal(read_text(&s, &arena, bad[i].text, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_string_equal(e.msg, bad[i].msg);
		selection_release(&s);
		arena_release(&arena);
	}
}

/* What is wrong with a pattern is for glob.h to say; its place stands in front. */
static void selection_names_the_pattern_that_is_wrong(void **state)
{
	static const char *const bad[] = {"[", "#a", "a/../b", "/"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct selection s = {.count = 0};
		struct arena arena = ARENA_INIT;
		struct err e = {.code = ERR_NONE};
		char text[100], msg[100];
		(void)snprintf(text, sizeof text, "- fine\n- \"%s\"\n", bad[i]);
		(void)snprintf(msg, sizeof msg, "t.yaml:2:3: pattern '%s': ", bad[i]);
		assert_int_equal(read_text(&s, &arena, text, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_int_equal(strncmp(e.msg, msg, strlen(msg)), 0);
		assert_true(strlen(e.msg) > strlen(msg));
		selection_release(&s);
		arena_release(&arena);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(selection_is_a_list_of_patterns_that_know_their_places),
	    cmocka_unit_test(selection_may_be_one_pattern),
	    cmocka_unit_test(selection_of_one_pattern_ends_with_it),
	    cmocka_unit_test(selection_of_nothing_matches_nothing),
	    cmocka_unit_test(selection_tells_directories),
	    cmocka_unit_test(selection_rejects_what_is_no_list_of_patterns),
	    cmocka_unit_test(selection_names_the_pattern_that_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
