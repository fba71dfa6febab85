#define _DEFAULT_SOURCE /* mkdtemp() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exports.h"

static const struct format_options list = {.format = "workbox"};

static int set_up(void **state)
{
	(void)state;
	return make_folder("precache.json");
}

static int tear_down(void **state)
{
	(void)state;
	return remove_folder();
}

#define ENTRY(url, revision) \
	"{\"url\":\"" url "\",\"revision\":" revision ",\"integrity\":\"" INTEGRITY_OF_ZEROS "\"}"

static void assert_immutable(const char *cache, bool want)
{
	struct entry entry = make_entry("x");

	entry.cache = cache;
	assert_exports(&list, &entry, 1,
		       want ? "[\n" ENTRY("x", "null") "\n]\n"
			    : "[\n" ENTRY("x", "\"" ZEROS "\"") "\n]\n");
}

static void an_entry_a_url(void **state)
{
	const struct format_options options = {.format = "workbox", .url_prefix = "/play"};
	const struct entry entries[] = {make_entry("a b.js"), make_entry("c.js")};
	struct buf summary = BUF_INIT;
	struct err e;

	(void)state;
	char *text = export_text(&options, entries, COUNT(entries), &summary, &e);
	assert_non_null(text);
	assert_string_equal(text, "[\n" ENTRY("/play/a%20b.js", "\"" ZEROS "\"") ",\n" ENTRY(
				      "/play/c.js", "\"" ZEROS "\"") "\n]\n");
	assert_non_null(strstr(summary.data, "\nwithout a revision, since they are immutable: 0"));
	free(text);
	buf_release(&summary);
}

static void the_directive_immutable_is_read(void **state)
{
	static const char *const immutable[] = {
	    "immutable",      "IMMUTABLE",         "max-age=1, immutable", "immutable,max-age=1",
	    ",, immutable ,", "a=\"\", immutable", "a=\"b, c\",immutable", "a=\"\\\\\", immutable",
	};
	static const char *const mutable[] = {
	    NULL,          "no-cache",    "immutables",  "immutabl",
	    "x-immutable", "immutable=1", "a=immutable", "\"immutable\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(immutable); i++)
		assert_immutable(immutable[i], true);
	for (size_t i = 0; i < COUNT(mutable); i++)
		assert_immutable(mutable[i], false);
}

/* Else a client would keep for ever what the next release changes. */
static void what_is_quoted_is_no_directive(void **state)
{
	static const char *const quoted[] = {
	    "private=\"a, immutable\"",
	    "private=\"immutable, a\"",
	    "x=\"a, immutable, b\", max-age=1",
	    "x=\"\\\", immutable, \"",
	    "x=\", immutable",
	    "x=\"\\",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(quoted); i++)
		assert_immutable(quoted[i], false);
}

static void without_plain_digests_there_is_none(void **state)
{
	struct entry entry = make_entry("a.js");

	(void)state;
	entry.has_sha256 = false;
	assert_no_export(&list, &entry, 1, ERR_REFUSED,
			 "'a.js' has no plain digest, which is what integrity is told by: "
			 "pack the release without --no-sha256");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_entry_a_url),
	    cmocka_unit_test(the_directive_immutable_is_read),
	    cmocka_unit_test(what_is_quoted_is_no_directive),
	    cmocka_unit_test(without_plain_digests_there_is_none),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
