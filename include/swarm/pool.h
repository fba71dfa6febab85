/* pool: a fixed number of threads that work off tasks in the order in which they were given. */
#ifndef SWARM_POOL_H
#define SWARM_POOL_H

#include <stddef.h>

#include "swarm/err.h"

struct pool;

/* The caller embeds a task in what it is about; it stays the caller's and must outlive run(). */
struct pool_task {
	void (*run)(struct pool_task *task);
	struct pool_task *next;
};

/* threads = 0: as many as the machine has processors for this process. */
struct pool *pool_new(unsigned threads, struct err *e);
/* Finishes what was submitted, then ends the threads. */
void pool_free(struct pool *p);
unsigned pool_threads(const struct pool *p);

/* Any thread may submit, a running task too. */
void pool_submit(struct pool *p, struct pool_task *task);

/*
 * Calls work(context, i, worker) once for each i from 0 to n-1, in order of i as threads come free,
 * and waits. `worker` (below pool_threads()) tells threads apart, so that each can have buffers of
 * its own. A call that returns -1 stops the handing out of further i; then pool_each() returns -1
 * and leaves `e` alone: what went wrong is for work() to keep in its context.
 */
ERR_CHECK int pool_each(struct pool *p, size_t n,
			int (*work)(void *context, size_t i, unsigned worker), void *context,
			struct err *e);

#endif
