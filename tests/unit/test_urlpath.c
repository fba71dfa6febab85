#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "swarm/urlpath.h"

static void check(enum urlpath_style style, const char *path, const char *expected)
{
	struct buf text = BUF_INIT;

	urlpath_add(&text, path, style);
	assert_string_equal(text.data, expected);
	buf_release(&text);
}

static void urlpath_is_as_browsers_write_it(void **state)
{
	(void)state;
	check(URLPATH_BROWSER, "", "");
	check(URLPATH_BROWSER, "a/b-c_d.e~f", "a/b-c_d.e~f");
	check(URLPATH_BROWSER, "!$&'()*+,:;=@[]|", "!$&'()*+,:;=@[]|");
	check(URLPATH_BROWSER, " \"#%<>?\\^`{}", "%20%22%23%25%3C%3E%3F%5C%5E%60%7B%7D");
	check(URLPATH_BROWSER, "%41", "%2541");
	check(URLPATH_BROWSER, "\xC3\xA9\x7F\x01", "%C3%A9%7F%01");
}

static void urlpath_is_as_components_are_encoded(void **state)
{
	(void)state;
	check(URLPATH_COMPONENTS, "a/b-c_d.e~f!*'()", "a/b-c_d.e~f!*'()");
	check(URLPATH_COMPONENTS, "$&+,:;=@[]|", "%24%26%2B%2C%3A%3B%3D%40%5B%5D%7C");
	check(URLPATH_COMPONENTS, " #%^\xC3\xA9", "%20%23%25%5E%C3%A9");
}

static void check_prefix(const char *prefix, const char *expected)
{
	struct buf text = BUF_INIT;
	struct err e;

	assert_int_equal(urlpath_add_prefix(&text, prefix, URLPATH_BROWSER, &e), 0);
	assert_string_equal(text.data, expected);
	buf_release(&text);
}

static void urlpath_prefixes_have_slashes(void **state)
{
	(void)state;
	check_prefix(NULL, "");
	check_prefix("", "/");
	check_prefix("/", "/");
	check_prefix("play", "/play/");
	check_prefix("/a b//c%20d/", "/a%20b/c%20d/");
	check_prefix("https://play.example/x?y#z", "/x/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urlpath_is_as_browsers_write_it),
	    cmocka_unit_test(urlpath_is_as_components_are_encoded),
	    cmocka_unit_test(urlpath_prefixes_have_slashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
