#define _DEFAULT_SOURCE /* mkdtemp() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/contest.h"
#include "swarm/filehash.h"

#define LEN    ((size_t)20000)
#define MEMORY (UINT64_C(256) << 20)

/* --- one order -------------------------------------------------------------------------------- */

static char home[64];
static struct depot depot = {.folder = "depot"};
static struct depot_content content; /* noise */
static struct entry near, far;       /* old files: the first half of it, and a quarter */
static struct stock *old;
static struct changes_item item;
static struct payloads_item answer;
static struct changes changes = {.items = &item, .count = 1};
static struct payloads_from from = {.changes = &changes, .items = &answer};
static struct orders orders;

static void describe(struct entry *entry, const char *path, const char *bytes, size_t len)
{
	struct filehash_options how = {.piece_length = MERKLE_PIECE_MAX, .plain = true};
	struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
	struct err e;
	struct filehash *hash = filehash_new(&how, &e);

	assert_non_null(hash);
	filehash_update(hash, bytes, len);
	assert_int_equal(filehash_final(hash, &digests, &e), 0);
	*entry = (struct entry){.path = path, .size = len, .has_sha256 = true, .hot = -1};
	entry->label = LABEL_PUBLIC;
	memcpy(entry->sha256, digests.sha256, SHA256_SIZE);
	memcpy(entry->root, digests.root, SHA256_SIZE);
	filehash_release(&digests);
	filehash_free(hash);
}

static void write_old(struct entry *entry, const char *name, size_t len)
{
	char path[32];
	(void)snprintf(path, sizeof path, "old/%s", name);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(content.bytes.data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	describe(entry, name, content.bytes.data, len);
}

static int enter_home(void **state)
{
	uint64_t seed = 88172645463325252;
	struct err e;

	(void)state;
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-contest-XXXXXX");
	depot.scratch = scratch_new(&e);
	if (depot.scratch == NULL || mkdtemp(home) == NULL || chdir(home) != 0 ||
	    mkdir("old", 0777) != 0 || depot_make(&depot, &e) != 0)
		return -1;
	buf_init(&content.bytes);
	for (size_t i = 0; i < LEN; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		buf_addc(&content.bytes, (char)(seed >> 32));
	}
	item = (struct changes_item){.kind = CHANGES_ADDED, .path = "new"};
	describe(&item.file, "new", content.bytes.data, LEN);
	memcpy(content.sha256, item.file.sha256, SHA256_SIZE);
	write_old(&near, "near", LEN / 2);
	write_old(&far, "far", LEN / 4);
	old = stock_open("old", NULL, &e);
	return old != NULL && orders_collect(&from, 1, &orders, &e) == 0 ? 0 : -1;
}

static int leave_home(void **state)
{
	char command[128];

	(void)state;
	orders_release(&orders);
	stock_close(old);
	buf_release(&content.bytes);
	scratch_free(depot.scratch);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", home);
	return chdir("/") == 0 ? system(command) : -1;
}

static struct contest_rules rules(void)
{
	return (struct contest_rules){
	    .orders = &orders, .depot = &depot, .level = 19, .memory = MEMORY};
}

static struct contest_winner run(const struct contest_rules *how, struct buf *best)
{
	struct contest_winner winner;
	struct err e;

	buf_clear(best);
	if (contest_run(how, &orders.list[0], &content, old, best, &winner, &e) != 0)
		fail_msg("%s", e.msg);
	return winner;
}

static bool is_right(const struct buf *payload, const struct entry *entry)
{
	struct dcz_base base = {.bytes = NULL};
	struct err e;

	if (entry != NULL) {
		base.bytes = (const uint8_t *)content.bytes.data;
		base.len = (size_t)entry->size;
		memcpy(base.sha256, entry->sha256, SHA256_SIZE);
	}
	return dcz_prove(&base, (const uint8_t *)payload->data, payload->len,
			 (const uint8_t *)content.bytes.data, LEN, &e) == 0;
}

/* --- who wins --------------------------------------------------------------------------------- */

static void contest_is_won_by_the_smallest_payload(void **state)
{
	const struct contest_rules how = rules();
	struct buf best = BUF_INIT;

	(void)state;
	struct contest_winner w = run(&how, &best);
	assert_true(w.any);
	assert_null(w.base);
	assert_true(is_right(&best, NULL));
	orders_add_base(&orders.list[0], &far);
	w = run(&how, &best);
	assert_ptr_equal(w.base, &far);
	assert_true(is_right(&best, &far));
	orders_add_base(&orders.list[0], &near);
	w = run(&how, &best);
	assert_ptr_equal(w.base, &near);
	assert_memory_equal(w.base_sha256, near.sha256, SHA256_SIZE);
	assert_false(w.exists);
	assert_true(is_right(&best, &near));
	assert_in_range(best.len, LEN / 2, LEN / 2 + 200);
	buf_release(&best);
}

static void contest_makes_a_base_that_hides_the_file_pay(void **state)
{
	const struct contest_rules how = rules();
	struct buf best = BUF_INIT;

	(void)state;
	/* 1,000 bytes of 10,000 more are less than the tenth that it counts as more. */
	write_old(&far, "far", LEN / 2 - 900);
	near.label = LABEL_ORIGIN;
	orders_add_base(&orders.list[0], &near);
	orders_add_base(&orders.list[0], &far);
	assert_ptr_equal(run(&how, &best).base, &far);
	near.label = LABEL_PUBLIC;
	assert_ptr_equal(run(&how, &best).base, &near);
	buf_release(&best);
}

static void contest_takes_what_is_in_the_depot(void **state)
{
	const struct contest_rules how = rules();
	struct contest_rules low = how;
	struct buf best = BUF_INIT, again = BUF_INIT;
	struct err e;

	(void)state;
	orders_add_base(&orders.list[0], &near);
	struct contest_winner w = run(&how, &best);
	assert_int_equal(depot_put(&depot, &content, w.base_sha256, &best, &e), 0);
	low.level = 1;
	w = run(&low, &again);
	assert_true(w.exists);
	assert_ptr_equal(w.base, &near);
	assert_int_equal(again.len, best.len);
	assert_memory_equal(again.data, best.data, best.len);
	buf_release(&best);
	buf_release(&again);
}

static void contest_stays_within_its_memory(void **state)
{
	struct contest_rules how = rules();
	const struct orders_order *order = &orders.list[0];
	struct buf best = BUF_INIT;

	(void)state;
	orders_add_base(&orders.list[0], &near);
	uint64_t high = contest_memory(&how, order, LEN);
	assert_in_range(high, 1, MEMORY);
	assert_true(run(&how, &best).any);
	/* A byte less takes a lower level. */
	how.memory = high - 1;
	assert_in_range(contest_memory(&how, order, LEN), 1, high - 1);
	assert_true(run(&how, &best).any);
	how.memory = 1000;
	assert_int_equal(contest_memory(&how, order, LEN), 0);
	assert_false(run(&how, &best).any);
	buf_release(&best);
}

#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, enter_home, leave_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_HOME(contest_is_won_by_the_smallest_payload),
	    IN_HOME(contest_makes_a_base_that_hides_the_file_pay),
	    IN_HOME(contest_takes_what_is_in_the_depot),
	    IN_HOME(contest_stays_within_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
