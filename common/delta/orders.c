#include "swarm/orders.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/dcz.h"

static bool needs_content(const struct changes_item *item)
{
	return (item->kind == CHANGES_ADDED || item->kind == CHANGES_CONTENT) &&
	       item->copy == NULL && item->file.size > 0;
}

/* Large files first, so that no thread is left alone with one in the end. */
static int compare_wishes(const void *left, const void *right)
{
	const struct orders_wish *x = left, *y = right;

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
static void collect_wishes(struct orders *o)
{
	for (size_t f = 0; f < o->from_count; f++) {
		const struct changes *c = o->from[f].changes;
		for (size_t i = 0; i < c->count; i++) {
			struct payloads_item *item = &o->from[f].items[i];
			*item = (struct payloads_item){.bare = PAYLOADS_NOT_NEEDED};
			if (!needs_content(&c->items[i]))
				continue;
			item->label = c->items[i].file.label;
			item->bare = PAYLOADS_TOO_LARGE;
			if (c->items[i].file.size <= DCZ_WINDOW_MAX)
				o->wishes[o->wish_count++] =
				    (struct orders_wish){&c->items[i].file, f, i};
		}
	}
	if (o->wish_count > 0)
		qsort(o->wishes, o->wish_count, sizeof *o->wishes, compare_wishes);
}

static void group_wishes(struct orders *o)
{
	for (size_t i = 0; i < o->wish_count; i++) {
		const struct orders_wish *w = &o->wishes[i];
		bool same = i > 0 && entry_same_content(w->file, w[-1].file);
		if (!same)
			o->jobs[o->job_count++] =
			    (struct orders_job){.file = w->file, .first = o->count};
		if (!same || w->from != w[-1].from) {
			o->list[o->count++] = (struct orders_order){.first = i, .from = w->from};
			o->jobs[o->job_count - 1].count++;
		}
		o->list[o->count - 1].count++;
	}
}

int orders_collect(struct payloads_from *from, size_t from_count, struct orders *ret, struct err *e)
{
	size_t most = 1;

	*ret = (struct orders){.from = from, .from_count = from_count};
	for (size_t f = 0; f < from_count; f++)
		most += from[f].changes->count;
	ret->wishes = calloc(most, sizeof *ret->wishes);
	if (ret->wishes == NULL)
		return err_nomem(e);
	collect_wishes(ret);
	ret->list = calloc(ret->wish_count + 1, sizeof *ret->list);
	ret->jobs = calloc(ret->wish_count + 1, sizeof *ret->jobs);
	if (ret->list == NULL || ret->jobs == NULL)
		return err_nomem(e);
	group_wishes(ret);
	return 0;
}

void orders_release(struct orders *o)
{
	free(o->wishes);
	free(o->list);
	free(o->jobs);
	*o = (struct orders){.from = NULL};
}

/* --- bases --------------------------------------------------------------------------------------
 */

static void add_base(struct orders_order *order, const struct entry *base, size_t max)
{
	if (base == NULL || base->size == 0 || base->size > DCZ_WINDOW_MAX ||
	    order->base_count == max)
		return;
	for (size_t i = 0; i < order->base_count; i++)
		if (entry_same_content(order->bases[i], base))
			return;
	order->bases[order->base_count++] = base;
}

void orders_add_same_paths(const struct orders *o, struct orders_order *order)
{
	const struct listing *old = o->from[order->from].listing;

	for (size_t i = 0; i < order->count; i++)
		add_base(order, listing_find(old, o->wishes[order->first + i].file->path),
			 ORDERS_SAME_PATHS);
}

void orders_add_base(struct orders_order *order, const struct entry *base)
{
	add_base(order, base, ORDERS_BASES_MAX);
}

bool orders_hides(const struct orders *o, const struct orders_order *order,
		  const struct entry *base)
{
	for (size_t i = 0; i < order->count && base != NULL; i++) {
		enum label label = o->wishes[order->first + i].file->label;
		if (label_stricter(label, base->label) != label)
			return true;
	}
	return false;
}

/* --- answers ------------------------------------------------------------------------------------
 */

void orders_answer(const struct orders *o, const struct orders_order *order,
		   const struct payloads_item *what)
{
	for (size_t i = 0; i < order->count; i++) {
		const struct orders_wish *wish = &o->wishes[order->first + i];
		struct payloads_item *item = &o->from[wish->from].items[wish->item];
		enum label label = item->label;
		*item = *what;
		item->label = what->base != NULL ? label_stricter(label, what->base->label) : label;
	}
}
