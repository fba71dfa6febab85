#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "swarm/grow.h"

/* malloc() fails under AddressSanitizer as it does without. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void grow_keeps_what_it_holds(void **state)
{
	size_t count = 0, room = 0, moves = 0;
	uint64_t *list = NULL;
	struct err e;

	(void)state;
	while (count < 10000) {
		size_t before = room;
		uint64_t *more = grow_for_one(list, count, &room, sizeof *more, &e);
		assert_non_null(more);
		assert_true(room > count);
		moves += room != before;
		list = more;
		list[count] = count * 3;
		count++;
	}
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i], i * 3);
	/* Each time by a share of what there is: else a million would be copied a million times. */
	assert_in_range(moves, 2, 30);
	free(list);
}

static void grow_leaves_an_array_that_has_room(void **state)
{
	char array[4];
	size_t room = sizeof array;
	struct err e = {.code = ERR_NONE};

	(void)state;
	/* It is not even on the heap. */
	for (size_t count = 0; count < sizeof array; count++)
		assert_ptr_equal(grow_for_one(array, count, &room, 1, &e), array);
	assert_int_equal(room, sizeof array);
	assert_int_equal(e.code, ERR_NONE);
}

static void grow_says_when_there_is_no_memory(void **state)
{
	/* No allocator has the first; the second would wrap around. */
	static const size_t sizes[] = {SIZE_MAX / 32, SIZE_MAX / 2};
	size_t count = 0, room = 0;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		e.code = ERR_NONE;
		assert_null(grow_for_one(NULL, count, &room, sizes[i], &e));
		assert_int_equal(e.code, ERR_SYSTEM);
		assert_int_equal(room, 0);
	}
	char *list = grow_for_one(NULL, count, &room, 1, &e);
	assert_non_null(list);
	for (; count < room; count++)
		list[count] = (char)count;
	/* The array is as it was. */
	size_t full = room;
	assert_null(grow_for_one(list, count, &room, SIZE_MAX / 2, &e));
	assert_int_equal(room, full);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i], i);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grow_keeps_what_it_holds),
	    cmocka_unit_test(grow_leaves_an_array_that_has_room),
	    cmocka_unit_test(grow_says_when_there_is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
