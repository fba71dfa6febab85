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
	return make_folder("farm.meta4");
}

static int tear_down(void **state)
{
	(void)state;
	return remove_folder();
}

#define START                                                    \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"           \
	"<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\">\n" \
	"  <generator>swarmexport</generator>\n"                 \
	"  <published>2026-11-23T12:34:56Z</published>\n"
#define FILE_START(name) "  <file name=\"" name "\">\n"
#define FILE_REST(size)                   \
	"    <identity>farm</identity>\n" \
	"    <version>1.0.0</version>\n"  \
	"    <size>" size "</size>\n"     \
	"    <hash type=\"sha-256\">" ZEROS "</hash>\n"
#define FILE_END "  </file>\n"
#define END      "</metalink>\n"

static void a_file_has_its_size_and_hash(void **state)
{
	const struct format_options options = {.format = "metalink"};
	struct entry entry = make_entry("data/level.bin");

	(void)state;
	entry.size = UINT64_C(18446744073709551615);
	assert_exports(&options, &entry, 1,
		       START FILE_START("data/level.bin") FILE_REST("18446744073709551615")
			   FILE_END END);
}

/* In the order in which they are given, which is their priority (RFC 5854, 4.2.16). */
static void each_mirror_is_a_url(void **state)
{
	const char *mirrors[] = {"https://one.example/", "https://two.example/x/"};
	const struct format_options options = {.format = "metalink", .mirror = {mirrors, 2}};
	const struct entry entry = make_entry("a&b c.js");
	struct err e;
	struct buf summary = BUF_INIT;

	(void)state;
	char *text = export_text(&options, &entry, 1, &summary, &e);
	if (text == NULL)
		fail_msg("%s", e.msg);
	assert_string_equal(
	    text,
	    START FILE_START("a&amp;b c.js") FILE_REST(
		"0") "    <url priority=\"1\">https://one.example/a%26b%20c.js</url>\n"
		     "    <url priority=\"2\">https://two.example/x/a%26b%20c.js</url>\n" FILE_END
			 END);
	assert_non_null(strstr(summary.data, "\n2 mirrors\n"));
	assert_non_null(strstr(summary.data, "aria2 cannot check empty files: there is 1\n"));
	assert_non_null(strstr(summary.data, "aria2 misspells names with '&': there is 1\n"));
	free(text);
	buf_release(&summary);
}

static void what_xml_knows_is_escaped(void **state)
{
	const struct format_options options = {.format = "metalink"};
	const struct entry entry = make_entry("<\"&amp;'>");

	(void)state;
	assert_exports(&options, &entry, 1,
		       START FILE_START("&lt;&quot;&amp;amp;&apos;&gt;") FILE_REST("0")
			   FILE_END END);
}

static void what_xml_cannot_write_is_refused(void **state)
{
	const struct format_options options = {.format = "metalink"};
	static const char *const names[] = {"x\xEF\xBF\xBE", "\xEF\xBF\xBF.js"};
	const struct entry near = make_entry("\xEF\xBF\xBD\xEF\xBE\xBE");

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct entry entry = make_entry(names[i]);
		char want[128];
		(void)snprintf(
		    want, sizeof want,
		    "'%s' cannot stand in a Metalink: XML has no way to write U+FFFE and "
		    "U+FFFF",
		    names[i]);
		assert_no_export(&options, &entry, 1, ERR_REFUSED, want);
	}
	assert_exports(&options, &near, 1,
		       START FILE_START("\xEF\xBF\xBD\xEF\xBE\xBE") FILE_REST("0") FILE_END END);
}

static void what_peers_must_not_serve_is_left_out(void **state)
{
	const struct format_options options = {.format = "metalink"};
	struct entry entries[] = {make_entry("a.js"), make_entry("b.html")};

	(void)state;
	entries[1].label = LABEL_ORIGIN;
	assert_exports(&options, entries, COUNT(entries),
		       START FILE_START("a.js") FILE_REST("0") FILE_END END);
}

static void without_digests_content_is_needed(void **state)
{
	const struct format_options options = {.format = "metalink"};
	struct entry entry = make_entry("a.js");

	(void)state;
	entry.has_sha256 = false;
	assert_no_export(&options, &entry, 1, ERR_REFUSED,
			 "'a.js' has no plain digest in the manifest: give --tree, which it can be "
			 "taken from");
}

static void a_mirror_is_a_folder(void **state)
{
	const char *mirrors[] = {"https://one.example/a?b"};
	const struct format_options options = {.format = "metalink", .mirror = {mirrors, 1}};
	const struct entry entry = make_entry("a.js");
	struct err e;

	(void)state;
	assert_null(export_text(&options, &entry, 1, NULL, &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_non_null(strstr(e.msg, "--mirror"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_has_its_size_and_hash),
	    cmocka_unit_test(each_mirror_is_a_url),
	    cmocka_unit_test(what_xml_knows_is_escaped),
	    cmocka_unit_test(what_xml_cannot_write_is_refused),
	    cmocka_unit_test(what_peers_must_not_serve_is_left_out),
	    cmocka_unit_test(without_digests_content_is_needed),
	    cmocka_unit_test(a_mirror_is_a_folder),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
