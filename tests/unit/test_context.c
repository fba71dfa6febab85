#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "swarm/context.h"

/* The first and the last are kept, of what is gone one is empty. */
static const struct context_file files[] = {
    {.size = 10},
    {.size = 20, .gone = true},
    {.size = 0, .gone = true},
    {.size = 30, .gone = true},
    {.size = 40},
    {.size = 5},
};

#define COUNT (sizeof files / sizeof *files)

/* Which are chosen, as bits. */
static unsigned chosen(const struct context_file *f)
{
	unsigned bits = 0;

	for (size_t i = 0; i < COUNT; i++)
		bits |= (unsigned)f[i].chosen << i;
	return bits;
}

static void context_takes_what_is_gone_first(void **state)
{
	static const struct {
		uint64_t limit, length;
		unsigned chosen;
	} cases[] = {
	    {UINT64_MAX, 105, 0x3F}, {105, 105, 0x3F}, {104, 100, 0x1F}, {100, 100, 0x1F},
	    {99, 60, 0x0F},          {60, 60, 0x0F},   {59, 50, 0x0E},   {49, 20, 0x06},
	    {20, 20, 0x06},          {19, 0, 0x00},    {0, 0, 0x00},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct context_file list[COUNT];
		for (size_t k = 0; k < COUNT; k++)
			list[k] = files[k];
		assert_int_equal(context_choose(list, COUNT, cases[i].limit), cases[i].length);
		assert_int_equal(chosen(list), cases[i].chosen);
	}
}

/* Whoever knows the length finds the same files, but for empty ones. */
static void context_is_known_by_its_length(void **state)
{
	(void)state;
	for (uint64_t limit = 0; limit <= 120; limit++) {
		struct context_file a[COUNT], b[COUNT];
		for (size_t k = 0; k < COUNT; k++) {
			a[k] = b[k] = files[k];
			b[k].chosen = true;
		}
		uint64_t length = context_choose(a, COUNT, limit);
		assert_true(context_match(b, COUNT, length));
		for (size_t k = 0; k < COUNT; k++)
			if (files[k].size > 0)
				assert_int_equal(a[k].chosen, b[k].chosen);
		assert_int_equal(context_match(b, COUNT, limit), limit == length);
	}
}

static void context_of_no_files_is_empty(void **state)
{
	(void)state;
	assert_int_equal(context_choose(NULL, 0, 100), 0);
	assert_true(context_match(NULL, 0, 0));
	assert_false(context_match(NULL, 0, 1));
}

static void context_sizes_do_not_wrap(void **state)
{
	struct context_file list[] = {{.size = UINT64_MAX - 1}, {.size = 3}, {.size = 1}};

	(void)state;
	assert_true(context_choose(list, 3, UINT64_MAX) == UINT64_MAX - 1);
	assert_false(list[1].chosen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(context_takes_what_is_gone_first),
	    cmocka_unit_test(context_is_known_by_its_length),
	    cmocka_unit_test(context_of_no_files_is_empty),
	    cmocka_unit_test(context_sizes_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
