#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "swarm/pads.h"

static void assert_next(struct pads *p, uint64_t size, const char *want)
{
	struct buf name = BUF_INIT;
	struct err e;

	assert_int_equal(pads_name(p, size, &name, &e), 0);
	assert_string_equal(name.data, want);
	buf_release(&name);
}

static void pads_have_names_of_their_own(void **state)
{
	struct err e;
	struct pads *p = pads_new(&e);

	(void)state;
	assert_non_null(p);
	assert_next(p, 5, "5");
	assert_next(p, 7, "7");
	assert_next(p, 5, "5.1");
	assert_next(p, 134217727, "134217727");
	assert_next(p, 5, "5.2");
	assert_next(p, 7, "7.1");
	pads_free(p);
	pads_free(NULL);
}

static void pads_of_many_sizes_are_told_apart(void **state)
{
	struct err e;
	struct pads *p = pads_new(&e);

	(void)state;
	assert_non_null(p);
	for (uint64_t i = 1; i < 20000; i++) {
		struct buf name = BUF_INIT, want = BUF_INIT;
		assert_int_equal(pads_name(p, i * 64, &name, &e), 0);
		buf_addf(&want, "%llu", (unsigned long long)i * 64);
		assert_string_equal(name.data, want.data);
		buf_release(&name);
		buf_release(&want);
	}
	assert_next(p, 64, "64.1");
	assert_next(p, 19999 * 64, "1279936.1");
	assert_next(p, 65, "65");
	pads_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pads_have_names_of_their_own),
	    cmocka_unit_test(pads_of_many_sizes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
