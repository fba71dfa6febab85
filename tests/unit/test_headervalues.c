#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "swarm/headervalues.h"

static void values_have_a_number_each(void **state)
{
	struct headervalues v = {.count = 0};
	struct arena arena = ARENA_INIT;
	struct err e = {.code = ERR_NONE};
	char text[16];
	int number;

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < HEADERVALUES_MAX; i++) {
			(void)snprintf(text, sizeof text, "max-age=%d", i);
			for (int again = 0; again < 2; again++) {
				assert_int_equal(headervalues_find(&v, &arena, text, &number, &e),
						 0);
				assert_int_equal(number, i);
			}
		}
	}
	assert_int_equal(v.count, HEADERVALUES_MAX);
	assert_string_equal(v.texts[7], "max-age=7");
	assert_int_equal(headervalues_find(&v, &arena, "one more", &number, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	arena_release(&arena);
}

static void sets_hold_what_was_added(void **state)
{
	struct headervalues_set s = {.bits = {0}};

	(void)state;
	assert_int_equal(headervalues_first(&s), HEADERVALUES_NONE);
	for (size_t n = HEADERVALUES_MAX; n-- > 0;) {
		assert_false(headervalues_has(&s, n));
		headervalues_add(&s, n);
		assert_true(headervalues_has(&s, n));
		assert_int_equal(headervalues_first(&s), n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_have_a_number_each),
	    cmocka_unit_test(sets_hold_what_was_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
