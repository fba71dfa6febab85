#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/urlpattern.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_pattern(const char *prefix, const char *path, const char *want)
{
	struct buf b = BUF_INIT;

	urlpattern_add(&b, prefix, path, "1.0.2");
	if (strcmp(b.data, want) != 0)
		fail_msg("the pattern of '%s%s' is '%s', not '%s'", prefix, path, b.data, want);
	assert_null(urlpattern_wrong(b.data));
	buf_release(&b);
}

static void urlpattern_replaces_what_bundlers_put_into_names(void **state)
{
	static const char *const names[][2] = {
	    {"82c9d.wasm", "*.wasm"},
	    {"7720b.wasm", "*.wasm"},
	    {"app.82c9d.js", "app.*.js"},
	    {"main.3f8a91c2.chunk.js", "main.*.chunk.js"},
	    {"a-d41d8cd98f00b204e9800998ecf8427e_b.css", "a-*_b.css"},
	    {"index-DiwrgTda.js", "index-*.js"},
	    {"index-B_k-x3Qz.css", "index-*.css"},
	    {"x.dX3kq9ZtPw.js", "x.*.js"},
	    {"3f8a91c2", "*"},
	    {"a/3f8a91c2/b.3f8a91c2.js", "a/3f8a91c2/b.*.js"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char want[128] = "/";
		assert_pattern("/", names[i][0], strcat(want, names[i][1]));
	}
}

static void urlpattern_leaves_words_alone(void **state)
{
	static const char *const names[] = {
	    "app.js",
	    "facade.js",
	    "decade-added.js",
	    "level001.json",
	    "map-level001.json",
	    "icon-192.png",
	    "tile-001.png",
	    "Level-Tile-001.png",
	    "player-idle-run.png",
	    "20261123.json",
	    "0001.png",
	    "face01.png",
	    "mainMenu.js",
	    "1080p.mp4",
	    "jquery-3.7.1.min.js",
	    ".nojekyll",
	    "x.3f8a91c2",
	    "scene2d.js",
	    "-.js",
	    "README",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char want[128] = "/";
		assert_pattern("/", names[i], strcat(want, names[i]));
	}
}

static void urlpattern_leaves_the_version_of_a_prefix_open(void **state)
{
	static const char *const prefixes[][2] = {
	    {"/", "/"},
	    {"/play/", "/play/"},
	    {"/1.0.2/", "/*/"},
	    {"/v1.0.2/", "/v*/"},
	    {"/farm-1.0.2/", "/farm-*/"},
	    {"/a/farm-v1.0.2/b/", "/a/farm-v*/b/"},
	    {"/farm-1.0.2/1.0.2/", "/farm-*/*/"},
	    {"/11.0.2/", "/11.0.2/"},
	    {"/farm-1.0.20/", "/farm-1.0.20/"},
	    {"/dev1.0.2/", "/dev1.0.2/"},
	    {"/1.0.2-farm/", "/1.0.2-farm/"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		char want[128];
		assert_pattern(prefixes[i][0], "x/1.0.2/y.js",
			       strcat(strcpy(want, prefixes[i][1]), "x/1.0.2/y.js"));
	}
}

static void urlpattern_spells_urls_as_browsers_do(void **state)
{
	static const char *const paths[][2] = {
	    {"a b", "/a%20b"},
	    {"100%.png", "/100%25.png"},
	    {"\xC3\xA9.js", "/%C3%A9.js"},
	    {"#.js", "/%23.js"},
	    {"a`^{b}", "/a%60%5E%7Bb%7D"},
	    {"(a)+b", "/\\(a\\)\\+b"},
	    {"-._~!$&',;=@[]", "/-._~!$&',;=@[]"},
	    {"index.html", "/{index.html}?"},
	    {"a/b/index.html", "/a/b/{index.html}?"},
	    {"xindex.html", "/xindex.html"},
	    {"index.html/x", "/index.html/x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		assert_pattern("/", paths[i][0], paths[i][1]);
	assert_pattern("/a:b*c?\\\"<>/", "x", "/a\\:b\\*c%3F\\\\%22%3C%3E/x");
}

static void urlpattern_rejects_what_no_header_can_carry(void **state)
{
	static const char *const good[] = {"/", "/*", "/a\\(b\\)", "/{a}?\\\\", "/:name", "/a?b=*"};
	static const char *const bad[] = {"",      "a",        "*",     "https://x/",
					  "/(a)",  "/\\\\(a)", "/a\\",  "/\xC3\xA9",
					  "/a\nb", "/\\\n",    "/\x7F", "//\\\\\\"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(urlpattern_wrong(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (urlpattern_wrong(bad[i]) == NULL)
			fail_msg("'%s' is taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urlpattern_replaces_what_bundlers_put_into_names),
	    cmocka_unit_test(urlpattern_leaves_words_alone),
	    cmocka_unit_test(urlpattern_leaves_the_version_of_a_prefix_open),
	    cmocka_unit_test(urlpattern_spells_urls_as_browsers_do),
	    cmocka_unit_test(urlpattern_rejects_what_no_header_can_carry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
