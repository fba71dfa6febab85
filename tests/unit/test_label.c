#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "swarm/label.h"

static void label_names_are_parsed_back(void **state)
{
	(void)state;
	for (int i = LABEL_PUBLIC; i <= LABEL_PRIVATE; i++) {
		enum label label = LABEL_PUBLIC;
		assert_true(label_parse(label_name((enum label)i), &label));
		assert_int_equal(label, i);
		assert_string_equal(label_names[i], label_name((enum label)i));
	}
	assert_null(label_names[LABEL_PRIVATE + 1]);
}

static void label_parse_knows_no_other_word(void **state)
{
	static const char *const words[] = {"", "Public", "publi", "publics", " public", "error"};

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		enum label label = LABEL_ORIGIN;
		assert_false(label_parse(words[i], &label));
		assert_int_equal(label, LABEL_ORIGIN);
	}
}

static void label_stricter_allows_less(void **state)
{
	(void)state;
	for (int a = LABEL_PUBLIC; a <= LABEL_PRIVATE; a++)
		for (int b = LABEL_PUBLIC; b <= LABEL_PRIVATE; b++)
			assert_int_equal(label_stricter((enum label)a, (enum label)b),
					 a > b ? a : b);
	assert_int_equal(label_stricter(LABEL_PUBLIC, LABEL_PRIVATE), LABEL_PRIVATE);
	assert_int_equal(label_stricter(LABEL_ORIGIN, LABEL_PUBLIC), LABEL_ORIGIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(label_names_are_parsed_back),
	    cmocka_unit_test(label_parse_knows_no_other_word),
	    cmocka_unit_test(label_stricter_allows_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
