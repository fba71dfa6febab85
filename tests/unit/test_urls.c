#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/urls.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const files[] = {
    "a b.png",      "a/b.png", "a/index.html", "a%20b", "c+d",   "index.html",
    "p/index.html", "p/x",     "\xC3\xA9/é",   "x",     "e f/g",
};

static struct urls *new_urls(const char *const *prefixes, size_t n)
{
	struct err e;
	struct urls *u = urls_new(prefixes, n, COUNT(files), &e);

	assert_non_null(u);
	for (size_t i = 0; i < COUNT(files); i++)
		urls_add(u, files[i], i);
	return u;
}

static void assert_found(struct urls *u, const char *path, bool recoded, const char *want)
{
	char *exact = malloc(strlen(path) + 1);

	memcpy(exact, path, strlen(path));
	size_t i = urls_find(u, exact, strlen(path), recoded);
	const char *got = i == URLS_NONE ? "" : files[i];
	if (strcmp(got, want) != 0)
		fail_msg("'%s' is '%s', not '%s'", path, got, want);
	free(exact);
}

static void urls_name_files_as_servers_see_it(void **state)
{
	static const char *const paths[][2] = {
	    {"/x", "x"},
	    {"/a/b.png", "a/b.png"},
	    {"//a///b.png", "a/b.png"},
	    {"/./a/././b.png", "a/b.png"},
	    {"/q/../a/r/../b.png", "a/b.png"},
	    {"/../../x", "x"},
	    {"/..", "index.html"},
	    {"/a%2Fb.png", "a/b.png"},
	    {"/a/%2e%2E/x", "x"},
	    {"/a%20b.png", "a b.png"},
	    {"/a b.png", "a b.png"},
	    {"/a%2520b", "a%20b"},
	    {"/%C3%a9/%c3%A9", "\xC3\xA9/é"},
	    {"/c+d", "c+d"},
	    {"/c%2Bd", "c+d"},
	    {"/", "index.html"},
	    {"", "index.html"},
	    {"/a/", "a/index.html"},
	    {"/a/.", "a/index.html"},
	    {"/a/b.png/..", "a/index.html"},
	    {"/a/index.html", "a/index.html"},
	    {"/a", ""},
	    {"/x/", ""},
	    {"/X", ""},
	    {"/x%", ""},
	    {"/x%0", ""},
	    {"/x%zz", ""},
	    {"/x%00", ""},
	    {"/x%00/", ""},
	    {"/e+f/g", ""},
	    {"/xx", ""},
	    {"/a%2520b.png", ""},
	};
	struct urls *u = new_urls(NULL, 0);

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		assert_found(u, paths[i][0], false, paths[i][1]);
	urls_free(u);
	urls_free(NULL);
}

static void urls_undo_what_a_log_encoded_once_more(void **state)
{
	struct urls *u = new_urls(NULL, 0);

	(void)state;
	assert_found(u, "/a%2520b.png", true, "a b.png");
	assert_found(u, "/a%20b.png", true, "a b.png");
	/* What is there as it stands comes first. */
	assert_found(u, "/a%2520b", true, "a%20b");
	assert_found(u, "/a+b.png", true, "a b.png");
	assert_found(u, "/c+d", true, "c+d");
	assert_found(u, "/e+f/g", true, "e f/g");
	assert_found(u, "/%252e%252e/x", true, "x");
	assert_found(u, "/a%252F", true, "a/index.html");
	assert_found(u, "/a%25252520b.png", true, "");
	urls_free(u);
}

static void urls_lose_their_prefix_at_a_component(void **state)
{
	static const char *const spellings[] = {
	    "/farm-1.0 2/",
	    "farm-1.0 2",
	    "/farm-1.0 2",
	    "farm-1.0%202/",
	    "https://cdn.example/farm-1.0%202/",
	    "https://cdn.example:8080/farm-1.0%202?x=/y#z",
	    "//./farm-1.0 2//",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++) {
		struct urls *u = new_urls(&spellings[i], 1);
		assert_found(u, "/farm-1.0%202/x", false, "x");
		assert_found(u, "//farm-1.0%202/a/../x", false, "x");
		assert_found(u, "/farm-1.0%202/", false, "index.html");
		assert_found(u, "/farm-1.0%202", false, "index.html");
		assert_found(u, "/farm-1.0%202%2Fa/b.png", false, "a/b.png");
		assert_found(u, "/farm-1.0%25202/a/", true, "a/index.html");
		assert_found(u, "/farm-1.0%202x", false, "");
		assert_found(u, "/farm-1.0%202x/x", false, "");
		assert_found(u, "/x", false, "");
		assert_found(u, "/", false, "");
		assert_found(u, "/farm-1.0%202/../x", false, "");
		urls_free(u);
	}
}

static void urls_take_the_longest_prefix_that_leads_somewhere(void **state)
{
	static const char *const prefixes[] = {"/", "v1/p", "https://cdn.example", "/v1/"};
	struct urls *u = new_urls(prefixes, COUNT(prefixes));

	(void)state;
	assert_found(u, "/x", false, "x");
	assert_found(u, "/v1/x", false, "x");
	assert_found(u, "/v1/p/x", false, "x");
	assert_found(u, "/v1/p/", false, "index.html");
	assert_found(u, "/p/x", false, "p/x");
	assert_found(u, "/v1/p/index.html", false, "index.html");
	assert_found(u, "/v1/p/p/x", false, "p/x");
	assert_found(u, "/v2/x", false, "");
	urls_free(u);
}

static void urls_of_any_length_are_bounded(void **state)
{
	struct urls *u = new_urls(NULL, 0);
	char *path = malloc(URLS_PATH_MAX + 2);

	(void)state;
	memset(path, '/', URLS_PATH_MAX + 2);
	assert_string_equal(files[urls_find(u, path, URLS_PATH_MAX, false)], "index.html");
	assert_int_equal(urls_find(u, path, URLS_PATH_MAX + 1, false), URLS_NONE);
	path[URLS_PATH_MAX - 1] = 'x';
	assert_string_equal(files[urls_find(u, path, URLS_PATH_MAX, true)], "x");
	memset(path + 1, 'a', URLS_PATH_MAX - 1);
	path[URLS_PATH_MAX - 1] = '/';
	assert_int_equal(urls_find(u, path, URLS_PATH_MAX, true), URLS_NONE);
	free(path);
	urls_free(u);
}

static void urls_of_many_files_are_told_apart(void **state)
{
	static char names[20000][12];
	struct err e;
	struct urls *u = urls_new(NULL, 0, COUNT(names), &e);
	char path[16];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(names[i], sizeof names[i], "%zu/%zu", i % 7, i);
		urls_add(u, names[i], i);
	}
	for (size_t i = 0; i < COUNT(names); i++) {
		(void)snprintf(path, sizeof path, "/%s", names[i]);
		assert_int_equal(urls_find(u, path, strlen(path), false), i);
		path[1] = '8';
		assert_int_equal(urls_find(u, path, strlen(path), false), URLS_NONE);
	}
	urls_free(u);
}

static void urls_give_the_path_of_a_prefix(void **state)
{
	static const char *const prefixes[][2] = {
	    {"/", "/"},
	    {"", "/"},
	    {"a", "/a/"},
	    {"/a/", "/a/"},
	    {"//a//b/./c/..", "/a/b/"},
	    {"https://x.example:8080", "/"},
	    {"https://x.example/a%20b/%C3%A9?c#d", "/a b/\xC3\xA9/"},
	    {"/../a", "/a/"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		struct buf b = BUF_INIT;
		struct err e;
		assert_int_equal(urls_prefix(&b, prefixes[i][0], &e), 0);
		assert_string_equal(b.data, prefixes[i][1]);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls_name_files_as_servers_see_it),
	    cmocka_unit_test(urls_undo_what_a_log_encoded_once_more),
	    cmocka_unit_test(urls_lose_their_prefix_at_a_component),
	    cmocka_unit_test(urls_take_the_longest_prefix_that_leads_somewhere),
	    cmocka_unit_test(urls_of_any_length_are_bounded),
	    cmocka_unit_test(urls_of_many_files_are_told_apart),
	    cmocka_unit_test(urls_give_the_path_of_a_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
