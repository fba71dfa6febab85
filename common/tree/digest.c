#include "swarm/digest.h"

#include <pthread.h>
#include <stdlib.h>

#include "swarm/batch.h"
#include "swarm/chunked.h"
#include "swarm/lanes.h"
#include "swarm/merkle.h"
#include "swarm/reading.h"
#include "swarm/relay.h"

/*
 * Files are read with pread() into memory that is used again and again. Measured with 15,464 files
 * of 1.7 GB in the page cache, two threads, best of several runs: pread() of 256 KiB at a time
 * 0.17 s, with hashing 0.36 s; io_uring, four reads at a time, 0.20 s; mmap() that touches a byte a
 * line 0.41 s, with MAP_POPULATE or MADV_POPULATE_READ 0.42 s, with hashing 0.57 s (and a file that
 * is cut off meanwhile is a signal). From disk, 2.5 s where cat takes 3.6.
 */

/*
 * What one thread reads at a time: files of so many bytes together, and so many of them. With plain
 * digests it is more: in two lanes, that of a file whose bytes are all there costs no more than its
 * blocks do in the other lane. A message there is below 4 MiB.
 */
#define ARENA       ((size_t)1024 * 1024)
#define ARENA_PLAIN ((size_t)4 * 1024 * 1024 - 4096)
#define ARENA_FILES ((size_t)256)
/* All arenas together: more threads than have one would only wait for the disk. */
#define ARENAS_MAX ((size_t)32 * 1024 * 1024)
struct crew {
	const struct digest_job *job;
	struct merkle_pads pads;
	struct worker *workers;
	unsigned threads;
	size_t arena;       /* what one holds */
	uint64_t small_max; /* a larger file is read in chunks */
	struct relay
	    relay;     /* the large files that are open; its lock is of all that follows, too */
	size_t *order; /* large files, the largest first */
	size_t order_count, order_at;
	size_t at;      /* the next that can be a small file */
	size_t opening; /* files that may yet turn out to be large ones */
};

/* A file that was read whole, and is to be hashed. */
struct small {
	size_t i;
	uint64_t size; /* of the file */
};

/* What a thread has for itself. */
struct worker {
	struct lanes *lanes;
	struct batch *batch;
	uint8_t *arena;
	struct batch_item items[ARENA_FILES];
	struct small files[ARENA_FILES];
	struct filehash_digests digests[ARENA_FILES];
	size_t count;
};

/* --- large files --------------------------------------------------------------------------------
 */

/* Opens i. Returns 0 with the open file, 1 if it is not wanted, -1 when its failure was told. */
static int open_file(struct crew *c, size_t i, struct reading *ret)
{
	struct err e;
	int status = reading_open(c->job, i, ret, &e);

	if (status < 0)
		relay_tell(&c->relay, i, NULL, 0, &e);
	return status;
}

/* Opens the next large file. Returns whether there was one. */
static bool open_next(struct crew *c, struct worker *w)
{
	struct reading file;

	if (c->order_at == c->order_count || c->relay.open_count + c->opening > c->threads)
		return false;
	size_t i = c->order[c->order_at++];
	c->opening++;
	pthread_mutex_unlock(&c->relay.lock);
	if (open_file(c, i, &file) == 0)
		relay_add(&c->relay, w->lanes, &file);
	pthread_mutex_lock(&c->relay.lock);
	c->opening--;
	pthread_cond_broadcast(&c->relay.changed);
	return true;
}

/* --- small files --------------------------------------------------------------------------------
 */

/* Reads an open file into the arena at `used`. Returns how many bytes it has there. */
static size_t read_small(struct crew *c, struct worker *w, struct reading *file, size_t used)
{
	struct onlooker *onlooker = file->file.onlooker;
	uint8_t *bytes = w->arena + used;
	size_t len = (size_t)file->size;
	uint64_t size = file->in.size;
	struct err e;
	int status = reading_read(file, 0, bytes, len, &e);

	/* In blocks, as of a large one: an onlooker's work on one is bounded. */
	for (size_t at = 0; status == 0 && onlooker != NULL && at < len; at += CHUNKED_SIZE)
		status = onlooker->see(onlooker, bytes + at,
				       len - at < CHUNKED_SIZE ? len - at : CHUNKED_SIZE, &e);
	if (status == 0)
		status = reading_look(c->job, file, bytes, len, &e);
	status = reading_close(file, status, &e);
	status = reading_end(file, status, &e);
	progress_add(c->job->progress, len);
	if (status != 0) {
		relay_tell(&c->relay, file->i, NULL, 0, &e);
		return 0;
	}
	w->items[w->count] = (struct batch_item){bytes, len, &w->digests[w->count]};
	w->files[w->count] = (struct small){file->i, size};
	w->count++;
	return len;
}

static void hash_small(struct crew *c, struct worker *w)
{
	struct err e = {.code = ERR_NONE};
	int status = w->count > 0 ? batch_hash(w->batch, w->items, w->count, &e) : 0;

	for (size_t k = 0; k < w->count; k++)
		relay_tell(&c->relay, w->files[k].i, &w->digests[k], w->files[k].size,
			   status == 0 ? NULL : &e);
	w->count = 0;
}

/* The files from `from` to before `to` that are small by what is known; some may have grown. */
static void read_run(struct crew *c, struct worker *w, size_t from, size_t to)
{
	size_t used = 0;

	for (size_t i = from; i < to; i++) {
		uint64_t size = c->job->size(c->job->context, i);
		struct reading file;
		if (size > c->small_max || open_file(c, i, &file) != 0)
			continue;
		if (file.size > c->arena - used || w->count == ARENA_FILES)
			relay_add(&c->relay, w->lanes, &file);
		else
			used += read_small(c, w, &file, used);
	}
	hash_small(c, w);
}

/* Takes as many small files as an arena holds. Returns whether there were any. */
static bool help_small(struct crew *c, struct worker *w)
{
	size_t from = c->at, files = 0;
	uint64_t bytes = 0;

	for (; c->at < c->job->count && files < ARENA_FILES; c->at++) {
		uint64_t size = c->job->size(c->job->context, c->at);
		if (size > c->small_max)
			continue;
		if (bytes + size > c->arena)
			break;
		bytes += size;
		files++;
	}
	if (files == 0)
		return false;
	size_t to = c->at;
	c->opening++;
	pthread_mutex_unlock(&c->relay.lock);
	read_run(c, w, from, to);
	pthread_mutex_lock(&c->relay.lock);
	c->opening--;
	pthread_cond_broadcast(&c->relay.changed);
	return true;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

/* Whether more work may come. */
static bool goes_on(const struct crew *c)
{
	return c->relay.open_count > 0 || c->opening > 0;
}

/* The i-th of the crew, whichever of the pool's threads that is. */
static int serve(void *context, size_t i, unsigned worker)
{
	struct crew *c = context;
	struct worker *w = &c->workers[i];
	struct relay *r = &c->relay;

	(void)worker;
	pthread_mutex_lock(&r->lock);
	while (!r->stopped) {
		if (relay_help(r, w->lanes, w->arena) || open_next(c, w) || help_small(c, w))
			continue;
		if (!goes_on(c))
			break;
		pthread_cond_wait(&r->changed, &r->lock);
	}
	if (r->stopped)
		relay_give_up(r, w->lanes);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

struct sized {
	uint64_t size;
	size_t i;
};

static int compare_sized(const void *left, const void *right)
{
	const struct sized *x = left, *y = right;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return (x->i > y->i) - (x->i < y->i);
}

static int order_large(struct crew *c, struct err *e)
{
	const struct digest_job *job = c->job;
	size_t count = 0;

	for (size_t i = 0; i < job->count; i++) {
		uint64_t size = job->size(job->context, i);
		count += size > c->small_max && size != DIGEST_SKIP;
	}
	struct sized *list = calloc(count + 1, sizeof *list);
	c->order = calloc(count + 1, sizeof *c->order);
	if (list == NULL || c->order == NULL) {
		free(list);
		return err_nomem(e);
	}
	for (size_t i = 0, k = 0; i < job->count; i++) {
		uint64_t size = job->size(job->context, i);
		if (size > c->small_max && size != DIGEST_SKIP)
			list[k++] = (struct sized){size, i};
	}
	qsort(list, count, sizeof *list, compare_sized);
	for (size_t k = 0; k < count; k++)
		c->order[k] = list[k].i;
	c->order_count = count;
	free(list);
	return 0;
}

static int equip(struct crew *c, struct worker *w, struct err *e)
{
	for (size_t k = 0; k < ARENA_FILES; k++)
		buf_init(&w->digests[k].layer);
	w->arena = malloc(c->arena);
	if (w->arena == NULL)
		return err_nomem(e);
	w->lanes = lanes_new(e);
	if (w->lanes == NULL)
		return -1;
	w->batch = batch_new(&c->job->hash, w->lanes, &c->pads, e);
	return w->batch != NULL ? 0 : -1;
}

static void dismiss(struct worker *w)
{
	batch_free(w->batch);
	lanes_free(w->lanes);
	free(w->arena);
	for (size_t k = 0; k < ARENA_FILES; k++)
		if (w->digests[k].layer.data != NULL)
			filehash_release(&w->digests[k]);
}

static void size_arenas(struct crew *c)
{
	c->arena = c->job->hash.plain ? ARENA_PLAIN : ARENA;
	if (c->arena > ARENAS_MAX / c->threads)
		c->arena = ARENAS_MAX / c->threads;
	c->small_max = c->job->hash.plain ? c->arena : c->arena / 2;
}

int digest_files(const struct digest_job *job, struct pool *pool, struct err *e)
{
	struct crew c = {.job = job, .threads = pool_threads(pool)};
	int status = -1;

	if (c.threads > ARENAS_MAX / ARENA)
		c.threads = ARENAS_MAX / ARENA;
	size_arenas(&c);
	relay_init(&c.relay, job, &c.pads);
	c.workers = calloc(c.threads, sizeof *c.workers);
	if (c.workers == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	for (unsigned k = 0; k < c.threads; k++) {
		if (equip(&c, &c.workers[k], e) == 0)
			continue;
		if (k == 0)
			goto out;
		/* Fewer do, too. */
		dismiss(&c.workers[k]);
		c.threads = k;
	}
	merkle_fill_pads(&c.pads, c.workers[0].lanes);
	if (lanes_check(c.workers[0].lanes, e) != 0)
		goto out;
	if (order_large(&c, e) != 0 || relay_reserve(&c.relay, c.threads, e) != 0)
		goto out;
	status = pool_each(pool, c.threads, serve, &c, e);
	if (c.relay.stopped)
		status = -1;
out:
	for (unsigned k = 0; c.workers != NULL && k < c.threads; k++)
		dismiss(&c.workers[k]);
	free(c.workers);
	free(c.order);
	relay_release(&c.relay);
	return status;
}
