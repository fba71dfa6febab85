#define _DEFAULT_SOURCE /* mkdtemp() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exports.h"

static int set_up(void **state)
{
	(void)state;
	return make_folder("sri.json");
}

static int tear_down(void **state)
{
	(void)state;
	return remove_folder();
}

static void a_member_a_url(void **state)
{
	const struct format_options options = {.format = "sri"};
	struct entry entries[] = {make_entry("a.js"), make_entry("b.js")};

	(void)state;
	memset(entries[1].sha256, 0xFF, SHA256_SIZE);
	assert_exports(&options, entries, COUNT(entries),
		       "{\n\"a.js\":\"" INTEGRITY_OF_ZEROS "\",\n"
		       "\"b.js\":\"sha256-//////////////////////////////////////////8=\"\n}\n");
}

/* As a browser spells what it is asked for; all that JSON would escape is encoded by then. */
static void urls_are_spelled_as_by_a_browser(void **state)
{
	const struct format_options options = {.format = "sri", .url_prefix = "a b/"};
	static const struct {
		const char *path, *url;
	} urls[] = {
	    {"x y.js", "/a%20b/x%20y.js"},           {"100%.js", "/a%20b/100%25.js"},
	    {"a#b.js", "/a%20b/a%23b.js"},           {"\xC3\xA9.js", "/a%20b/%C3%A9.js"},
	    {"it's+[1]&.js", "/a%20b/it's+[1]&.js"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		struct entry entry = make_entry(urls[i].path);
		char want[256];
		(void)snprintf(want, sizeof want, "{\n\"%s\":\"" INTEGRITY_OF_ZEROS "\"\n}\n",
			       urls[i].url);
		assert_exports(&options, &entry, 1, want);
	}
}

static void without_plain_digests_there_is_none(void **state)
{
	const struct format_options options = {.format = "sri"};
	struct entry entry = make_entry("a.js");

	(void)state;
	entry.has_sha256 = false;
	assert_no_export(&options, &entry, 1, ERR_REFUSED,
			 "'a.js' has no plain digest, which is what integrity is told by: "
			 "pack the release without --no-sha256");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_member_a_url),
	    cmocka_unit_test(urls_are_spelled_as_by_a_browser),
	    cmocka_unit_test(without_plain_digests_there_is_none),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
