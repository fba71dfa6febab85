#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/overlap.h"

#define SIZE   ((size_t)100000)
#define MEMORY (UINT64_C(1) << 20)

static uint8_t old[2 * SIZE], new[2 * SIZE];

static void fill(uint8_t *to, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		to[i] = (uint8_t)(seed >> 16);
	}
}

static struct overlap measure(size_t old_len, size_t new_len, uint64_t memory)
{
	struct overlap o;
	struct err e;

	assert_int_equal(overlap_measure(old, old_len, new, new_len, memory, &o, &e), 0);
	assert_true(o.shared <= new_len && o.in_place <= o.shared && o.disordered <= o.shared);
	assert_true(o.shared + o.near <= new_len && o.same <= new_len);
	return o;
}

static void overlap_of_equal_bytes_is_all(void **state)
{
	struct overlap o;

	(void)state;
	fill(old, SIZE, 1);
	memcpy(new, old, SIZE);
	o = measure(SIZE, SIZE, MEMORY);
	assert_int_equal(o.shared, SIZE);
	assert_int_equal(o.in_place, SIZE);
	assert_int_equal(o.same, SIZE);
	assert_int_equal(o.edits, 0);
	assert_int_equal(o.disordered, 0);
}

static void overlap_of_strangers_is_none(void **state)
{
	struct overlap o;

	(void)state;
	fill(old, SIZE, 1);
	fill(new, SIZE, 2);
	o = measure(SIZE, SIZE, MEMORY);
	assert_int_equal(o.shared, 0);
	assert_true(o.same < SIZE / 100);
	assert_int_equal(o.edits, 1);
}

static void overlap_finds_shifted_bytes(void **state)
{
	struct overlap o;

	(void)state;
	fill(old, SIZE, 1);
	fill(new, 7, 3);
	memcpy(new + 7, old, SIZE);
	o = measure(SIZE, SIZE + 7, MEMORY);
	assert_int_equal(o.shared, SIZE);
	assert_int_equal(o.in_place, 0);
	assert_int_equal(o.edits, 1);
}

static void overlap_counts_edits_and_what_is_near(void **state)
{
	struct overlap o;

	(void)state;
	fill(old, SIZE, 1);
	memcpy(new, old, SIZE);
	/* Ten places of ten bytes, of which two are as they were. */
	for (size_t at = 5000; at < SIZE; at += 10000)
		for (size_t i = 0; i < 10; i++)
			new[at + i] ^= i == 3 || i == 6 ? 0 : 0x55;
	o = measure(SIZE, SIZE, MEMORY);
	assert_int_equal(o.edits, 10);
	assert_int_equal(o.shared, SIZE - 100);
	assert_int_equal(o.near, 20);
	assert_int_equal(o.same, SIZE - 80);
}

static void overlap_sees_another_order(void **state)
{
	struct overlap o;

	(void)state;
	fill(old, SIZE, 1);
	memcpy(new, old + SIZE / 2, SIZE / 2);
	memcpy(new + SIZE / 2, old, SIZE / 2);
	o = measure(SIZE, SIZE, MEMORY);
	assert_int_equal(o.shared, SIZE);
	assert_int_equal(o.in_place, 0);
	assert_int_equal(o.disordered, SIZE / 2);
	assert_int_equal(o.edits, 2);
}

/* With little memory only long runs are seen, and nothing is seen that is not there. */
static void overlap_stays_within_its_memory(void **state)
{
	static const uint64_t memories[] = {0, 1, 1000, 10000, 100000};
	uint64_t last = 0;

	(void)state;
	fill(old, SIZE, 1);
	fill(new, SIZE, 2);
	/* Runs of 100 bytes stand in it, one in a thousand bytes, and one of 40000. */
	for (size_t at = 0; at < SIZE / 2; at += 1000)
		memcpy(new + at, old + at + 123, 100);
	memcpy(new + SIZE / 2, old + 3, 40000);
	for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
		struct overlap o = measure(SIZE, SIZE, memories[i]);
		assert_true(o.shared >= last);
		last = o.shared;
	}
	assert_true(last >= 45000 && last < 45100);
}

static void overlap_takes_any_length(void **state)
{
	static const size_t lengths[] = {0, 1, 31, 32, 33, 63, 64, 65, 1000};

	(void)state;
	fill(old, 1000, 1);
	memcpy(new, old, 1000);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
			size_t shorter = lengths[i] < lengths[k] ? lengths[i] : lengths[k];
			struct overlap o = measure(lengths[i], lengths[k], MEMORY);
			assert_int_equal(o.same, shorter);
			if (shorter >= 32)
				assert_int_equal(o.shared, shorter);
		}
}

/* Bytes that repeat must not make it slow, nor count twice. */
static void overlap_of_zeros_is_quick(void **state)
{
	struct overlap o;

	(void)state;
	memset(old, 0, 2 * SIZE);
	memset(new, 0, 2 * SIZE);
	o = measure(SIZE, 2 * SIZE, MEMORY);
	assert_true(o.shared >= 2 * SIZE - 64);
	for (size_t i = 0; i < 2 * SIZE; i += 33)
		new[i] = (uint8_t)(1 + i % 255);
	o = measure(2 * SIZE, 2 * SIZE, MEMORY);
	assert_true(o.shared + o.near > SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(overlap_of_equal_bytes_is_all),
	    cmocka_unit_test(overlap_of_strangers_is_none),
	    cmocka_unit_test(overlap_finds_shifted_bytes),
	    cmocka_unit_test(overlap_counts_edits_and_what_is_near),
	    cmocka_unit_test(overlap_sees_another_order),
	    cmocka_unit_test(overlap_stays_within_its_memory),
	    cmocka_unit_test(overlap_takes_any_length),
	    cmocka_unit_test(overlap_of_zeros_is_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
