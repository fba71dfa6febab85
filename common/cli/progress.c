#include "swarm/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "swarm/text.h"

struct progress {
	FILE *to;
	bool live;
	const char *step;
	uint64_t total;
	atomic_uint_fast64_t done;
	int64_t started, shown; /* milliseconds */
	pthread_mutex_t lock;   /* of what is drawn */
};

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct progress *progress_new(FILE *to, bool live, struct err *e)
{
	struct progress *p = calloc(1, sizeof *p);

	if (p == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	p->to = to;
	p->live = live;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	progress_end(p);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void progress_begin(struct progress *p, const char *step, uint64_t total)
{
	if (p == NULL)
		return;
	progress_end(p);
	p->step = step;
	p->total = total;
	atomic_store(&p->done, 0);
	p->started = p->shown = milliseconds();
}

static void draw(struct progress *p, int64_t now)
{
	struct buf line = BUF_INIT;
	uint64_t done = atomic_load(&p->done);
	int64_t elapsed = now - p->started;

	buf_addf(&line, "%s ", p->step);
	if (p->total > 0)
		buf_addf(&line, "%3d %%  ", (int)((double)done * 100 / (double)p->total));
	text_bytes(&line, done);
	if (elapsed > 0) {
		buf_adds(&line, ", ");
		text_bytes(&line, (unsigned long long)((double)done * 1000 / (double)elapsed));
		buf_adds(&line, "/s");
	}
	fprintf(p->to, p->live ? "\r\033[K%s" : "%s\n", line.data);
	(void)fflush(p->to);
	buf_release(&line);
}

void progress_add(struct progress *p, uint64_t bytes)
{
	if (p == NULL)
		return;
	atomic_fetch_add(&p->done, bytes);
	/* Whoever finds another thread drawing has better things to do than to wait for it. */
	if (pthread_mutex_trylock(&p->lock) != 0)
		return;
	int64_t now = milliseconds();
	if (p->step != NULL && now - p->shown >= (p->live ? 100 : 1000)) {
		p->shown = now;
		draw(p, now);
	}
	pthread_mutex_unlock(&p->lock);
}

void progress_end(struct progress *p)
{
	if (p == NULL || p->step == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->step = NULL;
	if (p->live) {
		fputs("\r\033[K", p->to);
		(void)fflush(p->to);
	}
	pthread_mutex_unlock(&p->lock);
}
