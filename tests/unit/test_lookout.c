#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "swarm/lookout.h"
#include "swarm/rules.h"

#define THREADS 6
#define EACH    200 /* files of a thread */

static const char rules_text[] = "swarm: rules/1\n"
				 "rules: [{label: public, match: \"*\", type: image/png}]\n"
				 "guards:\n"
				 "  - {id: word, regex: 'WORD[0-9]'}\n"
				 "  - {id: free, regex: 'FREE', allow: /docs/}\n"
				 "  - {id: slow, regex: '(?:x+x+)+y'}\n";

/* --- a scan, as far as it matters here -------------------------------------------------------- */

enum { PAGE, DOCS, ORIGIN, TYPED, MANY };

struct fixture {
	struct rules *rules;
	struct guards *guards;
	struct hits *hits;
	struct scan scan;
	struct scan_file files[MANY + THREADS * EACH];
	struct lookout *lookout;
};

static int make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = {.code = ERR_NONE};

	assert_non_null(f);
	f->rules = rules_parse("t.yaml", rules_text, strlen(rules_text), &e);
	assert_non_null(f->rules);
	f->guards = guards_new(rules_guards(f->rules), &e);
	assert_non_null(f->guards);
	f->hits = hits_new(&e);
	assert_non_null(f->hits);
	f->files[PAGE] = (struct scan_file){.path = "a/page.png", .size = 20};
	f->files[DOCS] = (struct scan_file){.path = "docs/a", .size = 20};
	f->files[ORIGIN] = (struct scan_file){.path = "c", .size = 20, .label = LABEL_ORIGIN};
	f->files[TYPED] = (struct scan_file){
	    .path = "typed", .size = 20, .rule = rules_get(f->rules, 0), .label = LABEL_PUBLIC};
	for (size_t i = MANY; i < MANY + THREADS * EACH; i++)
		f->files[i] = (struct scan_file){.path = "many", .size = 8};
	f->scan = (struct scan){.files = f->files, .count = MANY + THREADS * EACH};
	f->lookout = lookout_new(f->guards, &f->scan, f->hits, &e);
	assert_non_null(f->lookout);
	*state = f;
	return 0;
}

static int release(void **state)
{
	struct fixture *f = *state;

	lookout_free(f->lookout);
	hits_free(f->hits);
	guards_free(f->guards);
	rules_free(f->rules);
	free(f);
	return 0;
}

static struct onlooker *take(struct fixture *f, const size_t *indices, size_t count)
{
	struct err e = {.code = ERR_NONE};
	struct onlooker *o = lookout_take(f->lookout, indices, count, &e);

	if (o == NULL)
		fail_msg("%s", e.msg);
	return o;
}

static struct onlooker *take_one(struct fixture *f, size_t index)
{
	return take(f, &index, 1);
}

static void see(struct onlooker *o, const char *text)
{
	struct err e = {.code = ERR_NONE};

	if (o->see(o, text, strlen(text), &e) != 0)
		fail_msg("%s", e.msg);
}

static void end(struct onlooker *o)
{
	struct err e = {.code = ERR_NONE};

	if (o->end(o, &e) != 0)
		fail_msg("%s", e.msg);
}

static const struct hits_hit *list_of(struct fixture *f, size_t count)
{
	size_t n = 0;
	const struct hits_hit *list = hits_list(f->hits, &n);

	assert_int_equal(n, count);
	return list;
}

static void assert_hit(const struct hits_hit *hit, size_t file, const char *id, uint64_t line)
{
	assert_int_equal(hit->file, file);
	assert_string_equal(hit->guard->id, id);
	assert_int_equal(hit->line, line);
	assert_int_equal(hit->count, 1);
}

/* --- onlookers -------------------------------------------------------------------------------- */

static void lookout_watches_several_files_at_once(void **state)
{
	struct fixture *f = *state;
	struct onlooker *first = take_one(f, ORIGIN), *second = take_one(f, MANY);

	see(first, "WO");
	see(second, "\nFR");
	see(first, "RD1");
	see(second, "EE");
	end(second);
	see(first, " WORD");
	end(first);
	const struct hits_hit *list = list_of(f, 2);
	assert_hit(&list[0], ORIGIN, "word", 1);
	assert_hit(&list[1], MANY, "free", 2);
}

/* What is taken again knows nothing of the file before. */
static void lookout_begins_anew_with_each_file(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 5; i++) {
		struct onlooker *o = take_one(f, ORIGIN);
		see(o, "\n\nWORD");
		end(o);
		o = take_one(f, DOCS);
		see(o, "1 FREE");
		end(o);
	}
	(void)list_of(f, 0);
}

static void lookout_tells_each_file_that_has_the_content(void **state)
{
	struct fixture *f = *state;
	size_t indices[] = {DOCS, ORIGIN, PAGE};
	struct onlooker *o = take(f, indices, 3);

	see(o, "<html>\nFREE");
	end(o);
	const struct hits_hit *list = list_of(f, 3);
	assert_hit(&list[0], PAGE, "html-asset", 0);
	assert_hit(&list[1], PAGE, "free", 2);
	assert_hit(&list[2], ORIGIN, "free", 2);
	/* One that had three files is taken for one. */
	o = take_one(f, MANY);
	see(o, "WORD1");
	end(o);
	list = list_of(f, 4);
	assert_hit(&list[3], MANY, "word", 1);
}

static void lookout_believes_the_rule_of_the_file(void **state)
{
	struct fixture *f = *state;
	const size_t indices[] = {TYPED, ORIGIN};
	struct onlooker *o = take(f, indices, 2);

	see(o, "<html>");
	end(o);
	assert_hit(list_of(f, 1), TYPED, "html-asset", 0);
}

static void lookout_goes_on_after_a_failure(void **state)
{
	struct fixture *f = *state;
	struct err e = {.code = ERR_NONE};
	char text[2000];

	memset(text, 'x', sizeof text);
	memcpy(text + sizeof text - 6, "z xxy\n", 6);
	struct onlooker *o = take_one(f, DOCS);
	f->files[DOCS].size = sizeof text;
	int status = o->see(o, text, sizeof text, &e);
	if (o->end(o, &e) != 0)
		status = -1;
	assert_int_equal(status, -1);
	assert_int_equal(e.code, ERR_CONFIG);
	o = take_one(f, PAGE);
	see(o, "WORD1");
	end(o);
	assert_hit(list_of(f, 1), PAGE, "word", 1);
}

struct job {
	struct fixture *fixture;
	size_t number;
};

static void *run_job(void *context)
{
	const struct job *job = context;

	for (size_t i = 0; i < EACH; i++) {
		struct onlooker *o = take_one(job->fixture, MANY + job->number * EACH + i);
		see(o, i % 2 == 0 ? "\nWORD1\n\n" : "\nWORDS\n\n");
		end(o);
	}
	return NULL;
}

static void lookout_serves_threads(void **state)
{
	struct job jobs[THREADS];
	pthread_t threads[THREADS];
	struct fixture *f = *state;

	for (size_t i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){f, i};
		assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	const struct hits_hit *list = list_of(f, THREADS * EACH / 2);
	for (size_t i = 0; i < THREADS * EACH / 2; i++)
		assert_hit(&list[i], MANY + 2 * i, "word", 2);
}

/* --- formats ---------------------------------------------------------------------------------- */

/* A core dump of 64 bits, as far as its header goes. */
static const uint8_t core[64] = {0x7F, 'E', 'L', 'F', 2, 1, 1, [16] = 4, [18] = 62, [20] = 1};
static const uint8_t jpeg[16] = {0xFF, 0xD8, 0xFF, 0xE1};

static void lookout_looks_into_formats(void **state)
{
	struct fixture *f = *state;
	struct probe p = {.size = sizeof core, .first = core, .first_len = sizeof core};
	struct err e = {.code = ERR_NONE};

	assert_true(lookout_knows(f->lookout, (const size_t[]){PAGE}, 1, core, sizeof core));
	assert_true(lookout_knows(f->lookout, (const size_t[]){ORIGIN}, 1, core, sizeof core));
	assert_true(lookout_knows(f->lookout, (const size_t[]){PAGE}, 1, jpeg, sizeof jpeg));
	assert_false(lookout_knows(f->lookout, (const size_t[]){ORIGIN}, 1, jpeg, sizeof jpeg));
	assert_false(lookout_knows(f->lookout, (const size_t[]){PAGE}, 1, "text", 4));
	assert_int_equal(lookout_inspect(f->lookout, (const size_t[]){ORIGIN}, 1, &p, &e), 0);
	assert_hit(list_of(f, 1), ORIGIN, "core-dump", 0);
}

static void lookout_may_be_nothing(void **state)
{
	(void)state;
	lookout_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, release)

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(lookout_watches_several_files_at_once),
	    TEST(lookout_begins_anew_with_each_file),
	    TEST(lookout_tells_each_file_that_has_the_content),
	    TEST(lookout_believes_the_rule_of_the_file),
	    TEST(lookout_goes_on_after_a_failure),
	    TEST(lookout_serves_threads),
	    TEST(lookout_looks_into_formats),
	    cmocka_unit_test(lookout_may_be_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
