#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/planner.h"

static const struct head head_1 = {
    .id = {.product = "farm", .channel = "stable", .version = "1.0.1", .serial = 1}};
static const struct head head_2 = {
    .id = {.product = "farm", .channel = "stable", .version = "1.0.2", .serial = 2}};

static void start(struct planner *p, const struct format_job *job)
{
	struct err e;

	*p = (struct planner){.state = {.job = job, .text = BUF_INIT}};
	assert_int_equal(planner_init(p, &e), 0);
}

static void stop(struct planner *p)
{
	planner_release(p);
	buf_release(&p->state.text);
}

static void set(struct buf *to, const char *text)
{
	buf_clear(to);
	buf_adds(to, text);
}

static void planner_puts_the_prefix_in_front_of_both_keys(void **state)
{
	const struct format_options options = {.prefix = "/a b/"};
	const struct format_job job = {.options = &options};
	const struct step copy = {
	    .op = STEP_COPY, .sha256 = (const uint8_t[SHA256_SIZE]){0}, .type = "t"};
	const struct step delete = {.op = STEP_DELETE};
	struct planner p;
	struct err e;

	(void)state;
	start(&p, &job);
	set(&p.key, "new");
	set(&p.from, "old");
	assert_int_equal(planner_put(&p, copy, &e), 0);
	assert_non_null(strstr(p.state.text.data, "\"key\":\"a b/new\",\"from\":\"a b/old\","));
	/* What is left of the line before is not of this one. */
	buf_clear(&p.state.text);
	set(&p.key, "new");
	assert_int_equal(planner_put(&p, delete, &e), 0);
	assert_string_equal(p.state.text.data,
			    "{\"op\":\"delete\",\"class\":\"content\",\"key\":\"a b/new\"}\n");
	stop(&p);
}

static void planner_takes_keys_that_stores_take(void **state)
{
	const struct format_options options = {.prefix = "p"};
	const struct format_job job = {.options = &options};
	const struct step step = {.op = STEP_DELETE};
	char key[STOREKEY_MAX];
	struct planner p;
	struct err e;

	(void)state;
	memset(key, 'k', sizeof key);
	start(&p, &job);
	key[STOREKEY_MAX - 2] = '\0';
	set(&p.key, key);
	assert_int_equal(planner_put(&p, step, &e), 0);
	size_t len = p.state.text.len;
	key[STOREKEY_MAX - 2] = 'k';
	key[STOREKEY_MAX - 1] = '\0';
	set(&p.key, key);
	assert_int_equal(planner_put(&p, step, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_int_equal(p.state.text.len, len);
	stop(&p);
}

static void planner_is_about_one_product(void **state)
{
	const struct format_options options = {.layout = NULL};
	const struct format_job job = {.options = &options};
	struct head other = head_1;
	struct planner p;
	struct err e;

	(void)state;
	(void)snprintf(other.id.product, sizeof other.id.product, "zoo");
	start(&p, &job);
	assert_int_equal(planner_begin(&p, &head_2, &e), 0);
	assert_int_equal(planner_earlier(&p, "1", false, &head_1, &e), 0);
	assert_string_equal(planner_latest(&p)->manifest, "1");
	assert_false(planner_latest(&p)->keep);
	assert_int_equal(planner_begin(&p, &head_2, &e), 0);
	assert_int_equal(planner_earlier(&p, "2", true, &other, &e), 0);
	assert_string_equal(planner_latest(&p)->manifest, "2");
	assert_true(planner_latest(&p)->keep);
	assert_int_equal(planner_begin(&p, &head_2, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_string_equal(e.msg, "'2' is a release of zoo, not of farm");
	stop(&p);
}

static void planner_names_content_by_layout(void **state)
{
	struct entry entry = {.path = "a/b.js"};
	struct planner p;
	struct err e;

	(void)state;
	for (size_t i = 0; storekey_layouts[i] != NULL; i++) {
		const struct format_options options = {.layout = storekey_layouts[i]};
		const struct format_job job = {.options = &options};
		bool by_hash = strcmp(storekey_layouts[i], "hash") == 0;
		start(&p, &job);
		entry.has_sha256 = false;
		assert_int_equal(planner_content(&p, &head_1.id, &entry, &e), by_hash ? -1 : 0);
		entry.has_sha256 = true;
		assert_int_equal(planner_content(&p, &head_1.id, &entry, &e), 0);
		assert_int_equal(p.key.len, by_hash ? 67 : strlen("farm-1.0.1/a/b.js"));
		stop(&p);
	}
}

static void planner_refuses_a_prefix_that_is_none(void **state)
{
	const struct format_options options = {.prefix = "a//b"};
	const struct format_job job = {.options = &options};
	struct planner p = {.state = {.job = &job, .text = BUF_INIT}};
	struct err e;

	(void)state;
	assert_int_equal(planner_init(&p, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(planner_puts_the_prefix_in_front_of_both_keys),
	    cmocka_unit_test(planner_takes_keys_that_stores_take),
	    cmocka_unit_test(planner_is_about_one_product),
	    cmocka_unit_test(planner_names_content_by_layout),
	    cmocka_unit_test(planner_refuses_a_prefix_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
