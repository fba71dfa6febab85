#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/buf.h"

/* malloc() fails under AddressSanitizer as it does without. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* Far beyond any memory, and yet no wrap-around: only the allocator can refuse it. */
#define TOO_MUCH (SIZE_MAX / 8)

static void buf_starts_as_an_empty_string(void **state)
{
	struct buf b = BUF_INIT, c;

	(void)state;
	assert_string_equal(b.data, "");
	assert_int_equal(b.len, 0);
	buf_init(&c);
	assert_string_equal(c.data, "");
	buf_release(&b);
	buf_release(&b);
	buf_release(&c);
}

static void buf_ends_in_nul_after_every_change(void **state)
{
	struct buf b = BUF_INIT;
	char want[1001];

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		want[i] = (char)('a' + i % 26);
		want[i + 1] = '\0';
		buf_addc(&b, want[i]);
		assert_int_equal(b.len, i + 1);
		assert_true(b.cap > b.len);
		assert_int_equal(b.data[b.len], 0);
	}
	assert_string_equal(b.data, want);
	buf_truncate(&b, 500);
	assert_int_equal(strlen(b.data), 500);
	buf_truncate(&b, 501);
	assert_int_equal(b.len, 500);
	buf_consume(&b, 100);
	assert_int_equal(b.len, 400);
	assert_int_equal(strlen(b.data), 400);
	assert_memory_equal(b.data, want + 100, 400);
	buf_consume(&b, 0);
	buf_consume(&b, 400);
	assert_string_equal(b.data, "");
	buf_release(&b);
}

static void buf_holds_any_bytes(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_add(&b, "a\0b", 3);
	buf_addc(&b, '\0');
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "a\0b\0", 4);
	buf_release(&b);
}

static void buf_addf_formats_at_the_end(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_addf(&b, "%s", "");
	assert_string_equal(b.data, "");
	buf_addf(&b, "%d-%s", 7, "x");
	buf_addf(&b, "%0200d", 1);
	assert_int_equal(b.len, 203);
	assert_memory_equal(b.data, "7-x000", 6);
	assert_int_equal(b.data[202], '1');
	assert_int_equal(b.data[203], 0);
	buf_release(&b);
}

static void buf_room_is_filled_by_the_caller(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "ab");
	char *room = buf_room(&b, 4096);
	assert_non_null(room);
	assert_ptr_equal(room, b.data + 2);
	memset(room, 'c', 4096);
	assert_int_equal(b.len, 2);
	buf_grew(&b, 3);
	assert_string_equal(b.data, "abccc");
	assert_non_null(buf_room(&b, 0));
	buf_release(&b);
}

static void assert_failed_for_good(struct buf *b)
{
	struct err e = {.code = ERR_NONE};
	size_t len = b->len;

	assert_true(b->failed);
	buf_adds(b, "more");
	buf_addc(b, 'x');
	buf_addf(b, "%d", 1);
	assert_int_equal(b->len, len);
	assert_null(buf_room(b, 1));
	assert_int_equal(buf_check(b, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "out of memory");
}

static void buf_remembers_that_memory_ran_out(void **state)
{
	static const size_t sizes[] = {TOO_MUCH, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf b = BUF_INIT;
		assert_null(buf_room(&b, sizes[i]));
		assert_failed_for_good(&b);
		buf_release(&b);

		buf_adds(&b, "kept");
		assert_null(buf_room(&b, sizes[i]));
		assert_string_equal(b.data, "kept");
		assert_failed_for_good(&b);
		buf_clear(&b);
		assert_int_equal(buf_check(&b, &e), 0);
		buf_adds(&b, "again");
		assert_string_equal(b.data, "again");
		buf_release(&b);
	}
	assert_int_equal(e.code, ERR_NONE);
}

static void buf_detach_gives_the_bytes_away(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	char *empty = buf_detach(&b);
	assert_string_equal(empty, "");
	assert_ptr_not_equal(empty, buf_empty);
	free(empty);
	buf_adds(&b, "text");
	char *text = buf_detach(&b);
	assert_string_equal(text, "text");
	assert_string_equal(b.data, "");
	assert_int_equal(b.cap, 0);
	free(text);
	buf_adds(&b, "next");
	assert_string_equal(b.data, "next");
	buf_release(&b);
}

static void buf_detach_of_a_failed_one_is_null(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "text");
	assert_null(buf_room(&b, SIZE_MAX));
	assert_null(buf_detach(&b));
	assert_false(b.failed);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void buf_wipe_leaves_an_empty_one(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_wipe(&b);
	buf_adds(&b, "secret");
	buf_wipe(&b);
	assert_string_equal(b.data, "");
	assert_int_equal(b.cap, 0);
	/* The shared empty string was never written to. */
	assert_int_equal(buf_empty[0], 0);
}

static void buf_clear_keeps_the_memory(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_clear(&b);
	buf_adds(&b, "some text");
	const char *data = b.data;
	size_t cap = b.cap;
	buf_clear(&b);
	assert_string_equal(b.data, "");
	buf_adds(&b, "other");
	assert_ptr_equal(b.data, data);
	assert_int_equal(b.cap, cap);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buf_starts_as_an_empty_string),
	    cmocka_unit_test(buf_ends_in_nul_after_every_change),
	    cmocka_unit_test(buf_holds_any_bytes),
	    cmocka_unit_test(buf_addf_formats_at_the_end),
	    cmocka_unit_test(buf_room_is_filled_by_the_caller),
	    cmocka_unit_test(buf_remembers_that_memory_ran_out),
	    cmocka_unit_test(buf_detach_gives_the_bytes_away),
	    cmocka_unit_test(buf_detach_of_a_failed_one_is_null),
	    cmocka_unit_test(buf_wipe_leaves_an_empty_one),
	    cmocka_unit_test(buf_clear_keeps_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
