#include "swarm/payloads.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/bases.h"
#include "swarm/dcz.h"
#include "swarm/gate.h"
#include "swarm/io.h"
#include "swarm/outfile.h"
#include "swarm/payload.h"
#include "swarm/pool.h"

/* Old files at the paths of new ones with equal content: more than one is rare. */
#define SAME_PATHS 2
#define BASES_MAX  (SAME_PATHS + PAYLOADS_CANDIDATES)
/* On its own, too. */
#define RIVALS_MAX (BASES_MAX + 1)
/*
 * Bases are compared at a level that takes a fiftieth of the time; the best, and what comes close
 * to it, are encoded in full. On a real pair of releases with five hundred payloads, encoding all
 * against bases below 1 MB in full chose the same ones.
 */
#define TRIAL_LEVEL       12
#define TRIAL_LEVEL_LARGE 6
#define TRIAL_LARGE       (UINT64_C(1) << 20)
#define FINALISTS         2
#define FINALIST_PER_CENT 3
#define FINALIST_SPARE    8
/* Hardly anything shrinks to a part of itself as small as this on its own. */
#define PLAIN_HOPELESS 32
/*
 * A payload of a byte less is not worth a base of many bytes more, which client and maker have to
 * read: so many bytes of a base count as one of the payload.
 */
#define BASE_PER_BYTE 16384
/* What a payload of a public file may cost more, in per cent, so that peers can have it. */
#define PUBLIC_PER_CENT 10

/* --- what is to be made -------------------------------------------------------------------------
 */

/* An item that needs a payload. */
struct wish {
	const struct entry *file;
	size_t from, item;
};

/* Wishes for one content against one old release: one payload for all of them. */
struct order {
	size_t first, count; /* of the wishes */
	size_t from;
	const struct entry *bases[BASES_MAX];
	size_t base_count;
};

/* Orders for one content: it is read once for all of them. */
struct job {
	const struct entry *file;
	size_t first, count; /* of the orders */
};

struct run {
	struct payloads_from *from;
	size_t from_count;
	const struct stock *new;
	const struct payloads_options *options;
	struct scratch *scratch;
	struct wish *wishes;
	struct order *orders;
	struct job *jobs;
	size_t wish_count, order_count, job_count;
	struct bases **bases; /* one an old release; NULL: not needed */
	struct pool *pool;
	struct gate *gate; /* memory that files and encoders hold */
	uint64_t limit;    /* of the gate */
	pthread_mutex_t lock;
	struct err err; /* the first one, behind the lock */
};

static bool needs_content(const struct changes_item *item)
{
	return (item->kind == CHANGES_ADDED || item->kind == CHANGES_CONTENT) &&
	       item->copy == NULL && item->file.size > 0;
}

/* Large files first, so that no thread is left alone with one in the end. */
static int compare_wishes(const void *left, const void *right)
{
	const struct wish *x = left, *y = right;

	if (x->file->size != y->file->size)
		return x->file->size > y->file->size ? -1 : 1;
	int order = memcmp(x->file->root, y->file->root, SHA256_SIZE);
	if (order != 0)
		return order;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

/* Answers what needs no content, and lists the rest. */
static void collect_wishes(struct run *r)
{
	for (size_t f = 0; f < r->from_count; f++) {
		const struct changes *c = r->from[f].changes;
		for (size_t i = 0; i < c->count; i++) {
			struct payloads_item *item = &r->from[f].items[i];
			*item = (struct payloads_item){.bare = PAYLOADS_NOT_NEEDED};
			if (!needs_content(&c->items[i]))
				continue;
			item->label = c->items[i].file.label;
			item->bare = PAYLOADS_TOO_LARGE;
			if (c->items[i].file.size <= DCZ_WINDOW_MAX)
				r->wishes[r->wish_count++] = (struct wish){&c->items[i].file, f, i};
		}
	}
	if (r->wish_count > 0)
		qsort(r->wishes, r->wish_count, sizeof *r->wishes, compare_wishes);
}

static void group_wishes(struct run *r)
{
	for (size_t i = 0; i < r->wish_count; i++) {
		const struct wish *w = &r->wishes[i];
		bool same = i > 0 && entry_same_content(w->file, w[-1].file);
		if (!same)
			r->jobs[r->job_count++] =
			    (struct job){.file = w->file, .first = r->order_count};
		if (!same || w->from != w[-1].from) {
			r->orders[r->order_count++] = (struct order){.first = i, .from = w->from};
			r->jobs[r->job_count - 1].count++;
		}
		r->orders[r->order_count - 1].count++;
	}
}

static int plan(struct run *r, struct err *e)
{
	size_t most = 1;

	for (size_t f = 0; f < r->from_count; f++)
		most += r->from[f].changes->count;
	r->wishes = calloc(most, sizeof *r->wishes);
	if (r->wishes == NULL)
		return err_nomem(e);
	collect_wishes(r);
	r->orders = calloc(r->wish_count + 1, sizeof *r->orders);
	r->jobs = calloc(r->wish_count + 1, sizeof *r->jobs);
	if (r->orders == NULL || r->jobs == NULL)
		return err_nomem(e);
	group_wishes(r);
	return 0;
}

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

	for (size_t i = 0; i < r->job_count; i++)
		bytes += r->jobs[i].file->size;
	progress_begin(r->options->progress, step, bytes);
	int status = pool_each(r->pool, r->job_count, work, r, &mine);
	progress_end(r->options->progress);
	if (status != 0)
		*e = r->err.code != ERR_NONE ? r->err : mine;
	return status;
}

/* --- bases --------------------------------------------------------------------------------------
 */

static int make_bases(struct run *r, struct err *e)
{
	struct bases_options how = {.threads = pool_threads(r->pool),
				    .memory = r->options->memory / 2 / r->from_count,
				    .progress = r->options->progress};

	r->bases = calloc(r->from_count, sizeof *r->bases);
	if (r->bases == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < r->order_count; i++) {
		size_t f = r->orders[i].from;
		if (r->bases[f] != NULL)
			continue;
		r->bases[f] = bases_new(r->from[f].listing, r->from[f].stock, &how, e);
		if (r->bases[f] == NULL)
			return -1;
	}
	return 0;
}

static void add_base(struct order *o, const struct entry *base, size_t max)
{
	if (base == NULL || base->size == 0 || base->size > DCZ_WINDOW_MAX || o->base_count == max)
		return;
	for (size_t i = 0; i < o->base_count; i++)
		if (entry_same_content(o->bases[i], base))
			return;
	o->bases[o->base_count++] = base;
}

static void add_same_paths(const struct run *r, struct order *o)
{
	for (size_t i = 0; i < o->count; i++)
		add_base(o,
			 listing_find(r->from[o->from].listing, r->wishes[o->first + i].file->path),
			 SAME_PATHS);
}

static int add_similar(const struct run *r, struct order *o, const struct buf *content,
		       struct err *e)
{
	const struct entry *found[PAYLOADS_CANDIDATES];
	size_t count;

	if (bases_find(r->bases[o->from], (const uint8_t *)content->data, content->len,
		       PAYLOADS_CANDIDATES, found, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		add_base(o, found[i], BASES_MAX);
	return 0;
}

/* A buffer may be half as long again as what is in it. */
static uint64_t buffer_memory(uint64_t len)
{
	return len + len / 2;
}

static int find_bases(void *context, size_t number, unsigned worker)
{
	struct run *r = context;
	const struct job *job = &r->jobs[number];
	/* The content, and the list of its windows. */
	uint64_t memory = buffer_memory(job->file->size) + job->file->size / 2;
	struct buf content = BUF_INIT;
	uint8_t sha256[SHA256_SIZE];
	struct err e;
	int status = 0;

	(void)worker;
	for (size_t i = 0; i < job->count; i++)
		add_same_paths(r, &r->orders[job->first + i]);
	if (!gate_enter(r->gate, memory))
		return 0;
	status = stock_load(r->new, job->file, &content, sha256, &e);
	for (size_t i = 0; status == 0 && i < job->count; i++)
		status = add_similar(r, &r->orders[job->first + i], &content, &e);
	buf_release(&content);
	gate_leave(r->gate, memory);
	progress_add(r->options->progress, job->file->size);
	return status == 0 ? 0 : fail(r, &e);
}

/* --- one payload --------------------------------------------------------------------------------
 */

/* What a thread works on. */
struct work {
	const struct run *run;
	struct buf content;
	uint8_t sha256[SHA256_SIZE]; /* of the content */
	struct buf trial;            /* a payload that is only weighed, or looked at */
	struct buf best;             /* the smallest payload so far */
};

/* A way to make the file. */
struct rival {
	const struct entry *base; /* NULL: on its own */
	bool hides;               /* a public file's payload would be origin */
	int level;                /* that memory allows; 0: none */
	uint64_t trial;           /* what the payload costs at a low level */
};

static uint64_t base_size(const struct rival *rival)
{
	return rival->base != NULL ? rival->base->size : 0;
}

static uint64_t cost_of(const struct rival *rival, const struct buf *payload)
{
	uint64_t cost = payload->len + base_size(rival) / BASE_PER_BYTE;

	return rival->hides ? cost + cost * PUBLIC_PER_CENT / 100 : cost;
}

/* All that is held while a payload is made. */
static uint64_t memory_of(const struct rival *rival, uint64_t len, int level)
{
	uint64_t encode = dcz_encode_memory(base_size(rival), len, level);
	uint64_t decode = dcz_decode_memory(base_size(rival), len);

	/* Payloads may be a little longer than the file. */
	return buffer_memory(base_size(rival)) + 3 * buffer_memory(len + len / 128 + 1024) +
	       (encode > decode ? encode : decode);
}

/* The highest level that there is memory for; 0 if not even the lowest. */
static int affordable(const struct run *r, const struct rival *rival, uint64_t len)
{
	int level = r->options->level;

	while (level > 0 && memory_of(rival, len, level) > r->limit)
		level--;
	return level;
}

/* Whether the base is stricter than one of the files that the payload is for. */
static bool hides(const struct run *r, const struct order *o, const struct entry *base)
{
	for (size_t i = 0; i < o->count && base != NULL; i++) {
		enum label label = r->wishes[o->first + i].file->label;
		if (label_stricter(label, base->label) != label)
			return true;
	}
	return false;
}

static size_t list_rivals(const struct run *r, const struct order *o, uint64_t len,
			  struct rival *ret)
{
	size_t count = 0;

	for (size_t i = 0; i <= o->base_count; i++) {
		struct rival rival = {.base = i < o->base_count ? o->bases[i] : NULL};
		rival.hides = hides(r, o, rival.base);
		rival.level = affordable(r, &rival, len);
		if (rival.level > 0)
			ret[count++] = rival;
	}
	return count;
}

static uint64_t memory_of_job(const struct run *r, const struct job *job)
{
	uint64_t most = 0, len = job->file->size;

	for (size_t i = 0; i < job->count; i++) {
		struct rival rivals[RIVALS_MAX];
		size_t count = list_rivals(r, &r->orders[job->first + i], len, rivals);
		for (size_t k = 0; k < count; k++) {
			uint64_t memory = memory_of(&rivals[k], len, rivals[k].level);
			most = memory > most ? memory : most;
		}
	}
	return most;
}

/* Reads the base, which the caller releases in any case. */
static int load_base(const struct run *r, const struct order *o, const struct entry *entry,
		     struct buf *content, struct dcz_base *ret, struct err *e)
{
	*ret = (struct dcz_base){.bytes = NULL};
	if (entry == NULL)
		return 0;
	if (stock_load(r->from[o->from].stock, entry, content, ret->sha256, e) != 0)
		return -1;
	ret->bytes = (const uint8_t *)content->data;
	ret->len = content->len;
	return 0;
}

static int try_rival(struct work *w, const struct order *o, struct rival *rival, struct err *e)
{
	struct buf content = BUF_INIT;
	struct dcz_base base;
	uint64_t both = base_size(rival) + w->content.len;
	int level = both > TRIAL_LARGE ? TRIAL_LEVEL_LARGE : TRIAL_LEVEL;

	buf_clear(&w->trial);
	int status = load_base(w->run, o, rival->base, &content, &base, e);
	if (status == 0)
		status = dcz_encode(&base, (const uint8_t *)w->content.data, w->content.len,
				    rival->level < level ? rival->level : level, &w->trial, e);
	rival->trial = cost_of(rival, &w->trial);
	buf_release(&content);
	return status;
}

/* The best first; of equal ones what was there first. */
static void sort_rivals(struct rival *rivals, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct rival moved = rivals[i];
		size_t at = i;
		for (; at > 0 && moved.trial < rivals[at - 1].trial; at--)
			rivals[at] = rivals[at - 1];
		rivals[at] = moved;
	}
}

/* Whether it cannot beat what costs so much: because of its size, or because it has no base. */
static bool is_hopeless(const struct rival *rival, uint64_t len, uint64_t best)
{
	if (rival->base == NULL)
		return best <= len / PLAIN_HOPELESS;
	return best <= base_size(rival) / BASE_PER_BYTE + DCZ_HEADER_SIZE;
}

/* Small bases first, and none at all last: what they cost spares most large ones. */
static int try_rivals(struct work *w, const struct order *o, struct rival *rivals, size_t count,
		      struct err *e)
{
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < count; i++)
		rivals[i].trial = rivals[i].base != NULL ? base_size(&rivals[i]) : UINT64_MAX;
	sort_rivals(rivals, count);
	for (size_t i = 0; i < count; i++) {
		rivals[i].trial = UINT64_MAX;
		if (is_hopeless(&rivals[i], w->content.len, best))
			continue;
		if (try_rival(w, o, &rivals[i], e) != 0)
			return -1;
		best = rivals[i].trial < best ? rivals[i].trial : best;
	}
	sort_rivals(rivals, count);
	return 0;
}

/* --- proof --------------------------------------------------------------------------------------
 */

struct comparison {
	const char *at;
	size_t left;
};

static int compare_bytes(void *context, const void *bytes, size_t len, struct err *e)
{
	struct comparison *c = context;

	if (len > c->left || memcmp(c->at, bytes, len) != 0)
		return err_set(e, ERR_MALFORMED, "it gives other content");
	c->at += len;
	c->left -= len;
	return 0;
}

static int prove(const struct work *w, const struct dcz_base *base, const struct buf *payload,
		 struct err *e)
{
	struct comparison c = {w->content.data, w->content.len};

	return dcz_decode(base, (const uint8_t *)payload->data, payload->len, w->content.len,
			  compare_bytes, &c, e);
}

/* --- files --------------------------------------------------------------------------------------
 */

static int make_folder(const char *path, struct err *e)
{
	struct stat st;

	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0
					   : err_set(e, ERR_USAGE, "'%s' is not a directory", path);
	return err_sys(e, "cannot make the directory '%s'", path);
}

static void file_name(const struct work *w, const struct dcz_base *base, struct buf *ret)
{
	buf_addf(ret, "%s/", w->run->options->folder);
	payload_name(ret, w->sha256, base->bytes != NULL ? base->sha256 : NULL);
}

/* Whether a right payload is in the folder already; then it is in w->trial. */
static int find_existing(struct work *w, const struct dcz_base *base, bool *ret, struct err *e)
{
	struct buf name = BUF_INIT;
	struct stat st;
	struct err wrong;
	int fd = -1, status = -1;

	*ret = false;
	file_name(w, base, &name);
	if (buf_check(&name, e) != 0)
		goto out;
	status = 0;
	/* What cannot be read is replaced, or that fails and says why. */
	fd = open(name.data, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		goto out;
	size_t most = w->content.len + w->content.len / 128 + 1024;
	buf_clear(&w->trial);
	*ret = (uint64_t)st.st_size <= most &&
	       io_read_all(fd, &w->trial, most, name.data, &wrong) == 0 &&
	       prove(w, base, &w->trial, &wrong) == 0;
out:
	if (fd >= 0)
		(void)close(fd);
	buf_release(&name);
	return status;
}

static int write_payload(const struct work *w, const struct dcz_base *base,
			 const struct buf *payload, struct err *e)
{
	struct outfile_options how = {.force = true};
	struct outfile *out = NULL;
	struct buf name = BUF_INIT;
	int status = -1;

	file_name(w, base, &name);
	if (buf_check(&name, e) != 0)
		goto out;
	out = outfile_open(name.data, &how, w->run->scratch, e);
	if (out != NULL && outfile_write(out, payload->data, payload->len, e) == 0)
		status = outfile_commit(out, e);
out:
	outfile_free(out);
	buf_release(&name);
	return status;
}

/* --- one order ----------------------------------------------------------------------------------
 */

/* The winner so far. */
struct choice {
	const struct entry *base;
	struct dcz_base identity; /* for its name; bytes tell only whether there is one */
	bool exists;              /* in the folder */
	uint64_t cost;
	bool any;
};

/* Leaves the payload of this rival, proven, in w->trial. */
static int encode_in_full(struct work *w, const struct dcz_base *base, int level, bool *ret_exists,
			  struct err *e)
{
	if (find_existing(w, base, ret_exists, e) != 0)
		return -1;
	if (*ret_exists)
		return 0;
	buf_clear(&w->trial);
	if (dcz_encode(base, (const uint8_t *)w->content.data, w->content.len, level, &w->trial,
		       e) != 0)
		return -1;
	if (prove(w, base, &w->trial, e) != 0) {
		e->code = ERR_SYSTEM;
		return err_prefix(e, "libzstd made a wrong payload");
	}
	return 0;
}

static int contend(struct work *w, const struct order *o, const struct rival *rival,
		   struct choice *choice, struct err *e)
{
	struct buf content = BUF_INIT;
	struct dcz_base base;
	bool exists = false;
	int status = load_base(w->run, o, rival->base, &content, &base, e);

	if (status == 0)
		status = encode_in_full(w, &base, rival->level, &exists, e);
	if (status == 0 && (!choice->any || cost_of(rival, &w->trial) < choice->cost)) {
		struct buf loser = w->best;
		w->best = w->trial;
		w->trial = loser;
		*choice =
		    (struct choice){rival->base, base, exists, cost_of(rival, &w->best), true};
	}
	buf_release(&content);
	return status;
}

static void answer(const struct work *w, const struct order *o, const struct payloads_item *what)
{
	const struct run *r = w->run;

	for (size_t i = 0; i < o->count; i++) {
		const struct wish *wish = &r->wishes[o->first + i];
		struct payloads_item *item = &r->from[wish->from].items[wish->item];
		enum label label = item->label;
		*item = *what;
		item->label = what->base != NULL ? label_stricter(label, what->base->label) : label;
	}
}

static int settle(struct work *w, const struct order *o, const struct choice *choice, struct err *e)
{
	struct payloads_item item = {.bare = PAYLOADS_NO_GAIN, .size = w->best.len};

	if (payload_digest(w->best.data, w->best.len, item.sha256, e) != 0)
		return -1;
	if (w->content.len <= PAYLOADS_SMALL ||
	    (uint64_t)w->best.len * 100 <= (uint64_t)w->content.len * PAYLOADS_WORTH) {
		if (!choice->exists && write_payload(w, &choice->identity, &w->best, e) != 0)
			return -1;
		item.bare = PAYLOADS_MADE;
		item.source = choice->base != NULL ? DELTA_DCZ : DELTA_ZSTD;
		item.base = choice->base;
	}
	answer(w, o, &item);
	return 0;
}

static bool is_close(const struct rival *rival, const struct rival *best)
{
	return rival->trial <= best->trial + best->trial / 100 * FINALIST_PER_CENT + FINALIST_SPARE;
}

static int make_payload(struct work *w, const struct order *o, struct err *e)
{
	struct rival rivals[RIVALS_MAX];
	struct choice choice = {.any = false};
	size_t count = list_rivals(w->run, o, w->content.len, rivals);

	if (count > 1 && try_rivals(w, o, rivals, count, e) != 0)
		return -1;
	for (size_t i = 0; i < count && i < FINALISTS; i++) {
		if (i > 0 && !is_close(&rivals[i], &rivals[0]))
			break;
		if (contend(w, o, &rivals[i], &choice, e) != 0)
			return -1;
	}
	if (choice.any)
		return settle(w, o, &choice, e);
	answer(w, o, &(struct payloads_item){.bare = PAYLOADS_NO_MEMORY});
	return 0;
}

static int work_on(struct work *w, const struct job *job, struct err *e)
{
	const struct run *r = w->run;
	int status = stock_load(r->new, job->file, &w->content, w->sha256, e);

	for (size_t i = 0; status == 0 && i < job->count; i++) {
		status = make_payload(w, &r->orders[job->first + i], e);
		if (status != 0)
			(void)err_prefix(e, "'%s'", job->file->path);
	}
	return status;
}

static int make_payloads(void *context, size_t number, unsigned worker)
{
	struct run *r = context;
	const struct job *job = &r->jobs[number];
	struct work w = {.run = r, .content = BUF_INIT, .trial = BUF_INIT, .best = BUF_INIT};
	uint64_t memory = memory_of_job(r, job);
	struct err e;

	(void)worker;
	if (memory == 0 || !gate_enter(r->gate, memory)) {
		struct payloads_item none = {.bare = PAYLOADS_NO_MEMORY};
		for (size_t i = 0; i < job->count; i++)
			answer(&w, &r->orders[job->first + i], &none);
		return 0;
	}
	int status = work_on(&w, job, &e);
	buf_release(&w.content);
	buf_release(&w.trial);
	buf_release(&w.best);
	gate_leave(r->gate, memory);
	progress_add(r->options->progress, job->file->size);
	return status == 0 ? 0 : fail(r, &e);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static void free_bases(struct run *r)
{
	for (size_t i = 0; r->bases != NULL && i < r->from_count; i++)
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
	struct run r = {.from = from,
			.from_count = from_count,
			.new = new,
			.options = options,
			.scratch = scratch};
	int status = -1;

	pthread_mutex_init(&r.lock, NULL);
	if (make_folder(options->folder, e) != 0 || plan(&r, e) != 0)
		goto out;
	if (r.job_count == 0) {
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
	free(r.wishes);
	free(r.orders);
	free(r.jobs);
	pthread_mutex_destroy(&r.lock);
	return status;
}
