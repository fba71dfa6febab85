#include "swarm/hits.h"

#include <pthread.h>
#include <stdlib.h>

#include "swarm/grow.h"

struct hits {
	pthread_mutex_t lock;
	struct hits_hit *list;
	size_t count, room;
};

struct hits *hits_new(struct err *e)
{
	struct hits *h = calloc(1, sizeof *h);

	if (h == NULL)
		(void)err_nomem(e);
	else
		pthread_mutex_init(&h->lock, NULL);
	return h;
}

void hits_free(struct hits *h)
{
	if (h == NULL)
		return;
	pthread_mutex_destroy(&h->lock);
	free(h->list);
	free(h);
}

int hits_add(struct hits *h, const struct hits_hit *hit, struct err *e)
{
	pthread_mutex_lock(&h->lock);
	struct hits_hit *more = grow_for_one(h->list, h->count, &h->room, sizeof *more, e);
	if (more != NULL) {
		h->list = more;
		more[h->count++] = *hit;
	}
	pthread_mutex_unlock(&h->lock);
	return more != NULL ? 0 : -1;
}

/* Guards stand in one array. */
static int compare_hit(const void *a, const void *b)
{
	const struct hits_hit *left = a, *right = b;

	if (left->file != right->file)
		return left->file < right->file ? -1 : 1;
	return (left->guard > right->guard) - (left->guard < right->guard);
}

const struct hits_hit *hits_list(struct hits *h, size_t *ret_count)
{
	if (h->count > 0)
		qsort(h->list, h->count, sizeof *h->list, compare_hit);
	*ret_count = h->count;
	return h->list;
}
