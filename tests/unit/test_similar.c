#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "swarm/similar.h"

#include "patience.h"

#define AMPLE (UINT64_C(64) << 20)
#define MAX   4

/* --- helpers ---------------------------------------------------------------------------------- */

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Content that has nothing in common with that of another seed. */
static uint8_t *noise(size_t len, uint64_t seed)
{
	uint8_t *bytes = malloc(len + 8);

	assert_non_null(bytes);
	seed = (seed + 1) * 0x9E3779B97F4A7C15;
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = next(&seed);
		memcpy(bytes + i, &word, 8);
	}
	return bytes;
}

static struct similar *make(uint64_t memory)
{
	struct err e;
	struct similar *s = similar_new(memory, &e);

	assert_non_null(s);
	return s;
}

static void add(struct similar *s, size_t number, const uint8_t *bytes, size_t len)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(similar_add(s, number, bytes, len, &e), 0);
	assert_int_equal(e.code, ERR_NONE);
}

static void seal(struct similar *s)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(similar_seal(s, &e), 0);
}

static size_t find(const struct similar *s, const uint8_t *bytes, size_t len, size_t max,
		   struct similar_match *ret)
{
	struct err e = {.code = ERR_NONE};
	size_t count = 77;

	assert_int_equal(similar_find(s, bytes, len, max, ret, &count, &e), 0);
	assert_true(count <= max);
	for (size_t i = 0; i < count; i++) {
		assert_true(ret[i].shared > 0);
		assert_true(ret[i].shared <= len);
		if (i > 0)
			assert_true(ret[i - 1].shared >= ret[i].shared);
	}
	return count;
}

/* Twenty unrelated files of this size, numbered from 100. */
static struct similar *make_library(size_t len, uint8_t *files[20])
{
	struct similar *s = make(AMPLE);

	for (size_t i = 0; i < 20; i++) {
		files[i] = noise(len, i);
		add(s, 100 + i, files[i], len);
	}
	seal(s);
	return s;
}

static void drop_library(struct similar *s, uint8_t *files[20])
{
	for (size_t i = 0; i < 20; i++)
		free(files[i]);
	similar_free(s);
}

/* --- what it finds ---------------------------------------------------------------------------- */

static void similar_finds_the_same_content(void **state)
{
	struct similar_match matches[MAX];
	uint8_t *files[20];
	struct similar *s = make_library(100000, files);

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(find(s, files[i], 100000, MAX, matches), 1);
		assert_int_equal(matches[0].number, 100 + i);
		assert_int_equal(matches[0].size, 100000);
		/* Nearly all of it. */
		assert_true(matches[0].shared > 95000);
	}
	drop_library(s, files);
	similar_free(NULL);
}

static void similar_finds_nothing_in_what_is_new(void **state)
{
	struct similar_match matches[MAX];
	uint8_t *files[20], *new = noise(100000, 1000);
	struct similar *s = make_library(100000, files);

	(void)state;
	assert_int_equal(find(s, new, 100000, MAX, matches), 0);
	assert_int_equal(find(s, new, 0, MAX, matches), 0);
	assert_int_equal(find(s, files[0], 100000, 0, matches), 0);
	free(new);
	drop_library(s, files);
	/* Nor in what begins alike. */
	s = make(AMPLE);
	for (size_t i = 0; i < 256; i++) {
		new = noise(20000, 2000 + i);
		new[0] = (uint8_t)i;
		add(s, i, new, 20000);
		free(new);
	}
	seal(s);
	new = noise(20000, 3000);
	for (size_t i = 0; i < 256; i++) {
		new[0] = (uint8_t)i;
		assert_int_equal(find(s, new, 20000, MAX, matches), 0);
	}
	free(new);
	similar_free(s);
	/* Of nothing at all. */
	s = make(AMPLE);
	seal(s);
	new = noise(1000, 1);
	assert_int_equal(find(s, new, 1000, MAX, matches), 0);
	free(new);
	similar_free(s);
}

static void similar_finds_shifted_content(void **state)
{
	struct similar_match matches[MAX];
	uint8_t *files[20], *new = malloc(100000 + 1000);
	struct similar *s = make_library(100000, files);

	(void)state;
	assert_non_null(new);
	/* A byte more every thousand: nothing is at its old offset. */
	for (size_t i = 0; i < 100; i++) {
		memcpy(new + i * 1001, files[7] + i * 1000, 1000);
		new[i * 1001 + 1000] = '!';
	}
	assert_int_equal(find(s, new, 100100, MAX, matches), 1);
	assert_int_equal(matches[0].number, 107);
	assert_true(matches[0].shared > 80000);
	free(new);
	drop_library(s, files);
}

static void similar_finds_blocks_in_another_order(void **state)
{
	struct similar_match matches[MAX];
	uint8_t *files[20], *new = malloc(100000);
	struct similar *s = make_library(100000, files);

	(void)state;
	assert_non_null(new);
	for (size_t i = 0; i < 50; i++)
		memcpy(new + i * 2000, files[3] + (i * 37 % 50) * 2000, 2000);
	assert_int_equal(find(s, new, 100000, MAX, matches), 1);
	assert_int_equal(matches[0].number, 103);
	assert_true(matches[0].shared > 85000);
	free(new);
	drop_library(s, files);
}

static void similar_ranks_by_what_is_shared(void **state)
{
	struct similar_match matches[MAX];
	uint8_t *files[20], *new = malloc(100000);
	struct similar *s = make_library(100000, files);

	(void)state;
	assert_non_null(new);
	memcpy(new, files[11], 20000);
	memcpy(new + 20000, files[5], 45000);
	memcpy(new + 65000, files[17], 35000);
	assert_int_equal(find(s, new, 100000, MAX, matches), 3);
	assert_int_equal(matches[0].number, 105);
	assert_int_equal(matches[1].number, 117);
	assert_int_equal(matches[2].number, 111);
	assert_true(matches[1].shared > 30000 && matches[1].shared < 38000);
	/* Only the best. */
	assert_int_equal(find(s, new, 100000, 2, matches), 2);
	assert_int_equal(matches[0].number, 105);
	assert_int_equal(matches[1].number, 117);
	free(new);
	drop_library(s, files);
}

static void similar_prefers_the_smaller_of_two_that_hold_it(void **state)
{
	struct similar_match matches[MAX];
	struct similar *s = make(AMPLE);
	uint8_t *large = noise(200000, 1), *small = malloc(50000);

	(void)state;
	assert_non_null(small);
	memcpy(small, large + 60000, 50000);
	add(s, 1, large, 200000);
	add(s, 2, small, 50000);
	add(s, 3, small, 50000);
	seal(s);
	assert_int_equal(find(s, small + 100, 49000, MAX, matches), 3);
	/* Of equal ones the lower number. */
	assert_int_equal(matches[0].number, 2);
	assert_int_equal(matches[1].number, 3);
	assert_int_equal(matches[2].number, 1);
	free(large);
	free(small);
	similar_free(s);
}

static void similar_takes_repetition_for_little(void **state)
{
	struct similar_match matches[MAX];
	struct similar *s = make(AMPLE);
	uint8_t *zeros = calloc(1, 200000), *old = noise(200000, 1), *new = malloc(200000);

	(void)state;
	assert_non_null(zeros);
	assert_non_null(new);
	add(s, 1, zeros, 200000);
	add(s, 2, old, 200000);
	seal(s);
	/* Mostly zeros, but what matters is the rest. */
	memcpy(new, zeros, 200000);
	memcpy(new + 100000, old, 20000);
	assert_true(find(s, new, 200000, MAX, matches) >= 1);
	assert_int_equal(matches[0].number, 2);
	free(zeros);
	free(old);
	free(new);
	similar_free(s);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void similar_is_not_slowed_down_by_a_crowd(void **state)
{
	struct similar_match matches[MAX];
	struct similar *s = make(AMPLE);
	uint8_t *old = noise(8192, 1);

	(void)state;
	/* Twenty thousand equal files: all pairs of windows would be ten thousand million. */
	double before = seconds();
	for (size_t i = 0; i < patience(20000, 2000); i++)
		add(s, i, old, 8192);
	seal(s);
	for (size_t i = 0; i < patience(1000, 100); i++)
		assert_int_equal(find(s, old, 8192, MAX, matches), MAX);
	assert_true(seconds() - before < 60);
	for (size_t i = 0; i < MAX; i++)
		assert_int_equal(matches[i].number, i);
	assert_true(matches[0].shared > 7000);
	free(old);
	similar_free(s);
}

static void similar_tells_files_of_a_crowd_apart(void **state)
{
	struct similar_match matches[MAX];
	struct similar *s = make(AMPLE);
	uint8_t *old = noise(12288, 1);

	(void)state;
	/* The same licence in front of all of them, and twice as much of their own. */
	for (size_t i = 0; i < 2000; i++) {
		uint8_t *own = noise(8192, 5000 + i);
		memcpy(old + 4096, own, 8192);
		add(s, i, old, 12288);
		free(own);
	}
	seal(s);
	for (size_t i = 0; i < 2000; i += 333) {
		uint8_t *own = noise(8192, 5000 + i);
		memcpy(old + 4096, own, 8192);
		assert_true(find(s, old, 12288, MAX, matches) >= 1);
		assert_int_equal(matches[0].number, i);
		free(own);
	}
	free(old);
	similar_free(s);
}

static void similar_stays_within_its_memory(void **state)
{
	struct similar_match matches[MAX];
	/* Room for some two thousand windows; there are sixty thousand. */
	struct similar *s = make(48 << 10);
	uint8_t *files[20];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		files[i] = noise(200000, i);
		add(s, i, files[i], 200000);
	}
	seal(s);
	for (size_t i = 0; i < 20; i++) {
		assert_true(find(s, files[i], 200000, MAX, matches) >= 1);
		assert_int_equal(matches[0].number, i);
		free(files[i]);
	}
	similar_free(s);
}

static void similar_without_memory_finds_nothing(void **state)
{
	struct similar_match matches[MAX];
	uint8_t *old = noise(100000, 1);

	(void)state;
	for (uint64_t memory = 0; memory < 100; memory += 24) {
		struct similar *s = make(memory);
		add(s, 1, old, 100000);
		seal(s);
		assert_true(find(s, old, 100000, MAX, matches) <= 1);
		similar_free(s);
	}
	free(old);
}

static void similar_survives_content_of_any_shape(void **state)
{
	struct similar_match matches[MAX];
	uint8_t *bytes = malloc(65536);

	(void)state;
	assert_non_null(bytes);
	for (size_t period = 1; period < 200; period += 7) {
		struct similar *s = make(1 << 20);
		for (size_t i = 0; i < 65536; i++)
			bytes[i] = (uint8_t)(i % period * 31);
		for (size_t len = 0; len <= 65536; len = len * 3 + 1)
			add(s, len, bytes, len);
		seal(s);
		(void)find(s, bytes, 65536, MAX, matches);
		similar_free(s);
	}
	free(bytes);
}

/* With this gear table, the two letters make a window at every byte. */
static void similar_keeps_little_of_content_that_is_cut_everywhere(void **state)
{
	size_t len = patience(16, 2) << 20;
	uint8_t *bytes = malloc(len), *other = noise(100000, 5);
	struct similar *s = make(AMPLE);
	struct similar_match found[MAX];
	struct rusage before, after;
	size_t count = 0;
	struct err e;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t) "Os"[i % 2];
	add(s, 1, other, 100000);
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	add(s, 2, bytes, len);
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	/*
	 * Kilobytes. At every byte it would be 256 MiB for the list alone; a sanitizer keeps what
	 * was freed, and so takes several times the 8 MiB that are in use.
	 */
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 160 * 1024);
	seal(s);
	assert_int_equal(similar_find(s, bytes, len, MAX, found, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_int_equal(found[0].number, 2);
	similar_free(s);
	free(bytes);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(similar_finds_the_same_content),
	    cmocka_unit_test(similar_finds_nothing_in_what_is_new),
	    cmocka_unit_test(similar_finds_shifted_content),
	    cmocka_unit_test(similar_finds_blocks_in_another_order),
	    cmocka_unit_test(similar_ranks_by_what_is_shared),
	    cmocka_unit_test(similar_prefers_the_smaller_of_two_that_hold_it),
	    cmocka_unit_test(similar_takes_repetition_for_little),
	    cmocka_unit_test(similar_is_not_slowed_down_by_a_crowd),
	    cmocka_unit_test(similar_tells_files_of_a_crowd_apart),
	    cmocka_unit_test(similar_stays_within_its_memory),
	    cmocka_unit_test(similar_without_memory_finds_nothing),
	    cmocka_unit_test(similar_survives_content_of_any_shape),
	    cmocka_unit_test(similar_keeps_little_of_content_that_is_cut_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
