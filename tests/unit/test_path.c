#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/path.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- order ------------------------------------------------------------------------------------ */

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

/* The definition: component by component, as raw bytes; a path before what lies below it. */
static int reference(const char *a, const char *b)
{
	for (;;) {
		size_t n = strcspn(a, "/"), m = strcspn(b, "/");
		int order = memcmp(a, b, n < m ? n : m);
		if (order != 0)
			return order;
		if (n != m)
			return n < m ? -1 : 1;
		if (a[n] == '\0' || b[m] == '\0')
			return (a[n] != '\0') - (b[m] != '\0');
		a += n + 1;
		b += m + 1;
	}
}

static void path_order_is_that_of_a_file_tree(void **state)
{
	static const char *const sorted[] = {
	    "A",  "a",     "a/b",   "a/b/c", "a/b.c", "a/c", "a b",
	    "a!", "a-b/c", "a.txt", "a0",    "aa",    "b",   "\xC3\xA9",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sorted); i++)
		for (size_t k = 0; k < COUNT(sorted); k++)
			assert_int_equal(sign(path_compare(sorted[i], sorted[k])),
					 (i > k) - (i < k));
}

/* All strings of up to five of these bytes: below '/', '/' itself, above it, above 127. */
static void path_order_agrees_with_its_definition(void **state)
{
	static const char bytes[] = {'\0', '.', '/', 'a', '\xFF'};
	static char all[3125][6];

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		for (size_t k = 0, n = i; k < 5; k++, n /= 5)
			all[i][k] = bytes[n % 5];
	for (size_t i = 0; i < COUNT(all); i++)
		for (size_t k = i; k < COUNT(all); k += 7)
			if (sign(path_compare(all[i], all[k])) != sign(reference(all[i], all[k])) ||
			    sign(path_compare(all[k], all[i])) != -sign(reference(all[i], all[k])))
				fail_msg("'%s' and '%s'", all[i], all[k]);
}

static int compare(const void *a, const void *b)
{
	return path_compare(a, b);
}

/* Sorted, every pair is in order, and what lies below a path follows it at once. */
static void path_order_is_total(void **state)
{
	static const char bytes[] = {'/', '.', 'a', '!', '\x80', '-'};
	static char all[900][12];
	unsigned seed = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		seed = seed * 1103515245 + 12345;
		size_t len = 1 + (seed >> 16) % 10;
		for (size_t k = 0; k < len; k++) {
			seed = seed * 1103515245 + 12345;
			all[i][k] = bytes[(seed >> 16) % sizeof bytes];
		}
	}
	qsort(all, COUNT(all), sizeof *all, compare);
	for (size_t i = 0; i < COUNT(all); i++) {
		bool below = true;
		for (size_t k = i; k < COUNT(all); k++) {
			int order = path_compare(all[i], all[k]);
			assert_true(order < 0 || (order == 0 && strcmp(all[i], all[k]) == 0));
			bool now = strcmp(all[i], all[k]) == 0 || path_is_below(all[k], all[i]);
			assert_false(now && !below);
			below = now;
		}
	}
}

static void path_is_below_its_folders_only(void **state)
{
	(void)state;
	assert_true(path_is_below("a/b/c", "a/b"));
	assert_true(path_is_below("a/b/c", "a"));
	assert_false(path_is_below("a/b/c", "a/b/c"));
	assert_false(path_is_below("a/bc", "a/b"));
	assert_false(path_is_below("a", "a/b"));
	assert_false(path_is_below("b/a", "a"));
	assert_false(path_is_below("a.b/c", "a"));
}

/* --- names that cannot exist everywhere ------------------------------------------------------- */

/* On its own, at the start, in the middle and at the end of a path. */
static void assert_component(const char *name, const char *want)
{
	char path[1200];
	static const char *const places[] = {"%s", "%s/b", "a/%s", "a/%s/b"};

	for (size_t i = 0; i < COUNT(places); i++) {
		const char *slot = strstr(places[i], "%s");
		(void)snprintf(path, sizeof path, "%.*s%s%s", (int)(slot - places[i]), places[i],
			       name, slot + 2);
		const char *why = path_unportable(path);
		if (want == NULL ? why != NULL : why == NULL || strcmp(why, want) != 0)
			fail_msg("'%s': %s", path, why != NULL ? why : "taken");
	}
}

static void assert_portable(const char *name)
{
	assert_component(name, NULL);
}

static void path_takes_ordinary_names(void **state)
{
	static const char *const names[] = {
	    "a",
	    "index.html",
	    ".nojekyll",
	    ".well-known",
	    "...a",
	    "a..b",
	    "a b",
	    " a",
	    "~",
	    "-",
	    "--help",
	    "$x",
	    "%2e%2e",
	    "{}",
	    "[a]",
	    "a;b",
	    "a&b",
	    "#",
	    "!",
	    "@",
	    "=+",
	    "'",
	    "`",
	    "(a)",
	    "日本語",
	    "\xC3\xA9",
	    "e\xCC\x81",
	    "\xEF\xBF\xBF",
	    "\xF4\x8F\xBF\xBF",
	    "\xC2\xA0",
	    "__proto",
	    "proto__",
	    "__Proto__",
	    "a__proto__",
	    "..a",
	    ".a.b",
	    "\xE2\x80\xAE",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_portable(names[i]);
}

static void path_refuses_windows_devices(void **state)
{
	static const char *const devices[] = {
	    "con",         "prn",         "aux",         "nul",         "clock$",
	    "conin$",      "conout$",     "com1",        "com2",        "com3",
	    "com4",        "com5",        "com6",        "com7",        "com8",
	    "com9",        "lpt1",        "lpt2",        "lpt3",        "lpt4",
	    "lpt5",        "lpt6",        "lpt7",        "lpt8",        "lpt9",
	    "com\xC2\xB9", "com\xC2\xB2", "com\xC2\xB3", "lpt\xC2\xB9", "lpt\xC2\xB2",
	    "lpt\xC2\xB3",
	};
	static const char why[] = "it has the name of a Windows device";
	char name[64];

	(void)state;
	for (size_t i = 0; i < COUNT(devices); i++) {
		const char *d = devices[i];
		assert_component(d, why);
		(void)snprintf(name, sizeof name, "%s.txt", d);
		assert_component(name, why);
		(void)snprintf(name, sizeof name, "%s.tar.gz", d);
		assert_component(name, why);
		(void)snprintf(name, sizeof name, "%s .txt", d);
		assert_component(name, why);
		(void)snprintf(name, sizeof name, "%s", d);
		for (size_t k = 0; name[k] != '\0'; k++)
			if (name[k] >= 'a' && name[k] <= 'z')
				name[k] = (char)(name[k] - 'a' + 'A');
		assert_component(name, why);
		name[1] = (char)(name[1] - 'A' + 'a');
		assert_component(name, why);
		(void)snprintf(name, sizeof name, "%sx", d);
		assert_portable(name);
		(void)snprintf(name, sizeof name, "x%s", d);
		assert_portable(name);
		(void)snprintf(name, sizeof name, ".%s", d);
		assert_portable(name);
		(void)snprintf(name, sizeof name, "a.%s", d);
		assert_portable(name);
		(void)snprintf(name, sizeof name, "%s-1.txt", d);
		assert_portable(name);
	}
}

static void path_takes_names_that_are_almost_devices(void **state)
{
	static const char *const names[] = {
	    "com",   "lpt",   "com0",         "com10",      "com1a",       "lpt0",        "co",
	    "cons",  "conn",  "auxiliary",    "null",       "nu",          "com\xC2\xB4", "com\xC2",
	    "clock", "conin", "com1\xC2\xB9", "c\xC3\xB6n", "com\xC2\xB0",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], "com\xC2") != 0)
			assert_portable(names[i]);
	assert_component("com\xC2", "it is not valid UTF-8");
}

static void path_refuses_characters_of_other_systems(void **state)
{
	(void)state;
	for (int c = 1; c < 128; c++) {
		char name[] = {'a', (char)c, 'b', '\0'};
		if (c < 0x20 || c == 0x7F)
			assert_component(name, "it has a control character");
		else if (strchr("\\:*?\"<>|", c) != NULL)
			assert_component(name, "it has one of \\ : * ? \" < > |");
		else if (c != '/')
			assert_portable(name);
	}
	for (int c = 0x80; c < 0xC0; c++) {
		char name[] = {'\xC2', (char)c, '\0'};
		assert_component(name, c < 0xA0 ? "it has a control character" : NULL);
	}
}

static void path_refuses_what_is_not_utf8(void **state)
{
	static const char *const names[] = {"\xFF",
					    "a\x80",
					    "\xC3",
					    "\xE2\x82",
					    "\xED\xA0\x80",
					    "\xC0\xAE\xC0\xAE",
					    "\xF5\x80\x80\x80"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_component(names[i], "it is not valid UTF-8");
}

static void path_refuses_names_that_systems_change(void **state)
{
	(void)state;
	assert_component(".", "it has a component '.' or '..'");
	assert_component("..", "it has a component '.' or '..'");
	assert_component("...", "a component ends in a dot");
	assert_component("a.", "a component ends in a dot");
	assert_component("a ", "a component ends in a space");
	assert_component(" ", "a component ends in a space");
	assert_component("a. ", "a component ends in a space");
	assert_component("__proto__", "it has a component '__proto__'");
	assert_component("con.", "a component ends in a dot");
	assert_component("con ", "a component ends in a space");
}

static void path_refuses_empty_components(void **state)
{
	static const char *const paths[] = {"/", "/a", "a/", "a//b", "//", "a/b//"};

	(void)state;
	assert_string_equal(path_unportable(""), "it is empty");
	for (size_t i = 0; i < COUNT(paths); i++)
		assert_string_equal(path_unportable(paths[i]), "it has an empty component");
	assert_null(path_unportable("a/b"));
}

static void path_refuses_pads_at_the_top_only(void **state)
{
	static const char why[] = "a top-level '.pad' is where torrents keep padding";

	(void)state;
	assert_string_equal(path_unportable(".pad"), why);
	assert_string_equal(path_unportable(".pad/1"), why);
	assert_null(path_unportable("a/.pad"));
	assert_null(path_unportable("a/.pad/1"));
	assert_null(path_unportable(".pads"));
	assert_null(path_unportable(".padx/1"));
}

static void path_refuses_long_names(void **state)
{
	char path[1100];

	(void)state;
	memset(path, 'a', sizeof path);
	path[255] = '\0';
	assert_null(path_unportable(path));
	path[255] = 'a';
	path[256] = '\0';
	assert_string_equal(path_unportable(path), "a component is longer than 255 bytes");
	memset(path, 'a', sizeof path);
	for (size_t i = 100; i < sizeof path; i += 100)
		path[i] = '/';
	path[1024] = '\0';
	assert_null(path_unportable(path));
	path[1024] = 'a';
	path[1025] = '\0';
	assert_string_equal(path_unportable(path), "it is longer than 1024 bytes");
}

/* --- taking apart ----------------------------------------------------------------------------- */

static void path_normalize_does_as_tar_does(void **state)
{
	static const struct {
		const char *from, *to; /* NULL: refused */
	} cases[] = {
	    {"a", "a"},
	    {"a/b", "a/b"},
	    {"./a", "a"},
	    {"././a", "a"},
	    {"./", NULL},
	    {".", NULL},
	    {"", NULL},
	    {"a/", "a"},
	    {"a//", "a"},
	    {"a//b", "a/b"},
	    {"a/./b", "a/b"},
	    {"a/.", "a"},
	    {".//.//a//./b/", "a/b"},
	    {"/a", NULL},
	    {"/", NULL},
	    {"//a", NULL},
	    {"..", NULL},
	    {"../a", NULL},
	    {"a/..", NULL},
	    {"a/../b", NULL},
	    {"./../a", NULL},
	    {"a/b/..", NULL},
	    {"...", "..."},
	    {"..a", "..a"},
	    {"a..", "a.."},
	    {".a", ".a"},
	    {"a/...", "a/..."},
	    {"./.a/", ".a"},
	    {"\\a", "\\a"},
	    {"C:/a", "C:/a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char path[64];
		(void)snprintf(path, sizeof path, "%s", cases[i].from);
		bool ok = path_normalize(path);
		if (ok != (cases[i].to != NULL) || (ok && strcmp(path, cases[i].to) != 0))
			fail_msg("'%s' became '%s'", cases[i].from, ok ? path : "nothing");
	}
}

static void path_strip_drops_leading_components(void **state)
{
	(void)state;
	assert_string_equal(path_strip("a/b/c", 0), "a/b/c");
	assert_string_equal(path_strip("a/b/c", 1), "b/c");
	assert_string_equal(path_strip("a/b/c", 2), "c");
	assert_null(path_strip("a/b/c", 3));
	assert_null(path_strip("a/b/c", 4000000000));
	assert_null(path_strip("a", 1));
	assert_string_equal(path_strip("", 0), "");
	assert_null(path_strip("", 1));
}

static void path_base_is_the_last_component(void **state)
{
	(void)state;
	assert_string_equal(path_base("a"), "a");
	assert_string_equal(path_base("a/b/c.d"), "c.d");
	assert_string_equal(path_base("a/"), "");
	assert_string_equal(path_base(""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(path_order_is_that_of_a_file_tree),
	    cmocka_unit_test(path_order_agrees_with_its_definition),
	    cmocka_unit_test(path_order_is_total),
	    cmocka_unit_test(path_is_below_its_folders_only),
	    cmocka_unit_test(path_takes_ordinary_names),
	    cmocka_unit_test(path_refuses_windows_devices),
	    cmocka_unit_test(path_takes_names_that_are_almost_devices),
	    cmocka_unit_test(path_refuses_characters_of_other_systems),
	    cmocka_unit_test(path_refuses_what_is_not_utf8),
	    cmocka_unit_test(path_refuses_names_that_systems_change),
	    cmocka_unit_test(path_refuses_empty_components),
	    cmocka_unit_test(path_refuses_pads_at_the_top_only),
	    cmocka_unit_test(path_refuses_long_names),
	    cmocka_unit_test(path_normalize_does_as_tar_does),
	    cmocka_unit_test(path_strip_drops_leading_components),
	    cmocka_unit_test(path_base_is_the_last_component),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
