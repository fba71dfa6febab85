#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "swarm/headertree.h"

/* A tree of the files, up to a NULL. */
static struct headertree tree_of(enum headertree_host host, const char *const *paths)
{
	struct headertree t = {.host = host};
	struct headertree_node *n;
	struct err e;

	for (; *paths != NULL; paths++) {
		assert_int_equal(headertree_add(&t, *paths, &n, &e), 0);
		assert_string_equal(n->path, *paths);
		assert_false(n->is_folder);
	}
	return t;
}

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Paths, each with where it ends; '=' behind those with a second URL, '*' behind folders with a
 * rule. */
static void assert_tree(enum headertree_host host, const char *const *paths, const char *expected)
{
	struct headertree t = tree_of(host, paths);
	struct buf text = BUF_INIT;
	struct err e;

	assert_int_equal(headertree_finish(&t, &e), 0);
	for (size_t i = 0; i < t.count; i++) {
		const struct headertree_node *n = &t.nodes[i];
		buf_addf(&text, "%s%s:%zu%s", i > 0 ? " " : "", n->path, n->end,
			 n->has_alias ? "=" : "");
		if (n->is_folder && headertree_can_have_rule(&t, i, true))
			buf_addc(&text, '*');
	}
	assert_string_equal(text.data, expected);
	buf_release(&text);
	headertree_release(&t);
}

static void folders_end_where_their_files_do(void **state)
{
	const char *const *paths = PATHS("a/b/1", "a/b/2", "a/c", "d/1", "e");

	(void)state;
	for (enum headertree_host host = HEADERTREE_NETLIFY; host <= HEADERTREE_CLOUDFLARE; host++)
		assert_tree(host, paths, ":9 a:6* a/b:5* a/b/1:4 a/b/2:5 a/c:6 d:8* d/1:8 e:9");
}

static void a_rule_of_netlify_needs_a_name_that_begins_no_other(void **state)
{
	const char *const *paths = PATHS("a/1", "AB", "b/1", "b/c/1", "b/cd");

	(void)state;
	assert_tree(HEADERTREE_NETLIFY, paths, ":9 a:3 a/1:3 AB:4 b:9* b/1:6 b/c:8 b/c/1:8 b/cd:9");
	assert_tree(HEADERTREE_CLOUDFLARE, paths,
		    ":9 a:3* a/1:3 AB:4 b:9* b/1:6 b/c:8* b/c/1:8 b/cd:9");
}

static void all_of_a_host_has_no_rule(void **state)
{
	struct headertree t = tree_of(HEADERTREE_CLOUDFLARE, PATHS("a"));
	struct err e;

	(void)state;
	assert_int_equal(headertree_finish(&t, &e), 0);
	assert_false(headertree_can_have_rule(&t, 0, true));
	assert_true(headertree_can_have_rule(&t, 0, false));
	headertree_release(&t);
}

static void pages_have_second_urls_unless_they_are_taken(void **state)
{
	const char *const *paths = PATHS("a/index.html", "a.html", "b", "b.html", "c.html");

	(void)state;
	assert_tree(HEADERTREE_NETLIFY, paths,
		    ":7 a:3 a/index.html:3= a.html:4 b:5 b.html:6 c.html:7=");
	assert_tree(HEADERTREE_CLOUDFLARE, paths,
		    ":7 a:3* a/index.html:3= a.html:4= b:5 b.html:6 c.html:7=");
}

static void netlify_tells_no_case_apart(void **state)
{
	static const char *const pairs[][3] = {{"A", "a", NULL}, {"A/x", "a", NULL}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct err e = {.code = ERR_NONE};
		struct headertree t = tree_of(HEADERTREE_NETLIFY, pairs[i]);
		assert_int_equal(headertree_finish(&t, &e), -1);
		assert_int_equal(e.code, ERR_REFUSED);
		headertree_release(&t);
		t = tree_of(HEADERTREE_CLOUDFLARE, pairs[i]);
		assert_int_equal(headertree_finish(&t, &e), 0);
		headertree_release(&t);
	}
	/* Two folders are no harm: neither has a rule. */
	assert_tree(HEADERTREE_NETLIFY, PATHS("A/x", "a/y"), ":5 A:3 A/x:3 a:5 a/y:5");
}

static void only_pages_have_aliases(void **state)
{
	static const char *const cases[][2] = {
	    {"index.html", ""},  {"a/index.html", "a/"}, {"a.html", "a"},
	    {"a/b.html", "a/b"}, {"a.htm", NULL},        {".html", NULL},
	    {"a/.html", NULL},   {"a.html/b", NULL},     {"a.HTML", NULL}};
	struct buf alias = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool has = headertree_alias(cases[i][0], &alias);
		assert_int_equal(has, cases[i][1] != NULL);
		if (has)
			assert_string_equal(alias.data, cases[i][1]);
	}
	buf_release(&alias);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(folders_end_where_their_files_do),
	    cmocka_unit_test(a_rule_of_netlify_needs_a_name_that_begins_no_other),
	    cmocka_unit_test(all_of_a_host_has_no_rule),
	    cmocka_unit_test(pages_have_second_urls_unless_they_are_taken),
	    cmocka_unit_test(netlify_tells_no_case_apart),
	    cmocka_unit_test(only_pages_have_aliases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
