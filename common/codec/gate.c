#include "swarm/gate.h"

#include <pthread.h>
#include <stdlib.h>

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	uint64_t limit, left;
};

struct gate *gate_new(uint64_t limit, struct err *e)
{
	struct gate *g = calloc(1, sizeof *g);

	if (g == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->wake, NULL);
	g->limit = g->left = limit;
	return g;
}

void gate_free(struct gate *g)
{
	if (g == NULL)
		return;
	pthread_cond_destroy(&g->wake);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

bool gate_enter(struct gate *g, uint64_t amount)
{
	if (amount > g->limit)
		return false;
	pthread_mutex_lock(&g->lock);
	while (g->left < amount)
		pthread_cond_wait(&g->wake, &g->lock);
	g->left -= amount;
	pthread_mutex_unlock(&g->lock);
	return true;
}

void gate_leave(struct gate *g, uint64_t amount)
{
	pthread_mutex_lock(&g->lock);
	g->left += amount;
	pthread_cond_broadcast(&g->wake);
	pthread_mutex_unlock(&g->lock);
}
