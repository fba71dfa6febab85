#include "swarm/pieces.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/arena.h"
#include "swarm/digest.h"
#include "swarm/onlooker.h"
#include "swarm/pool.h"
#include "swarm/source.h"

/*
 * Read at a time: enough that threads which wait for the last one of a batch do not count, and few
 * enough to hold on to: some MiB, with their pieces.
 */
#define BATCH_FILES  ((size_t)8192)
#define BATCH_PIECES ((size_t)1 << 18)

struct file {
	struct onlooker onlooker; /* first: what is called gets a pointer to it */
	struct pieces *of;
	struct pieces_file known; /* sha256 is the manifest's until it has been read */
	bool has_sha256;
	uint8_t root[SHA256_SIZE];
	/* While it is read: */
	struct sha256 *hash;
	uint64_t filled; /* bytes of the piece that `hash` is in */
	uint8_t *next;   /* where its digest goes */
};

struct pieces {
	struct pieces_options options;
	struct source *source;
	struct pool *pool;
	struct file *files; /* BATCH_FILES of them */
	size_t count, piece_count;
	struct arena arena;   /* their paths and digests */
	pthread_mutex_t lock; /* of what follows */
	size_t bad;           /* the first file that is wrong, SIZE_MAX if none is */
	struct err why;
};

/* --- one file -----------------------------------------------------------------------------------
 */

static void end_piece(struct file *f)
{
	sha256_final(f->hash, f->next);
	sha256_reset(f->hash);
	f->next += SHA256_SIZE;
	f->filled = 0;
}

static int see(struct onlooker *self, const void *bytes, size_t len, struct err *e)
{
	struct file *f = (struct file *)self;
	uint64_t piece = f->of->options.piece_length;
	const uint8_t *at = bytes;

	if (f->hash == NULL && (f->hash = sha256_new(e)) == NULL)
		return -1;
	while (len > 0) {
		size_t n = len < piece - f->filled ? len : (size_t)(piece - f->filled);
		sha256_update(f->hash, at, n);
		at += n;
		len -= n;
		f->filled += n;
		if (f->filled == piece)
			end_piece(f);
	}
	return 0;
}

static int end(struct onlooker *self, struct err *e)
{
	struct file *f = (struct file *)self;
	int status = 0;

	if (f->hash == NULL)
		return 0;
	if (f->filled > 0)
		end_piece(f);
	status = sha256_check(f->hash, e);
	sha256_free(f->hash);
	f->hash = NULL;
	return status;
}

static int check(struct file *f, const struct filehash_digests *d, uint64_t size, struct err *e)
{
	const char *tree = source_name(f->of->source);

	if (size != f->known.size)
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' in '%s' is not the file of the manifest: it has %llu bytes "
			       "instead of %llu",
			       f->known.path, tree, (unsigned long long)size,
			       (unsigned long long)f->known.size);
	if (memcmp(d->root, f->root, SHA256_SIZE) != 0 ||
	    (f->has_sha256 && memcmp(d->sha256, f->known.sha256, SHA256_SIZE) != 0))
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' in '%s' is not the file of the manifest: its content differs",
			       f->known.path, tree);
	memcpy(f->known.sha256, d->sha256, SHA256_SIZE);
	return 0;
}

/* --- a batch ------------------------------------------------------------------------------------
 */

static uint64_t size_of(void *context, size_t i)
{
	const struct pieces *p = context;

	return p->files[i].known.size;
}

static bool want(void *context, size_t i, struct digest_file *ret, struct source_item *room)
{
	struct pieces *p = context;
	struct file *f = &p->files[i];

	(void)room;
	pthread_mutex_lock(&p->lock);
	bool counts = i < p->bad;
	pthread_mutex_unlock(&p->lock);
	*ret = (struct digest_file){.path = f->known.path, .limit = f->known.size};
	if (f->known.count > 0)
		ret->onlooker = &f->onlooker;
	return counts;
}

static int done(void *context, size_t i, struct filehash_digests *digests, uint64_t size,
		const struct err *e)
{
	struct pieces *p = context;
	struct err why = {.code = ERR_NONE};

	if (e != NULL) {
		why = *e;
		(void)source_judge(p->source, p->files[i].known.path, NULL, &why);
	} else if (check(&p->files[i], digests, size, &why) == 0) {
		return 0;
	}
	pthread_mutex_lock(&p->lock);
	if (i < p->bad) {
		p->bad = i;
		p->why = why;
	}
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static int read_batch(struct pieces *p, struct err *e)
{
	struct digest_job job = {.source = p->source,
				 .hash = {p->options.piece_length, true},
				 .progress = p->options.progress,
				 .count = p->count,
				 .context = p,
				 .size = size_of,
				 .want = want,
				 .done = done};

	if (p->count == 0)
		return 0;
	if (digest_files(&job, p->pool, e) != 0)
		return -1;
	if (p->bad < p->count) {
		*e = p->why;
		return -1;
	}
	for (size_t i = 0; i < p->count; i++)
		if (p->options.put(p->options.context, &p->files[i].known, e) != 0)
			return -1;
	arena_release(&p->arena);
	p->count = p->piece_count = 0;
	return 0;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

struct pieces *pieces_new(const struct pieces_options *options, struct err *e)
{
	struct pieces *p = calloc(1, sizeof *p);

	if (p == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	p->options = *options;
	p->bad = SIZE_MAX;
	pthread_mutex_init(&p->lock, NULL);
	p->source = source_open(options->tree, 1, e);
	if (p->source == NULL)
		goto fail;
	if (!source_is_directory(p->source)) {
		(void)err_set(e, ERR_USAGE, "'%s' is not a directory", options->tree);
		goto fail;
	}
	p->pool = pool_new(options->threads, e);
	if (p->pool == NULL)
		goto fail;
	p->files = calloc(BATCH_FILES, sizeof *p->files);
	if (p->files == NULL) {
		(void)err_nomem(e);
		goto fail;
	}
	progress_begin(options->progress, "reading", 0);
	return p;
fail:
	pieces_free(p);
	return NULL;
}

void pieces_free(struct pieces *p)
{
	if (p == NULL)
		return;
	progress_end(p->options.progress);
	pool_free(p->pool);
	source_close(p->source);
	pthread_mutex_destroy(&p->lock);
	arena_release(&p->arena);
	free(p->files);
	free(p);
}

int pieces_add(struct pieces *p, const struct entry *entry, struct err *e)
{
	struct file *f = &p->files[p->count];
	uint64_t piece = p->options.piece_length;
	/* As many as the layer has hashes, so that they fit in memory as that did. */
	size_t count = entry->size > piece ? entry->piece_count : 0;

	*f = (struct file){.onlooker = {see, end}, .of = p, .has_sha256 = entry->has_sha256};
	f->known.path = arena_copy(&p->arena, entry->path, strlen(entry->path));
	f->known.size = entry->size;
	f->known.count = count;
	memcpy(f->known.sha256, entry->sha256, SHA256_SIZE);
	memcpy(f->root, entry->root, SHA256_SIZE);
	if (count > 0)
		f->known.digests = f->next = arena_alloc(&p->arena, count * SHA256_SIZE);
	if (f->known.path == NULL || (count > 0 && f->next == NULL))
		return err_nomem(e);
	p->count++;
	p->piece_count += count;
	return p->count == BATCH_FILES || p->piece_count >= BATCH_PIECES ? read_batch(p, e) : 0;
}

int pieces_end(struct pieces *p, struct err *e)
{
	int status = read_batch(p, e);

	progress_end(p->options.progress);
	return status;
}
