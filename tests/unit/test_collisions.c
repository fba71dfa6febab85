#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/collisions.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int take(void *context, const char *first, size_t first_len, const char *second,
		size_t second_len, struct err *e)
{
	struct buf *to = context;

	(void)e;
	buf_adds(to, to->len > 0 ? " " : "");
	buf_add(to, first, first_len);
	buf_addc(to, '=');
	buf_add(to, second, second_len);
	return 0;
}

/* "FIRST=SECOND" of each that is found, with blanks between. */
static void assert_found(const char *const *paths, size_t count, const char *want)
{
	struct buf found = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(collisions_find(paths, count, take, &found, &e), 0);
	assert_string_equal(found.data != NULL ? found.data : "", want);
	buf_release(&found);
}

#define FOUND(want, ...)                                          \
	do {                                                      \
		static const char *const paths[] = {__VA_ARGS__}; \
		assert_found(paths, COUNT(paths), want);          \
	} while (0)

static void collisions_are_those_of_case(void **state)
{
	(void)state;
	assert_found(NULL, 0, "");
	FOUND("", "a", "b");
	FOUND("A=a", "A", "a");
	FOUND("A.PNG=a.png", "A.PNG", "a.png", "b.png");
	FOUND("strasse=straße", "strasse", "straße");
	FOUND("kelvin=\u212Aelvin", "kelvin", "\u212Aelvin");
}

static void collisions_are_those_of_accents(void **state)
{
	(void)state;
	FOUND("e\u0301=\u00E9", "e\u0301", "\u00E9");
	FOUND("E\u0301=\u00E9", "E\u0301", "e", "\u00E9");
	FOUND("\u1100\u1161=\uAC00", "\u1100\u1161", "\uAC00");
	FOUND("", "e\u0301", "e\u0300", "e");
	/* Only compatibility makes these one. */
	FOUND("", "2", "\u00B2");
}

static void collisions_of_folders_stand_for_what_is_in_them(void **state)
{
	(void)state;
	FOUND("", "a/x", "b/x", "x");
	FOUND("A=a", "A/x", "a/x");
	FOUND("A=a", "A/x", "a/y/z");
	FOUND("top/A=top/a", "top/A/x/1", "top/A/y", "top/a/x/1", "top/a/x/2");
	FOUND("a/X=a/x", "a/X", "a/x");
	FOUND("A=a a/X=a/x", "A/x", "a/X", "a/x");
}

static void collisions_are_between_files_and_folders_too(void **state)
{
	(void)state;
	FOUND("A=a", "A", "a/x");
	FOUND("A=a", "A/x", "a");
}

/* Which archives can hold; that is told of as something else. */
static void collisions_of_a_name_with_itself_are_none(void **state)
{
	(void)state;
	FOUND("", "a", "a/b");
	FOUND("", "a", "a/b", "a/b/c");
	FOUND("A=a A=a", "A", "a", "a/b");
}

static void collisions_name_the_nearest(void **state)
{
	(void)state;
	FOUND("AB=Ab Ab=aB aB=ab", "AB", "Ab", "aB", "ab");
}

static void collisions_pass_over_what_is_no_utf8(void **state)
{
	(void)state;
	FOUND("B=b", "A\xC3", "B", "\xED\xA0\x80", "a\xC3", "b", "\xFE", "\xFF");
	FOUND("", "\xFF/x", "\xFF/x2");
}

static int refuse(void *context, const char *first, size_t first_len, const char *second,
		  size_t second_len, struct err *e)
{
	(void)first;
	(void)first_len;
	(void)second;
	(void)second_len;
	++*(int *)context;
	return err_set(e, ERR_REFUSED, "enough");
}

static void collisions_end_when_told_to(void **state)
{
	static const char *const paths[] = {"A", "B", "a", "b"};
	struct err e = {.code = ERR_NONE};
	int calls = 0;

	(void)state;
	assert_int_equal(collisions_find(paths, COUNT(paths), refuse, &calls, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_int_equal(calls, 1);
}

static int count(void *context, const char *first, size_t first_len, const char *second,
		 size_t second_len, struct err *e)
{
	(void)first;
	(void)second;
	(void)e;
	*(size_t *)context += first_len == second_len;
	return 0;
}

/* All spellings of a word of 16 letters: one folded name for 65,536. */
static void collisions_of_many_are_found_in_time(void **state)
{
	enum { LETTERS = 16, N = 1 << LETTERS };
	char(*names)[LETTERS + 1] = calloc(N, sizeof *names);
	const char **paths = calloc(N, sizeof *paths);
	struct err e = {.code = ERR_NONE};
	size_t found = 0;

	(void)state;
	assert_non_null(names);
	assert_non_null(paths);
	for (unsigned i = 0; i < N; i++) {
		for (unsigned k = 0; k < LETTERS; k++)
			names[i][k] = i >> (LETTERS - 1 - k) & 1 ? 'a' : 'A';
		paths[i] = names[i];
	}
	assert_int_equal(collisions_find(paths, N, count, &found, &e), 0);
	assert_int_equal(found, N - 1);
	free(paths);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(collisions_are_those_of_case),
	    cmocka_unit_test(collisions_are_those_of_accents),
	    cmocka_unit_test(collisions_of_folders_stand_for_what_is_in_them),
	    cmocka_unit_test(collisions_are_between_files_and_folders_too),
	    cmocka_unit_test(collisions_of_a_name_with_itself_are_none),
	    cmocka_unit_test(collisions_name_the_nearest),
	    cmocka_unit_test(collisions_pass_over_what_is_no_utf8),
	    cmocka_unit_test(collisions_end_when_told_to),
	    cmocka_unit_test(collisions_of_many_are_found_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
