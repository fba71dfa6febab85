#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/dcz.h"
#include "swarm/orders.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- helpers ---------------------------------------------------------------------------------- */

/* A file whose root is `content` 32 times. */
static struct entry entry_of(const char *path, uint64_t size, char content, enum label label)
{
	struct entry entry = {.path = path, .size = size, .label = label, .hot = ENTRY_NOT_HOT};

	memset(entry.root, content, sizeof entry.root);
	return entry;
}

static struct changes_item added(const char *path, uint64_t size, char content, enum label label)
{
	return (struct changes_item){
	    .kind = CHANGES_ADDED, .path = path, .file = entry_of(path, size, content, label)};
}

static void collect(struct payloads_from *from, size_t count, struct orders *ret)
{
	struct err e = {.code = ERR_NONE};

	if (orders_collect(from, count, ret, &e) != 0)
		fail_msg("%s", e.msg);
}

/* --- what is to be made ----------------------------------------------------------------------- */

static void orders_are_one_for_each_content_and_release(void **state)
{
	struct changes_item first[] = {added("a", 10, 'x', LABEL_PUBLIC),
				       added("b", 500, 'y', LABEL_PUBLIC),
				       added("c", 10, 'x', LABEL_PUBLIC)};
	struct changes_item second[] = {added("a", 10, 'x', LABEL_PUBLIC),
					added("d", 10, 'z', LABEL_PUBLIC)};
	struct changes changes[] = {{.items = first, .count = COUNT(first)},
				    {.items = second, .count = COUNT(second)}};
	struct payloads_item items[2][3];
	struct payloads_from from[] = {{.changes = &changes[0], .items = items[0]},
				       {.changes = &changes[1], .items = items[1]}};
	static const struct {
		uint64_t size;
		char content;
		size_t orders;
	} jobs[] = {{500, 'y', 1}, {10, 'x', 2}, {10, 'z', 1}};
	struct orders o;

	(void)state;
	collect(from, COUNT(from), &o);
	assert_int_equal(o.wish_count, 5);
	assert_int_equal(o.count, 4);
	assert_int_equal(o.job_count, COUNT(jobs));
	for (size_t i = 0; i < COUNT(jobs); i++) {
		assert_int_equal(o.jobs[i].file->size, jobs[i].size);
		assert_int_equal(o.jobs[i].file->root[0], jobs[i].content);
		assert_int_equal(o.jobs[i].count, jobs[i].orders);
	}
	/* Both files of the first release, and the one of the second. */
	const struct orders_order *x = &o.list[o.jobs[1].first];
	assert_int_equal(x[0].from, 0);
	assert_int_equal(x[0].count, 2);
	assert_string_equal(o.wishes[x[0].first].file->path, "a");
	assert_string_equal(o.wishes[x[0].first + 1].file->path, "c");
	assert_int_equal(x[1].from, 1);
	assert_int_equal(x[1].count, 1);
	orders_release(&o);
	orders_release(&o);
}

static void orders_are_for_what_needs_content_and_fits(void **state)
{
	struct changes_item list[] = {
	    added("copied", 10, 'a', LABEL_PUBLIC),
	    added("empty", 0, 0, LABEL_PUBLIC),
	    added("giant", DCZ_WINDOW_MAX + 1, 'b', LABEL_ORIGIN),
	    added("large", DCZ_WINDOW_MAX, 'c', LABEL_ORIGIN),
	    {.kind = CHANGES_REMOVED, .path = "removed"},
	};
	static const enum payloads_bare bare[] = {PAYLOADS_NOT_NEEDED, PAYLOADS_NOT_NEEDED,
						  PAYLOADS_TOO_LARGE, PAYLOADS_TOO_LARGE,
						  PAYLOADS_NOT_NEEDED};
	struct changes changes = {.items = list, .count = COUNT(list)};
	struct payloads_item items[COUNT(list)];
	struct payloads_from from = {.changes = &changes, .items = items};
	struct orders o;

	(void)state;
	list[0].copy = "elsewhere";
	collect(&from, 1, &o);
	assert_int_equal(o.wish_count, 1);
	assert_string_equal(o.wishes[0].file->path, "large");
	for (size_t i = 0; i < COUNT(list); i++)
		assert_int_equal(items[i].bare, bare[i]);
	assert_int_equal(items[2].label, LABEL_ORIGIN);
	orders_release(&o);
	changes.count = 0;
	collect(&from, 1, &o);
	assert_int_equal(o.job_count, 0);
	orders_release(&o);
}

/* --- bases ------------------------------------------------------------------------------------ */

static void orders_have_each_base_once(void **state)
{
	struct entry old[] = {
	    entry_of("a", 10, '1', LABEL_PUBLIC), entry_of("b", 10, '1', LABEL_PUBLIC),
	    entry_of("c", 10, '2', LABEL_PUBLIC), entry_of("d", 10, '3', LABEL_PUBLIC)};
	struct listing listing = {.entries = old, .count = COUNT(old)};
	struct changes_item list[] = {
	    added("a", 20, 'x', LABEL_PUBLIC), added("b", 20, 'x', LABEL_PUBLIC),
	    added("c", 20, 'x', LABEL_PUBLIC), added("d", 20, 'x', LABEL_PUBLIC),
	    added("new", 20, 'x', LABEL_PUBLIC)};
	struct changes changes = {.items = list, .count = COUNT(list)};
	struct payloads_item items[COUNT(list)];
	struct payloads_from from = {.changes = &changes, .listing = &listing, .items = items};
	struct entry others[8], empty = entry_of("e", 0, 0, LABEL_PUBLIC);
	struct entry giant = entry_of("g", DCZ_WINDOW_MAX + 1, 'g', LABEL_PUBLIC);
	struct orders o;

	(void)state;
	collect(&from, 1, &o);
	assert_int_equal(o.count, 1);
	struct orders_order *order = &o.list[0];
	orders_add_same_paths(&o, order);
	assert_int_equal(order->base_count, ORDERS_SAME_PATHS);
	assert_ptr_equal(order->bases[0], &old[0]);
	assert_ptr_equal(order->bases[1], &old[2]);
	orders_add_base(order, &old[1]);
	orders_add_base(order, &empty);
	orders_add_base(order, &giant);
	orders_add_base(order, NULL);
	assert_int_equal(order->base_count, ORDERS_SAME_PATHS);
	for (size_t i = 0; i < COUNT(others); i++) {
		others[i] = entry_of("other", 10, (char)('A' + (char)i), LABEL_PUBLIC);
		orders_add_base(order, &others[i]);
	}
	assert_int_equal(order->base_count, ORDERS_BASES_MAX);
	assert_ptr_equal(order->bases[ORDERS_SAME_PATHS], &others[0]);
	orders_release(&o);
}

static void orders_know_whom_a_base_hides_a_file_from(void **state)
{
	struct changes_item list[] = {added("a", 20, 'x', LABEL_PUBLIC),
				      added("b", 20, 'x', LABEL_ORIGIN),
				      added("c", 20, 'y', LABEL_ORIGIN)};
	struct changes changes = {.items = list, .count = COUNT(list)};
	struct payloads_item items[COUNT(list)];
	struct payloads_from from = {.changes = &changes, .items = items};
	struct entry open = entry_of("o", 5, 'o', LABEL_PUBLIC);
	struct entry secret = entry_of("s", 5, 's', LABEL_ORIGIN);
	struct orders o;

	(void)state;
	collect(&from, 1, &o);
	assert_int_equal(o.count, 2);
	/* The first one is for a public file, too. */
	assert_false(orders_hides(&o, &o.list[0], NULL));
	assert_false(orders_hides(&o, &o.list[0], &open));
	assert_true(orders_hides(&o, &o.list[0], &secret));
	assert_false(orders_hides(&o, &o.list[1], &secret));

	struct payloads_item made = {.bare = PAYLOADS_MADE, .size = 7, .base = &open};
	orders_answer(&o, &o.list[0], &made);
	assert_int_equal(items[0].bare, PAYLOADS_MADE);
	assert_int_equal(items[0].size, 7);
	assert_int_equal(items[0].label, LABEL_PUBLIC);
	assert_int_equal(items[1].label, LABEL_ORIGIN);
	assert_int_equal(items[2].bare, PAYLOADS_TOO_LARGE);
	made.base = &secret;
	orders_answer(&o, &o.list[0], &made);
	assert_int_equal(items[0].label, LABEL_ORIGIN);
	orders_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(orders_are_one_for_each_content_and_release),
	    cmocka_unit_test(orders_are_for_what_needs_content_and_fits),
	    cmocka_unit_test(orders_have_each_base_once),
	    cmocka_unit_test(orders_know_whom_a_base_hides_a_file_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
