#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "swarm/traps.h"

#define LAST_BMP "\xEF\xBF\xBD"     /* U+FFFD */
#define PRIVATE  "\xEE\x80\x80"     /* U+E000 */
#define BEFORE   "\xED\x9F\xBF"     /* U+D7FF */
#define ASTRAL   "\xF0\x90\x80\x80" /* U+10000 */
#define EMOJI    "\xF0\x9F\x98\x80"

static void traps_know_where_utf_16_sorts_otherwise(void **state)
{
	(void)state;
	assert_true(traps_are_swapped(PRIVATE, ASTRAL));
	assert_true(traps_are_swapped("a/" LAST_BMP, "a/" EMOJI "/x"));
	assert_true(traps_are_swapped("x" LAST_BMP "y", "x" EMOJI));
	assert_false(traps_are_swapped(BEFORE, ASTRAL));
	assert_false(traps_are_swapped(ASTRAL, EMOJI));
	assert_false(traps_are_swapped(PRIVATE, LAST_BMP));
	assert_false(traps_are_swapped("a", EMOJI));
	/* The first difference decides: behind it they may be what they like. */
	assert_false(traps_are_swapped("a" LAST_BMP, "b" EMOJI));
	assert_false(traps_are_swapped("a/" LAST_BMP, "b/" EMOJI));
	assert_false(traps_are_swapped(EMOJI "/a", EMOJI "/b"));
	assert_false(traps_are_swapped("a", "a/b"));
	assert_false(traps_are_swapped("", "a"));
	assert_false(traps_are_swapped(LAST_BMP, LAST_BMP EMOJI));
}

static void traps_know_what_a_url_takes_for_itself(void **state)
{
	(void)state;
	assert_int_equal(traps_in_url("a b/c+d&e;f=g(h)'\xC3\xA9"), 0);
	assert_int_equal(traps_in_url("a/b#c"), '#');
	assert_int_equal(traps_in_url("100%"), '%');
	assert_int_equal(traps_in_url("%/#"), '%');
	assert_int_equal(traps_in_url(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(traps_know_where_utf_16_sorts_otherwise),
	    cmocka_unit_test(traps_know_what_a_url_takes_for_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
