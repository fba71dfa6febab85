#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>

#include "swarm/hits.h"

#define THREADS 8
#define EACH    1000 /* hits of a thread */

/* As those of guards.h, in one array: their order is that of guards. */
static const struct guards_guard guards[] = {{.id = "c"}, {.id = "a"}, {.id = "b"}};

static void add(struct hits *h, size_t file, size_t guard, uint64_t line, uint64_t count)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(hits_add(h, &(struct hits_hit){file, &guards[guard], line, 0, count}, &e),
			 0);
}

static struct hits *make(void)
{
	struct err e = {.code = ERR_NONE};
	struct hits *h = hits_new(&e);

	assert_non_null(h);
	return h;
}

static void hits_are_none_at_first(void **state)
{
	struct hits *h = make();
	size_t count = 7;

	(void)state;
	(void)hits_list(h, &count);
	assert_int_equal(count, 0);
	hits_free(h);
	hits_free(NULL);
}

static void hits_are_sorted_by_file_then_in_the_order_of_guards(void **state)
{
	static const struct {
		size_t file, guard;
		uint64_t line;
	} added[] = {{2, 1, 10}, {0, 2, 20}, {2, 0, 30}, {SIZE_MAX, 1, 40}, {0, 0, 50}, {1, 1, 0}},
	  sorted[] = {{0, 0, 50}, {0, 2, 20}, {1, 1, 0}, {2, 0, 30}, {2, 1, 10}, {SIZE_MAX, 1, 40}};
	struct hits *h = make();
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		add(h, added[i].file, added[i].guard, added[i].line, i + 1);
	const struct hits_hit *list = hits_list(h, &count);
	assert_int_equal(count, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(list[i].file, sorted[i].file);
		assert_ptr_equal(list[i].guard, &guards[sorted[i].guard]);
		assert_int_equal(list[i].line, sorted[i].line);
	}
	assert_int_equal(list[0].count, 5);
	/* More may come, and the list is asked for again. */
	add(h, 1, 0, 60, 1);
	list = hits_list(h, &count);
	assert_int_equal(count, 7);
	assert_int_equal(list[2].line, 60);
	hits_free(h);
}

struct job {
	struct hits *hits;
	size_t number;
};

static void *run_job(void *context)
{
	const struct job *job = context;

	for (size_t i = 0; i < EACH; i++)
		add(job->hits, i, job->number % 3, job->number * EACH + i, job->number + 1);
	return NULL;
}

static void hits_of_all_threads_are_kept(void **state)
{
	struct hits *h = make();
	struct job jobs[THREADS];
	pthread_t threads[THREADS];
	bool seen[THREADS * EACH] = {false};
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){h, i};
		assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	const struct hits_hit *list = hits_list(h, &count);
	assert_int_equal(count, THREADS * EACH);
	for (size_t i = 0; i < count; i++) {
		size_t thread = (size_t)list[i].line / EACH;
		assert_true(list[i].line < THREADS * EACH);
		assert_false(seen[list[i].line]);
		seen[list[i].line] = true;
		assert_int_equal(list[i].file, list[i].line % EACH);
		assert_int_equal(list[i].count, thread + 1);
		assert_ptr_equal(list[i].guard, &guards[thread % 3]);
		if (i > 0)
			assert_true(list[i - 1].file < list[i].file ||
				    (list[i - 1].file == list[i].file &&
				     list[i - 1].guard <= list[i].guard));
	}
	hits_free(h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hits_are_none_at_first),
	    cmocka_unit_test(hits_are_sorted_by_file_then_in_the_order_of_guards),
	    cmocka_unit_test(hits_of_all_threads_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
