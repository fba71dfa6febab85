#include "swarm/hasher.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct hasher_file {
	struct pool_task task; /* first: run() gets a pointer to it */
	struct hasher *owner;
	struct hasher_file *next; /* while idle */
	struct filehash *hash;
	struct filehash_digests *ret;
	struct onlooker *onlooker; /* NULL: none */
	struct hasher_block *first;
	struct hasher_block **last;
	bool scheduled; /* a task is queued or running: at most one, so blocks stay in order */
	bool ended;
	bool blind; /* the onlooker failed */
};

struct hasher {
	struct pool *pool;
	struct filehash_options options;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct hasher_block *spare;
	struct hasher_file *idle;
	size_t blocks; /* how many there are */
	size_t busy;   /* files begun and not finished */
	struct err err;
};

struct hasher *hasher_new(struct pool *pool, const struct filehash_options *options, struct err *e)
{
	struct hasher *h = calloc(1, sizeof *h);

	if (h == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	h->pool = pool;
	h->options = *options;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->changed, NULL);
	size_t want = 4 * (size_t)pool_threads(pool) + 4;
	for (; h->blocks < want; h->blocks++) {
		struct hasher_block *block = malloc(sizeof *block + HASHER_BLOCK);
		if (block == NULL) {
			(void)err_nomem(e);
			hasher_free(h);
			return NULL;
		}
		block->next = h->spare;
		h->spare = block;
	}
	return h;
}

void hasher_free(struct hasher *h)
{
	struct err ignored;

	if (h == NULL)
		return;
	(void)!hasher_wait(h, &ignored);
	while (h->spare != NULL) {
		struct hasher_block *next = h->spare->next;
		free(h->spare);
		h->spare = next;
	}
	while (h->idle != NULL) {
		struct hasher_file *next = h->idle->next;
		filehash_free(h->idle->hash);
		free(h->idle);
		h->idle = next;
	}
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

struct hasher_block *hasher_take(struct hasher *h)
{
	pthread_mutex_lock(&h->lock);
	while (h->spare == NULL)
		pthread_cond_wait(&h->changed, &h->lock);
	struct hasher_block *block = h->spare;
	h->spare = block->next;
	pthread_mutex_unlock(&h->lock);
	block->next = NULL;
	block->len = 0;
	return block;
}

static void put_back(struct hasher *h, struct hasher_block *block)
{
	block->next = h->spare;
	h->spare = block;
	pthread_cond_signal(&h->changed);
}

/* The first failure is the one that hasher_wait() tells. */
static void keep_failure(struct hasher *h, const struct err *e)
{
	pthread_mutex_lock(&h->lock);
	if (h->err.code == ERR_NONE)
		h->err = *e;
	pthread_mutex_unlock(&h->lock);
}

static void finish(struct hasher_file *f)
{
	struct hasher *h = f->owner;
	struct err e = {.code = ERR_NONE};

	if (filehash_final(f->hash, f->ret, &e) != 0)
		keep_failure(h, &e);
	if (f->onlooker != NULL && f->onlooker->end(f->onlooker, &e) != 0)
		keep_failure(h, &e);
	pthread_mutex_lock(&h->lock);
	f->next = h->idle;
	h->idle = f;
	h->busy--;
	pthread_cond_signal(&h->changed);
	pthread_mutex_unlock(&h->lock);
}

static void take(struct hasher_file *f, const struct hasher_block *block)
{
	struct err e = {.code = ERR_NONE};

	filehash_update(f->hash, block->bytes, block->len);
	if (f->onlooker == NULL || f->blind ||
	    f->onlooker->see(f->onlooker, block->bytes, block->len, &e) == 0)
		return;
	f->blind = true;
	keep_failure(f->owner, &e);
}

static void run_file(struct pool_task *task)
{
	struct hasher_file *f = (struct hasher_file *)task;
	struct hasher *h = f->owner;

	pthread_mutex_lock(&h->lock);
	while (f->first != NULL) {
		struct hasher_block *block = f->first;
		f->first = block->next;
		if (f->first == NULL)
			f->last = &f->first;
		pthread_mutex_unlock(&h->lock);
		take(f, block);
		pthread_mutex_lock(&h->lock);
		put_back(h, block);
	}
	f->scheduled = false;
	bool ended = f->ended;
	pthread_mutex_unlock(&h->lock);
	if (ended)
		finish(f);
}

struct hasher_file *hasher_begin(struct hasher *h, struct onlooker *onlooker,
				 struct filehash_digests *ret, struct err *e)
{
	pthread_mutex_lock(&h->lock);
	struct hasher_file *f = h->idle;
	if (f != NULL)
		h->idle = f->next;
	pthread_mutex_unlock(&h->lock);
	if (f == NULL) {
		f = calloc(1, sizeof *f);
		if (f == NULL) {
			(void)err_nomem(e);
			return NULL;
		}
		f->hash = filehash_new(&h->options, e);
		if (f->hash == NULL) {
			free(f);
			return NULL;
		}
		f->owner = h;
		f->task.run = run_file;
	}
	f->ret = ret;
	f->onlooker = onlooker;
	f->blind = false;
	f->first = NULL;
	f->last = &f->first;
	f->scheduled = false;
	f->ended = false;
	pthread_mutex_lock(&h->lock);
	h->busy++;
	pthread_mutex_unlock(&h->lock);
	return f;
}

/* With the lock held. Returns whether a task is to be submitted once it is released. */
static bool schedule(struct hasher_file *f)
{
	bool first = !f->scheduled;

	f->scheduled = true;
	return first;
}

void hasher_push(struct hasher_file *f, struct hasher_block *block)
{
	struct hasher *h = f->owner;

	pthread_mutex_lock(&h->lock);
	block->next = NULL;
	*f->last = block;
	f->last = &block->next;
	bool submit = schedule(f);
	pthread_mutex_unlock(&h->lock);
	if (submit)
		pool_submit(h->pool, &f->task);
}

void hasher_end(struct hasher_file *f)
{
	struct hasher *h = f->owner;

	pthread_mutex_lock(&h->lock);
	f->ended = true;
	bool submit = schedule(f);
	pthread_mutex_unlock(&h->lock);
	if (submit)
		pool_submit(h->pool, &f->task);
}

int hasher_wait(struct hasher *h, struct err *e)
{
	pthread_mutex_lock(&h->lock);
	while (h->busy > 0)
		pthread_cond_wait(&h->changed, &h->lock);
	struct err err = h->err;
	pthread_mutex_unlock(&h->lock);
	if (err.code == ERR_NONE)
		return 0;
	*e = err;
	return -1;
}
