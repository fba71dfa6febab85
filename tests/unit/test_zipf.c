#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/zipf.h"

#define FILES    300
#define REQUESTS 50000

static double next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(*state >> 11) / 9007199254740992.0;
}

static int descending(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a < *b) - (*a > *b);
}

/* Requests for files whose popularity follows the law; how many were asked for at all. */
static size_t draw(double exponent, uint64_t seed, uint64_t counts[static FILES])
{
	double up_to[FILES], sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < FILES; i++) {
		sum += pow((double)i + 1, -exponent);
		up_to[i] = sum;
		counts[i] = 0;
	}
	for (int i = 0; i < REQUESTS; i++) {
		double x = next_random(&seed) * sum;
		size_t rank = 0;
		while (rank + 1 < FILES && up_to[rank] < x)
			rank++;
		counts[rank]++;
	}
	qsort(counts, FILES, sizeof *counts, descending);
	while (n < FILES && counts[n] > 0)
		n++;
	return n;
}

static void zipf_finds_the_exponent_that_was_drawn_from(void **state)
{
	static const double exponents[] = {0.6, 0.8, 1.0, 1.2};
	uint64_t counts[FILES];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (uint64_t seed = 1; seed <= 5; seed++) {
			size_t n = draw(exponents[i], seed, counts);
			double s = zipf_exponent(counts, n);
			if (!(fabs(s - exponents[i]) < 0.05))
				fail_msg("%.3f for %.1f", s, exponents[i]);
		}
}

static void zipf_is_exact_for_exact_counts(void **state)
{
	uint64_t counts[1000];

	(void)state;
	for (double exponent = 0.1; exponent < 3; exponent += 0.3) {
		for (size_t i = 0; i < 1000; i++)
			counts[i] = (uint64_t)(1e15 * pow((double)i + 1, -exponent));
		assert_true(fabs(zipf_exponent(counts, 1000) - exponent) < 1e-4);
	}
}

static void zipf_says_nothing_of_too_little(void **state)
{
	uint64_t counts[ZIPF_MIN] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};

	(void)state;
	assert_true(!isnan(zipf_exponent(counts, ZIPF_MIN)));
	assert_true(isnan(zipf_exponent(counts, ZIPF_MIN - 1)));
	assert_true(isnan(zipf_exponent(counts, 0)));
	/* One file has all of it. */
	counts[0] = UINT64_C(1) << 52;
	assert_true(isnan(zipf_exponent(counts, ZIPF_MIN)));
	for (size_t i = 0; i < ZIPF_MIN; i++)
		counts[i] = 7;
	assert_true(isnan(zipf_exponent(counts, ZIPF_MIN)));
	/* Almost flat is not flat. */
	counts[0] = 8;
	double s = zipf_exponent(counts, ZIPF_MIN);
	assert_true(s > 0 && s < 0.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zipf_finds_the_exponent_that_was_drawn_from),
	    cmocka_unit_test(zipf_is_exact_for_exact_counts),
	    cmocka_unit_test(zipf_says_nothing_of_too_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
