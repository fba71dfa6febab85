#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/lookout.h"

#include <pthread.h>
#include <stdlib.h>

#include "swarm/watcher.h"

/* A watcher at work. */
struct post {
	struct onlooker onlooker; /* first: see() gets a pointer to it */
	struct lookout *owner;
	struct watcher *watcher;
	struct watcher_file *files;
	size_t room;       /* for files */
	struct post *next; /* while idle */
};

struct lookout {
	const struct guards *guards;
	const struct scan *scan;
	struct hits *hits;
	pthread_mutex_t lock;
	struct post *idle;
};

struct lookout *lookout_new(const struct guards *guards, const struct scan *scan, struct hits *hits,
			    struct err *e)
{
	struct lookout *l = calloc(1, sizeof *l);

	if (l == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	l->guards = guards;
	l->scan = scan;
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
		free(l->idle->files);
		free(l->idle);
		l->idle = next;
	}
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static int see(struct onlooker *self, const void *bytes, size_t len, struct err *e)
{
	return watcher_see(((struct post *)self)->watcher, bytes, len, e);
}

static void put_back(struct lookout *l, struct post *post)
{
	pthread_mutex_lock(&l->lock);
	post->next = l->idle;
	l->idle = post;
	pthread_mutex_unlock(&l->lock);
}

static int end(struct onlooker *self, struct err *e)
{
	struct post *post = (struct post *)self;
	int status = watcher_end(post->watcher, e);

	put_back(post->owner, post);
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

static struct watcher_file watched(const struct lookout *l, size_t index)
{
	const struct scan_file *file = &l->scan->files[index];

	return (struct watcher_file){.number = index,
				     .path = file->path,
				     .label = file->label,
				     .type = file->rule != NULL ? file->rule->type : NULL,
				     .size = file->size};
}

static int list_files(const struct lookout *l, struct post *post, const size_t *indices,
		      size_t count, struct err *e)
{
	if (count > post->room) {
		struct watcher_file *more = reallocarray(post->files, count, sizeof *more);
		if (more == NULL)
			return err_nomem(e);
		post->files = more;
		post->room = count;
	}
	for (size_t i = 0; i < count; i++)
		post->files[i] = watched(l, indices[i]);
	return 0;
}

struct onlooker *lookout_take(struct lookout *l, const size_t *indices, size_t count, struct err *e)
{
	pthread_mutex_lock(&l->lock);
	struct post *post = l->idle;
	if (post != NULL)
		l->idle = post->next;
	pthread_mutex_unlock(&l->lock);
	if (post == NULL)
		post = new_post(l, e);
	if (post == NULL)
		return NULL;
	if (list_files(l, post, indices, count, e) != 0) {
		put_back(l, post);
		return NULL;
	}
	watcher_begin(post->watcher, post->files, count);
	return &post->onlooker;
}

bool lookout_knows(const struct lookout *l, const size_t *indices, size_t count, const void *first,
		   size_t len)
{
	for (size_t i = 0; i < count; i++) {
		const struct watcher_file file = watched(l, indices[i]);
		if (watcher_knows_format(l->guards, &file, first, len))
			return true;
	}
	return false;
}

int lookout_inspect(struct lookout *l, const size_t *indices, size_t count, struct probe *p,
		    struct err *e)
{
	struct watcher_file *files = calloc(count, sizeof *files);

	if (files == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++)
		files[i] = watched(l, indices[i]);
	int status = watcher_inspect(l->guards, l->hits, files, count, p, e);
	free(files);
	return status;
}
