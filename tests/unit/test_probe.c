#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/probe.h"

#define SIZE ((size_t)100000)

struct file {
	uint8_t *data;
	size_t size; /* what is there, whatever the probe says */
	unsigned calls;
	bool refuses;
};

static ssize_t read_at(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	struct file *f = context;

	f->calls++;
	if (f->refuses)
		return err_set(e, ERR_SYSTEM, "the disk is gone");
	if (offset >= f->size)
		return 0;
	if (len > f->size - offset)
		len = f->size - (size_t)offset;
	memcpy(to, f->data + offset, len);
	return (ssize_t)len;
}

static struct file file;

static int set_up(void **state)
{
	(void)state;
	file = (struct file){.data = malloc(SIZE), .size = SIZE};
	for (size_t i = 0; i < SIZE; i++)
		file.data[i] = (uint8_t)(i * 7 + i / 251);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(file.data);
	return 0;
}

static struct probe on_disk(size_t first_len)
{
	return (struct probe){.size = SIZE,
			      .first = file.data,
			      .first_len = first_len,
			      .read_at = read_at,
			      .context = &file};
}

static bool reads(struct probe *p, uint64_t offset, size_t len)
{
	uint8_t *to = malloc(len + 1);

	to[len] = 0xA5;
	bool ok = probe_read(p, offset, to, len);
	if (ok)
		assert_memory_equal(to, file.data + offset, len);
	assert_int_equal(to[len], 0xA5);
	free(to);
	return ok;
}

static void probe_reads_memory_up_to_its_end(void **state)
{
	struct probe p = {.size = 10, .first = file.data, .first_len = 10};

	(void)state;
	assert_true(reads(&p, 0, 10));
	assert_true(reads(&p, 9, 1));
	assert_true(reads(&p, 10, 0));
	assert_false(reads(&p, 0, 11));
	assert_false(reads(&p, 9, 2));
	assert_false(reads(&p, 10, 1));
	assert_false(reads(&p, 11, 0));
	assert_false(reads(&p, UINT64_MAX, 10));
	assert_false(p.failed);
}

static void probe_has_no_more_than_its_memory(void **state)
{
	struct probe p = {.size = 20, .first = file.data, .first_len = 10};

	(void)state;
	assert_true(reads(&p, 0, 10));
	assert_false(reads(&p, 0, 11));
	assert_false(reads(&p, 12, 1));
	assert_false(p.failed);
}

static void probe_reads_files_anywhere(void **state)
{
	struct probe p = on_disk(100);
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		size_t offset = (seed >> 8) % (SIZE + 10);
		seed = seed * 1103515245 + 12345;
		/* Mostly small, some larger than a block. */
		size_t len = (seed >> 8) % (i % 16 == 0 ? 3 * PROBE_BLOCK : 300);
		assert_int_equal(reads(&p, offset, len), offset <= SIZE && len <= SIZE - offset);
	}
	assert_false(p.failed);
}

static void probe_reads_across_the_first_bytes(void **state)
{
	struct probe p = on_disk(100);

	(void)state;
	assert_true(reads(&p, 0, 100));
	assert_int_equal(file.calls, 0);
	assert_true(reads(&p, 99, 2));
	assert_true(reads(&p, 0, 101));
	assert_true(file.calls > 0);
}

static void probe_does_not_call_for_each_field(void **state)
{
	struct probe p = on_disk(0);

	(void)state;
	/* A table of 1,000 entries, and the names that they point to. */
	for (size_t i = 0; i < 1000; i++) {
		assert_true(reads(&p, i * 40, 40));
		assert_true(reads(&p, 50000 + i * 10, 10));
	}
	assert_in_range(file.calls, 1, 25);
}

static void probe_reads_what_is_large_at_once(void **state)
{
	struct probe p = on_disk(0);

	(void)state;
	assert_true(reads(&p, 1, SIZE - 1));
	assert_int_equal(file.calls, 1);
}

static void probe_does_not_ask_behind_the_end(void **state)
{
	struct probe p = on_disk(0);

	(void)state;
	assert_false(reads(&p, SIZE, 1));
	assert_false(reads(&p, SIZE - 1, 2));
	assert_false(reads(&p, UINT64_MAX - 1, 4));
	assert_int_equal(file.calls, 0);
}

static void probe_keeps_the_error_of_a_read(void **state)
{
	struct probe p = on_disk(100);

	(void)state;
	file.refuses = true;
	assert_false(reads(&p, 200, 4));
	assert_true(p.failed);
	assert_int_equal(p.err.code, ERR_SYSTEM);
	assert_string_equal(p.err.msg, "the disk is gone");
	/* What would be in a block of that offset was never read. */
	file.refuses = false;
	assert_false(reads(&p, 200, 4));
	assert_false(reads(&p, 0, 4));
	assert_int_equal(file.calls, 1);
	assert_string_equal(p.err.msg, "the disk is gone");
}

static void probe_keeps_the_error_of_a_large_read(void **state)
{
	struct probe p = on_disk(0);

	(void)state;
	file.refuses = true;
	assert_false(reads(&p, 200, 2 * PROBE_BLOCK));
	assert_true(p.failed);
	assert_string_equal(p.err.msg, "the disk is gone");
}

static void probe_says_no_where_a_file_became_shorter(void **state)
{
	struct probe p = on_disk(0);

	(void)state;
	file.size = 1000;
	assert_true(reads(&p, 996, 4));
	assert_false(reads(&p, 997, 4));
	assert_true(reads(&p, 997, 3));
	assert_false(reads(&p, 1000, 1));
	assert_false(reads(&p, 500, 2 * PROBE_BLOCK));
	assert_false(p.failed);
}

static void probe_reads_numbers_of_both_orders(void **state)
{
	static const uint8_t b[] = {0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88};

	(void)state;
	assert_int_equal(probe_be16(b), 0x8182);
	assert_int_equal(probe_le16(b), 0x8281);
	assert_true(probe_be32(b) == 0x81828384);
	assert_true(probe_le32(b) == 0x84838281);
	assert_true(probe_be64(b) == UINT64_C(0x8182838485868788));
	assert_true(probe_le64(b) == UINT64_C(0x8887868584838281));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(probe_reads_memory_up_to_its_end),
	    TEST(probe_has_no_more_than_its_memory),
	    TEST(probe_reads_files_anywhere),
	    TEST(probe_reads_across_the_first_bytes),
	    TEST(probe_does_not_call_for_each_field),
	    TEST(probe_reads_what_is_large_at_once),
	    TEST(probe_does_not_ask_behind_the_end),
	    TEST(probe_keeps_the_error_of_a_read),
	    TEST(probe_keeps_the_error_of_a_large_read),
	    TEST(probe_says_no_where_a_file_became_shorter),
	    TEST(probe_reads_numbers_of_both_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
