#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/holdings.h"

static struct format_options options;
static const struct format_job job = {.options = &options};
static struct planner planner;
static struct holdings store;

static void start(const char *layout)
{
	struct err e;

	options.layout = layout;
	planner = (struct planner){.state = {.job = &job, .text = BUF_INIT}};
	store = (struct holdings)HOLDINGS_INIT;
	assert_int_equal(planner_init(&planner, &e), 0);
}

static int stop(void **state)
{
	(void)state;
	holdings_release(&store);
	planner_release(&planner);
	return 0;
}

/* A file whose digests are `content` 32 times. */
static struct entry file(const char *path, char content, const char *type, const char *cache)
{
	struct entry entry = {
	    .path = path, .size = 1, .has_sha256 = true, .type = type, .cache = cache};

	memset(entry.sha256, content, sizeof entry.sha256);
	memset(entry.root, content, sizeof entry.root);
	return entry;
}

static struct head release(unsigned serial)
{
	struct head head = {.id = {.product = "farm", .channel = "stable", .serial = serial}};

	(void)snprintf(head.id.version, sizeof head.id.version, "%u", serial);
	return head;
}

/* One more earlier release, and a file of it; more with note(). */
static void note(struct entry entry)
{
	struct err e;

	assert_int_equal(holdings_note(&store, &planner, &entry, &e), 0);
}

static void earlier(unsigned serial, struct entry entry)
{
	const struct head head = release(serial);
	struct err e;

	assert_int_equal(planner_earlier(&planner, "x", false, &head, &e), 0);
	note(entry);
}

static void begin(unsigned serial)
{
	const struct head head = release(serial);
	struct err e;

	assert_int_equal(planner_begin(&planner, &head, &e), 0);
}

static enum holdings_answer ask(struct entry entry)
{
	enum holdings_answer answer;
	struct err e;

	assert_int_equal(holdings_ask(&store, &planner, &entry, &answer, &e), 0);
	return answer;
}

static void copied(struct entry entry, const char *from)
{
	assert_int_equal(ask(entry), HOLDINGS_COPY);
	assert_string_equal(planner.from.data, from);
}

static void holdings_are_copied_from_the_same_path_or_the_first(void **state)
{
	(void)state;
	start("release");
	earlier(1, file("a", 'x', "t", NULL));
	note(file("b", 'x', "t", NULL));
	earlier(2, file("a", 'x', "t", NULL));
	note(file("c", 'x', "t", NULL));
	begin(3);
	copied(file("a", 'x', "t", NULL), "farm-1/a");
	assert_string_equal(planner.key.data, "farm-3/a");
	copied(file("b", 'x', "t", NULL), "farm-1/b");
	copied(file("c", 'x', "t", NULL), "farm-2/c");
	copied(file("d", 'x', "t", NULL), "farm-1/a");
}

static void holdings_are_of_one_content_and_one_set_of_headers(void **state)
{
	struct entry longer = file("a", 'x', "t", "c");

	(void)state;
	longer.size = 2;
	start("release");
	earlier(1, file("a", 'x', "t", "c"));
	begin(2);
	assert_int_equal(ask(file("a", 'y', "t", "c")), HOLDINGS_NONE);
	assert_int_equal(ask(file("a", 'x', "u", "c")), HOLDINGS_NONE);
	assert_int_equal(ask(file("a", 'x', "t", "d")), HOLDINGS_NONE);
	assert_int_equal(ask(file("a", 'x', "t", NULL)), HOLDINGS_NONE);
	assert_int_equal(ask(longer), HOLDINGS_NONE);
	copied(file("a", 'x', "t", "c"), "farm-1/a");
	/* What this release has brought itself is there, too. */
	copied(file("b", 'y', "t", "c"), "farm-2/a");
}

static void holdings_by_hash_are_where_they_belong(void **state)
{
	(void)state;
	start("hash");
	earlier(1, file("a.js", 'x', NULL, "c"));
	begin(2);
	assert_int_equal(ask(file("b.js", 'x', NULL, "c")), HOLDINGS_THERE);
	assert_int_equal(ask(file("b.mjs", 'x', NULL, "c")), HOLDINGS_NONE);
	assert_int_equal(ask(file("c.mjs", 'x', NULL, "c")), HOLDINGS_THERE);
	assert_int_equal(ask(file("b.js", 'y', NULL, "c")), HOLDINGS_NONE);
}

static void holdings_by_hash_with_other_headers_are_put_again(void **state)
{
	(void)state;
	start("hash");
	earlier(1, file("a", 'x', "t", "c"));
	begin(2);
	assert_int_equal(ask(file("a", 'x', "t", "d")), HOLDINGS_NONE);
	/* The first file of the release has the say. */
	assert_int_equal(ask(file("b", 'x', "t", "c")), HOLDINGS_THERE);
}

static void holdings_by_hash_on_which_releases_differ_are_put_again(void **state)
{
	(void)state;
	for (int other = 0; other < 2; other++) {
		start("hash");
		earlier(1, file("a", 'x', "t", "c"));
		/* Not of the same release: there the first one has the say. */
		note(file("b", 'x', "t", "d"));
		earlier(2, file("a", 'x', "t", other ? "d" : "c"));
		begin(3);
		assert_int_equal(ask(file("a", 'x', "t", "c")),
				 other ? HOLDINGS_NONE : HOLDINGS_THERE);
		(void)stop(NULL);
	}
	start("hash");
	earlier(1, file("a", 'x', "t", "c"));
	earlier(2, file("a", 'x', "t", "d"));
	earlier(3, file("a", 'x', "t", "c"));
	begin(4);
	assert_int_equal(ask(file("a", 'x', "t", "c")), HOLDINGS_NONE);
}

static void holdings_by_hash_have_one_type_in_a_release(void **state)
{
	enum holdings_answer answer;
	struct entry other = file("b", 'x', "tt", "c");
	struct err e;

	(void)state;
	start("hash");
	earlier(1, file("a", 'x', "u", "c"));
	begin(2);
	assert_int_equal(ask(file("a", 'x', "t", "c")), HOLDINGS_NONE);
	assert_int_equal(holdings_ask(&store, &planner, &other, &answer, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
}

static void holdings_type_is_the_manifests_or_the_names(void **state)
{
	struct entry entry = file("a.js", 'x', NULL, NULL);

	(void)state;
	assert_string_equal(holdings_type(&entry), "text/javascript");
	entry.type = "text/plain";
	assert_string_equal(holdings_type(&entry), "text/plain");
	entry = file("js", 'x', NULL, NULL);
	assert_string_equal(holdings_type(&entry), "application/octet-stream");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(holdings_are_copied_from_the_same_path_or_the_first, stop),
	    cmocka_unit_test_teardown(holdings_are_of_one_content_and_one_set_of_headers, stop),
	    cmocka_unit_test_teardown(holdings_by_hash_are_where_they_belong, stop),
	    cmocka_unit_test_teardown(holdings_by_hash_with_other_headers_are_put_again, stop),
	    cmocka_unit_test_teardown(holdings_by_hash_on_which_releases_differ_are_put_again,
				      stop),
	    cmocka_unit_test_teardown(holdings_by_hash_have_one_type_in_a_release, stop),
	    cmocka_unit_test(holdings_type_is_the_manifests_or_the_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
