#define _DEFAULT_SOURCE /* mkdtemp() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exports.h"

static const struct format_options sums = {.format = "sha256sums"};

static int set_up(void **state)
{
	(void)state;
	return make_folder("SHA256SUMS");
}

static int tear_down(void **state)
{
	(void)state;
	return remove_folder();
}

/* As sha256sum writes them: two spaces, and the path as it is. */
static void a_line_a_file(void **state)
{
	struct entry entries[] = {make_entry("a b.js"), make_entry("data/\xC3\xA9.bin")};

	(void)state;
	memset(entries[1].sha256, 0xA5, SHA256_SIZE);
	assert_exports(&sums, entries, COUNT(entries),
		       ZEROS "  a b.js\n"
			     "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
			     "  data/\xC3\xA9.bin\n");
}

static void files_for_the_origin_alone_are_in_it(void **state)
{
	struct entry entry = make_entry("index.html");

	(void)state;
	entry.label = LABEL_ORIGIN;
	assert_exports(&sums, &entry, 1, ZEROS "  index.html\n");
	struct format_options options = sums;
	options.label = "public";
	assert_no_export(&options, &entry, 1, ERR_REFUSED, "farm 1.0.0 has no public file");
}

static void without_plain_digests_there_is_none(void **state)
{
	struct entry entry = make_entry("a.js");

	(void)state;
	entry.has_sha256 = false;
	assert_no_export(&sums, &entry, 1, ERR_REFUSED,
			 "'a.js' has no plain digest, which is all that a list of checksums holds: "
			 "pack the release without --no-sha256");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_a_file),
	    cmocka_unit_test(files_for_the_origin_alone_are_in_it),
	    cmocka_unit_test(without_plain_digests_there_is_none),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
