#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "swarm/glob.h"

/* Whether `pattern` matches `path`, which is a directory if it ends in '/'. */
static bool matches(const char *pattern, const char *path)
{
	struct err e = {0};
	struct glob *g = glob_new(pattern, &e);
	size_t len = strlen(path);
	bool is_directory = len > 0 && path[len - 1] == '/';
	char *name = strndup(path, len - is_directory);

	assert_non_null(name);
	if (g == NULL)
		fail_msg("'%s' is refused: %s", pattern, e.msg);
	bool result = glob_match(g, name, is_directory);
	glob_free(g);
	free(name);
	return result;
}

struct pair {
	const char *pattern, *path;
};

#define CHECK(pairs, expected) check_pairs(pairs, sizeof(pairs) / sizeof *(pairs), expected)

static void check_pairs(const struct pair *pairs, size_t n, bool expected)
{
	for (size_t i = 0; i < n; i++)
		if (matches(pairs[i].pattern, pairs[i].path) != expected)
			fail_msg("'%s' on '%s' is %d", pairs[i].pattern, pairs[i].path, !expected);
}

static void glob_without_slash_matches_the_last_component(void **state)
{
	static const struct pair yes[] = {{"*.png", "a.png"}, {"*.png", "x/y/a.png"},
					  {"*.png", ".png"},  {"a", "b/a"},
					  {"a", "b/a/"},      {"a?", "x/ab"}};
	static const struct pair no[] = {{"*.png", "a.pngx"}, {"*.png", "a.png/b"}, {"a", "ab"},
					 {"a", "a/b"},        {"a", "A"},           {"a?", "a"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_with_slash_is_anchored(void **state)
{
	static const struct pair yes[] = {
	    {"/a", "a"}, {"a/b", "a/b"}, {"/a/b", "a/b"}, {"a\\/b", "a/b"}, {"a[x/]b", "axb"}};
	static const struct pair no[] = {{"/a", "b/a"},   {"a/b", "c/a/b"},  {"/a/b", "c/a/b"},
					 {"a\\/b", "ab"}, {"a[x/]b", "a/b"}, {"a[x/]b", "c/axb"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_with_slash_at_the_end_matches_directories_only(void **state)
{
	static const struct pair yes[] = {
	    {"a/", "a/"}, {"a/", "b/a/"}, {"/a/", "a/"}, {"**/", "x/y/"}};
	static const struct pair no[] = {{"a/", "a"}, {"/a/", "b/a/"}, {"/a/", "a"}, {"**/", "x"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_wildcards_stop_at_slashes(void **state)
{
	static const struct pair yes[] = {{"a/*", "a/b"}, {"a/*/c", "a/b/c"},   {"a/?", "a/b"},
					  {"/*", "a"},    {"a/*b*c", "a/xbyc"}, {"/*a*b", "aab"}};
	static const struct pair no[] = {
	    {"a/*", "a/b/c"}, {"a/*/c", "a/c"}, {"a/*/c", "a/b/b/c"}, {"a/b?c", "a/b/c"},
	    {"/*", "a/b"},    {"/a*b", "a/b"},  {"/*a*b/c", "aa/b/c"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_double_star_stands_for_components(void **state)
{
	static const struct pair yes[] = {
	    {"**/a", "a"},          {"**/a", "b/a"},        {"**/a", "b/c/a"},
	    {"a/**", "a/b"},        {"a/**", "a/b/c"},      {"a/**/b", "a/b"},
	    {"a/**/b", "a/x/b"},    {"a/**/b", "a/x/y/b"},  {"**", "a/b"},
	    {"/**", "a/b"},         {"a/***/b", "a/b"},     {"a/****", "a/b/c"},
	    {"**/a/**/b", "x/a/b"}, {"**/**/a", "a"},       {"**/a*/b", "a/x/ay/b"},
	    {"**/a/b", "a/a/b"},    {"a/**/b/c", "a/b/b/c"}};
	static const struct pair no[] = {
	    {"**/a", "ab"},     {"a/**", "a"},       {"a/**", "b/a/c"},
	    {"a/**/b", "a/xb"}, {"a/**/b", "ab"},    {"a/**/b", "a/b/c"},
	    {"/a/**/", "a/b"},  {"**/a/b", "a/x/b"}, {"a/**/b/c", "a/b/x/c"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_double_star_beside_other_bytes_is_a_star(void **state)
{
	static const struct pair yes[] = {
	    {"a**", "ab"}, {"a**/b", "ax/b"}, {"**a/b", "xa/b"}, {"/a***b", "axb"}};
	static const struct pair no[] = {
	    {"a**/b", "ax/y/b"}, {"**a/b", "x/a/b"}, {"/a**b", "a/b"}, {"foo**/bar", "foobar"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_double_star_before_an_escaped_slash_needs_a_component(void **state)
{
	static const struct pair yes[] = {{"**\\/b", "a/b"}, {"a/**\\/b", "a/x/y/b"}};
	static const struct pair no[] = {{"**\\/b", "b"}, {"a/**\\/b", "a/b"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_brackets_match_one_byte_of_a_set(void **state)
{
	static const struct pair yes[] = {{"[abc]", "b"},
					  {"[a-c]", "b"},
					  {"[!a-c]", "d"},
					  {"[^a-c]", "d"},
					  {"[]a]", "]"},
					  {"[]a]", "a"},
					  {"[!]a]", "b"},
					  {"[a-]", "-"},
					  {"[-a]", "-"},
					  {"[a\\]b]", "]"},
					  {"[a\\-c]", "-"},
					  {"[\\a-\\c]", "b"},
					  {"[a-c-e]", "-"},
					  {"[a-c-e]", "e"},
					  {"[--0]", "."},
					  {"[z-a]", "z"},
					  {"[[]", "["},
					  {"[[:]", ":"},
					  {"[[:a]", ":"},
					  {"[!\xC3]", "\xA9"},
					  {"[a-[:alpha:]]", "a]"},
					  {"[a-[:x]", "a"},
					  {"[a[:digit:]-c]", "-"},
					  {"[[:alpha:]]x[[:digit:]]", "ax1"},
					  {"a[!b]c", "axc"}};
	static const struct pair no[] = {
	    {"[abc]", "d"},        {"[!a-c]", "b"},         {"[]a]", "b"},      {"[!]a]", "]"},
	    {"[a-c-e]", "d"},      {"[z-a]", "m"},          {"[z-a]", "a"},     {"[a\\-c]", "b"},
	    {"a/[!b]/c", "a///c"}, {"[a[:digit:]-c]", "b"}, {"/a[!b]c", "a/c"}, {"/a[.-0]c", "a/c"},
	    {"[a-b]", "ab"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_classes_are_those_of_ascii(void **state)
{
	static const struct {
		const char *pattern;
		const char *in; /* samples */
		const char *out;
	} classes[] = {
	    {"[[:alnum:]]", "azAZ09", "_ \xE9"}, {"[[:alpha:]]", "azAZ", "09_\xE9"},
	    {"[[:blank:]]", " \t", "\n\va"},     {"[[:cntrl:]]", "\x01\x1F\x7F\n", " a\x80"},
	    {"[[:digit:]]", "09", "a/:"},        {"[[:graph:]]", "!~a", " \x7F\t\xE9"},
	    {"[[:lower:]]", "az", "A0`{"},       {"[[:print:]]", " ~a", "\x1F\x7F\xE9"},
	    {"[[:punct:]]", "!.:@[`{~", "a0 /"}, {"[[:space:]]", " \t\n\r", "\v\fa"},
	    {"[[:upper:]]", "AZ", "az@["},       {"[[:xdigit:]]", "09afAF", "gG"},
	    {"[![:digit:]]", "a", "05"},         {"[x[:digit:]-]", "x0-", "ya"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		for (const char *c = classes[i].in; *c != '\0'; c++)
			if (*c != '/' && !matches(classes[i].pattern, (char[]){*c, '\0'}))
				fail_msg("%s lacks \\x%02x", classes[i].pattern, (uint8_t)*c);
		for (const char *c = classes[i].out; *c != '\0'; c++)
			if (*c != '/' && matches(classes[i].pattern, (char[]){*c, '\0'}))
				fail_msg("%s has \\x%02x", classes[i].pattern, (uint8_t)*c);
	}
}

static void glob_escapes_make_bytes_plain(void **state)
{
	static const struct pair yes[] = {
	    {"\\*", "*"},   {"\\?", "?"},   {"\\[a]", "[a]"}, {"\\a", "a"},  {"\\\\", "\\"},
	    {"\\!a", "!a"}, {"\\#a", "#a"}, {"a\\**", "a*b"}, {"!#a", "#a"}, {"!!a", "!a"}};
	static const struct pair no[] = {
	    {"\\*", "a"}, {"\\?", "a"}, {"\\[a]", "a"}, {"a\\**", "ab"}, {"a\\**", "a\\*b"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_drops_trailing_spaces_unless_escaped(void **state)
{
	static const struct pair yes[] = {
	    {"a ", "a"},  {"a   ", "a"},  {"a\\ ", "a "}, {"a\\  ", "a "}, {"a\\\\ ", "a\\"},
	    {" a", " a"}, {"a b", "a b"}, {"a/ ", "a/"},  {"\\ ", " "},    {"a\t", "a\t"}};
	static const struct pair no[] = {{"a ", "a "}, {"a\\ ", "a"}, {"a/ ", "a"}, {" a", "a"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_compares_bytes(void **state)
{
	static const struct pair yes[] = {
	    {"é", "é"}, {"??", "é"}, {"*é", "aé"}, {"[\x80-\xFF]*", "é"}, {"\xFF", "\xFF"}};
	static const struct pair no[] = {{"?", "é"}, {"é", "e\xCC\x81"}, {"É", "é"}};

	(void)state;
	CHECK(yes, true);
	CHECK(no, false);
}

static void glob_refuses(const char *pattern, const char *msg)
{
	struct err e = {0};
	struct glob *g = glob_new(pattern, &e);

	if (g != NULL)
		fail_msg("'%s' is a pattern", pattern);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, msg);
}

static void glob_refuses_what_is_no_pattern(void **state)
{
	(void)state;
	glob_refuses("", "it is empty");
	glob_refuses("   ", "it is empty");
	glob_refuses("/", "it is empty");
	glob_refuses("!", "it is empty");
	glob_refuses("!/", "it is empty");
	glob_refuses("#", "it starts with '#' like a comment: write '\\#'");
	glob_refuses("#a", "it starts with '#' like a comment: write '\\#'");
	glob_refuses("a\\", "the '\\' at its end escapes nothing");
	glob_refuses("a\\/", "the '\\' at its end escapes nothing");
	glob_refuses("[", "a '[' is not closed");
	glob_refuses("a[b", "a '[' is not closed");
	glob_refuses("[]", "a '[' is not closed");
	glob_refuses("[!]", "a '[' is not closed");
	glob_refuses("[a\\]", "a '[' is not closed");
	glob_refuses("[a\\", "a '[' is not closed");
	glob_refuses("[a-\\", "a '[' is not closed");
	glob_refuses("[[:alpha:]", "a '[' is not closed");
	glob_refuses("a[/", "a '[' is not closed");
}

static void glob_refuses_what_matches_nothing(void **state)
{
	(void)state;
	glob_refuses("a//b", "it has an empty component");
	glob_refuses("//a", "it has an empty component");
	glob_refuses("a//", "it has an empty component");
	glob_refuses("\\/a", "it has an empty component");
	glob_refuses("**//a", "it has an empty component");
	glob_refuses("**//", "it has an empty component");
	glob_refuses(".", "no path has a component '.'");
	glob_refuses("./a", "no path has a component '.'");
	glob_refuses("a/\\./b", "no path has a component '.'");
	glob_refuses("../a", "no path has a component '..'");
	glob_refuses("**/..", "no path has a component '..'");
	glob_refuses("[[:alpah:]]", "there is no character class '[:alpah:]'");
	glob_refuses("[[::]]", "there is no character class '[::]'");
	glob_refuses("a[/]", "'[/]' matches nothing");
	glob_refuses("[!\x01-\xFF]", "'[!\x01-\xFF]' matches nothing");
	assert_true(matches("...", "..."));
	assert_true(matches(".?", ".a"));
}

/* Whether the patterns, separated by spaces, select the path. */
static bool selects_as(enum glob_negation negation, const char *patterns, const char *path,
		       size_t *ret_index)
{
	struct err e = {0};
	struct glob *list[8];
	size_t n = 0;
	char *copy = strdup(patterns), *rest = NULL;

	assert_non_null(copy);
	for (char *p = strtok_r(copy, " ", &rest); p != NULL; p = strtok_r(NULL, " ", &rest)) {
		list[n] = glob_new(p, &e);
		assert_non_null(list[n++]);
	}
	bool result = glob_list_match(list, n, path, false, negation, ret_index);
	while (n > 0)
		glob_free(list[--n]);
	free(copy);
	return result;
}

static bool selects(const char *patterns, const char *path, size_t *ret_index)
{
	return selects_as(GLOB_NEGATES_BELOW, patterns, path, ret_index);
}

static void glob_list_can_negate_a_directory_as_gitignore_does(void **state)
{
	size_t i = 9;

	(void)state;
	assert_true(selects_as(GLOB_NEGATES_DIRECTORY, "* !*/ !*.png", "a/x.txt", &i));
	assert_int_equal(i, 0);
	assert_false(selects_as(GLOB_NEGATES_DIRECTORY, "* !*/ !*.png", "a/x.png", &i));
	assert_true(selects_as(GLOB_NEGATES_DIRECTORY, "/s/** !/s/tmp/", "s/tmp/x", &i));
	assert_false(selects_as(GLOB_NEGATES_DIRECTORY, "/s/ !/s/tmp/", "s/tmp/x", &i));
	assert_true(selects_as(GLOB_NEGATES_DIRECTORY, "/s/ !/s/tmp/", "s/x", &i));
}

static void glob_list_can_negate_all_that_is_below_a_directory(void **state)
{
	size_t i = 9;

	(void)state;
	assert_false(selects("* !*/ !*.png", "a/x.txt", &i));
	assert_false(selects("/s/** !/s/tmp/", "s/tmp/x", &i));
	assert_false(selects("/s/ !/s/tmp/", "s/tmp/x", &i));
	assert_int_equal(i, 9);
	assert_true(selects("/s/** !/s/tmp/", "s/x", &i));
}

static void glob_list_takes_what_is_below_a_directory(void **state)
{
	size_t i = 9;

	(void)state;
	assert_true(selects("/a/", "a/b/c", &i));
	assert_int_equal(i, 0);
	assert_true(selects("a/", "x/a/b", &i));
	assert_true(selects("a", "x/a/b", &i));
	assert_false(selects("/a/", "a", &i));
	assert_false(selects("/a/", "b/a/c", &i));
}

static void glob_list_lets_the_last_pattern_decide(void **state)
{
	size_t i = 9;

	(void)state;
	assert_false(selects("*.png !x.png", "x.png", &i));
	assert_int_equal(i, 9);
	assert_true(selects("*.png !x.png", "y.png", &i));
	assert_int_equal(i, 0);
	assert_true(selects("*.png !x.png /a/x.png", "a/x.png", &i));
	assert_int_equal(i, 2);
	assert_true(selects("*.png *.png", "y.png", &i));
	assert_int_equal(i, 1);
	assert_false(selects("*.png !raw/", "a/raw/x.png", &i));
}

static void glob_list_selects_below_a_directory_that_was_excluded(void **state)
{
	size_t i = 9;

	(void)state;
	assert_true(selects("* !/a/ /a/b.png", "a/b.png", &i));
	assert_int_equal(i, 2);
	assert_false(selects("/a/ !/a/b.png", "a/b.png", &i));
}

static void glob_list_of_nothing_selects_nothing(void **state)
{
	size_t i = 9;

	(void)state;
	assert_false(glob_list_match(NULL, 0, "a", false, GLOB_NEGATES_BELOW, &i));
	assert_false(glob_list_match(NULL, 0, "a", false, GLOB_NEGATES_DIRECTORY, &i));
}

static char *repeat(const char *unit, size_t n, const char *end)
{
	size_t len = strlen(unit);
	char *text = malloc(n * len + strlen(end) + 1);

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, unit, len);
	strcpy(text + n * len, end);
	return text;
}

static void glob_matching_is_never_slow(void **state)
{
	static const char *const units[][2] = {
	    {"*a", "a"},     {"**/a/", "a/"}, {"a*/", "aa/"}, {"**/*a*/", "aa/"},
	    {"*[ab]", "ab"}, {"*?", "x"},     {"**/", "a/"},  {"a*a*/**/", "aaaa/"}};
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		char *pattern = repeat(units[i][0], 300, "[b]");
		char *path = repeat(units[i][1], 1000, "c");
		assert_false(matches(pattern, path));
		free(pattern);
		free(path);
	}
	/* What is exponential would not end at all. */
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 10);
}

static void glob_takes_long_patterns(void **state)
{
	char *pattern = repeat("[ab]", 100000, "");
	char *path = repeat("a", 100000, "");

	(void)state;
	assert_true(matches(pattern, path));
	path[50000] = 'c';
	assert_false(matches(pattern, path));
	free(pattern);
	free(path);
}

static void glob_free_takes_null(void **state)
{
	(void)state;
	glob_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(glob_without_slash_matches_the_last_component),
	    cmocka_unit_test(glob_with_slash_is_anchored),
	    cmocka_unit_test(glob_with_slash_at_the_end_matches_directories_only),
	    cmocka_unit_test(glob_wildcards_stop_at_slashes),
	    cmocka_unit_test(glob_double_star_stands_for_components),
	    cmocka_unit_test(glob_double_star_beside_other_bytes_is_a_star),
	    cmocka_unit_test(glob_double_star_before_an_escaped_slash_needs_a_component),
	    cmocka_unit_test(glob_brackets_match_one_byte_of_a_set),
	    cmocka_unit_test(glob_classes_are_those_of_ascii),
	    cmocka_unit_test(glob_escapes_make_bytes_plain),
	    cmocka_unit_test(glob_drops_trailing_spaces_unless_escaped),
	    cmocka_unit_test(glob_compares_bytes),
	    cmocka_unit_test(glob_refuses_what_is_no_pattern),
	    cmocka_unit_test(glob_refuses_what_matches_nothing),
	    cmocka_unit_test(glob_list_can_negate_a_directory_as_gitignore_does),
	    cmocka_unit_test(glob_list_can_negate_all_that_is_below_a_directory),
	    cmocka_unit_test(glob_list_takes_what_is_below_a_directory),
	    cmocka_unit_test(glob_list_lets_the_last_pattern_decide),
	    cmocka_unit_test(glob_list_selects_below_a_directory_that_was_excluded),
	    cmocka_unit_test(glob_list_of_nothing_selects_nothing),
	    cmocka_unit_test(glob_matching_is_never_slow),
	    cmocka_unit_test(glob_takes_long_patterns),
	    cmocka_unit_test(glob_free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
