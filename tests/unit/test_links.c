#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/links.h"
#include "swarm/path.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- helpers ---------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct links_item *left = a, *right = b;
	int order = path_compare(left->path, right->path);

	return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

static struct links_item items[64];
static struct links_tree tree = {.items = items};

static void start(void)
{
	tree.count = 0;
}

static void add(const char *path, enum source_type type, const char *target)
{
	assert_true(tree.count < COUNT(items));
	items[tree.count] =
	    (struct links_item){.path = path, .type = type, .target = target, .number = tree.count};
	tree.count++;
	qsort(items, tree.count, sizeof *items, compare);
}

static void add_file(const char *path)
{
	add(path, SOURCE_FILE, NULL);
}

static void add_folder(const char *path)
{
	add(path, SOURCE_DIRECTORY, NULL);
}

static void add_link(const char *path, const char *target)
{
	add(path, SOURCE_SYMLINK, target);
}

static enum links_result resolve(const char *path, struct links_found *ret)
{
	for (size_t i = 0; i < tree.count; i++)
		if (strcmp(items[i].path, path) == 0)
			return links_resolve(&tree, &items[i], ret);
	fail_msg("there is no '%s'", path);
	return LINKS_NO_MEMORY;
}

static void assert_file(const char *link, const char *want)
{
	struct links_found found;
	enum links_result result = resolve(link, &found);

	if (result != LINKS_FILE)
		fail_msg("'%s': %s", link, links_why(result));
	assert_string_equal(found.file->path, want);
}

static void assert_result(const char *link, enum links_result want)
{
	struct links_found found;
	enum links_result result = resolve(link, &found);

	if (result != want)
		fail_msg("'%s': %d", link, (int)result);
}

static void assert_folder(const char *link, const char *folder, size_t count)
{
	struct links_found found;
	enum links_result result = resolve(link, &found);

	if (result != LINKS_DIRECTORY)
		fail_msg("'%s': %s", link, links_why(result));
	assert_int_equal(found.count, count);
	assert_int_equal(found.prefix, strlen(folder) + 1);
	for (size_t i = 0; i < count; i++)
		assert_true(path_is_below(items[found.first + i].path, folder));
}

/* --- tests ------------------------------------------------------------------------------------ */

static void links_lead_to_files(void **state)
{
	(void)state;
	start();
	add_folder("a");
	add_folder("a/b");
	add_file("a/b/file");
	add_file("top");
	add_link("l1", "top");
	add_link("l2", "a/b/file");
	add_link("a/l3", "b/file");
	add_link("a/l4", "../top");
	add_link("a/b/l5", "../../a/./b//file");
	add_link("l6", "./././top");
	assert_file("l1", "top");
	assert_file("l2", "a/b/file");
	assert_file("a/l3", "a/b/file");
	assert_file("a/l4", "top");
	assert_file("a/b/l5", "a/b/file");
	assert_file("l6", "top");
}

static void links_lead_through_links(void **state)
{
	(void)state;
	start();
	add_folder("a");
	add_file("a/file");
	add_link("b", "a");
	add_link("c", "b/file");
	add_link("d", "c");
	add_link("a/up", "..");
	add_link("e", "b/up/d");
	add_link("f", "b/up/b/../a/file");
	assert_file("c", "a/file");
	assert_file("d", "a/file");
	assert_file("e", "a/file");
	/* `..` behind a link is above what it leads to, as for the system, not above its name. */
	assert_file("f", "a/file");
}

static void links_lead_to_folders(void **state)
{
	(void)state;
	start();
	add_folder("a");
	add_file("a.txt");
	add_file("a/1");
	add_folder("a/b");
	add_file("a/b/2");
	add_file("ab");
	add_folder("empty");
	add_link("la", "a");
	add_link("lb", "a/b/");
	add_link("le", "empty");
	assert_folder("la", "a", 3);
	assert_folder("lb", "a/b", 1);
	assert_folder("le", "empty", 0);
}

/* An archive need not list its folders. */
static void links_lead_to_folders_that_nobody_lists(void **state)
{
	(void)state;
	start();
	add_file("a/b/1");
	add_file("a/b/2");
	add_file("ab/x");
	add_link("l", "a");
	add_link("m", "a/b");
	assert_folder("l", "a", 2);
	assert_folder("m", "a/b", 2);
}

static void links_lead_nowhere(void **state)
{
	(void)state;
	start();
	add_file("file");
	add_folder("a");
	add_link("l1", "none");
	add_link("l2", "a/none");
	add_link("l3", "file/x");
	add_link("l4", "l1");
	assert_result("l1", LINKS_NOWHERE);
	assert_result("l2", LINKS_NOWHERE);
	assert_result("l3", LINKS_NOWHERE);
	assert_result("l4", LINKS_NOWHERE);
	assert_string_equal(links_why(LINKS_NOWHERE), "a link that leads nowhere");
}

static void links_lead_out(void **state)
{
	(void)state;
	start();
	add_folder("a");
	add_file("a/file");
	add_link("l1", "/etc/passwd");
	add_link("l2", "../x");
	add_link("a/l3", "../../x");
	add_link("a/up", "..");
	add_link("l4", "a/up/../a/file");
	add_link("l5", "a/../../a/file");
	add_link("l6", "l1");
	add_link("l7", "/");
	assert_result("l1", LINKS_OUTSIDE);
	assert_result("l2", LINKS_OUTSIDE);
	assert_result("a/l3", LINKS_OUTSIDE);
	/* Out and in again is out: what stands there may be another tree. */
	assert_result("l4", LINKS_OUTSIDE);
	assert_result("l5", LINKS_OUTSIDE);
	assert_result("l6", LINKS_OUTSIDE);
	assert_result("l7", LINKS_OUTSIDE);
}

static void links_lead_in_circles(void **state)
{
	(void)state;
	start();
	add_folder("a");
	add_folder("a/b");
	add_link("self", "self");
	add_link("x", "y");
	add_link("y", "x");
	add_link("a/up", "..");
	add_link("a/here", ".");
	add_link("a/b/up", "../../a");
	add_link("deep", "deep/x");
	assert_result("self", LINKS_CIRCLE);
	assert_result("x", LINKS_CIRCLE);
	assert_result("deep", LINKS_CIRCLE);
	/* A folder around the link would unfold without end. */
	assert_result("a/up", LINKS_CIRCLE);
	assert_result("a/here", LINKS_CIRCLE);
	assert_result("a/b/up", LINKS_CIRCLE);
}

/* As many hops as Linux follows, and one more. */
static void links_have_so_many_hops(void **state)
{
	static char names[45][16];

	(void)state;
	start();
	add_file("file");
	for (size_t i = 0; i < 42; i++) {
		(void)snprintf(names[i], sizeof names[i], "l%02zu", i);
		add_link(names[i], i == 0 ? "file" : names[i - 1]);
	}
	assert_file("l39", "file");
	assert_result("l40", LINKS_CIRCLE);
}

/* Each doubles what is left to walk: it must end, and soon. */
static void links_do_not_explode(void **state)
{
	static char names[45][16], targets[45][64];

	(void)state;
	start();
	add_folder("d");
	add_file("d/file");
	for (size_t i = 0; i < 40; i++) {
		(void)snprintf(names[i], sizeof names[i], "l%02zu", i);
		(void)snprintf(targets[i], sizeof targets[i], "l%02zu/../l%02zu/..", i + 1, i + 1);
		add_link(names[i], targets[i]);
	}
	add_link("l40", "d");
	assert_result("l00", LINKS_CIRCLE);
}

static void links_lead_to_other_things(void **state)
{
	(void)state;
	start();
	add("fifo", SOURCE_SPECIAL, NULL);
	add_link("l", "fifo");
	assert_result("l", LINKS_OTHER);
}

/* The target of a hard link is the name of a member, from the top of the archive. */
static void links_of_archives_name_members(void **state)
{
	(void)state;
	start();
	add_file("a/file");
	add("a/hard", SOURCE_HARDLINK, "a/file");
	add("b", SOURCE_HARDLINK, "./a/file");
	add("c", SOURCE_HARDLINK, "a");
	add("d", SOURCE_HARDLINK, "file");
	add("e", SOURCE_HARDLINK, "../a/file");
	add("f", SOURCE_HARDLINK, "a/hard");
	add_link("g", "a/hard");
	assert_file("a/hard", "a/file");
	assert_file("b", "a/file");
	assert_result("c", LINKS_NOWHERE);
	assert_result("d", LINKS_NOWHERE);
	assert_result("e", LINKS_OUTSIDE);
	assert_file("f", "a/file");
	assert_file("g", "a/file");
}

/* Of two members with one name the later one counts, as for programs that unpack. */
static void links_lead_to_the_later_of_two(void **state)
{
	struct links_found found;

	(void)state;
	start();
	add_file("a");
	add_file("a");
	add_link("l", "a");
	assert_int_equal(resolve("l", &found), LINKS_FILE);
	assert_int_equal(found.file->number, 1);
	start();
	add_link("a", "b");
	add_file("a");
	add_link("l", "a");
	assert_int_equal(resolve("l", &found), LINKS_FILE);
	assert_int_equal(found.file->type, SOURCE_FILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(links_lead_to_files),
	    cmocka_unit_test(links_lead_through_links),
	    cmocka_unit_test(links_lead_to_folders),
	    cmocka_unit_test(links_lead_to_folders_that_nobody_lists),
	    cmocka_unit_test(links_lead_nowhere),
	    cmocka_unit_test(links_lead_out),
	    cmocka_unit_test(links_lead_in_circles),
	    cmocka_unit_test(links_have_so_many_hops),
	    cmocka_unit_test(links_do_not_explode),
	    cmocka_unit_test(links_lead_to_other_things),
	    cmocka_unit_test(links_of_archives_name_members),
	    cmocka_unit_test(links_lead_to_the_later_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
