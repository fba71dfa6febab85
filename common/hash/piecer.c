#include "swarm/piecer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/sha1run.h"

/*
 * How much is handed to a thread at once: whole pieces, as many as are hashed together if they fit,
 * else part of one.
 */
#define SLOT_MIN  ((size_t)1024 * 1024)
#define SLOT_MAX  ((size_t)16 * 1024 * 1024)
#define PIECE_MAX ((size_t)4 * 1024 * 1024)
/* What all slots take. */
#define ROOM      ((size_t)64 * 1024 * 1024)
#define SLOTS_MIN ((size_t)3)

struct slot {
	struct pool_task task; /* first: run() gets a pointer to it */
	struct piecer *owner;
	struct sha1run *run; /* of whole pieces; else the owner's sha1 */
	uint8_t *bytes;
	size_t len;
	uint8_t *digests;
	size_t digest_len;
	bool last;
	bool failed; /* `err` says why */
	struct err err;
	bool busy;
};

/* Slots are filled in turn, so the next one to be filled is the one that has waited longest. */
struct piecer {
	struct pool *pool;
	uint64_t piece_length;
	size_t slot_size;
	bool whole; /* slots hold whole pieces */
	int (*put)(void *context, const void *digests, size_t len, struct err *e);
	void *context;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot *slots;
	size_t count, next;
	/* Of pieces that are longer than a slot: */
	struct sha1 *sha1;
	uint64_t hashed;      /* of the piece that is not complete */
	size_t first, queued; /* slots that wait, in order; the first is being hashed */
};

/* --- hashing ------------------------------------------------------------------------------------
 */

static void hash_whole(struct slot *s)
{
	size_t count =
	    sha1run_hash(s->run, s->bytes, s->len, (size_t)s->owner->piece_length, s->digests);

	s->digest_len = count * SHA1_SIZE;
	s->failed = sha1run_check(s->run, &s->err) != 0;
}

static void hash_part(struct slot *s)
{
	struct piecer *p = s->owner;

	sha1_update(p->sha1, s->bytes, s->len);
	p->hashed += s->len;
	if (p->hashed == p->piece_length || (s->last && p->hashed > 0)) {
		sha1_final(p->sha1, s->digests);
		sha1_reset(p->sha1);
		p->hashed = 0;
		s->digest_len = SHA1_SIZE;
	}
	/* Noted here: another slot may have the digest when the caller looks. */
	s->failed = sha1_check(p->sha1, &s->err) != 0;
}

static void done(struct slot *s)
{
	struct piecer *p = s->owner;

	pthread_mutex_lock(&p->lock);
	s->busy = false;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void run_whole(struct pool_task *task)
{
	struct slot *s = (struct slot *)task;

	hash_whole(s);
	done(s);
}

/* Only one of these is submitted at a time: each hands on to the next. */
static void run_part(struct pool_task *task)
{
	struct slot *s = (struct slot *)task;
	struct piecer *p = s->owner;
	struct slot *next = NULL;

	hash_part(s);
	pthread_mutex_lock(&p->lock);
	p->first = (p->first + 1) % p->count;
	if (--p->queued > 0)
		next = &p->slots[p->first];
	pthread_mutex_unlock(&p->lock);
	if (next != NULL)
		pool_submit(p->pool, &next->task);
	done(s);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void choose_size(struct piecer *p, size_t width)
{
	size_t piece = (size_t)p->piece_length;

	p->slot_size = SLOT_MIN;
	if (p->whole && piece * width > SLOT_MIN)
		p->slot_size = piece * width <= SLOT_MAX ? piece * width : piece;
	if (p->whole && p->slot_size < SLOT_MIN)
		p->slot_size = SLOT_MIN;
}

static int slot_init(struct piecer *p, struct slot *s, struct err *e)
{
	s->owner = p;
	s->task.run = p->whole ? run_whole : run_part;
	if (p->whole && (s->run = sha1run_new(e)) == NULL)
		return -1;
	/* The first one knows how many pieces go together. */
	if (p->slot_size == 0)
		choose_size(p, p->whole ? sha1run_width(s->run) : 1);
	s->bytes = malloc(p->slot_size);
	s->digests = malloc(SHA1_SIZE * (p->slot_size / (size_t)p->piece_length + 1));
	return s->bytes != NULL && s->digests != NULL ? 0 : err_nomem(e);
}

static int slots_init(struct piecer *p, struct err *e)
{
	size_t want = (size_t)pool_threads(p->pool) + 2;

	p->whole = p->piece_length <= PIECE_MAX;
	p->slots = calloc(want, sizeof *p->slots);
	if (p->slots == NULL)
		return err_nomem(e);
	while (p->count < want && (p->count < SLOTS_MIN || (p->count + 1) * p->slot_size <= ROOM))
		if (slot_init(p, &p->slots[p->count++], e) != 0)
			return -1;
	return !p->whole && (p->sha1 = sha1_new(e)) == NULL ? -1 : 0;
}

struct piecer *piecer_new(struct pool *pool, uint64_t piece_length,
			  int (*put)(void *context, const void *digests, size_t len, struct err *e),
			  void *context, struct err *e)
{
	struct piecer *p = calloc(1, sizeof *p);

	if (p == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	p->pool = pool;
	p->piece_length = piece_length;
	p->put = put;
	p->context = context;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	if (slots_init(p, e) == 0)
		return p;
	piecer_free(p);
	return NULL;
}

static void wait_for(struct slot *s)
{
	struct piecer *p = s->owner;

	pthread_mutex_lock(&p->lock);
	while (s->busy)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void piecer_free(struct piecer *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count && p->slots[i].owner != NULL; i++) {
		wait_for(&p->slots[i]);
		sha1run_free(p->slots[i].run);
		free(p->slots[i].bytes);
		free(p->slots[i].digests);
	}
	free(p->slots);
	sha1_free(p->sha1);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* --- what comes in ------------------------------------------------------------------------------
 */

/* Passes on what was hashed of a slot, which can be filled again then. */
static int collect(struct slot *s, struct err *e)
{
	struct piecer *p = s->owner;

	wait_for(s);
	s->len = 0;
	if (s->failed) {
		*e = s->err;
		return -1;
	}
	if (s->digest_len == 0)
		return 0;
	if (p->put(p->context, s->digests, s->digest_len, e) != 0)
		return -1;
	s->digest_len = 0;
	return 0;
}

static void submit(struct piecer *p)
{
	struct slot *s = &p->slots[p->next];
	bool now = true;

	p->next = (p->next + 1) % p->count;
	pthread_mutex_lock(&p->lock);
	s->busy = true;
	if (!p->whole)
		now = p->queued++ == 0;
	pthread_mutex_unlock(&p->lock);
	if (now)
		pool_submit(p->pool, &s->task);
}

/* How much the next slot takes. */
static int make_room(struct piecer *p, size_t *ret, struct err *e)
{
	struct slot *s = &p->slots[p->next];

	if (s->len == p->slot_size) {
		submit(p);
		s = &p->slots[p->next];
		if (collect(s, e) != 0)
			return -1;
	}
	*ret = p->slot_size - s->len;
	return 0;
}

/* `bytes` NULL: zeros. */
static int add(struct piecer *p, const uint8_t *bytes, uint64_t len, struct err *e)
{
	while (len > 0) {
		size_t n;
		if (make_room(p, &n, e) != 0)
			return -1;
		struct slot *s = &p->slots[p->next];
		if (n > len)
			n = (size_t)len;
		if (bytes == NULL) {
			memset(s->bytes + s->len, 0, n);
		} else {
			memcpy(s->bytes + s->len, bytes, n);
			bytes += n;
		}
		s->len += n;
		len -= n;
	}
	return 0;
}

int piecer_add(struct piecer *p, const void *bytes, size_t len, struct err *e)
{
	return add(p, bytes, len, e);
}

int piecer_pad(struct piecer *p, uint64_t len, struct err *e)
{
	return add(p, NULL, len, e);
}

int piecer_end(struct piecer *p, struct err *e)
{
	p->slots[p->next].last = true;
	submit(p);
	for (size_t i = 0; i < p->count; i++)
		if (collect(&p->slots[(p->next + i) % p->count], e) != 0)
			return -1;
	return 0;
}
