#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "swarm/faults.h"

static void faults_keep_what_names_hold(void **state)
{
	struct faults f = FAULTS_INIT;
	char path[32] = "a\nb\tc", what[32] = "\n";
	struct err e;

	(void)state;
	assert_int_equal(faults_add(&f, path, what, &e), 0);
	/* Both are copied. */
	path[0] = what[0] = 'x';
	for (int i = 1; i < 100; i++) {
		(void)snprintf(path, sizeof path, "%d", i);
		assert_int_equal(faults_add(&f, path, "", &e), 0);
	}
	assert_int_equal(f.count, 100);
	assert_string_equal(f.items[0].path, "a\nb\tc");
	assert_string_equal(f.items[0].what, "\n");
	assert_string_equal(f.items[99].path, "99");
	faults_release(&f);
	assert_int_equal(f.count, 0);
	faults_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(faults_keep_what_names_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
