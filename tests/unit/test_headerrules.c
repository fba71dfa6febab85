#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/headerrules.h"
#include "swarm/path.h"

#include "folder.h"

static int set_up(void **state)
{
	(void)state;
	return make_folder("out");
}

static int tear_down(void **state)
{
	(void)state;
	return remove_folder();
}

/* A file: its path, and the letter of its `cache`; '-' for none. */
struct file {
	const char *path;
	char cache;
};

/* The patterns of the rules for these files, each with the letter of what it says. */
static void check(enum headertree_host server, const char *prefix, const struct file *files,
		  const char *expected)
{
	const struct head head = {.id = {.product = "farm", .channel = "stable", .version = "1"}};
	struct headerrules *h;
	struct outfile *out;
	struct buf text = BUF_INIT, rules = BUF_INIT;
	struct err e;
	uint64_t count, lines = 0;

	h = headerrules_new(server, prefix, &e);
	assert_non_null(h);
	for (; files->path != NULL; files++) {
		char name[64], cache[] = "?";
		*cache = files->cache;
		(void)snprintf(name, sizeof name, "%s", files->path);
		struct entry entry = {.path = name, .cache = *cache != '-' ? cache : NULL};
		assert_int_equal(headerrules_add(h, &entry, &e), 0);
		memset(name, 'x', sizeof name - 1);
		*cache = 'x';
	}
	out = open_output();
	assert_int_equal(headerrules_write(h, &head, out, &count, &e), 0);
	headerrules_free(h);
	read_output(out, &text);
	for (char *line = strtok(text.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (*line == '/') {
			buf_addf(&rules, "%s", line);
			lines++;
		} else if (strncmp(line, "  Cache-Control: ", 17) == 0) {
			buf_addf(&rules, " %s\n", line + 17);
		} else {
			assert_true(*line == '#' || strcmp(line, "  ! Cache-Control") == 0);
			if (*line != '#')
				buf_addc(&rules, '!');
		}
	}
	assert_string_equal(rules.data, expected);
	assert_int_equal(count, lines);
	buf_release(&text);
	buf_release(&rules);
}

#define FILES(...) ((const struct file[]){__VA_ARGS__, {NULL, '-'}})

static void headerrules_are_for_the_largest_folders_of_one_kind(void **state)
{
	const struct file *files =
	    FILES({"a/b/1", 'A'}, {"a/b/2", 'A'}, {"a/c/1", 'A'}, {"d/1", 'B'}, {"d/2", '-'});

	(void)state;
	check(HEADERTREE_NETLIFY, NULL, files, "/a/* A\n/d/1 B\n");
	check(HEADERTREE_CLOUDFLARE, NULL, files, "/a/* A\n/d/1 B\n");
	check(HEADERTREE_NETLIFY, "x/y", files, "/x/y/a/* A\n/x/y/d/1 B\n");
}

/* Whatever stands behind its name: Netlify's patterns need no slash. */
static void headerrules_of_netlify_match_nothing_beside_a_folder(void **state)
{
	(void)state;
	check(HEADERTREE_NETLIFY, NULL, FILES({"a/1", 'A'}, {"ab", '-'}), "/a/1 A\n");
	check(HEADERTREE_NETLIFY, NULL, FILES({"AB/1", '-'}, {"a/1", 'A'}), "/a/1 A\n");
	check(HEADERTREE_NETLIFY, NULL, FILES({"a/1", 'A'}, {"a-1/2", 'A'}, {"b/1", 'A'}),
	      "/a/1 A\n/a-1/* A\n/b/* A\n");
	check(HEADERTREE_NETLIFY, NULL, FILES({"b/a/1", 'A'}, {"b/ab", 'A'}), "/b/* A\n");
	check(HEADERTREE_CLOUDFLARE, NULL, FILES({"a/1", 'A'}, {"ab", '-'}), "/a/* A\n");
}

static void headerrules_of_cloudflare_are_as_few_as_can_be(void **state)
{
	(void)state;
	/* Most of a folder, and what is taken back. */
	check(HEADERTREE_CLOUDFLARE, NULL,
	      FILES({"a/1", 'A'}, {"a/2", 'A'}, {"a/3", 'B'}, {"a/4", 'A'}), "/a/* A\n/a/3! B\n");
	/* Of folders each counts once, however much is in it. */
	check(HEADERTREE_CLOUDFLARE, NULL,
	      FILES({"a/b/1", 'B'}, {"a/b/2", 'B'}, {"a/b/3", 'B'}, {"a/c/1", 'A'}, {"a/d", 'A'}),
	      "/a/* A\n/a/b/*! B\n");
	/* A folder that is as well with either goes with what is around it. */
	check(HEADERTREE_CLOUDFLARE, NULL,
	      FILES({"a/b/1", 'A'}, {"a/b/2", 'B'}, {"a/c", 'B'}, {"a/d", 'B'}),
	      "/a/* B\n/a/b/1! A\n");
	/* What is to be left alone keeps rules off all folders around it. */
	check(HEADERTREE_CLOUDFLARE, "/x/",
	      FILES({"a/b/1", '-'}, {"a/b/2", 'A'}, {"a/c", 'A'}, {"d", 'A'}),
	      "/x/a/b/2 A\n/x/a/c A\n/x/d A\n");
	check(HEADERTREE_CLOUDFLARE, "/x/", FILES({"a/b", 'A'}, {"c", 'A'}, {"d", 'B'}),
	      "/x/* A\n/x/d! B\n");
}

static void headerrules_know_the_other_urls_of_pages(void **state)
{
	const struct file *files = FILES({"a/index.html", 'A'}, {"a/x", 'B'}, {"b.html", 'A'},
					 {"c", 'A'}, {"c.html", 'B'}, {"index.html", 'A'});

	(void)state;
	check(HEADERTREE_NETLIFY, NULL, files,
	      "/a/index.html A\n/a/ A\n/a/x B\n/b.html A\n/b A\n/c A\n/c.html B\n/index.html A\n/ "
	      "A\n");
	/* A page needs two rules, so the folder has its. */
	check(HEADERTREE_CLOUDFLARE, NULL, files,
	      "/a/* A\n/a/x! B\n/b.html A\n/b A\n/c A\n/c.html B\n/index.html A\n/ A\n");
	/* Which of two pages it is is Netlify's affair: there are no two rules for it. */
	files = FILES({"a/index.html", 'A'}, {"a/x", 'B'}, {"a.html", 'B'});
	check(HEADERTREE_NETLIFY, NULL, files, "/a/index.html A\n/a/ A\n/a/x B\n/a.html B\n");
	check(HEADERTREE_CLOUDFLARE, NULL, files, "/a/* A\n/a/x! B\n/a.html B\n/a B\n");
	check(HEADERTREE_NETLIFY, NULL, FILES({".html", 'A'}, {"x.htm", 'B'}),
	      "/.html A\n/x.htm B\n");
}

static void headerrules_go_as_deep_as_paths(void **state)
{
	const struct head head = {.id = {.product = "farm", .channel = "stable", .version = "1"}};
	static char deep[PATH_LENGTH_MAX + 1];
	struct err e;
	uint64_t count;

	(void)state;
	for (size_t i = 0; i < PATH_LENGTH_MAX - 1; i++)
		deep[i] = i % 2 == 0 ? 'a' : '/';
	for (enum headertree_host server = HEADERTREE_NETLIFY; server <= HEADERTREE_CLOUDFLARE;
	     server++) {
		struct headerrules *h = headerrules_new(server, NULL, &e);
		struct outfile *out = open_output();
		struct entry entry = {.path = deep, .cache = "A"};
		assert_non_null(h);
		assert_int_equal(headerrules_add(h, &entry, &e), 0);
		assert_int_equal(headerrules_write(h, &head, out, &count, &e), 0);
		assert_int_equal(count, 1);
		outfile_free(out);
		headerrules_free(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headerrules_are_for_the_largest_folders_of_one_kind),
	    cmocka_unit_test(headerrules_of_netlify_match_nothing_beside_a_folder),
	    cmocka_unit_test(headerrules_of_cloudflare_are_as_few_as_can_be),
	    cmocka_unit_test(headerrules_know_the_other_urls_of_pages),
	    cmocka_unit_test(headerrules_go_as_deep_as_paths),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
