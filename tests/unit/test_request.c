#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/num.h"
#include "swarm/request.h"
#include "swarm/utc.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* 2026-11-23T12:34:56Z */
#define ISSUED      INT64_C(1795437296)
#define ISSUED_TEXT "1795437296"

static const struct request_words release = {.version = "1.0", .serial = "7"};

static int set_clock(void **state)
{
	(void)state;
	return setenv("SOURCE_DATE_EPOCH", ISSUED_TEXT, 1);
}

static int reset_clock(void **state)
{
	(void)state;
	return unsetenv("SOURCE_DATE_EPOCH");
}

static void assert_wrong(const struct request_words *words, const char *message)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(request_check(words, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_USAGE);
}

static void assert_misnamed(const struct request_words *words, const char *message)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(request_check_names(words, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_USAGE);
}

static void assert_right(const struct request_words *words)
{
	struct err e;

	if (request_check(words, &e) != 0 || request_check_names(words, &e) != 0)
		fail_msg("%s", e.msg);
}

static void assert_unreadable(const struct request_words *words, const char *message)
{
	struct release_request request = {.serial = 0};
	struct err e = {.code = ERR_NONE};

	assert_right(words);
	assert_int_equal(request_read(words, &request, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_USAGE);
}

static struct release_request read_words(const struct request_words *words)
{
	/* What is read must not depend on what stood there. */
	struct release_request request;
	struct err e;

	memset(&request, 0xAA, sizeof request);
	assert_right(words);
	if (request_read(words, &request, &e) != 0)
		fail_msg("%s", e.msg);
	return request;
}

/* --- what may be said ------------------------------------------------------------------------- */

static void new_release_needs_a_version_and_a_serial(void **state)
{
	struct request_words words = release;

	(void)state;
	assert_right(&words);
	words.version = NULL;
	assert_wrong(&words, "what release is it? give --release VERSION");
	words = release;
	words.serial = NULL;
	assert_wrong(&words, "give --serial N, or --serial next with --previous (a first release "
			     "has --serial 1)");
}

static void request_for_a_delta_says_nothing_of_a_release(void **state)
{
	static const struct request_words others[] = {
	    {.product = "farm"},
	    {.channel = "beta"},
	    {.version = "1.0"},
	    {.serial = "7"},
	    {.previous = "head"},
	    {.expires = "1d"},
	    {.rollout_start = "2026-12-01T00:00:00Z"},
	    {.rollout_window = {.given = true, .value = 0}},
	    {.torrent = "x.torrent"},
	};
	struct request_words words = {.product = NULL};
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_true(request_is_empty(&words));
	assert_int_equal(request_check_delta(&words, &e), 0);
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_false(request_is_empty(&others[i]));
		assert_int_equal(request_check_delta(&others[i], &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
		assert_string_equal(e.msg, "a delta says what it is of: --product, --channel, "
					   "--release, --serial, --previous, --expires, "
					   "--rollout-* and --torrent are for a release");
	}
	words.add_signature = true;
	assert_false(request_is_empty(&words));
	assert_int_equal(request_check_delta(&words, &e), 0);
	words = (struct request_words){.resign = true};
	assert_false(request_is_empty(&words));
	assert_int_equal(request_check_delta(&words, &e), -1);
	assert_string_equal(e.msg, "a delta does not expire: there is nothing to resign");
}

static void names_must_be_names(void **state)
{
	struct request_words words = release;

	(void)state;
	words.product = words.channel = "farm";
	/* A version has one character more to choose from. */
	words.version = "1.0+build";
	assert_right(&words);
	words.product = "fa rm";
	assert_misnamed(&words, "'fa rm' cannot be a product: 1-32 of A-Z a-z 0-9 . _ -");
	words = release;
	words.channel = ".beta";
	assert_misnamed(&words, "'.beta' cannot be a channel: 1-32 of A-Z a-z 0-9 . _ -");
	words = release;
	words.version = "1/2";
	assert_misnamed(&words, "'1/2' cannot be a version: 1-48 of A-Z a-z 0-9 . + _ -");
}

static void release_that_stays_takes_no_new_name(void **state)
{
	static const struct request_words others[] = {{.product = "farm"},
						      {.channel = "beta"},
						      {.version = "1.0"},
						      {.serial = "7"},
						      {.previous = "head"}};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		struct request_words words = others[i];
		words.resign = true;
		assert_wrong(&words, "--resign leaves the release as it is: --product, --channel, "
				     "--release, --serial and --previous are for a new one");
		words.resign = false;
		words.add_signature = true;
		assert_wrong(&words,
			     "--add-signature leaves the release as it is: --product, --channel, "
			     "--release, --serial and --previous are for a new one");
		words.resign = true;
		assert_wrong(&words, "--resign and --add-signature exclude each other");
	}
	assert_right(&(struct request_words){.resign = true});
	assert_right(&(struct request_words){.add_signature = true});
}

static void only_a_head_that_is_issued_again_gets_new_times(void **state)
{
	static const struct request_words times[] = {{.expires = "30d"},
						     {.rollout_start = "2027-01-01T00:00:00Z"},
						     {.rollout_window = {true, 0}}};

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		struct request_words words = times[i];
		words.resign = true;
		assert_right(&words);
		words.resign = false;
		words.add_signature = true;
		assert_wrong(&words, "--add-signature leaves the head as it is: --expires, "
				     "--rollout-* and --torrent are for --resign");
	}
}

/* --- what it means ---------------------------------------------------------------------------- */

static void task_and_names_are_those_of_the_words(void **state)
{
	struct request_words words = release;

	(void)state;
	words.product = "farm";
	words.channel = "beta";
	struct release_request r = read_words(&words);
	assert_int_equal(r.task, RELEASE_MAKE);
	assert_string_equal(r.product, "farm");
	assert_string_equal(r.channel, "beta");
	assert_string_equal(r.version, "1.0");
	r = read_words(&release);
	assert_null(r.product);
	assert_null(r.channel);
	r = read_words(&(struct request_words){.resign = true});
	assert_int_equal(r.task, RELEASE_RESIGN);
	r = read_words(&(struct request_words){.add_signature = true});
	assert_int_equal(r.task, RELEASE_ADD_SIGNATURE);
}

static void fields_that_no_word_is_about_stay(void **state)
{
	struct release_request r = read_words(&release), before;

	(void)state;
	memset(&before, 0xAA, sizeof before);
	assert_memory_equal(&r.keys, &before.keys, sizeof r.keys);
	assert_memory_equal(&r.trust, &before.trust, sizeof r.trust);
	assert_memory_equal(&r.previous, &before.previous, sizeof r.previous);
	assert_int_equal(r.key_count, before.key_count);
}

static void serial_is_a_number_from_1_or_next(void **state)
{
	static const char *const bad[] = {"0", "-1", "01", "1.5", " 1", "Next", "9007199254740992"};
	struct request_words words = release;

	(void)state;
	assert_int_equal(read_words(&words).serial, 7);
	words.serial = "9007199254740991";
	assert_int_equal(read_words(&words).serial, NUM_MAX);
	for (size_t i = 0; i < COUNT(bad); i++) {
		char message[128];
		words.serial = bad[i];
		(void)snprintf(message, sizeof message,
			       "--serial needs a number from 1, or next, not '%s'", bad[i]);
		assert_unreadable(&words, message);
	}
	words.serial = "next";
	assert_unreadable(&words, "--serial next needs --previous");
	words.previous = "head";
	assert_int_equal(read_words(&words).serial, 0);
}

static void head_lives_thirty_days_or_as_long_as_it_is_told(void **state)
{
	struct request_words words = release;

	(void)state;
	struct release_request r = read_words(&words);
	assert_int_equal(r.issued, ISSUED);
	assert_int_equal(r.expires, ISSUED + 30 * 86400);
	words.expires = "1s";
	assert_int_equal(read_words(&words).expires, ISSUED + 1);
	words.expires = "2026-11-23T12:34:57Z";
	assert_int_equal(read_words(&words).expires, ISSUED + 1);
	words.expires = "9999-12-31T23:59:59Z";
	assert_int_equal(read_words(&words).expires, UTC_MAX);
	words = (struct request_words){.resign = true, .expires = "2w"};
	assert_int_equal(read_words(&words).expires, ISSUED + 14 * 86400);
}

static void head_must_live_and_end(void **state)
{
	static const char *const bad[] = {"tomorrow", "30",  "0d",
					  "0s",       "-1d", "2026-02-30T00:00:00Z"};
	struct request_words words = release;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char message[160];
		words.expires = bad[i];
		(void)snprintf(message, sizeof message,
			       "--expires needs a duration such as 30d or a time such as "
			       "2026-12-31T00:00:00Z, not '%s'",
			       bad[i]);
		assert_unreadable(&words, message);
	}
	words.expires = "2026-11-23T12:34:56Z";
	assert_unreadable(&words, "--expires 2026-11-23T12:34:56Z is not after the time of issue");
	/* UTC_MAX - ISSUED seconds are left. */
	words.expires = "251606863503s";
	assert_int_equal(read_words(&words).expires, UTC_MAX);
	words.expires = "251606863504s";
	assert_unreadable(&words, "it would expire beyond the year 9999: give --expires a time");
}

static void time_of_issue_is_the_clock_unless_it_is_given(void **state)
{
	struct err e = {.code = ERR_NONE};
	struct release_request r;

	(void)state;
	assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
	int64_t before = utc_now();
	r = read_words(&release);
	assert_true(r.issued >= before && r.issued <= utc_now());
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "today", 1), 0);
	assert_int_equal(request_read(&release, &r, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg,
			    "SOURCE_DATE_EPOCH is 'today', not a number of seconds since 1970");
}

static void rollout_is_asked_for_by_either_of_its_words(void **state)
{
	struct request_words words = release;

	(void)state;
	assert_false(read_words(&words).has_rollout);
	words.rollout_start = "2026-11-23T12:34:57Z";
	struct release_request r = read_words(&words);
	assert_true(r.has_rollout);
	assert_int_equal(r.rollout_start, ISSUED + 1);
	assert_int_equal(r.rollout_window, 4 * 3600);
	words.rollout_window = (struct opt_number){true, 0};
	assert_int_equal(read_words(&words).rollout_window, 0);
	words.rollout_start = NULL;
	words.rollout_window.value = 90;
	r = read_words(&words);
	assert_true(r.has_rollout);
	assert_int_equal(r.rollout_start, ISSUED);
	assert_int_equal(r.rollout_window, 90);
	words.rollout_start = "4h";
	assert_unreadable(&words, "--rollout-start needs a time such as 2026-12-31T00:00:00Z, not "
				  "'4h'");
}

int main(void)
{
#define WITH_CLOCK(test) cmocka_unit_test_setup_teardown(test, set_clock, reset_clock)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(new_release_needs_a_version_and_a_serial),
	    cmocka_unit_test(request_for_a_delta_says_nothing_of_a_release),
	    cmocka_unit_test(names_must_be_names),
	    cmocka_unit_test(release_that_stays_takes_no_new_name),
	    cmocka_unit_test(only_a_head_that_is_issued_again_gets_new_times),
	    WITH_CLOCK(task_and_names_are_those_of_the_words),
	    WITH_CLOCK(fields_that_no_word_is_about_stay),
	    WITH_CLOCK(serial_is_a_number_from_1_or_next),
	    WITH_CLOCK(head_lives_thirty_days_or_as_long_as_it_is_told),
	    WITH_CLOCK(head_must_live_and_end),
	    WITH_CLOCK(time_of_issue_is_the_clock_unless_it_is_given),
	    WITH_CLOCK(rollout_is_asked_for_by_either_of_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
