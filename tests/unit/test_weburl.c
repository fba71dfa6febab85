#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/weburl.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_url(const char *base, const char *path, const char *want)
{
	struct buf b = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(weburl_check("--mirror", WEBURL_BASE, base, &e), 0);
	weburl_add(&b, base, path);
	assert_string_equal(b.data, want);
	assert_int_equal(weburl_check("--mirror", WEBURL_FILE, b.data, &e), 0);
	buf_release(&b);
}

static void weburl_puts_one_slash_between_base_and_path(void **state)
{
	(void)state;
	assert_url("https://a.example", "b/c", "https://a.example/b/c");
	assert_url("https://a.example/", "b/c", "https://a.example/b/c");
	assert_url("https://a.example/x", "b/c", "https://a.example/x/b/c");
	assert_url("https://a.example/x/", "b/c", "https://a.example/x/b/c");
	assert_url("http://a.example:8080/%20x", "b", "http://a.example:8080/%20x/b");
}

static void weburl_encodes_all_that_is_not_unreserved(void **state)
{
	static const char *const paths[][3] = {
	    {"AZaz09-._~/x", "AZaz09-._~/x", "AZaz09-._~%2Fx"},
	    {"a b", "a%20b", "a%20b"},
	    {"100%25", "100%2525", "100%2525"},
	    {"#1?", "%231%3F", "%231%3F"},
	    {"a+b&c=d", "a%2Bb%26c%3Dd", "a%2Bb%26c%3Dd"},
	    {"!$'(),;@[]^`{}", "%21%24%27%28%29%2C%3B%40%5B%5D%5E%60%7B%7D",
	     "%21%24%27%28%29%2C%3B%40%5B%5D%5E%60%7B%7D"},
	    {"\xC3\xA9/\xF0\x9F\x8C\xBB", "%C3%A9/%F0%9F%8C%BB", "%C3%A9%2F%F0%9F%8C%BB"},
	    {"https://a:1/", "https%3A//a%3A1/", "https%3A%2F%2Fa%3A1%2F"},
	    {"", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct buf b = BUF_INIT;
		weburl_add_path(&b, paths[i][0]);
		assert_string_equal(b.data, paths[i][1]);
		buf_clear(&b);
		weburl_add_value(&b, paths[i][0]);
		assert_string_equal(b.data, paths[i][2]);
		buf_release(&b);
	}
}

static void weburl_takes_what_servers_are_called(void **state)
{
	static const char *const urls[] = {
	    "http://a",
	    "https://a.b-c.example:443/x/",
	    "http://127.0.0.1:65535",
	    "http://[::1]:80/a",
	    "http://[2001:db8::1.2.3.4]",
	    "https://a_b.example/~u/%C3%A9/!$&'()*+,;=:@/",
	    "https://a/@x",
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++)
		if (weburl_check("--mirror", WEBURL_BASE, urls[i], &e) != 0)
			fail_msg("%s", e.msg);
	assert_int_equal(weburl_check("--web-seed", WEBURL_FILE, "https://a/b?c=d", &e), 0);
}

static void assert_wrong(enum weburl_kind kind, const char *url, const char *why)
{
	struct err e = {.code = ERR_NONE};

	if (weburl_check("--mirror", kind, url, &e) == 0)
		fail_msg("'%s' is taken", url);
	assert_int_equal(e.code, ERR_USAGE);
	if (strncmp(e.msg, "--mirror: '", 11) != 0 || strstr(e.msg, why) == NULL)
		fail_msg("'%s' is refused because: %s", url, e.msg);
}

static void weburl_rejects_what_is_no_address(void **state)
{
	static const char *const bad[][2] = {
	    {"", "http:// or https://"},
	    {"a.example/x", "http:// or https://"},
	    {"ftp://a/", "http:// or https://"},
	    {"http:/a", "http:// or https://"},
	    {"https:a", "http:// or https://"},
	    {" https://a", "http:// or https://"},
	    {"https://", "host"},
	    {"https:///a", "host"},
	    {"https://:80/", "host"},
	    {"https://a:/", "host"},
	    {"https://a:0/", "host"},
	    {"https://a:65536/", "host"},
	    {"https://a:99999999999999999999/", "host"},
	    {"https://a:8x/", "host"},
	    {"https://a!/", "host"},
	    {"https://%61/", "host"},
	    {"https://[]/", "host"},
	    {"https://[::1/", "host"},
	    {"https://[::1]x/", "host"},
	    {"https://a]/", "host"},
	    {"https://u@a/", "password"},
	    {"https://u:p@a/", "password"},
	    {"https://a/b c", "percent-encode"},
	    {"https://a/b\n", "percent-encode"},
	    {"https://a/\x7F", "percent-encode"},
	    {"https://a/\xC3\xA9", "percent-encode"},
	    {"https://a/\"<>", "percent-encode"},
	    {"https://a\\b", "percent-encode"},
	    {"https://a/%", "percent-encode"},
	    {"https://a/%4", "percent-encode"},
	    {"https://a/%4g", "percent-encode"},
	    {"https://a/#", "fragment"},
	    {"https://a#b", "fragment"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_wrong(WEBURL_BASE, bad[i][0], bad[i][1]);
		assert_wrong(WEBURL_FILE, bad[i][0], bad[i][1]);
	}
	assert_wrong(WEBURL_BASE, "https://a/?", "query");
	assert_wrong(WEBURL_BASE, "https://a?b=c", "query");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(weburl_puts_one_slash_between_base_and_path),
	    cmocka_unit_test(weburl_encodes_all_that_is_not_unreserved),
	    cmocka_unit_test(weburl_takes_what_servers_are_called),
	    cmocka_unit_test(weburl_rejects_what_is_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
