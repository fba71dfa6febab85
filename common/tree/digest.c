#include "swarm/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/batch.h"
#include "swarm/chunked.h"
#include "swarm/lanes.h"
#include "swarm/merkle.h"

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
/* Chunks that wait for those who need them in order. */
#define BLOCKS_FOR(threads) (4 * (size_t)(threads) + 4)
/* However many threads there are, the blocks take little over 32 MiB. */
#define BLOCKS_MAX ((size_t)128)

/* --- what the threads share ---------------------------------------------------------------------
 */

struct large;

/* A chunk of a large file, in memory. */
struct block {
	struct block *next;
	uint64_t index;
	size_t len;
	bool filled;
	unsigned wanted; /* by how many followers it has not been seen yet */
	uint8_t bytes[CHUNKED_SIZE];
};

/* Who has to see the chunks of a file in order. */
enum { PLAIN, ONLOOKER, FOLLOWERS };

struct follower {
	bool exists;
	bool busy;
	uint64_t next; /* the chunk that it is to see */
};

/* A large file while it is read. */
struct large {
	struct large *next;
	size_t i;
	struct digest_file file;
	struct source_file in;
	uint64_t size; /* of what is hashed */
	uint64_t taken, hashed;
	struct chunked *tree;
	struct sha256 *plain; /* NULL: not wanted */
	struct follower followers[FOLLOWERS];
	struct block *blocks, **last_block; /* in order, those taken and still needed */
	unsigned threads;                   /* at work on it */
	bool broken;
	struct err err; /* why */
	uint8_t first[DIGEST_FIRST];
};

struct crew {
	const struct digest_job *job;
	struct merkle_pads pads;
	struct worker *workers;
	unsigned threads;
	size_t arena;         /* what one holds */
	uint64_t small_max;   /* a larger file is read in chunks */
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	size_t *order; /* large files, the largest first */
	size_t order_count, order_at;
	size_t at; /* the next that can be a small file */
	struct large *open;
	size_t open_count;
	struct block *spare;
	size_t opening; /* files that may yet turn out to be large ones */
	bool stopped;
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

static void tell(struct crew *c, size_t i, struct filehash_digests *digests, uint64_t size,
		 const struct err *e)
{
	if (c->job->done(c->job->context, i, digests, size, e) == 0)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopped = true;
	pthread_mutex_unlock(&c->lock);
}

static int changed(const struct source_file *in, struct err *e)
{
	return err_set(e, ERR_CHANGED, "'%s' changed while it was read", in->path);
}

/* Exactly so many bytes: the file was so large when it was opened. */
static int read_whole(struct source_file *in, uint64_t offset, uint8_t *to, size_t len,
		      struct err *e)
{
	/* There are file systems that say 0 of what is not empty. */
	size_t want = in->size == 0 ? 1 : len;
	uint8_t surplus[1];
	ssize_t n = source_file_read_at(in, offset, len > 0 ? to : surplus, want, e);

	if (n < 0)
		return -1;
	return (size_t)n == len ? 0 : changed(in, e);
}

static int end_onlooker(const struct digest_file *file, int status, struct err *e)
{
	struct err late;

	if (file->onlooker == NULL)
		return status;
	return file->onlooker->end(file->onlooker, status == 0 ? e : &late) == 0 ? status : -1;
}

static int look_again(const struct digest_job *job, size_t i, struct source_file *in,
		      const uint8_t *first, size_t len, struct err *e)
{
	return job->look != NULL ? job->look(job->context, i, in, first, len, e) : 0;
}

static int close_file(struct source_file *in, int status, struct err *e)
{
	struct err late;

	return source_file_close(in, status == 0 ? e : &late) == 0 ? status : -1;
}

/* --- large files --------------------------------------------------------------------------------
 */

static void free_large(struct large *f)
{
	chunked_free(f->tree);
	sha256_free(f->plain);
	free(f);
}

static uint64_t bytes_to_hash(const struct digest_file *file, const struct source_file *in)
{
	return in->size < file->limit ? in->size : file->limit;
}

/* Takes over an open file; NULL if it cannot (then it is still open). */
static struct large *new_large(const struct crew *c, size_t i, const struct digest_file *file,
			       const struct source_file *in, struct err *e)
{
	const struct filehash_options *hash = &c->job->hash;
	struct large *f = calloc(1, sizeof *f);

	if (f == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	f->i = i;
	f->file = *file;
	f->file.expected = NULL;
	f->in = *in;
	f->size = bytes_to_hash(file, in);
	f->last_block = &f->blocks;
	f->followers[PLAIN].exists = hash->plain;
	f->followers[ONLOOKER].exists = file->onlooker != NULL;
	f->tree = chunked_new(hash->piece_length, f->size, &c->pads, e);
	if (f->tree != NULL && hash->plain)
		f->plain = sha256_new(e);
	if (f->tree == NULL || (hash->plain && f->plain == NULL)) {
		free_large(f);
		return NULL;
	}
	return f;
}

static bool has_followers(const struct large *f)
{
	return f->followers[PLAIN].exists || f->followers[ONLOOKER].exists;
}

static bool is_finished(const struct large *f)
{
	uint64_t count = chunked_count(f->tree);

	if (f->threads > 0)
		return false;
	if (f->broken)
		return true;
	for (int k = 0; k < FOLLOWERS; k++)
		if (f->followers[k].exists && f->followers[k].next < count)
			return false;
	return f->hashed == count;
}

static int finish_large(struct crew *c, struct worker *w, struct large *f,
			struct filehash_digests *ret, struct err *e)
{
	int status = f->broken ? -1 : 0;

	if (f->broken)
		*e = f->err;
	if (status == 0)
		status = look_again(c->job, f->i, &f->in, f->first,
				    f->size < DIGEST_FIRST ? (size_t)f->size : DIGEST_FIRST, e);
	status = close_file(&f->in, status, e);
	if (status == 0) {
		ret->size = f->size;
		ret->has_sha256 = f->plain != NULL;
		chunked_finish(f->tree, w->lanes, ret->root, &ret->layer);
		status = buf_check(&ret->layer, e) == 0 ? lanes_check(w->lanes, e) : -1;
	}
	if (status == 0 && f->plain != NULL) {
		sha256_final(f->plain, ret->sha256);
		status = sha256_check(f->plain, e);
	}
	return end_onlooker(&f->file, status, e);
}

/* With the lock, which is given up meanwhile. */
static void end_large(struct crew *c, struct worker *w, struct large *f)
{
	struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
	struct err e = {.code = ERR_NONE};

	for (struct large **at = &c->open;; at = &(*at)->next) {
		if (*at == f) {
			*at = f->next;
			break;
		}
	}
	while (f->blocks != NULL) {
		struct block *b = f->blocks;
		f->blocks = b->next;
		b->next = c->spare;
		c->spare = b;
	}
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	uint64_t size = f->in.size;
	int status = finish_large(c, w, f, &digests, &e);
	tell(c, f->i, &digests, size, status == 0 ? NULL : &e);
	filehash_release(&digests);
	free_large(f);
	pthread_mutex_lock(&c->lock);
	c->open_count--;
	pthread_cond_broadcast(&c->changed);
}

/* With the lock: a thread's part in the file is over. `e`: why it failed, else NULL. */
static void leave_large(struct crew *c, struct worker *w, struct large *f, const struct err *e)
{
	f->threads--;
	if (e != NULL && !f->broken) {
		f->broken = true;
		f->err = *e;
	}
	if (is_finished(f))
		end_large(c, w, f);
	else
		pthread_cond_broadcast(&c->changed);
}

static void add_large(struct crew *c, struct worker *w, struct large *f)
{
	pthread_mutex_lock(&c->lock);
	f->threads++;
	f->next = c->open;
	c->open = f;
	c->open_count++;
	leave_large(c, w, f, NULL);
	pthread_mutex_unlock(&c->lock);
}

/* --- large files: what a thread can do for one -------------------------------------------------
 */

static struct block *block_at(const struct large *f, uint64_t index)
{
	for (struct block *b = f->blocks; b != NULL && b->index <= index; b = b->next)
		if (b->index == index)
			return b;
	return NULL;
}

/* With the lock. A block that all have seen is spare again. */
static void see_off(struct crew *c, struct large *f, struct block *b)
{
	if (--b->wanted > 0)
		return;
	struct block **at = &f->blocks;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (b->next == NULL)
		f->last_block = at;
	b->next = c->spare;
	c->spare = b;
}

static int show(struct large *f, int who, const struct block *b, struct err *e)
{
	if (who == ONLOOKER)
		return f->file.onlooker->see(f->file.onlooker, b->bytes, b->len, e);
	sha256_update(f->plain, b->bytes, b->len);
	return 0;
}

/* Lets one of a file's followers see what is there for it. Returns whether there was anything. */
static bool follow(struct crew *c, struct worker *w, struct large *f, int who)
{
	struct follower *follower = &f->followers[who];
	struct block *b =
	    follower->exists && !follower->busy && !f->broken ? block_at(f, follower->next) : NULL;
	struct err e;

	if (b == NULL || !b->filled)
		return false;
	follower->busy = true;
	f->threads++;
	pthread_mutex_unlock(&c->lock);
	int status = show(f, who, b, &e);
	pthread_mutex_lock(&c->lock);
	follower->busy = false;
	follower->next++;
	see_off(c, f, b);
	leave_large(c, w, f, status == 0 ? NULL : &e);
	return true;
}

/* The next block of the file, for its followers. */
static struct block *take_block(struct crew *c, struct large *f)
{
	struct block *b = c->spare;

	c->spare = b->next;
	b->next = NULL;
	b->index = f->taken;
	b->filled = false;
	b->wanted = (unsigned)f->followers[PLAIN].exists + f->followers[ONLOOKER].exists;
	*f->last_block = b;
	f->last_block = &b->next;
	return b;
}

/* Reads and hashes the next chunk. Returns whether there was one, and room for it. */
static bool read_chunk(struct crew *c, struct worker *w, struct large *f)
{
	uint64_t index = f->taken, at = index * CHUNKED_SIZE;
	struct err e;

	if (f->broken || index == chunked_count(f->tree) || (has_followers(f) && c->spare == NULL))
		return false;
	struct block *b = has_followers(f) ? take_block(c, f) : NULL;
	uint8_t *bytes = b != NULL ? b->bytes : w->arena;
	size_t len = f->size - at < CHUNKED_SIZE ? (size_t)(f->size - at) : CHUNKED_SIZE;
	f->taken++;
	f->threads++;
	pthread_mutex_unlock(&c->lock);
	int status = read_whole(&f->in, at, bytes, len, &e);
	if (status == 0) {
		if (index == 0)
			memcpy(f->first, bytes, len < DIGEST_FIRST ? len : DIGEST_FIRST);
		chunked_add(f->tree, w->lanes, index, bytes, len);
		/* Here, where it is known which files these lanes had a part in. */
		status = lanes_check(w->lanes, &e);
		progress_add(c->job->progress, len);
	}
	pthread_mutex_lock(&c->lock);
	f->hashed++;
	if (b != NULL) {
		b->len = len;
		b->filled = true;
	}
	leave_large(c, w, f, status == 0 ? NULL : &e);
	return true;
}

/* Opens i. Returns 0 with the open file, 1 if it is not wanted, -1 when its failure was told. */
static int open_file(struct crew *c, size_t i, struct digest_file *file, struct source_item *room,
		     struct source_file *in)
{
	const struct digest_job *job = c->job;
	struct err e;

	*file = (struct digest_file){.path = NULL};
	*room = (struct source_item){.path = NULL};
	if (!job->want(job->context, i, file, room))
		return 1;
	if (source_file_open(job->source, file->path, file->expected, in, &e) == 0)
		return 0;
	(void)end_onlooker(file, -1, &e);
	tell(c, i, NULL, 0, &e);
	return -1;
}

/* The chunks of it are for whoever comes. */
static void begin_large(struct crew *c, struct worker *w, size_t i, const struct digest_file *file,
			struct source_file *in)
{
	struct err e;
	struct large *f = NULL;

	if (in->size > 0 || read_whole(in, 0, NULL, 0, &e) == 0)
		f = new_large(c, i, file, in, &e);
	if (f != NULL) {
		add_large(c, w, f);
		return;
	}
	(void)close_file(in, -1, &e);
	(void)end_onlooker(file, -1, &e);
	tell(c, i, NULL, 0, &e);
}

/* Opens the next large file. Returns whether there was one. */
static bool open_next(struct crew *c, struct worker *w)
{
	struct digest_file file;
	struct source_item room;
	struct source_file in;

	if (c->order_at == c->order_count || c->open_count + c->opening > c->threads)
		return false;
	size_t i = c->order[c->order_at++];
	c->opening++;
	pthread_mutex_unlock(&c->lock);
	if (open_file(c, i, &file, &room, &in) == 0)
		begin_large(c, w, i, &file, &in);
	pthread_mutex_lock(&c->lock);
	c->opening--;
	pthread_cond_broadcast(&c->changed);
	return true;
}

/* Whatever can be done for the large files, in the order of what others wait for. */
static bool help_large(struct crew *c, struct worker *w)
{
	for (struct large *f = c->open; f != NULL; f = f->next)
		for (int who = 0; who < FOLLOWERS; who++)
			if (follow(c, w, f, who))
				return true;
	for (struct large *f = c->open; f != NULL; f = f->next)
		if (read_chunk(c, w, f))
			return true;
	return open_next(c, w);
}

/* --- small files --------------------------------------------------------------------------------
 */

/* Reads an open file into the arena at `used`. Returns how many bytes it has there. */
static size_t read_small(struct crew *c, struct worker *w, size_t i, const struct digest_file *file,
			 struct source_file *in, size_t used)
{
	uint8_t *bytes = w->arena + used;
	size_t len = (size_t)bytes_to_hash(file, in);
	uint64_t size = in->size;
	struct err e;
	int status = read_whole(in, 0, bytes, len, &e);

	/* In blocks, as of a large one: an onlooker's work on one is bounded. */
	for (size_t at = 0; status == 0 && file->onlooker != NULL && at < len; at += CHUNKED_SIZE)
		status = file->onlooker->see(file->onlooker, bytes + at,
					     len - at < CHUNKED_SIZE ? len - at : CHUNKED_SIZE, &e);
	if (status == 0)
		status = look_again(c->job, i, in, bytes, len, &e);
	status = close_file(in, status, &e);
	status = end_onlooker(file, status, &e);
	progress_add(c->job->progress, len);
	if (status != 0) {
		tell(c, i, NULL, 0, &e);
		return 0;
	}
	w->items[w->count] = (struct batch_item){bytes, len, &w->digests[w->count]};
	w->files[w->count] = (struct small){i, size};
	w->count++;
	return len;
}

static void hash_small(struct crew *c, struct worker *w)
{
	struct err e = {.code = ERR_NONE};
	int status = w->count > 0 ? batch_hash(w->batch, w->items, w->count, &e) : 0;

	for (size_t k = 0; k < w->count; k++)
		tell(c, w->files[k].i, &w->digests[k], w->files[k].size, status == 0 ? NULL : &e);
	w->count = 0;
}

/* The files from `from` to before `to` that are small by what is known; some may have grown. */
static void read_run(struct crew *c, struct worker *w, size_t from, size_t to)
{
	size_t used = 0;

	for (size_t i = from; i < to; i++) {
		uint64_t size = c->job->size(c->job->context, i);
		struct digest_file file;
		struct source_item room;
		struct source_file in;
		if (size > c->small_max || open_file(c, i, &file, &room, &in) != 0)
			continue;
		if (bytes_to_hash(&file, &in) > c->arena - used || w->count == ARENA_FILES)
			begin_large(c, w, i, &file, &in);
		else
			used += read_small(c, w, i, &file, &in, used);
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
	pthread_mutex_unlock(&c->lock);
	read_run(c, w, from, to);
	pthread_mutex_lock(&c->lock);
	c->opening--;
	pthread_cond_broadcast(&c->changed);
	return true;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

/* Whether more work may come. */
static bool goes_on(const struct crew *c)
{
	return c->open != NULL || c->open_count > 0 || c->opening > 0;
}

/* No thread is at work on them any more. */
static void give_up(struct crew *c, struct worker *w)
{
	while (c->open != NULL) {
		struct large *f = c->open;
		if (f->threads > 0) {
			pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		f->broken = true;
		(void)err_set(&f->err, ERR_SYSTEM, "'%s' was not read to its end", f->file.path);
		end_large(c, w, f);
	}
}

/* The i-th of the crew, whichever of the pool's threads that is. */
static int serve(void *context, size_t i, unsigned worker)
{
	struct crew *c = context;
	struct worker *w = &c->workers[i];

	(void)worker;
	pthread_mutex_lock(&c->lock);
	while (!c->stopped) {
		if (help_large(c, w) || help_small(c, w))
			continue;
		if (!goes_on(c))
			break;
		pthread_cond_wait(&c->changed, &c->lock);
	}
	if (c->stopped)
		give_up(c, w);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
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

static int add_blocks(struct crew *c, struct err *e)
{
	size_t want = BLOCKS_FOR(c->threads);

	for (size_t i = 0; i < want && i < BLOCKS_MAX; i++) {
		struct block *b = malloc(sizeof *b);
		if (b == NULL)
			return err_nomem(e);
		b->next = c->spare;
		c->spare = b;
	}
	return 0;
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
	pthread_mutex_init(&c.lock, NULL);
	pthread_cond_init(&c.changed, NULL);
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
	if (order_large(&c, e) != 0 || add_blocks(&c, e) != 0)
		goto out;
	status = pool_each(pool, c.threads, serve, &c, e);
	if (c.stopped)
		status = -1;
out:
	for (unsigned k = 0; c.workers != NULL && k < c.threads; k++)
		dismiss(&c.workers[k]);
	free(c.workers);
	free(c.order);
	while (c.spare != NULL) {
		struct block *next = c.spare->next;
		free(c.spare);
		c.spare = next;
	}
	pthread_cond_destroy(&c.changed);
	pthread_mutex_destroy(&c.lock);
	return status;
}
