#include "swarm/payloads.h"

#include <pthread.h>
#include <stdlib.h>

#include "swarm/bases.h"
#include "swarm/contest.h"
#include "swarm/depot.h"
#include "swarm/gate.h"
#include "swarm/orders.h"
#include "swarm/payload.h"
#include "swarm/pool.h"

struct run {
	struct orders orders;
	struct depot depot;
	const struct stock *new;
	const struct payloads_options *options;
	struct bases **bases; /* one an old release; NULL: not needed */
	struct pool *pool;
	struct gate *gate; /* memory that files and encoders hold */
	uint64_t limit;    /* of the gate */
	pthread_mutex_t lock;
	struct err err; /* the first one, behind the lock */
};

/* --- threads ------------------------------------------------------------------------------------
 */

static int fail(struct run *r, const struct err *e)
{
	pthread_mutex_lock(&r->lock);
	if (r->err.code == ERR_NONE)
		r->err = *e;
	pthread_mutex_unlock(&r->lock);
	return -1;
}

/* Does something with each job, on all threads. */
static int each_job(struct run *r, const char *step,
		    int (*work)(void *context, size_t i, unsigned worker), struct err *e)
{
	struct err mine = {.code = ERR_NONE};
	uint64_t bytes = 0;

	for (size_t i = 0; i < r->orders.job_count; i++)
		bytes += r->orders.jobs[i].file->size;
	progress_begin(r->options->progress, step, bytes);
	int status = pool_each(r->pool, r->orders.job_count, work, r, &mine);
	progress_end(r->options->progress);
	if (status != 0)
		*e = r->err.code != ERR_NONE ? r->err : mine;
	return status;
}

/* --- bases --------------------------------------------------------------------------------------
 */

static int make_bases(struct run *r, struct err *e)
{
	const struct orders *o = &r->orders;
	struct bases_options how = {.threads = pool_threads(r->pool),
				    .memory = r->options->memory / 2 / o->from_count,
				    .progress = r->options->progress};

	r->bases = calloc(o->from_count, sizeof *r->bases);
	if (r->bases == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < o->count; i++) {
		size_t f = o->list[i].from;
		if (r->bases[f] != NULL)
			continue;
		r->bases[f] = bases_new(o->from[f].listing, o->from[f].stock, &how, e);
		if (r->bases[f] == NULL)
			return -1;
	}
	return 0;
}

static int add_similar(const struct run *r, struct orders_order *order, const struct buf *content,
		       struct err *e)
{
	const struct entry *found[PAYLOADS_CANDIDATES];
	size_t count;

	if (bases_find(r->bases[order->from], (const uint8_t *)content->data, content->len,
		       PAYLOADS_CANDIDATES, found, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		orders_add_base(order, found[i]);
	return 0;
}

static int find_bases(void *context, size_t number, unsigned worker)
{
	struct run *r = context;
	const struct orders_job *job = &r->orders.jobs[number];
	struct orders_order *list = &r->orders.list[job->first];
	/* The content, in a buffer that may be half as long again, and the list of its windows. */
	uint64_t memory = job->file->size + 2 * (job->file->size / 2);
	struct buf content = BUF_INIT;
	uint8_t sha256[SHA256_SIZE];
	struct err e;
	int status = 0;

	(void)worker;
	for (size_t i = 0; i < job->count; i++)
		orders_add_same_paths(&r->orders, &list[i]);
	if (!gate_enter(r->gate, memory))
		return 0;
	status = stock_load(r->new, job->file, &content, sha256, &e);
	for (size_t i = 0; status == 0 && i < job->count; i++)
		status = add_similar(r, &list[i], &content, &e);
	buf_release(&content);
	gate_leave(r->gate, memory);
	progress_add(r->options->progress, job->file->size);
	return status == 0 ? 0 : fail(r, &e);
}

/* --- payloads -----------------------------------------------------------------------------------
 */

static bool pays_off(const struct buf *payload, const struct buf *content)
{
	return content->len <= PAYLOADS_SMALL ||
	       (uint64_t)payload->len * 100 <= (uint64_t)content->len * PAYLOADS_WORTH;
}

static int settle(const struct run *r, const struct orders_order *order,
		  const struct depot_content *content, const struct contest_winner *winner,
		  const struct buf *payload, struct err *e)
{
	struct payloads_item item = {.bare = PAYLOADS_NO_GAIN, .size = payload->len};
	const uint8_t *base = winner->base != NULL ? winner->base_sha256 : NULL;

	if (payload_digest(payload->data, payload->len, item.sha256, e) != 0)
		return -1;
	if (pays_off(payload, &content->bytes)) {
		if (!winner->exists && depot_put(&r->depot, content, base, payload, e) != 0)
			return -1;
		item.bare = PAYLOADS_MADE;
		item.source = winner->base != NULL ? DELTA_DCZ : DELTA_ZSTD;
		item.base = winner->base;
	}
	orders_answer(&r->orders, order, &item);
	return 0;
}

static void answer_no_memory(const struct run *r, const struct orders_order *order)
{
	const struct payloads_item none = {.bare = PAYLOADS_NO_MEMORY};

	orders_answer(&r->orders, order, &none);
}

static struct contest_rules rules_of(const struct run *r)
{
	return (struct contest_rules){.orders = &r->orders,
				      .depot = &r->depot,
				      .level = r->options->level,
				      .memory = r->limit};
}

static int make_payload(const struct run *r, const struct orders_order *order,
			const struct depot_content *content, struct buf *best, struct err *e)
{
	const struct contest_rules rules = rules_of(r);
	const struct stock *old = r->orders.from[order->from].stock;
	struct contest_winner winner;

	if (contest_run(&rules, order, content, old, best, &winner, e) != 0)
		return -1;
	if (winner.any)
		return settle(r, order, content, &winner, best, e);
	answer_no_memory(r, order);
	return 0;
}

static uint64_t memory_of_job(const struct run *r, const struct orders_job *job)
{
	const struct contest_rules rules = rules_of(r);
	uint64_t most = 0;

	for (size_t i = 0; i < job->count; i++) {
		uint64_t memory =
		    contest_memory(&rules, &r->orders.list[job->first + i], job->file->size);
		most = memory > most ? memory : most;
	}
	return most;
}

static int work_on(const struct run *r, const struct orders_job *job, struct err *e)
{
	struct depot_content content = {.bytes = BUF_INIT};
	struct buf best = BUF_INIT;
	int status = stock_load(r->new, job->file, &content.bytes, content.sha256, e);

	for (size_t i = 0; status == 0 && i < job->count; i++) {
		status = make_payload(r, &r->orders.list[job->first + i], &content, &best, e);
		if (status != 0)
			(void)err_prefix(e, "'%s'", job->file->path);
	}
	buf_release(&content.bytes);
	buf_release(&best);
	return status;
}

static int make_payloads(void *context, size_t number, unsigned worker)
{
	struct run *r = context;
	const struct orders_job *job = &r->orders.jobs[number];
	uint64_t memory = memory_of_job(r, job);
	struct err e;

	(void)worker;
	if (memory == 0 || !gate_enter(r->gate, memory)) {
		for (size_t i = 0; i < job->count; i++)
			answer_no_memory(r, &r->orders.list[job->first + i]);
		return 0;
	}
	int status = work_on(r, job, &e);
	gate_leave(r->gate, memory);
	progress_add(r->options->progress, job->file->size);
	return status == 0 ? 0 : fail(r, &e);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static void free_bases(struct run *r)
{
	for (size_t i = 0; r->bases != NULL && i < r->orders.from_count; i++)
		bases_free(r->bases[i]);
	free(r->bases);
	r->bases = NULL;
}

/* `memory` is for what is done with each job, besides what is there already. */
static int do_step(struct run *r, const char *step, uint64_t memory,
		   int (*work)(void *context, size_t i, unsigned worker), struct err *e)
{
	r->limit = memory;
	r->gate = gate_new(memory, e);
	if (r->gate == NULL)
		return -1;
	int status = each_job(r, step, work, e);
	gate_free(r->gate);
	r->gate = NULL;
	return status;
}

int payloads_make(struct payloads_from *from, size_t from_count, const struct stock *new,
		  const struct payloads_options *options, struct scratch *scratch, struct err *e)
{
	struct run r = {.depot = {.folder = options->folder, .scratch = scratch},
			.new = new,
			.options = options};
	int status = -1;

	pthread_mutex_init(&r.lock, NULL);
	if (depot_make(&r.depot, e) != 0 || orders_collect(from, from_count, &r.orders, e) != 0)
		goto out;
	if (r.orders.job_count == 0) {
		status = 0;
		goto out;
	}
	r.pool = pool_new(options->threads, e);
	if (r.pool == NULL || make_bases(&r, e) != 0 ||
	    do_step(&r, "looking for bases", options->memory / 2, find_bases, e) != 0)
		goto out;
	free_bases(&r);
	status = do_step(&r, "making payloads", options->memory, make_payloads, e);
out:
	free_bases(&r);
	pool_free(r.pool);
	orders_release(&r.orders);
	pthread_mutex_destroy(&r.lock);
	return status;
}
