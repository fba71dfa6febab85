#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/limits.h"

static const struct limits most = {
    .bytes = 10000000, .pieces = 2097152, .tokens = 3000000, .depth = 99};

static void limits_let_through_what_clients_load(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(limits_check(&most, &e), 0);
}

static void assert_refused(const struct limits *is, const char *want)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(limits_check(is, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_string_equal(e.msg, want);
}

#define LOAD "and clients such as libtorrent load no more than "
#define ELSE ", make several torrents by --only, or give --oversize"

static void limits_refuse_one_more_of_anything(void **state)
{
	struct limits is = most;

	(void)state;
	is.depth++;
	assert_refused(&is, "the torrent has 100 folders and lists in each other, " LOAD
			    "99: use fewer folders in each other" ELSE);
	/* What is told first is what to do first. */
	is.tokens++;
	assert_refused(&is, "the torrent has 3,000,001 items of metainfo, " LOAD
			    "3,000,000: pack fewer files" ELSE);
	is.bytes++;
	assert_refused(&is, "the torrent has 10,000,001 bytes of metainfo, " LOAD
			    "10,000,000: pack with a larger --piece-length" ELSE);
	is.pieces++;
	assert_refused(&is, "the torrent has 2,097,153 pieces, " LOAD
			    "2,097,152: pack with a larger --piece-length" ELSE);
}

static void limits_say_when_it_is_not_all(void **state)
{
	struct limits is = {.so_far = true, .pieces = UINT64_MAX};

	(void)state;
	assert_refused(&is, "the torrent has 18,446,744,073,709,551,615 pieces so far, " LOAD
			    "2,097,152: pack with a larger --piece-length" ELSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(limits_let_through_what_clients_load),
	    cmocka_unit_test(limits_refuse_one_more_of_anything),
	    cmocka_unit_test(limits_say_when_it_is_not_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
