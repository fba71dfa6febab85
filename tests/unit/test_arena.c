#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/arena.h"

/* malloc() fails under AddressSanitizer as it does without. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void arena_blocks_are_aligned_and_apart(void **state)
{
	struct arena a = ARENA_INIT;
	struct {
		uint8_t *at;
		size_t size;
	} block[3000];
	const size_t n = sizeof block / sizeof *block;
	size_t size = 1;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		size = (size * 1103515245 + 12345) % 700;
		/* Some stand between others as texts do, and some have a chunk of their own. */
		block[i].size = i % 500 == 17 ? 70000 : size;
		if (i % 3 == 0) {
			block[i].at = (uint8_t *)arena_copy(&a, "", 0);
			block[i].size = 1;
		} else {
			block[i].at = arena_alloc(&a, block[i].size);
			assert_int_equal((uintptr_t)block[i].at % alignof(max_align_t), 0);
		}
		assert_non_null(block[i].at);
		memset(block[i].at, (int)(i & 0xFF), block[i].size);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < block[i].size; k++)
			assert_int_equal(block[i].at[k], i & 0xFF);
	arena_release(&a);
	assert_null(a.chunks);
}

static void arena_copies_any_bytes_and_ends_them(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	const char *copy = arena_copy(&a, "a\0bc", 3);
	assert_memory_equal(copy, "a\0b\0", 4);
	assert_string_equal(arena_copy(&a, "", 0), "");
	assert_string_equal(arena_copy(&a, NULL, 0), "");
	arena_release(&a);
}

static void arena_takes_blocks_at_the_borders_of_a_chunk(void **state)
{
	static const size_t sizes[] = {16383, 16384, 16385, 65535, 65536, 65537, 1000000};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (int round = 0; round < 5; round++) {
			char *at = arena_alloc(&a, sizes[i]);
			assert_non_null(at);
			memset(at, 'x', sizes[i]);
			assert_string_equal(arena_copy(&a, "text", 4), "text");
		}
	}
	arena_release(&a);
}

static void arena_says_when_there_is_no_memory(void **state)
{
	static const size_t sizes[] = {SIZE_MAX / 8};
	struct arena a = ARENA_INIT;

	(void)state;
	for (int full = 0; full < 2; full++) {
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			assert_null(arena_alloc(&a, sizes[i]));
			assert_null(arena_copy(&a, "x", sizes[i]));
		}
		/* These would wrap around before malloc() could say no. */
		assert_null(arena_alloc(&a, SIZE_MAX));
		assert_null(arena_alloc(&a, SIZE_MAX - 1));
		assert_null(arena_alloc(&a, SIZE_MAX - 15));
		assert_null(arena_copy(&a, "x", SIZE_MAX));
		assert_null(arena_copy(&a, "x", SIZE_MAX - 1));
		assert_string_equal(arena_copy(&a, "still", 5), "still");
	}
	arena_release(&a);
}

static void arena_can_be_used_again(void **state)
{
	struct arena a = ARENA_INIT;

	(void)state;
	arena_release(&a);
	for (int round = 0; round < 3; round++) {
		assert_non_null(arena_alloc(&a, 0));
		assert_string_equal(arena_copy(&a, "text", 4), "text");
		arena_release(&a);
		arena_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arena_blocks_are_aligned_and_apart),
	    cmocka_unit_test(arena_copies_any_bytes_and_ends_them),
	    cmocka_unit_test(arena_takes_blocks_at_the_borders_of_a_chunk),
	    cmocka_unit_test(arena_says_when_there_is_no_memory),
	    cmocka_unit_test(arena_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
