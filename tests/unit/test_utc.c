#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "swarm/utc.h"

#define DAY INT64_C(86400)

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Counted day by day from 1970, without any formula, each at another time of day. */
static void utc_every_day_up_to_2400_round_trips(void **state)
{
	int64_t start = 0;

	(void)state;
	for (int year = 1970; year <= 2400; year++) {
		for (int month = 1; month <= 12; month++) {
			for (int day = 1; day <= month_days(year, month); day++, start += DAY) {
				int64_t second = start / DAY * 7919 % DAY, t = -1;
				char want[UTC_SIZE + 32], text[UTC_SIZE];
				(void)snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ",
					       year, month, day, (int)(second / 3600),
					       (int)(second / 60 % 60), (int)(second % 60));
				utc_format(text, start + second);
				assert_string_equal(text, want);
				assert_true(utc_parse(text, &t));
				assert_int_equal(t, start + second);
			}
		}
	}
}

static void utc_rejects_days_that_months_do_not_have(void **state)
{
	static const int years[] = {1970, 1999, 2000, 2004, 2024, 2025, 2026, 2100, 2400, 9999};

	(void)state;
	for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
		for (int month = 0; month < 100; month++) {
			for (int day = 0; day < 100; day++) {
				char text[64];
				int64_t t;
				(void)snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z",
					       years[i], month, day);
				bool exists = month >= 1 && month <= 12 && day >= 1 &&
					      day <= month_days(years[i], month);
				if (utc_parse(text, &t) != exists)
					fail_msg("%s", text);
			}
		}
	}
}

static void utc_rejects_times_that_days_do_not_have(void **state)
{
	(void)state;
	for (int n = 0; n < 100; n++) {
		char hour[64], minute[64], second[64];
		int64_t t;
		(void)snprintf(hour, sizeof hour, "2026-11-23T%02d:00:00Z", n);
		(void)snprintf(minute, sizeof minute, "2026-11-23T00:%02d:00Z", n);
		(void)snprintf(second, sizeof second, "2026-11-23T00:00:%02dZ", n);
		assert_int_equal(utc_parse(hour, &t), n < 24);
		assert_int_equal(utc_parse(minute, &t), n < 60);
		assert_int_equal(utc_parse(second, &t), n < 60);
	}
}

static void utc_reaches_from_1970_to_9999(void **state)
{
	char text[UTC_SIZE];
	int64_t t = -1;

	(void)state;
	assert_true(utc_parse("1970-01-01T00:00:00Z", &t));
	assert_int_equal(t, 0);
	assert_true(utc_parse("9999-12-31T23:59:59Z", &t));
	assert_int_equal(t, UTC_MAX);
	utc_format(text, UTC_MAX);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	assert_true(utc_parse("2038-01-19T03:14:08Z", &t));
	assert_int_equal(t, INT64_C(1) << 31);
	assert_false(utc_parse("1969-12-31T23:59:59Z", &t));
	assert_false(utc_parse("0000-01-01T00:00:00Z", &t));
	assert_false(utc_parse("1900-02-28T00:00:00Z", &t));
}

static void utc_reads_one_spelling(void **state)
{
	static const char good[] = "2026-11-23T12:34:56Z";
	static const char *const bad[] = {
	    "",
	    "2026-11-23",
	    "2026-11-23T12:34:56",
	    "2026-11-23T12:34:56z",
	    "2026-11-23t12:34:56Z",
	    "2026-11-23 12:34:56Z",
	    "2026-11-23T12:34:56Z ",
	    " 2026-11-23T12:34:56Z",
	    "2026-11-23T12:34:56.0Z",
	    "2026-11-23T12:34:56+00",
	    "2026-1-23T12:34:56Z",
	    "2026-11-23T12:34Z",
	    "+026-11-23T12:34:56Z",
	    "-026-11-23T12:34:56Z",
	    " 026-11-23T12:34:56Z",
	    "2026/11/23T12:34:56Z",
	    "12026-11-23T12:34:56Z",
	    "2026-11-23T12-34-56Z",
	};
	int64_t t;

	(void)state;
	assert_true(utc_parse(good, &t));
	assert_int_equal(t, 1795437296);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (utc_parse(bad[i], &t))
			fail_msg("'%s' was taken", bad[i]);
	/* Any other byte at any place. */
	for (size_t i = 0; i < sizeof good - 1; i++) {
		for (int c = 1; c < 256; c++) {
			char text[sizeof good];
			memcpy(text, good, sizeof good);
			text[i] = (char)c;
			bool digit = c >= '0' && c <= '9';
			bool was_digit = good[i] >= '0' && good[i] <= '9';
			if (!(digit && was_digit) && c != good[i])
				assert_false(utc_parse(text, &t));
		}
	}
}

static void utc_does_not_depend_on_the_time_zone(void **state)
{
	char text[UTC_SIZE];
	int64_t t;

	(void)state;
	assert_int_equal(setenv("TZ", "Pacific/Auckland", 1), 0);
	tzset();
	assert_true(utc_parse("2026-07-01T00:00:00Z", &t));
	utc_format(text, t);
	assert_string_equal(text, "2026-07-01T00:00:00Z");
	assert_int_equal(t, 1782864000);
	unsetenv("TZ");
	tzset();
}

static void utc_reads_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {{"0s", 0},
		    {"90s", 90},
		    {"15m", 900},
		    {"4h", 14400},
		    {"30d", 2592000},
		    {"2w", 1209600},
		    {"253402300799s", UTC_MAX},
		    {"4223371679m", INT64_C(253402300740)}};
	int64_t t;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(utc_parse_duration(good[i].text, &t));
		assert_int_equal(t, good[i].seconds);
	}
}

static void utc_rejects_what_is_no_duration(void **state)
{
	static const char *const bad[] = {"",
					  "s",
					  "d",
					  "30",
					  "30 d",
					  " 30d",
					  "30d ",
					  "-1d",
					  "+1d",
					  "1.5h",
					  "01h",
					  "1y",
					  "1M",
					  "1D",
					  "1d12h",
					  "1ms",
					  "253402300800s",
					  "4223371680m",
					  "9007199254740991d",
					  "106751991167301d",
					  "18446744073709551616s",
					  "000000000000000000000000000001s"};
	int64_t t;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (utc_parse_duration(bad[i], &t))
			fail_msg("'%s' was taken", bad[i]);
}

static void assert_epoch(const char *value, int64_t want)
{
	struct err e = {.code = ERR_NONE};
	int64_t t = -7;

	assert_int_equal(setenv("SOURCE_DATE_EPOCH", value, 1), 0);
	assert_int_equal(utc_epoch(42, &t, &e), 0);
	assert_int_equal(t, want);
	unsetenv("SOURCE_DATE_EPOCH");
}

static void utc_epoch_is_that_of_the_environment(void **state)
{
	struct err e = {.code = ERR_NONE};
	int64_t t = -7;

	(void)state;
	unsetenv("SOURCE_DATE_EPOCH");
	assert_int_equal(utc_epoch(42, &t, &e), 0);
	assert_int_equal(t, 42);
	assert_epoch("", 42);
	assert_epoch("0", 0);
	assert_epoch("1795437296", 1795437296);
	assert_epoch("253402300799", UTC_MAX);
}

static void utc_epoch_must_be_a_time(void **state)
{
	static const char *const bad[] = {"-1",  "x",   " 1",           "1 ",
					  "1.5", "0x1", "253402300800", "99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = {.code = ERR_NONE};
		int64_t t = 0;
		char want[128];
		assert_int_equal(setenv("SOURCE_DATE_EPOCH", bad[i], 1), 0);
		assert_int_equal(utc_epoch(42, &t, &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
		(void)snprintf(want, sizeof want,
			       "SOURCE_DATE_EPOCH is '%s', not a number of seconds since 1970",
			       bad[i]);
		assert_string_equal(e.msg, want);
	}
	unsetenv("SOURCE_DATE_EPOCH");
}

static void utc_now_is_the_clock(void **state)
{
	int64_t before = (int64_t)time(NULL), now = utc_now();

	(void)state;
	assert_true(now >= before && now <= (int64_t)time(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utc_every_day_up_to_2400_round_trips),
	    cmocka_unit_test(utc_rejects_days_that_months_do_not_have),
	    cmocka_unit_test(utc_rejects_times_that_days_do_not_have),
	    cmocka_unit_test(utc_reaches_from_1970_to_9999),
	    cmocka_unit_test(utc_reads_one_spelling),
	    cmocka_unit_test(utc_does_not_depend_on_the_time_zone),
	    cmocka_unit_test(utc_reads_durations),
	    cmocka_unit_test(utc_rejects_what_is_no_duration),
	    cmocka_unit_test(utc_epoch_is_that_of_the_environment),
	    cmocka_unit_test(utc_epoch_must_be_a_time),
	    cmocka_unit_test(utc_now_is_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
