#include "swarm/bases.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/dcz.h"
#include "swarm/pool.h"
#include "swarm/similar.h"

struct bases {
	const struct listing *listing;
	struct similar *similar;
};

/* --- which files --------------------------------------------------------------------------------
 */

static int compare_content(const void *left, const void *right)
{
	const struct entry *x = *(const struct entry *const *)left;
	const struct entry *y = *(const struct entry *const *)right;
	int order = memcmp(x->root, y->root, SHA256_SIZE);

	if (order == 0)
		order = (x->label > y->label) - (x->label < y->label);
	return order != 0 ? order : (x > y) - (x < y);
}

static int compare_place(const void *left, const void *right)
{
	const struct entry *x = *(const struct entry *const *)left;
	const struct entry *y = *(const struct entry *const *)right;

	return (x > y) - (x < y);
}

/* Of files with equal content the one that peers may see, else the first one of the listing. */
static int choose_files(const struct listing *l, const struct entry ***ret, size_t *ret_count,
			struct err *e)
{
	const struct entry **list = calloc(l->count + 1, sizeof *list);
	size_t found = 0, count = 0;

	if (list == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < l->count; i++)
		if (l->entries[i].size > 0 && l->entries[i].size <= DCZ_WINDOW_MAX)
			list[found++] = &l->entries[i];
	qsort(list, found, sizeof *list, compare_content);
	for (size_t i = 0; i < found; i++)
		if (i == 0 || memcmp(list[i]->root, list[i - 1]->root, SHA256_SIZE) != 0)
			list[count++] = list[i];
	qsort(list, count, sizeof *list, compare_place);
	*ret = list;
	*ret_count = count;
	return 0;
}

/* --- reading them -------------------------------------------------------------------------------
 */

/*
 * Files are read by several threads and added in order, or the index would depend on who comes
 * first.
 */
struct reading {
	struct bases *bases;
	const struct stock *stock;
	struct progress *progress;
	const struct entry **files;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	size_t turn; /* of the file that is to be added next */
	bool failed;
	struct err err;
};

static void fail(struct reading *r, const struct err *e)
{
	pthread_mutex_lock(&r->lock);
	if (!r->failed)
		r->err = *e;
	r->failed = true;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

static int add_in_turn(struct reading *r, size_t i, const struct buf *content, struct err *e)
{
	const struct entry *first = r->bases->listing->entries;

	pthread_mutex_lock(&r->lock);
	while (r->turn != i && !r->failed)
		pthread_cond_wait(&r->moved, &r->lock);
	bool stopped = r->failed;
	pthread_mutex_unlock(&r->lock);
	if (stopped)
		return -1;
	if (similar_add(r->bases->similar, (size_t)(r->files[i] - first),
			(const uint8_t *)content->data, content->len, e) != 0) {
		fail(r, e);
		return -1;
	}
	pthread_mutex_lock(&r->lock);
	r->turn++;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static int read_file(void *context, size_t i, unsigned worker)
{
	struct reading *r = context;
	struct buf content = BUF_INIT;
	uint8_t sha256[SHA256_SIZE];
	struct err e;
	int status = stock_load(r->stock, r->files[i], &content, sha256, &e);

	(void)worker;
	if (status != 0)
		fail(r, &e);
	else
		status = add_in_turn(r, i, &content, &e);
	progress_add(r->progress, r->files[i]->size);
	buf_release(&content);
	return status;
}

static int read_all(struct reading *r, size_t count, unsigned threads, struct err *e)
{
	struct pool *pool = pool_new(threads, e);
	struct err ignored;
	int status = -1;

	if (pool == NULL)
		return -1;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->moved, NULL);
	r->err.code = ERR_NONE;
	status = pool_each(pool, count, read_file, r, &ignored);
	if (status != 0)
		*e = r->failed ? r->err : ignored;
	pthread_cond_destroy(&r->moved);
	pthread_mutex_destroy(&r->lock);
	pool_free(pool);
	return status;
}

/* As many as can each hold the largest file. A buffer may be half as long again as its content. */
static unsigned affordable(const struct entry **files, size_t count, unsigned threads,
			   uint64_t memory)
{
	uint64_t largest = 1;

	for (size_t i = 0; i < count; i++)
		if (files[i]->size > largest)
			largest = files[i]->size;
	uint64_t most = memory / (largest + largest / 2);
	if (most >= threads)
		return threads;
	return most > 0 ? (unsigned)most : 1;
}

static uint64_t sum(const struct entry **files, size_t count)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += files[i]->size;
	return bytes;
}

struct bases *bases_new(const struct listing *listing, const struct stock *stock,
			const struct bases_options *options, struct err *e)
{
	struct bases *b = calloc(1, sizeof *b);
	struct reading r = {.bases = b, .stock = stock, .progress = options->progress};
	size_t count = 0;
	int status = -1;

	if (b == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	b->listing = listing;
	b->similar = similar_new(options->memory / 2, e);
	if (b->similar == NULL || choose_files(listing, &r.files, &count, e) != 0)
		goto out;
	progress_begin(options->progress, "reading the old release", sum(r.files, count));
	status = read_all(&r, count,
			  affordable(r.files, count, options->threads, options->memory / 2), e);
	progress_end(options->progress);
	if (status == 0)
		status = similar_seal(b->similar, e);
out:
	free(r.files);
	if (status == 0)
		return b;
	bases_free(b);
	return NULL;
}

void bases_free(struct bases *b)
{
	if (b == NULL)
		return;
	similar_free(b->similar);
	free(b);
}

int bases_find(const struct bases *b, const uint8_t *bytes, size_t len, size_t max,
	       const struct entry **ret, size_t *ret_count, struct err *e)
{
	struct similar_match *matches = calloc(max + 1, sizeof *matches);
	int status = -1;

	if (matches == NULL)
		return err_nomem(e);
	status = similar_find(b->similar, bytes, len, max, matches, ret_count, e);
	for (size_t i = 0; status == 0 && i < *ret_count; i++)
		ret[i] = &b->listing->entries[matches[i].number];
	free(matches);
	return status;
}
