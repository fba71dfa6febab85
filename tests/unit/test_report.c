#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/report.h"

static void add(struct audit *a, enum finding_kind kind, const char *path, const char *why)
{
	struct err e;

	assert_int_equal(finding_add_reason(&a->findings, kind, path, why, &e), 0);
}

static void assert_report(const struct audit *a, size_t shown, bool ok, const char *want)
{
	const struct report_options options = {.shown = shown, .ok = ok};
	struct buf b = BUF_INIT;

	report_findings(&b, a, &options);
	assert_string_equal(b.data, want);
	buf_release(&b);
}

static void assert_counts(const struct audit *a, const char *want)
{
	struct buf b = BUF_INIT;

	/* What stands before it must not matter. */
	buf_adds(&b, "before:");
	report_counts(&b, a);
	assert_string_equal(b.data + 7, want);
	buf_release(&b);
}

static void report_of_a_good_copy_is_empty(void **state)
{
	struct audit a = AUDIT_INIT;

	(void)state;
	assert_report(&a, 20, false, "");
	assert_counts(&a, "");
	add(&a, FINDING_OK, "a", NULL);
	assert_report(&a, 20, false, "");
	assert_report(&a, 20, true, "ok (1)\n  a\n");
	assert_counts(&a, "1 ok");
	audit_release(&a);
}

static void report_puts_the_worst_first(void **state)
{
	struct audit a = AUDIT_INIT;

	(void)state;
	add(&a, FINDING_OK, "fine", NULL);
	add(&a, FINDING_EXTRA, "new", NULL);
	add(&a, FINDING_MISSING, "gone", NULL);
	add(&a, FINDING_WRONG_MODE, "mode", "it should be executable");
	add(&a, FINDING_WRONG_TYPE, "type", "a directory");
	add(&a, FINDING_MISSING, "away", NULL);
	assert_report(&a, 20, false,
		      "missing (2)\n"
		      "  gone\n"
		      "  away\n"
		      "wrong type: something else stands in a file's place (1)\n"
		      "  type  a directory\n"
		      "extra: not part of the release (1)\n"
		      "  new\n"
		      "wrong mode (1)\n"
		      "  mode  it should be executable\n");
	assert_counts(&a, "2 missing, 1 wrong-type, 1 extra, 1 wrong-mode, 1 ok");
	audit_release(&a);
}

static void report_shows_so_many_of_a_kind(void **state)
{
	struct audit a = AUDIT_INIT;
	char path[32];

	(void)state;
	for (int i = 0; i < 1234; i++) {
		(void)snprintf(path, sizeof path, "%04d", i);
		add(&a, FINDING_MISSING, path, NULL);
	}
	add(&a, FINDING_EXTRA, "x", NULL);
	assert_report(&a, 2, false,
		      "missing (1,234)\n  0000\n  0001\n  and 1,232 more (-v shows all)\n"
		      "extra: not part of the release (1)\n  x\n");
	struct buf b = BUF_INIT;
	report_findings(&b, &a, &(struct report_options){.shown = SIZE_MAX});
	assert_non_null(strstr(b.data, "\n  1233\nextra"));
	assert_null(strstr(b.data, "more"));
	buf_clear(&b);
	report_findings(&b, &a, &(struct report_options){.shown = 1234});
	assert_null(strstr(b.data, "more"));
	buf_release(&b);
	assert_counts(&a, "1,234 missing, 1 extra");
	audit_release(&a);
}

/* Names that would forge lines of the report, or steer the terminal. */
static void report_cannot_be_forged_by_names(void **state)
{
	struct audit a = AUDIT_INIT;

	(void)state;
	add(&a, FINDING_EXTRA, "a\nverified\n", NULL);
	add(&a, FINDING_EXTRA, "\x1B[2J\xE2\x80\xAEgpj", "why\nnot");
	assert_report(&a, 20, false,
		      "extra: not part of the release (2)\n"
		      "  a\\x0averified\\x0a\n"
		      "  \\x1b[2J\\xe2\\x80\\xaegpj  why\\x0anot\n");
	audit_release(&a);
}

static void report_lines_details_up(void **state)
{
	struct audit a = AUDIT_INIT;

	(void)state;
	add(&a, FINDING_WRONG_TYPE, "a", "a directory");
	add(&a, FINDING_WRONG_TYPE, "a/longer/one", "a directory");
	add(&a, FINDING_WRONG_TYPE,
	    "a/very/very/very/very/very/very/very/very/very/very/very/very/long/one",
	    "a directory");
	assert_report(&a, 20, false,
		      "wrong type: something else stands in a file's place (3)\n"
		      "  a             a directory\n"
		      "  a/longer/one  a directory\n"
		      "  a/very/very/very/very/very/very/very/very/very/very/very/very/long/one  "
		      "a directory\n");
	audit_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(report_of_a_good_copy_is_empty),
	    cmocka_unit_test(report_puts_the_worst_first),
	    cmocka_unit_test(report_shows_so_many_of_a_kind),
	    cmocka_unit_test(report_cannot_be_forged_by_names),
	    cmocka_unit_test(report_lines_details_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
