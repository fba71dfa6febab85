#define _GNU_SOURCE /* sched_getaffinity() */
#include "swarm/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#define THREADS_MAX 1024

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct pool_task *first;
	struct pool_task **last;
	bool closing;
	unsigned threads;
	pthread_t *thread;
};

static void *serve(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct pool_task *task = p->first;
		if (task == NULL && p->closing)
			break;
		if (task == NULL) {
			pthread_cond_wait(&p->wake, &p->lock);
			continue;
		}
		p->first = task->next;
		if (p->first == NULL)
			p->last = &p->first;
		pthread_mutex_unlock(&p->lock);
		task->run(task);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static unsigned processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

struct pool *pool_new(unsigned threads, struct err *e)
{
	struct pool *p = calloc(1, sizeof *p);

	if (threads == 0)
		threads = processors();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	if (p == NULL || (p->thread = calloc(threads, sizeof *p->thread)) == NULL) {
		free(p);
		(void)err_nomem(e);
		return NULL;
	}
	p->last = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	/* Signals are for the thread that made the pool. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->threads < threads && pthread_create(&p->thread[p->threads], NULL, serve, p) == 0)
		p->threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (p->threads == 0) {
		(void)err_set(e, ERR_SYSTEM, "cannot start a thread");
		pool_free(p);
		return NULL;
	}
	return p;
}

void pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->threads; i++)
		pthread_join(p->thread[i], NULL);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p->thread);
	free(p);
}

unsigned pool_threads(const struct pool *p)
{
	return p->threads;
}

void pool_submit(struct pool *p, struct pool_task *task)
{
	task->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->last = task;
	p->last = &task->next;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

struct each {
	size_t n;
	int (*work)(void *context, size_t i, unsigned worker);
	void *context;
	atomic_size_t next;
	atomic_bool failed;
	pthread_mutex_t lock;
	pthread_cond_t done;
	unsigned running;
};

struct each_task {
	struct pool_task task; /* first: run() gets a pointer to it */
	struct each *each;
	unsigned worker;
};

static void run_each(struct pool_task *task)
{
	struct each_task *self = (struct each_task *)task;
	struct each *each = self->each;

	while (!atomic_load(&each->failed)) {
		size_t i = atomic_fetch_add(&each->next, 1);
		if (i >= each->n)
			break;
		if (each->work(each->context, i, self->worker) != 0)
			atomic_store(&each->failed, true);
	}
	pthread_mutex_lock(&each->lock);
	if (--each->running == 0)
		pthread_cond_signal(&each->done);
	pthread_mutex_unlock(&each->lock);
}

int pool_each(struct pool *p, size_t n, int (*work)(void *context, size_t i, unsigned worker),
	      void *context, struct err *e)
{
	struct each each = {.n = n, .work = work, .context = context, .running = p->threads};
	struct each_task *tasks = calloc(p->threads, sizeof *tasks);

	if (tasks == NULL)
		return err_nomem(e);
	pthread_mutex_init(&each.lock, NULL);
	pthread_cond_init(&each.done, NULL);
	for (unsigned i = 0; i < p->threads; i++) {
		tasks[i] = (struct each_task){{.run = run_each}, &each, i};
		pool_submit(p, &tasks[i].task);
	}
	pthread_mutex_lock(&each.lock);
	while (each.running > 0)
		pthread_cond_wait(&each.done, &each.lock);
	pthread_mutex_unlock(&each.lock);
	pthread_cond_destroy(&each.done);
	pthread_mutex_destroy(&each.lock);
	free(tasks);
	return atomic_load(&each.failed) ? -1 : 0;
}
