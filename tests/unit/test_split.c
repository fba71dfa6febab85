#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/part.h"
#include "swarm/split.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct scan_file *files_of(size_t n, uint64_t (*size)(size_t i))
{
	struct scan_file *files = calloc(n + 1, sizeof *files);

	assert_non_null(files);
	for (size_t i = 0; i < n; i++)
		files[i] = (struct scan_file){.size = size(i)};
	return files;
}

/* Fills `ret` and returns what the share with the most costs. */
static uint64_t split(const struct scan_file *files, size_t n, uint32_t shares, uint32_t *ret)
{
	struct err e = {.code = ERR_NONE};
	uint64_t *loads = calloc(shares, sizeof *loads), most = 0;

	assert_non_null(loads);
	/* What nobody fills in is no share. */
	memset(ret, 0xFF, n * sizeof *ret);
	assert_int_equal(split_files(files, n, shares, ret, &e), 0);
	for (size_t i = 0; i < n; i++) {
		assert_in_range(ret[i], 0, shares - 1);
		loads[ret[i]] += files[i].size + SPLIT_FILE_COST;
	}
	for (uint32_t k = 0; k < shares; k++)
		most = loads[k] > most ? loads[k] : most;
	free(loads);
	return most;
}

/* The share with the most has at most its part and the most expensive file. */
static void assert_balanced(const struct scan_file *files, size_t n, uint32_t shares)
{
	uint64_t total = 0, largest = 0;
	uint32_t *ret = calloc(n + 1, sizeof *ret), *again = calloc(n + 1, sizeof *again);

	assert_non_null(ret);
	assert_non_null(again);
	for (size_t i = 0; i < n; i++) {
		uint64_t cost = files[i].size + SPLIT_FILE_COST;
		total += cost;
		largest = cost > largest ? cost : largest;
	}
	uint64_t most = split(files, n, shares, ret);
	if (most > total / shares + 1 + largest)
		fail_msg("%zu files, %u shares: one of %llu bytes", n, shares,
			 (unsigned long long)most);
	assert_int_equal(split(files, n, shares, again), most);
	assert_memory_equal(ret, again, n * sizeof *ret);
	free(ret);
	free(again);
}

static uint64_t empty(size_t i)
{
	(void)i;
	return 0;
}

static uint64_t equal(size_t i)
{
	(void)i;
	return 5000;
}

static uint64_t growing(size_t i)
{
	return i * 1000;
}

static uint64_t shrinking(size_t i)
{
	return (100000 - i) * 1000;
}

static uint64_t scattered(size_t i)
{
	return (uint64_t)i * 2654435761U % 1000003;
}

/* Few files that are larger than all the rest. */
static uint64_t heavy(size_t i)
{
	return i % 97 == 5 ? UINT64_C(1) << (20 + i % 13) : 700;
}

/* The largest that there can be, all together. */
static uint64_t huge(size_t i)
{
	return i == 3 ? (UINT64_C(1) << 53) - 100000 : 9;
}

static void split_is_balanced_and_gives_each_file_to_one_share(void **state)
{
	uint64_t (*const sizes[])(size_t) = {empty,     equal, growing, shrinking,
					     scattered, heavy, huge};
	static const size_t counts[] = {0, 1, 2, 3, 7, 100, 1000, 9999};
	static const uint32_t shares[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 64, 1000, 65535};

	(void)state;
	for (size_t s = 0; s < COUNT(sizes); s++)
		for (size_t c = 0; c < COUNT(counts); c++) {
			struct scan_file *files = files_of(counts[c], sizes[s]);
			for (size_t n = 0; n < COUNT(shares); n++)
				assert_balanced(files, counts[c], shares[n]);
			free(files);
		}
}

static void split_leaves_neighbours_together(void **state)
{
	static uint32_t ret[100000];
	struct scan_file *files = files_of(COUNT(ret), equal);
	size_t changes = 0;

	(void)state;
	(void)split(files, COUNT(ret), 9, ret);
	for (size_t i = 1; i < COUNT(ret); i++)
		changes += ret[i] != ret[i - 1];
	assert_int_equal(changes, 8);
	free(files);
}

static void split_leaves_nobody_idle_where_there_is_enough(void **state)
{
	static uint32_t ret[1000];
	size_t of[9] = {0};
	struct scan_file *files = files_of(COUNT(ret), scattered);

	(void)state;
	(void)split(files, COUNT(ret), 9, ret);
	for (size_t i = 0; i < COUNT(ret); i++)
		of[ret[i]]++;
	for (size_t k = 0; k < COUNT(of); k++)
		assert_in_range(of[k], 50, 200);
	free(files);
}

static void split_gives_the_largest_files_to_different_shares(void **state)
{
	uint32_t ret[4];
	static const struct scan_file files[] = {
	    {.size = 10}, {.size = 1 << 30}, {.size = 20}, {.size = (1 << 30) - 1}};

	(void)state;
	(void)split(files, COUNT(files), 2, ret);
	assert_int_equal(ret[1], 0);
	assert_int_equal(ret[3], 1);
}

/* One of half the work; nobody is left out of the rest. */
static uint64_t lopsided(size_t i)
{
	return i == 500 ? 1000 * (SPLIT_FILE_COST + 1000) : 1000;
}

static void split_divides_the_rest_beside_a_file_above_all_shares(void **state)
{
	static uint32_t ret[1001];
	size_t of[4] = {0};
	struct scan_file *files = files_of(COUNT(ret), lopsided);

	(void)state;
	(void)split(files, COUNT(ret), 4, ret);
	for (size_t i = 0; i < COUNT(ret); i++)
		of[ret[i]]++;
	assert_int_equal(ret[500], 0);
	assert_int_equal(of[0], 1);
	for (size_t k = 1; k < COUNT(of); k++)
		assert_in_range(of[k], 332, 335);
	free(files);
}

static void split_leaves_shares_empty_where_files_are_few(void **state)
{
	uint32_t ret[3];
	static const struct scan_file files[] = {{.size = 1}, {.size = 3}, {.size = 2}};

	(void)state;
	(void)split(files, COUNT(files), 9, ret);
	assert_int_equal(ret[1], 0);
	assert_int_equal(ret[2], 1);
	assert_int_equal(ret[0], 2);
}

/* A second or so; if it were quadratic in either, hours. */
static void split_takes_a_million_files_and_all_shares(void **state)
{
	static uint32_t ret[1000000];
	struct scan_file *files = files_of(COUNT(ret), scattered);

	(void)state;
	(void)split(files, COUNT(ret), PART_SHARDS_MAX, ret);
	(void)split(files, COUNT(ret), 2, ret);
	free(files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(split_is_balanced_and_gives_each_file_to_one_share),
	    cmocka_unit_test(split_leaves_neighbours_together),
	    cmocka_unit_test(split_leaves_nobody_idle_where_there_is_enough),
	    cmocka_unit_test(split_gives_the_largest_files_to_different_shares),
	    cmocka_unit_test(split_divides_the_rest_beside_a_file_above_all_shares),
	    cmocka_unit_test(split_leaves_shares_empty_where_files_are_few),
	    cmocka_unit_test(split_takes_a_million_files_and_all_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
