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
	return make_folder("farm.inventory");
}

static int tear_down(void **state)
{
	(void)state;
	return remove_folder();
}

#define HEADER(files, bytes)                                                                     \
	"{\"swarm\":\"inventory/1\",\"piece_length\":16384,\"files\":" files ",\"bytes\":" bytes \
	"}\n"
#define LINE(path, size, label, more)                                                          \
	"{\"path\":\"" path "\",\"size\":" size ",\"label\":\"" label "\",\"sha256\":\"" ZEROS \
	"\"" more "}\n"
#define ROOT ",\"root\":\"" ZEROS "\""

/* Its first line counts what follows it. */
static void files_are_counted(void **state)
{
	const struct format_options options = {.format = "inventory"};
	struct entry entries[] = {make_entry("a"), make_entry("b"), make_entry("c")};

	(void)state;
	entries[0].size = 5;
	entries[1].size = 70;
	entries[1].label = LABEL_ORIGIN;
	assert_exports(&options, entries, COUNT(entries),
		       HEADER("3", "75") LINE("a", "5", "public", ROOT)
			   LINE("b", "70", "origin", ROOT) LINE("c", "0", "public", ""));
}

static void those_that_are_chosen_are_counted(void **state)
{
	const char *only[] = {"/a"};
	struct format_options options = {.format = "inventory", .only = {only, 1}};
	struct entry entries[] = {make_entry("a"), make_entry("b")};

	(void)state;
	entries[0].size = 5;
	entries[1].size = 70;
	assert_exports(&options, entries, COUNT(entries),
		       HEADER("1", "5") LINE("a", "5", "public", ROOT));
	only[0] = "/x";
	assert_no_export(&options, entries, COUNT(entries), ERR_USAGE,
			 "--only matches no file of the manifest");
}

/* What waits for the first line is more than fits into one block. */
static void many_lines_keep_their_order(void **state)
{
	const struct format_options options = {.format = "inventory"};
	enum { FILES = 2000 };
	static char names[FILES][8];
	static struct entry entries[FILES];
	struct buf want = BUF_INIT;
	struct err e;

	(void)state;
	buf_adds(&want, HEADER("2000", "0"));
	for (size_t i = 0; i < FILES; i++) {
		(void)snprintf(names[i], sizeof names[i], "%04zu", i);
		entries[i] = make_entry(names[i]);
		buf_addf(&want, LINE("%04zu", "0", "public", ""), i);
	}
	char *text = export_text(&options, entries, FILES, NULL, &e);
	assert_non_null(text);
	assert_true(strlen(text) > (size_t)3 * 64 * 1024);
	/* No assert_string_equal(): it would print all of both. */
	assert_int_equal(strlen(text), want.len);
	assert_memory_equal(text, want.data, want.len);
	free(text);
	buf_release(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_are_counted),
	    cmocka_unit_test(those_that_are_chosen_are_counted),
	    cmocka_unit_test(many_lines_keep_their_order),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
