#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/err.h"

/* Longer than any message may be. */
static char flood[3 * ERR_MSG_MAX];

static int fill_flood(void **state)
{
	(void)state;
	memset(flood, 'x', sizeof flood - 1);
	return 0;
}

static void err_set_fills_the_record(void **state)
{
	struct err e = {.code = ERR_SYSTEM, .sys = ENOENT, .msg = "before"};

	(void)state;
	assert_int_equal(err_set(&e, ERR_MALFORMED, "line %d of '%s'", 7, "x"), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.msg, "line 7 of 'x'");
}

static void err_sys_keeps_errno_and_says_its_text(void **state)
{
	struct err e;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "cannot open '%s'", "x"), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, ENOENT);
	assert_string_equal(e.msg, "cannot open 'x': No such file or directory");
	errno = 0;
	(void)err_sys(&e, "nothing");
	assert_int_equal(e.sys, 0);
}

static void err_sys_survives_an_errno_that_does_not_exist(void **state)
{
	struct err e;

	(void)state;
	errno = 123456;
	(void)err_sys(&e, "cannot");
	assert_int_equal(e.sys, 123456);
	assert_non_null(strstr(e.msg, "cannot: "));
	assert_non_null(strstr(e.msg, "123456"));
}

static void err_nomem_is_a_failure_of_the_system(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_nomem(&e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "out of memory");
	assert_int_equal(err_status(e.code), 2);
}

static void err_prefix_puts_context_in_front(void **state)
{
	struct err e;

	(void)state;
	errno = EACCES;
	(void)err_sys(&e, "cannot read");
	assert_int_equal(err_prefix(&e, "%s:%d", "file", 3), -1);
	assert_int_equal(err_prefix(&e, "outer"), -1);
	assert_string_equal(e.msg, "outer: file:3: cannot read: Permission denied");
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, EACCES);
}

static void err_prefix_takes_an_empty_message_and_an_empty_prefix(void **state)
{
	struct err e;

	(void)state;
	(void)err_set(&e, ERR_USAGE, "%s", "");
	(void)err_prefix(&e, "%s", "");
	assert_string_equal(e.msg, ": ");
	(void)err_prefix(&e, "a");
	assert_string_equal(e.msg, "a: : ");
}

static void err_cuts_long_messages_and_ends_them(void **state)
{
	struct err e;

	(void)state;
	(void)err_set(&e, ERR_USAGE, "%s", flood);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	errno = EIO;
	(void)err_sys(&e, "%s", flood);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	assert_int_equal(e.sys, EIO);
}

/* Every length of prefix against every length of message, around the room that there is. */
static void err_prefix_cuts_the_message_not_the_context(void **state)
{
	static const size_t lengths[] = {0,
					 1,
					 ERR_MSG_MAX / 2,
					 ERR_MSG_MAX - 5,
					 ERR_MSG_MAX - 4,
					 ERR_MSG_MAX - 3,
					 ERR_MSG_MAX - 2,
					 ERR_MSG_MAX - 1,
					 ERR_MSG_MAX,
					 ERR_MSG_MAX + 1,
					 2 * ERR_MSG_MAX};
	const size_t n = sizeof lengths / sizeof *lengths;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			struct err e;
			size_t prefix = lengths[i];
			(void)err_set(&e, ERR_USAGE, "%.*s", (int)lengths[k], flood);
			size_t message = strlen(e.msg);
			(void)err_prefix(&e, "%.*s", (int)prefix, flood);
			size_t kept = prefix < ERR_MSG_MAX - 3 ? prefix : ERR_MSG_MAX - 3;
			size_t want = kept + 2 + message;
			if (want > ERR_MSG_MAX - 1)
				want = ERR_MSG_MAX - 1;
			assert_int_equal(strlen(e.msg), want);
			assert_memory_equal(e.msg + kept, ": ", 2);
		}
	}
}

static void err_status_sorts_the_codes(void **state)
{
	static const struct {
		enum err_code code;
		int status;
	} all[] = {{ERR_NONE, 0},    {ERR_USAGE, 2},     {ERR_SYSTEM, 2},  {ERR_CONFIG, 2},
		   {ERR_CHANGED, 2}, {ERR_MALFORMED, 1}, {ERR_REFUSED, 1}, {ERR_UNTRUSTED, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_int_equal(err_status(all[i].code), all[i].status);
	/* What nobody thought of is never a success. */
	assert_int_equal(err_status((enum err_code)99), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(err_set_fills_the_record),
	    cmocka_unit_test(err_sys_keeps_errno_and_says_its_text),
	    cmocka_unit_test(err_sys_survives_an_errno_that_does_not_exist),
	    cmocka_unit_test(err_nomem_is_a_failure_of_the_system),
	    cmocka_unit_test(err_prefix_puts_context_in_front),
	    cmocka_unit_test(err_prefix_takes_an_empty_message_and_an_empty_prefix),
	    cmocka_unit_test(err_cuts_long_messages_and_ends_them),
	    cmocka_unit_test(err_prefix_cuts_the_message_not_the_context),
	    cmocka_unit_test(err_status_sorts_the_codes),
	};

	return cmocka_run_group_tests(tests, fill_flood, NULL);
}
