#include "swarm/apply.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/gate.h"
#include "swarm/maker.h"
#include "swarm/pool.h"
#include "swarm/unpack.h"

struct apply {
	struct plan *plan;
	const struct apply_options *options;
	struct pool *pool;
	struct gate *memory;
	struct maker_options how;
	struct maker **makers; /* one for each thread */
	enum plan_way ways[2]; /* those that are walked */
	const struct listing *checked;
	const enum staging_part *parts; /* where its files are; NULL: all in the old tree */
	char **wrong;                   /* one for each of its files; NULL: it is right */
	pthread_mutex_t lock;           /* of what follows */
	struct err failure;             /* of the first file, in order, that failed */
	size_t failed;                  /* which one that is */
};

static int make_makers(struct apply *a, struct err *e)
{
	unsigned threads = pool_threads(a->pool);

	a->makers = calloc(threads, sizeof *a->makers);
	if (a->makers == NULL)
		return err_nomem(e);
	for (unsigned i = 0; i < threads; i++) {
		a->makers[i] = maker_new(&a->how, e);
		if (a->makers[i] == NULL)
			return -1;
	}
	return 0;
}

struct apply *apply_new(struct plan *plan, const struct staging *staging,
			const struct apply_options *options, struct err *e)
{
	struct apply *a = calloc(1, sizeof *a);

	if (a == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	pthread_mutex_init(&a->lock, NULL);
	a->plan = plan;
	a->options = options;
	a->memory = gate_new(options->memory, e);
	a->pool = a->memory != NULL ? pool_new(options->threads, e) : NULL;
	a->how = (struct maker_options){.supply = plan->supply,
					.staging = staging,
					.memory = a->memory,
					.link = options->link,
					.progress = options->progress};
	if (a->pool == NULL || make_makers(a, e) != 0) {
		apply_free(a);
		return NULL;
	}
	return a;
}

void apply_free(struct apply *a)
{
	if (a == NULL)
		return;
	for (unsigned i = 0; a->makers != NULL && i < pool_threads(a->pool); i++)
		maker_free(a->makers[i]);
	free(a->makers);
	pool_free(a->pool);
	gate_free(a->memory);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static int note_failure(struct apply *a, size_t i, const struct err *e)
{
	pthread_mutex_lock(&a->lock);
	if (a->failure.code == ERR_NONE || i < a->failed) {
		a->failure = *e;
		a->failed = i;
	}
	pthread_mutex_unlock(&a->lock);
	return -1;
}

/* Walks all of `count` on all threads; of several failures the first one in order is told. */
static int walk(struct apply *a, size_t count,
		int (*work)(void *context, size_t i, unsigned worker), struct err *e)
{
	a->failure.code = ERR_NONE;
	if (pool_each(a->pool, count, work, a, e) == 0)
		return 0;
	if (a->failure.code != ERR_NONE)
		*e = a->failure;
	return -1;
}

/* --- what is there ------------------------------------------------------------------------------
 */

static int check_file(void *context, size_t i, unsigned worker)
{
	struct apply *a = context;
	struct maker *m = a->makers[worker];
	const struct entry *entry = &a->checked->entries[i];
	enum staging_part part = a->parts != NULL ? a->parts[i] : STAGING_TREE;
	struct err e = {.code = ERR_NONE};

	if ((part == STAGING_TREE ? maker_check_old(m, entry, &e)
				  : maker_check_staged(m, part, entry, &e)) == 0)
		return 0;
	if (e.code != ERR_UNTRUSTED && e.code != ERR_REFUSED)
		return note_failure(a, i, &e);
	a->wrong[i] = strdup(e.msg);
	if (a->wrong[i] == NULL)
		(void)err_nomem(&e);
	return a->wrong[i] != NULL ? 0 : note_failure(a, i, &e);
}

int apply_check_tree(struct apply *a, const struct listing *listing, const enum staging_part *parts,
		     struct faults *ret_wrong, struct err *e)
{
	a->checked = listing;
	a->parts = parts;
	a->wrong = calloc(listing->count, sizeof *a->wrong);
	if (a->wrong == NULL)
		return err_nomem(e);
	progress_begin(a->options->progress, "checking", listing->header.bytes);
	int status = walk(a, listing->count, check_file, e);
	for (size_t i = 0; i < listing->count; i++) {
		if (a->wrong[i] != NULL && status == 0)
			status = faults_add(ret_wrong, listing->entries[i].path, a->wrong[i], e);
		free(a->wrong[i]);
	}
	free(a->wrong);
	a->wrong = NULL;
	return status;
}

static int resume(void *context, size_t i, unsigned worker)
{
	struct apply *a = context;
	struct plan_item *item = &a->plan->items[i];

	if (item->staged && item->made == PLAN_NOT_YET)
		(void)maker_resume(a->makers[worker], item);
	return 0;
}

int apply_resume(struct apply *a, struct err *e)
{
	progress_begin(a->options->progress, "resuming", 0);
	return walk(a, a->plan->count, resume, e);
}

/* --- what is not --------------------------------------------------------------------------------
 */

static int make(void *context, size_t i, unsigned worker)
{
	struct apply *a = context;
	struct plan_item *item = &a->plan->items[i];
	struct err e = {.code = ERR_NONE};

	if (item->made != PLAN_NOT_YET || (item->way != a->ways[0] && item->way != a->ways[1]))
		return 0;
	if (maker_make(a->makers[worker], item, &e) == 0 || plan_fall_back(a->plan, item, &e) == 0)
		return 0;
	return note_failure(a, i, &e);
}

static int make_by(struct apply *a, enum plan_way first, enum plan_way second, struct err *e)
{
	a->ways[0] = first;
	a->ways[1] = second;
	return walk(a, a->plan->count, make, e);
}

static uint64_t bytes_to_make(const struct plan *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].made == PLAN_NOT_YET)
			sum += p->items[i].file->size;
	return sum;
}

int apply_run(struct apply *a, struct err *e)
{
	struct unpack_options how = {
	    .pool = a->pool, .makers = a->makers, .memory = a->options->memory};

	progress_begin(a->options->progress, "making", bytes_to_make(a->plan));
	/*
	 * Each way may leave files to a later one. Old files come last: a link changes an old
	 * file's time, and others would take it for changed while they read it.
	 */
	if (make_by(a, PLAN_PAYLOAD, PLAN_EMPTY, e) != 0 || unpack_run(a->plan, &how, e) != 0 ||
	    make_by(a, PLAN_WHOLE, PLAN_WHOLE, e) != 0)
		return -1;
	return make_by(a, PLAN_COPY, PLAN_COPY, e);
}
