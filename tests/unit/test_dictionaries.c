#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/dictionaries.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct dictionaries *new_dictionaries(const char *const *matches, size_t n)
{
	struct err e;
	struct dictionaries *d = dictionaries_new(matches, n, &e);

	if (d == NULL)
		fail_msg("%s", e.msg);
	return d;
}

static void assert_pattern(struct dictionaries *d, const char *path, uint64_t size,
			   const char *expected)
{
	struct buf pattern = BUF_INIT;
	struct err e;

	buf_adds(&pattern, "of the last file");
	assert_int_equal(dictionaries_pattern(d, "/p-1/", path, size, "1", &pattern, &e), 0);
	assert_string_equal(pattern.data, expected);
	buf_release(&pattern);
}

static void the_last_match_counts(void **state)
{
	static const char *const matches[] = {"*.js=/all/*.js", "b/=/b/*", "b/a.js=", "!b/c.js=/x"};
	struct dictionaries *d = new_dictionaries(matches, COUNT(matches));

	(void)state;
	assert_pattern(d, "a.js", 1, "/all/*.js");
	assert_pattern(d, "b/x.js", 1, "/b/*");
	assert_pattern(d, "b/a.js", 1, "");
	assert_pattern(d, "b/c.js", 1, "/p-*/b/c.js");
	assert_pattern(d, "a.css", 1, "/p-*/a.css");
	assert_int_equal(dictionaries_count(d), 4);
	assert_int_equal(dictionaries_shared(d), 0);
	dictionaries_free(d);
	dictionaries_free(NULL);
}

static void neither_nothing_nor_giants_are_dictionaries(void **state)
{
	static const char *const matches[] = {"*.js=/all/*.js"};
	struct dictionaries *d = new_dictionaries(matches, 1);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *path = i == 0 ? "a.js" : "a.css";
		assert_pattern(d, path, 0, "");
		assert_pattern(d, path, DICTIONARIES_MAX + 1, "");
	}
	assert_int_equal(dictionaries_count(d), 0);
	assert_pattern(d, "a.js", DICTIONARIES_MAX, "/all/*.js");
	assert_int_equal(dictionaries_count(d), 1);
	dictionaries_free(d);
}

static void patterns_that_are_shared_are_counted(void **state)
{
	static const char *const paths[] = {"a/82c9d.js", "a/7720b.js", "a/9f0c1.js", "b/9f0c1.js",
					    "a/app.js"};
	struct dictionaries *d = new_dictionaries(NULL, 0);
	struct buf pattern = BUF_INIT;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		assert_int_equal(dictionaries_pattern(d, "/", paths[i], 1, "1", &pattern, &e), 0);
	assert_int_equal(dictionaries_count(d), 5);
	assert_int_equal(dictionaries_shared(d), 3);
	buf_release(&pattern);
	dictionaries_free(d);
}

static void values_are_strings_of_structured_fields(void **state)
{
	struct buf value = BUF_INIT;

	(void)state;
	dictionaries_value(&value, "/a\\+\"b\"*");
	assert_string_equal(value.data, "match=\"/a\\\\+\\\"b\\\"*\"");
	buf_release(&value);
}

static void matches_that_are_none_are_rejected(void **state)
{
	static const char *const bad[] = {"*.js", "=/x", "*.js=x", "*.js=/(x)", "[=/x", "#x=/x"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *const matches[] = {"a=/b", bad[i]};
		struct err e = {.code = ERR_NONE};
		assert_null(dictionaries_new(matches, 2, &e));
		assert_int_equal(e.code, ERR_USAGE);
		assert_non_null(strstr(e.msg, "--match: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_match_counts),
	    cmocka_unit_test(neither_nothing_nor_giants_are_dictionaries),
	    cmocka_unit_test(patterns_that_are_shared_are_counted),
	    cmocka_unit_test(values_are_strings_of_structured_fields),
	    cmocka_unit_test(matches_that_are_none_are_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
