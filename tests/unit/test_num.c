#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "swarm/num.h"

typedef bool parse_number(const char *text, uint64_t *ret);

static void assert_reads(parse_number *parse, const char *text, uint64_t want)
{
	uint64_t n = ~want;

	if (!parse(text, &n))
		fail_msg("'%s' was not taken", text);
	assert_int_equal(n, want);
}

static void assert_rejects(parse_number *parse, const char *text)
{
	uint64_t n;

	if (parse(text, &n))
		fail_msg("'%s' was taken", text);
}

static void num_reads_up_to_two_to_the_53(void **state)
{
	(void)state;
	assert_reads(num_parse, "0", 0);
	assert_reads(num_parse, "1", 1);
	assert_reads(num_parse, "10", 10);
	assert_reads(num_parse, "9007199254740991", NUM_MAX);
	assert_rejects(num_parse, "9007199254740992");
	assert_rejects(num_parse, "18446744073709551615");
	/* These wrap around to small ones. */
	assert_rejects(num_parse, "18446744073709551616");
	assert_rejects(num_parse, "18446744073709551617");
	assert_rejects(num_parse, "36893488147419103233");
	assert_rejects(num_parse, "99999999999999999999999999999999999999999999999999");
}

static void num_reads_one_spelling(void **state)
{
	static const char *const bad[] = {"",    " ",   "00", "01", "-0",  "-1", "+1",  "1 ", " 1",
					  "1.0", "1e3", "0x", "1K", "1\n", "１", "1\t", "a",  "1a"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_rejects(num_parse, bad[i]);
}

static void num_reads_sizes_with_units(void **state)
{
	(void)state;
	assert_reads(num_parse_size, "0", 0);
	assert_reads(num_parse_size, "0K", 0);
	assert_reads(num_parse_size, "262144", 262144);
	assert_reads(num_parse_size, "256K", 262144);
	assert_reads(num_parse_size, "256KiB", 262144);
	assert_reads(num_parse_size, "1M", UINT64_C(1) << 20);
	assert_reads(num_parse_size, "1MiB", UINT64_C(1) << 20);
	assert_reads(num_parse_size, "3G", UINT64_C(3) << 30);
	assert_reads(num_parse_size, "8191TiB", UINT64_C(8191) << 40);
	assert_rejects(num_parse_size, "8192T");
	/* 2^24 times 2^40 wraps around to 0, and one more to 2^40. */
	assert_rejects(num_parse_size, "16777216T");
	assert_rejects(num_parse_size, "16777217T");
}

static void num_rejects_other_units(void **state)
{
	static const char *const bad[] = {"",      "K",   "KiB", "1k", "1KB",  "1KIB", "1Ki",
					  "1KiB ", "1 K", "1P",  "1B", "1KK",  "01K",  "-1K",
					  "1.5K",  "1i",  "1iB", "1 ", "1KiBx"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_rejects(num_parse_size, bad[i]);
}

static void assert_share(const char *text, double want)
{
	double share = -1;

	if (!num_parse_share(text, &share))
		fail_msg("'%s' was not taken", text);
	/* A billionth is the least that can be said. */
	if (share < want - 1e-12 || share > want + 1e-12)
		fail_msg("'%s' is %.15f", text, share);
}

static void num_reads_shares(void **state)
{
	(void)state;
	assert_share("1", 1);
	assert_share("1.0", 1);
	assert_share("1.000000000", 1);
	assert_share("0.95", 0.95);
	assert_share(".5", 0.5);
	assert_share("0.5", 0.5);
	assert_share("0.000000001", 0.000000001);
	assert_share("0.999999999", 0.999999999);
	assert_share(".123456789", 0.123456789);
}

static void num_rejects_what_is_no_share(void **state)
{
	static const char *const bad[] = {"",
					  "0",
					  "0.0",
					  ".0",
					  "0.000000000",
					  ".",
					  "2",
					  "1.000000001",
					  "1.1",
					  "-0.5",
					  "+0.5",
					  "0,5",
					  "95%",
					  "0.5 ",
					  " 0.5",
					  "0.5.5",
					  "..5",
					  "00.5",
					  "01",
					  "5e-1",
					  "0x1",
					  "nan",
					  "inf",
					  "0.1234567891",
					  "10",
					  "0.5x",
					  "1.0.",
					  "0.5\n",
					  "½"};
	double share;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (num_parse_share(bad[i], &share))
			fail_msg("'%s' was taken, as %.15f", bad[i], share);
}

static void num_add_tells_of_wrapping(void **state)
{
	uint64_t n = 1;

	(void)state;
	assert_true(num_add(0, 0, &n));
	assert_int_equal(n, 0);
	assert_true(num_add(UINT64_MAX, 0, &n));
	assert_true(num_add(UINT64_MAX - 1, 1, &n));
	assert_int_equal(n, UINT64_MAX);
	assert_false(num_add(UINT64_MAX, 1, &n));
	assert_false(num_add(1, UINT64_MAX, &n));
	assert_false(num_add(UINT64_MAX, UINT64_MAX, &n));
}

static void num_mul_tells_of_wrapping(void **state)
{
	uint64_t n = 1;

	(void)state;
	assert_true(num_mul(0, UINT64_MAX, &n));
	assert_int_equal(n, 0);
	assert_true(num_mul(UINT64_MAX, 0, &n));
	assert_true(num_mul(UINT64_MAX, 1, &n));
	assert_true(num_mul(UINT64_C(1) << 32, (UINT64_C(1) << 32) - 1, &n));
	assert_false(num_mul(UINT64_C(1) << 32, UINT64_C(1) << 32, &n));
	assert_false(num_mul(UINT64_MAX, 2, &n));
	assert_false(num_mul(3, UINT64_MAX / 3 + 1, &n));
	assert_true(num_mul(3, UINT64_MAX / 3, &n));
	assert_int_equal(n, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(num_reads_up_to_two_to_the_53),
	    cmocka_unit_test(num_reads_one_spelling),
	    cmocka_unit_test(num_reads_sizes_with_units),
	    cmocka_unit_test(num_rejects_other_units),
	    cmocka_unit_test(num_reads_shares),
	    cmocka_unit_test(num_rejects_what_is_no_share),
	    cmocka_unit_test(num_add_tells_of_wrapping),
	    cmocka_unit_test(num_mul_tells_of_wrapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
