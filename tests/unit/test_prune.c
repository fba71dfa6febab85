#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/exporter.h"
#include "swarm/utc.h"

#define ISSUED INT64_C(1000000)

static const char *items[] = {"1.manifest"};

static struct head release(unsigned serial)
{
	struct head head = {.id = {.product = "farm", .channel = "stable", .serial = serial},
			    .issued = ISSUED,
			    .expires = ISSUED + 1};

	(void)snprintf(head.id.version, sizeof head.id.version, "1.0.%u", serial);
	return head;
}

/* What becomes of pruning release 1 at that time, once the head of release 2 is this one. */
static int prune_at(int64_t now, const struct head *head, struct err *e)
{
	const struct format_options options = {
	    .format = "upload", .prune = true, .previous = {.items = items, .count = 1}};
	const struct format_job job = {.options = &options, .manifest = "2.manifest", .now = now};
	const struct header header = {.id = head->id};
	const struct head old = release(1);
	struct exporter *x = exporter_new(&job, e);

	assert_non_null(x);
	assert_true(exporter_looks_back(x));
	assert_int_equal(exporter_earlier(x, items[0], false, &old, e), 0);
	int status = exporter_begin(x, &header, head, e);
	exporter_free(x);
	return status;
}

static void first_time_is(const struct head *head, int64_t from)
{
	struct err e;

	assert_int_equal(prune_at(from, head, &e), 0);
	assert_int_equal(prune_at(from - 1, head, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.msg, "nothing may be deleted before"));
}

static void prune_waits_for_the_end_of_the_rollout(void **state)
{
	struct head head = release(2);

	(void)state;
	first_time_is(&head, ISSUED);
	head.has_rollout = true;
	head.rollout_start = ISSUED + 50;
	first_time_is(&head, ISSUED + 50);
	head.rollout_window = 100;
	first_time_is(&head, ISSUED + 150);
	/* A rollout that begins before the head was issued may be over by then. */
	head.rollout_start = ISSUED - 150;
	first_time_is(&head, ISSUED - 50);
}

static void prune_waits_for_a_rollout_that_ends_after_all_times(void **state)
{
	struct head head = release(2);

	(void)state;
	head.has_rollout = true;
	head.rollout_start = UTC_MAX - 10;
	head.rollout_window = 11;
	first_time_is(&head, UTC_MAX);
	head.rollout_window = UINT64_MAX;
	first_time_is(&head, UTC_MAX);
	head.rollout_start = 0;
	first_time_is(&head, UTC_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prune_waits_for_the_end_of_the_rollout),
	    cmocka_unit_test(prune_waits_for_a_rollout_that_ends_after_all_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
