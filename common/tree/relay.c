#include "swarm/relay.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/chunked.h"
#include "swarm/sha256.h"

/* Chunks that wait for those who need them in order. */
#define BLOCKS_FOR(threads) (4 * (size_t)(threads) + 4)
/* However many threads there are, the blocks take little over 32 MiB. */
#define BLOCKS_MAX ((size_t)128)

/* A chunk of a large file, in memory. */
struct relay_block {
	struct relay_block *next;
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

struct relay_file {
	struct relay_file *next;
	struct reading in;
	uint64_t taken, hashed;
	struct chunked *tree;
	struct sha256 *plain; /* NULL: not wanted */
	struct follower followers[FOLLOWERS];
	struct relay_block *blocks, **last_block; /* in order, those taken and still needed */
	unsigned threads;                         /* at work on it */
	bool broken;
	struct err err; /* why */
	uint8_t first[DIGEST_FIRST];
};

void relay_tell(struct relay *r, size_t i, struct filehash_digests *digests, uint64_t size,
		const struct err *e)
{
	if (r->job->done(r->job->context, i, digests, size, e) == 0)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopped = true;
	pthread_mutex_unlock(&r->lock);
}

/* --- a file -------------------------------------------------------------------------------------
 */

static void free_file(struct relay_file *f)
{
	chunked_free(f->tree);
	sha256_free(f->plain);
	free(f);
}

/* Takes over an open file; NULL if it cannot (then it is still open). */
static struct relay_file *new_file(const struct relay *r, const struct reading *in, struct err *e)
{
	const struct filehash_options *hash = &r->job->hash;
	struct relay_file *f = calloc(1, sizeof *f);

	if (f == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	f->in = *in;
	f->last_block = &f->blocks;
	f->followers[PLAIN].exists = hash->plain;
	f->followers[ONLOOKER].exists = in->file.onlooker != NULL;
	f->tree = chunked_new(hash->piece_length, in->size, r->pads, e);
	if (f->tree != NULL && hash->plain)
		f->plain = sha256_new(e);
	if (f->tree == NULL || (hash->plain && f->plain == NULL)) {
		free_file(f);
		return NULL;
	}
	return f;
}

static bool has_followers(const struct relay_file *f)
{
	return f->followers[PLAIN].exists || f->followers[ONLOOKER].exists;
}

static bool is_finished(const struct relay_file *f)
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

static int finish(const struct relay *r, struct lanes *lanes, struct relay_file *f,
		  struct filehash_digests *ret, struct err *e)
{
	int status = f->broken ? -1 : 0;

	if (f->broken)
		*e = f->err;
	if (status == 0)
		status =
		    reading_look(r->job, &f->in, f->first,
				 f->in.size < DIGEST_FIRST ? (size_t)f->in.size : DIGEST_FIRST, e);
	status = reading_close(&f->in, status, e);
	if (status == 0) {
		ret->size = f->in.size;
		ret->has_sha256 = f->plain != NULL;
		chunked_finish(f->tree, lanes, ret->root, &ret->layer);
		status = buf_check(&ret->layer, e) == 0 ? lanes_check(lanes, e) : -1;
	}
	if (status == 0 && f->plain != NULL) {
		sha256_final(f->plain, ret->sha256);
		status = sha256_check(f->plain, e);
	}
	return reading_end(&f->in, status, e);
}

/* With the lock, which is given up meanwhile. */
static void end_file(struct relay *r, struct lanes *lanes, struct relay_file *f)
{
	struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
	struct err e = {.code = ERR_NONE};

	for (struct relay_file **at = &r->open;; at = &(*at)->next) {
		if (*at == f) {
			*at = f->next;
			break;
		}
	}
	while (f->blocks != NULL) {
		struct relay_block *b = f->blocks;
		f->blocks = b->next;
		b->next = r->spare;
		r->spare = b;
	}
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	uint64_t size = f->in.in.size;
	int status = finish(r, lanes, f, &digests, &e);
	relay_tell(r, f->in.i, &digests, size, status == 0 ? NULL : &e);
	filehash_release(&digests);
	free_file(f);
	pthread_mutex_lock(&r->lock);
	r->open_count--;
	pthread_cond_broadcast(&r->changed);
}

/* With the lock: a thread's part in the file is over. `e`: why it failed, else NULL. */
static void leave(struct relay *r, struct lanes *lanes, struct relay_file *f, const struct err *e)
{
	f->threads--;
	if (e != NULL && !f->broken) {
		f->broken = true;
		f->err = *e;
	}
	if (is_finished(f))
		end_file(r, lanes, f);
	else
		pthread_cond_broadcast(&r->changed);
}

void relay_add(struct relay *r, struct lanes *lanes, struct reading *file)
{
	struct err e, late;
	struct relay_file *f = NULL;

	if (file->in.size > 0 || reading_read(file, 0, NULL, 0, &e) == 0)
		f = new_file(r, file, &e);
	if (f == NULL) {
		(void)!reading_close(file, -1, &late);
		(void)!reading_end(file, -1, &late);
		relay_tell(r, file->i, NULL, 0, &e);
		return;
	}
	pthread_mutex_lock(&r->lock);
	f->threads++;
	f->next = r->open;
	r->open = f;
	r->open_count++;
	leave(r, lanes, f, NULL);
	pthread_mutex_unlock(&r->lock);
}

/* --- what a thread can do for one ---------------------------------------------------------------
 */

static struct relay_block *block_at(const struct relay_file *f, uint64_t index)
{
	for (struct relay_block *b = f->blocks; b != NULL && b->index <= index; b = b->next)
		if (b->index == index)
			return b;
	return NULL;
}

/* With the lock. A block that all have seen is spare again. */
static void see_off(struct relay *r, struct relay_file *f, struct relay_block *b)
{
	if (--b->wanted > 0)
		return;
	struct relay_block **at = &f->blocks;
	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	if (b->next == NULL)
		f->last_block = at;
	b->next = r->spare;
	r->spare = b;
}

static int show(struct relay_file *f, int who, const struct relay_block *b, struct err *e)
{
	if (who == ONLOOKER)
		return f->in.file.onlooker->see(f->in.file.onlooker, b->bytes, b->len, e);
	sha256_update(f->plain, b->bytes, b->len);
	return 0;
}

/* Lets one of a file's followers see what is there for it. Returns whether there was anything. */
static bool follow(struct relay *r, struct lanes *lanes, struct relay_file *f, int who)
{
	struct follower *follower = &f->followers[who];
	struct relay_block *b =
	    follower->exists && !follower->busy && !f->broken ? block_at(f, follower->next) : NULL;
	struct err e;

	if (b == NULL || !b->filled)
		return false;
	follower->busy = true;
	f->threads++;
	pthread_mutex_unlock(&r->lock);
	int status = show(f, who, b, &e);
	pthread_mutex_lock(&r->lock);
	follower->busy = false;
	follower->next++;
	see_off(r, f, b);
	leave(r, lanes, f, status == 0 ? NULL : &e);
	return true;
}

/* The next block of the file, for its followers. */
static struct relay_block *take_block(struct relay *r, struct relay_file *f)
{
	struct relay_block *b = r->spare;

	r->spare = b->next;
	b->next = NULL;
	b->index = f->taken;
	b->filled = false;
	b->wanted = (unsigned)f->followers[PLAIN].exists + f->followers[ONLOOKER].exists;
	*f->last_block = b;
	f->last_block = &b->next;
	return b;
}

/* Reads and hashes the next chunk. Returns whether there was one, and room for it. */
static bool read_chunk(struct relay *r, struct lanes *lanes, uint8_t *room, struct relay_file *f)
{
	uint64_t index = f->taken, at = index * CHUNKED_SIZE;
	struct err e;

	if (f->broken || index == chunked_count(f->tree) || (has_followers(f) && r->spare == NULL))
		return false;
	struct relay_block *b = has_followers(f) ? take_block(r, f) : NULL;
	uint8_t *bytes = b != NULL ? b->bytes : room;
	size_t len = f->in.size - at < CHUNKED_SIZE ? (size_t)(f->in.size - at) : CHUNKED_SIZE;
	f->taken++;
	f->threads++;
	pthread_mutex_unlock(&r->lock);
	int status = reading_read(&f->in, at, bytes, len, &e);
	if (status == 0) {
		if (index == 0)
			memcpy(f->first, bytes, len < DIGEST_FIRST ? len : DIGEST_FIRST);
		chunked_add(f->tree, lanes, index, bytes, len);
		/* Here, where it is known which files these lanes had a part in. */
		status = lanes_check(lanes, &e);
		progress_add(r->job->progress, len);
	}
	pthread_mutex_lock(&r->lock);
	f->hashed++;
	if (b != NULL) {
		b->len = len;
		b->filled = true;
	}
	leave(r, lanes, f, status == 0 ? NULL : &e);
	return true;
}

bool relay_help(struct relay *r, struct lanes *lanes, uint8_t *room)
{
	for (struct relay_file *f = r->open; f != NULL; f = f->next)
		for (int who = 0; who < FOLLOWERS; who++)
			if (follow(r, lanes, f, who))
				return true;
	for (struct relay_file *f = r->open; f != NULL; f = f->next)
		if (read_chunk(r, lanes, room, f))
			return true;
	return false;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

void relay_init(struct relay *r, const struct digest_job *job, const struct merkle_pads *pads)
{
	*r = (struct relay){.job = job, .pads = pads};
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
}

int relay_reserve(struct relay *r, unsigned threads, struct err *e)
{
	size_t want = BLOCKS_FOR(threads);

	for (size_t i = 0; i < want && i < BLOCKS_MAX; i++) {
		struct relay_block *b = malloc(sizeof *b);
		if (b == NULL)
			return err_nomem(e);
		b->next = r->spare;
		r->spare = b;
	}
	return 0;
}

void relay_release(struct relay *r)
{
	while (r->spare != NULL) {
		struct relay_block *next = r->spare->next;
		free(r->spare);
		r->spare = next;
	}
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
}

void relay_give_up(struct relay *r, struct lanes *lanes)
{
	while (r->open != NULL) {
		struct relay_file *f = r->open;
		if (f->threads > 0) {
			pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}
		f->broken = true;
		(void)err_set(&f->err, ERR_SYSTEM, "'%s' was not read to its end", f->in.file.path);
		end_file(r, lanes, f);
	}
}
