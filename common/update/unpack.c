#include "swarm/unpack.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/context.h"
#include "swarm/oldtext.h"
#include "swarm/solid.h"

struct unpack {
	struct plan *plan;
	const struct unpack_options *options;
	struct buf payload;
	struct context_file *files; /* the old ones, in the listing's order */
	struct oldtext *text;
	/* Where the new text goes. */
	size_t next;            /* the item that begins where the last one ended */
	struct plan_item *item; /* the one being made; NULL: none */
	bool wanted;            /* its bytes are written, not passed over */
	uint64_t left;          /* how many of its bytes are still to come */
	int status;             /* of its writing */
	struct err failure;
};

/* --- the old files ------------------------------------------------------------------------------
 */

static int choose_context(struct unpack *u, uint64_t length, struct err *e)
{
	const struct warrant *w = u->plan->warrant;

	u->files = calloc(w->old.count, sizeof *u->files);
	if (u->files == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < w->old.count; i++) {
		const struct entry *old = &w->old.entries[i];
		const struct entry *new = listing_find(&w->new, old->path);
		u->files[i].size = old->size;
		u->files[i].gone = new == NULL || !entry_same_content(old, new);
	}
	if (!context_match(u->files, w->old.count, length))
		return err_set(e, ERR_MALFORMED,
			       "it is for an old text of %llu bytes, which no choice of the old "
			       "files gives",
			       (unsigned long long)length);
	return 0;
}

struct check {
	const struct unpack *unpack;
	struct err *failures; /* one a thread */
};

static int check_file(void *context, size_t i, unsigned worker)
{
	struct check *c = context;
	const struct unpack *u = c->unpack;

	if (!u->files[i].chosen || u->files[i].size == 0)
		return 0;
	return maker_check_old(u->options->makers[worker], &u->plan->warrant->old.entries[i],
			       &c->failures[worker]);
}

static int check_context(const struct unpack *u, struct err *e)
{
	unsigned threads = pool_threads(u->options->pool);
	struct check c = {.unpack = u, .failures = calloc(threads, sizeof *c.failures)};

	if (c.failures == NULL)
		return err_nomem(e);
	int status = pool_each(u->options->pool, u->plan->warrant->old.count, check_file, &c, e);
	for (unsigned i = 0; status != 0 && i < threads; i++)
		if (c.failures[i].code != ERR_NONE)
			*e = c.failures[i];
	free(c.failures);
	return status;
}

/* --- the new files ------------------------------------------------------------------------------
 */

static bool is_in_text(const struct plan_item *item)
{
	return item->line != NULL && item->line->solid;
}

static struct maker *maker_of(const struct unpack *u)
{
	return u->options->makers[0];
}

/* A file that comes out wrong is passed over: those behind it may be right. */
static int end_file(struct unpack *u, struct err *e)
{
	struct plan_item *item = u->item;

	u->item = NULL;
	if (item == NULL || !u->wanted)
		return 0;
	if (u->status == 0)
		u->status = maker_end(maker_of(u), 0, &u->failure);
	if (u->status == 0) {
		item->made = PLAN_WRITTEN;
		return 0;
	}
	*e = u->failure;
	if (e->code == ERR_UNTRUSTED)
		(void)err_prefix(e, "'%s' cannot be made of the solid payload", item->file->path);
	return plan_fall_back(u->plan, item, e);
}

static int begin_file(struct unpack *u, struct err *e)
{
	while (u->next < u->plan->count && !is_in_text(&u->plan->items[u->next]))
		u->next++;
	if (u->next == u->plan->count)
		return err_set(e, ERR_MALFORMED, "it has more bytes than its files");
	u->item = &u->plan->items[u->next++];
	u->left = u->item->file->size;
	u->wanted = u->item->way == PLAN_SOLID && u->item->made == PLAN_NOT_YET;
	u->status = 0;
	return u->wanted ? maker_begin(maker_of(u), u->item->file, e) : 0;
}

static void put_part(struct unpack *u, const void *bytes, size_t len)
{
	if (!u->wanted || u->status != 0)
		return;
	if (maker_put(maker_of(u), bytes, len, &u->failure) != 0)
		u->status = maker_end(maker_of(u), -1, &u->failure);
}

static int put(void *context, const void *bytes, size_t len, struct err *e)
{
	struct unpack *u = context;
	const char *at = bytes;

	while (len > 0) {
		if (u->item == NULL && begin_file(u, e) != 0)
			return -1;
		size_t part = u->left < len ? (size_t)u->left : len;
		put_part(u, at, part);
		at += part;
		len -= part;
		u->left -= part;
		if (u->left == 0 && end_file(u, e) != 0)
			return -1;
	}
	return 0;
}

static int read_old(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	struct unpack *u = context;

	return oldtext_read(u->text, offset, to, len, e);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static uint64_t new_length(const struct plan *plan)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (is_in_text(&plan->items[i]))
			sum += plan->items[i].file->size;
	return sum;
}

static int load(struct unpack *u, struct err *e)
{
	const struct plan *plan = u->plan;
	const struct delta_header *delta = &plan->warrant->delta;

	if (!delta->has_solid || delta->solid.version != SOLID_VERSION)
		return err_set(e, ERR_REFUSED,
			       "the solid payload is of version %llu, of which nothing is known "
			       "here",
			       (unsigned long long)delta->solid.version);
	if (delta->solid.size > u->options->memory)
		return err_set(e, ERR_USAGE,
			       "the solid payload is larger than the memory that --memory allows");
	return supply_load_solid(plan->supply, delta, &u->payload, e);
}

static int decode(struct unpack *u, struct err *e)
{
	const struct warrant *w = u->plan->warrant;
	const uint8_t *payload = (const uint8_t *)u->payload.data;
	struct solid_io io = {.context = u, .read_old = read_old, .put = put};
	uint64_t old_length;

	if (solid_old_length(payload, u->payload.len, &old_length, e) != 0 ||
	    choose_context(u, old_length, e) != 0 || check_context(u, e) != 0)
		return -1;
	u->text = oldtext_new(u->plan->supply->old, &w->old, u->files, e);
	if (u->text == NULL)
		return -1;
	int status = solid_decode(payload, u->payload.len, old_length, new_length(u->plan),
				  u->options->memory - u->payload.len, &io, e);
	/* It ended within a file. */
	if (u->item != NULL && u->wanted && u->status == 0)
		(void)!maker_end(maker_of(u), -1, &u->failure);
	u->item = NULL;
	return status;
}

static bool is_open(const struct plan_item *item)
{
	return item->way == PLAN_SOLID && item->made == PLAN_NOT_YET;
}

/* Those that can be had in another way need not fail with the payload. */
static int fall_back(struct plan *plan, struct err *e)
{
	const struct err why = *e;

	for (size_t i = 0; i < plan->count; i++) {
		*e = why;
		if (is_open(&plan->items[i]) && plan_fall_back(plan, &plan->items[i], e) != 0)
			return -1;
	}
	e->code = ERR_NONE;
	return 0;
}

int unpack_run(struct plan *plan, const struct unpack_options *options, struct err *e)
{
	struct unpack u = {.plan = plan, .options = options, .payload = BUF_INIT};
	size_t open = 0;
	int status = 0;

	for (size_t i = 0; i < plan->count; i++)
		open += is_open(&plan->items[i]);
	if (open == 0)
		return 0;
	status = load(&u, e);
	if (status == 0)
		status = decode(&u, e);
	if (status != 0 && e->code == ERR_MALFORMED)
		(void)err_prefix(e, "'%s' cannot be used", plan->supply->options->solid);
	if (status != 0)
		status = fall_back(plan, e);
	oldtext_free(u.text);
	free(u.files);
	buf_release(&u.payload);
	return status;
}
