#include "swarm/digest.h"

#include <stdlib.h>
#include <string.h>

#define READ_BLOCK ((size_t)256 * 1024)

struct worker {
	struct filehash *hash;
	uint8_t *block;
	uint8_t first[DIGEST_FIRST];
	struct filehash_digests digests;
};

struct crew {
	const struct digest_job *job;
	struct worker *workers;
};

/* Reads and hashes what is wanted of an open file; *ret_read is how much that was. */
static int read_file(const struct digest_job *job, struct worker *w, struct source_file *in,
		     const struct digest_file *file, uint64_t *ret_read, struct err *e)
{
	struct onlooker *onlooker = file->onlooker;

	for (uint64_t left = file->limit; left > 0;) {
		size_t want = left < READ_BLOCK ? (size_t)left : READ_BLOCK;
		ssize_t n = source_file_read(in, w->block, want, e);
		if (n <= 0)
			return (int)n;
		if (*ret_read == 0)
			memcpy(w->first, w->block,
			       (size_t)n < DIGEST_FIRST ? (size_t)n : DIGEST_FIRST);
		filehash_update(w->hash, w->block, (size_t)n);
		if (onlooker != NULL && onlooker->see(onlooker, w->block, (size_t)n, e) != 0)
			return -1;
		progress_add(job->progress, (uint64_t)n);
		*ret_read += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return 0;
}

/* With as much of the start of the file as is still in memory. */
static int look_again(const struct digest_job *job, struct worker *w, size_t i,
		      struct source_file *in, uint64_t size, struct err *e)
{
	if (job->look == NULL)
		return 0;
	if (size <= READ_BLOCK)
		return job->look(job->context, i, in, w->block, (size_t)size, e);
	return job->look(job->context, i, in, w->first, DIGEST_FIRST, e);
}

static int hash_file(const struct digest_job *job, struct worker *w, size_t i,
		     const struct digest_file *file, uint64_t *ret_size, struct err *e)
{
	struct source_file in;
	struct err late;

	if (source_file_open(job->source, file->path, file->expected, &in, e) != 0)
		return -1;
	*ret_size = in.size;
	uint64_t size = 0;
	int status = read_file(job, w, &in, file, &size, e);
	if (status == 0)
		status = look_again(job, w, i, &in, size, e);
	if (source_file_close(&in, status == 0 ? e : &late) != 0)
		status = -1;
	if (status == 0)
		return filehash_final(w->hash, &w->digests, e);
	filehash_reset(w->hash);
	return -1;
}

static int hash_one(void *context, size_t i, unsigned worker)
{
	const struct crew *crew = context;
	const struct digest_job *job = crew->job;
	struct worker *w = &crew->workers[worker];
	struct digest_file file = {.path = NULL};
	struct source_item room = {.path = NULL};
	struct err e = {.code = ERR_NONE}, late;
	uint64_t size = 0;

	if (!job->want(job->context, i, &file, &room))
		return 0;
	int status = hash_file(job, w, i, &file, &size, &e);
	if (file.onlooker != NULL &&
	    file.onlooker->end(file.onlooker, status == 0 ? &e : &late) != 0)
		status = -1;
	return job->done(job->context, i, &w->digests, size, status == 0 ? NULL : &e);
}

int digest_files(const struct digest_job *job, struct pool *pool, struct err *e)
{
	unsigned threads = pool_threads(pool);
	struct crew crew = {.job = job, .workers = calloc(threads, sizeof *crew.workers)};
	int status = -1;

	if (crew.workers == NULL)
		return err_nomem(e);
	for (unsigned i = 0; i < threads; i++) {
		struct worker *w = &crew.workers[i];
		buf_init(&w->digests.layer);
		w->block = malloc(READ_BLOCK);
		w->hash = filehash_new(&job->hash, e);
		if (w->hash == NULL)
			goto out;
		if (w->block == NULL) {
			(void)err_nomem(e);
			goto out;
		}
	}
	status = pool_each(pool, job->count, hash_one, &crew, e);
out:
	for (unsigned i = 0; i < threads; i++) {
		free(crew.workers[i].block);
		filehash_free(crew.workers[i].hash);
		if (crew.workers[i].digests.layer.data != NULL)
			filehash_release(&crew.workers[i].digests);
	}
	free(crew.workers);
	return status;
}

static ssize_t fill(const struct digest_stream *s, struct hasher_block *block, struct err *e)
{
	ssize_t n = s->file != NULL ? source_file_read(s->file, block->bytes, HASHER_BLOCK, e)
				    : source_read(s->source, block->bytes, HASHER_BLOCK, e);

	block->len = n > 0 ? (size_t)n : 0;
	return n;
}

int digest_read(const struct digest_stream *s, struct filehash_digests *ret, uint64_t *ret_size,
		struct err *e)
{
	struct hasher_file *hashed = hasher_begin(s->hasher, s->onlooker, ret, e);
	uint64_t size = 0;
	ssize_t n;
	int status = 0;

	if (hashed == NULL) {
		struct err late;
		if (s->onlooker != NULL)
			(void)s->onlooker->end(s->onlooker, &late);
		return -1;
	}
	do {
		struct hasher_block *block = hasher_take(s->hasher);
		n = fill(s, block, e);
		if (n < 0)
			status = -1;
		else if (s->tee != NULL)
			status = s->tee(s->context, block->bytes, block->len, e);
		progress_add(s->progress, block->len);
		uint64_t room = s->limit > size ? s->limit - size : 0;
		size += block->len;
		if (block->len > room)
			block->len = (size_t)room;
		hasher_push(hashed, block);
	} while (status == 0 && n == (ssize_t)HASHER_BLOCK && size <= s->limit);
	hasher_end(hashed);
	*ret_size = size;
	return status;
}
