#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/pool.h"

/* --- a system with only so many threads ------------------------------------------------------- */

static unsigned threads_left = UINT_MAX;

int pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	void *found = dlsym(RTLD_NEXT, "pthread_create");

	assert_non_null(found);
	memcpy(&real, &found, sizeof real);
	if (threads_left == 0)
		return EAGAIN;
	threads_left--;
	return real(ret, attr, run, arg);
}

/* --- helpers ---------------------------------------------------------------------------------- */

static struct pool *new_pool(unsigned threads)
{
	struct err e;
	struct pool *p = pool_new(threads, &e);

	if (p == NULL)
		fail_msg("%s", e.msg);
	return p;
}

/* --- tasks ------------------------------------------------------------------------------------ */

struct counted {
	struct pool_task task; /* first: run() gets a pointer to it */
	size_t number, *order;
	atomic_size_t *done;
};

static void count(struct pool_task *task)
{
	struct counted *c = (struct counted *)task;

	c->order[atomic_fetch_add(c->done, 1)] = c->number;
}

static void pool_of_one_keeps_the_order(void **state)
{
	static struct counted tasks[1000];
	size_t order[1000];
	atomic_size_t done = 0;
	struct pool *p = new_pool(1);

	(void)state;
	assert_int_equal(pool_threads(p), 1);
	for (size_t i = 0; i < 1000; i++) {
		tasks[i] = (struct counted){{.run = count}, i, order, &done};
		pool_submit(p, &tasks[i].task);
	}
	/* It finishes what was submitted. */
	pool_free(p);
	assert_int_equal(done, 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(order[i], i);
}

static void pool_runs_each_task_once(void **state)
{
	static struct counted tasks[5000];
	static size_t order[5000];
	static bool seen[5000];
	atomic_size_t done = 0;
	struct pool *p = new_pool(8);

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		tasks[i] = (struct counted){{.run = count}, i, order, &done};
		pool_submit(p, &tasks[i].task);
	}
	pool_free(p);
	assert_int_equal(done, 5000);
	for (size_t i = 0; i < 5000; i++) {
		assert_false(seen[order[i]]);
		seen[order[i]] = true;
	}
}

struct chain {
	struct pool_task task; /* first: run() gets a pointer to it */
	struct pool *pool;
	int left;
	atomic_int *runs;
};

static void go_on(struct pool_task *task)
{
	struct chain *c = (struct chain *)task;

	atomic_fetch_add(c->runs, 1);
	/* The same task again: it is free as soon as it runs. */
	if (--c->left > 0)
		pool_submit(c->pool, task);
}

static void pool_tasks_may_submit_themselves_again(void **state)
{
	struct chain chains[3];
	atomic_int runs = 0;
	struct pool *p = new_pool(2);

	(void)state;
	for (int i = 0; i < 3; i++) {
		chains[i] = (struct chain){{.run = go_on}, p, 500, &runs};
		pool_submit(p, &chains[i].task);
	}
	pool_free(p);
	assert_int_equal(runs, 1500);
}

static void pool_without_work_ends(void **state)
{
	(void)state;
	pool_free(NULL);
	pool_free(new_pool(1));
	pool_free(new_pool(16));
}

static void pool_has_a_sane_number_of_threads(void **state)
{
	(void)state;
	struct pool *p = new_pool(0);
	assert_true(pool_threads(p) >= 1);
	assert_true(pool_threads(p) <= (unsigned)sysconf(_SC_NPROCESSORS_CONF));
	pool_free(p);
	/* As many as can be had. */
	threads_left = 3;
	p = new_pool(5000);
	assert_int_equal(pool_threads(p), 3);
	pool_free(p);
	threads_left = UINT_MAX;
}

static void pool_without_threads_is_none(void **state)
{
	struct err e = {.code = ERR_NONE};
	sigset_t before, after;

	(void)state;
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
	threads_left = 0;
	assert_null(pool_new(4, &e));
	threads_left = UINT_MAX;
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot start a thread");
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

static atomic_int signals_elsewhere, signals_here;
static pthread_t main_thread;

static void note_thread(int sig)
{
	(void)sig;
	atomic_fetch_add(
	    pthread_equal(pthread_self(), main_thread) ? &signals_here : &signals_elsewhere, 1);
}

static void pool_leaves_signals_to_its_maker(void **state)
{
	struct sigaction action = {.sa_handler = note_thread};
	sigset_t before, after;

	(void)state;
	main_thread = pthread_self();
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
	struct pool *p = new_pool(4);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	for (int i = 1; i < 32; i++)
		assert_int_equal(sigismember(&before, i), sigismember(&after, i));
	for (int i = 0; i < 100; i++)
		assert_int_equal(kill(getpid(), SIGUSR1), 0);
	pool_free(p);
	assert_int_equal(signals_elsewhere, 0);
	assert_true(signals_here > 0);
	(void)signal(SIGUSR1, SIG_DFL);
}

/* --- each ------------------------------------------------------------------------------------- */

struct sweep {
	size_t n, fail_at;
	unsigned threads;
	atomic_uint *visits;
	atomic_size_t calls, highest;
	atomic_bool bad_worker;
	atomic_int inside[64]; /* by worker */
};

static int visit(void *context, size_t i, unsigned worker)
{
	struct sweep *s = context;

	if (worker >= s->threads || atomic_fetch_add(&s->inside[worker], 1) != 0)
		atomic_store(&s->bad_worker, true);
	atomic_fetch_add(&s->calls, 1);
	atomic_fetch_add(&s->visits[i], 1);
	size_t high = atomic_load(&s->highest);
	while (high < i && !atomic_compare_exchange_weak(&s->highest, &high, i))
		;
	if (worker < s->threads)
		atomic_fetch_sub(&s->inside[worker], 1);
	return i == s->fail_at ? -1 : 0;
}

static void sweep(struct pool *p, size_t n, size_t fail_at)
{
	struct sweep s = {.n = n, .fail_at = fail_at, .threads = pool_threads(p)};
	struct err e = {.code = ERR_NONE};

	s.visits = calloc(n + 1, sizeof *s.visits);
	assert_non_null(s.visits);
	int status = pool_each(p, n, visit, &s, &e);
	assert_int_equal(status, fail_at < n ? -1 : 0);
	assert_int_equal(e.code, ERR_NONE);
	assert_false(s.bad_worker);
	if (fail_at < n) {
		/* All before it came, and hardly any after it. */
		for (size_t i = 0; i <= fail_at; i++)
			assert_int_equal(s.visits[i], 1);
		assert_true(s.calls == s.highest + 1 || n == 0);
	} else {
		assert_int_equal(s.calls, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(s.visits[i], 1);
	}
	free(s.visits);
}

static void pool_each_visits_every_index_once(void **state)
{
	static const size_t sizes[] = {0, 1, 2, 3, 100, 10000};

	(void)state;
	for (unsigned threads = 1; threads <= 16; threads *= 2) {
		struct pool *p = new_pool(threads);
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			sweep(p, sizes[i], SIZE_MAX);
		pool_free(p);
	}
}

static void pool_each_stops_at_a_failure(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= 4; threads *= 2) {
		struct pool *p = new_pool(threads);
		for (int round = 0; round < 20; round++) {
			sweep(p, 1000, 0);
			sweep(p, 1000, 500);
			sweep(p, 1000, 999);
			sweep(p, 1, 0);
		}
		/* The pool is as good as before. */
		sweep(p, 1000, SIZE_MAX);
		pool_free(p);
	}
}

static int fail_at_ten(void *context, size_t i, unsigned worker)
{
	(void)worker;
	atomic_fetch_add((atomic_size_t *)context, 1);
	return i == 10 ? -1 : 0;
}

static void pool_each_does_not_run_on_after_a_failure(void **state)
{
	atomic_size_t calls = 0;
	struct err e = {.code = ERR_NONE};
	struct pool *p = new_pool(1);

	(void)state;
	assert_int_equal(pool_each(p, SIZE_MAX, fail_at_ten, &calls, &e), -1);
	assert_int_equal(calls, 11);
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pool_of_one_keeps_the_order),
	    cmocka_unit_test(pool_runs_each_task_once),
	    cmocka_unit_test(pool_tasks_may_submit_themselves_again),
	    cmocka_unit_test(pool_without_work_ends),
	    cmocka_unit_test(pool_has_a_sane_number_of_threads),
	    cmocka_unit_test(pool_without_threads_is_none),
	    cmocka_unit_test(pool_leaves_signals_to_its_maker),
	    cmocka_unit_test(pool_each_visits_every_index_once),
	    cmocka_unit_test(pool_each_stops_at_a_failure),
	    cmocka_unit_test(pool_each_does_not_run_on_after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
