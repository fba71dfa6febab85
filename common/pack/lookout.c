#include "swarm/lookout.h"

#include <pthread.h>
#include <stdlib.h>

/* A watcher at work. */
struct post {
	struct onlooker onlooker; /* first: see() gets a pointer to it */
	struct lookout *owner;
	struct watcher *watcher;
	struct onlooker *also;
	struct post *next; /* while idle */
};

struct lookout {
	const struct guards *guards;
	struct hits *hits;
	pthread_mutex_t lock;
	struct post *idle;
};

struct lookout *lookout_new(const struct guards *guards, struct hits *hits, struct err *e)
{
	struct lookout *l = calloc(1, sizeof *l);

	if (l == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	l->guards = guards;
	l->hits = hits;
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void lookout_free(struct lookout *l)
{
	if (l == NULL)
		return;
	while (l->idle != NULL) {
		struct post *next = l->idle->next;
		watcher_free(l->idle->watcher);
		free(l->idle);
		l->idle = next;
	}
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static int see(struct onlooker *self, const void *bytes, size_t len, struct err *e)
{
	struct post *post = (struct post *)self;

	if (post->also != NULL && post->also->see(post->also, bytes, len, e) != 0)
		return -1;
	return watcher_see(post->watcher, bytes, len, e);
}

static int end(struct onlooker *self, struct err *e)
{
	struct post *post = (struct post *)self;
	struct lookout *l = post->owner;
	struct err late;
	int status = watcher_end(post->watcher, e);

	if (post->also != NULL && post->also->end(post->also, status == 0 ? e : &late) != 0)
		status = -1;
	pthread_mutex_lock(&l->lock);
	post->next = l->idle;
	l->idle = post;
	pthread_mutex_unlock(&l->lock);
	return status;
}

static struct post *new_post(struct lookout *l, struct err *e)
{
	struct post *post = calloc(1, sizeof *post);

	if (post == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	post->onlooker = (struct onlooker){see, end};
	post->owner = l;
	post->watcher = watcher_new(l->guards, l->hits, e);
	if (post->watcher == NULL) {
		free(post);
		return NULL;
	}
	return post;
}

struct onlooker *lookout_take(struct lookout *l, const struct watcher_file *file,
			      struct onlooker *also, struct err *e)
{
	struct err late;

	pthread_mutex_lock(&l->lock);
	struct post *post = l->idle;
	if (post != NULL)
		l->idle = post->next;
	pthread_mutex_unlock(&l->lock);
	if (post == NULL)
		post = new_post(l, e);
	if (post == NULL) {
		if (also != NULL)
			(void)also->end(also, &late);
		return NULL;
	}
	post->also = also;
	watcher_begin(post->watcher, file);
	return &post->onlooker;
}
