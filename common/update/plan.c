#include "swarm/plan.h"

#include <stdlib.h>
#include <string.h>

static bool has_payload(const struct plan *p, const struct plan_item *item)
{
	struct buf name = BUF_INIT;
	enum delta_source source = item->line->source;

	if (source != DELTA_DCZ && source != DELTA_ZSTD)
		return false;
	bool there = supply_payload_name(item->file, item->base, &name) && !name.failed &&
		     supply_has_payload(p->supply, name.data);
	buf_release(&name);
	return there;
}

static bool has_solid(const struct plan *p, const struct plan_item *item)
{
	return item->line->solid && p->supply->options->solid != NULL;
}

/* The first way from `way` on that can be taken. */
static enum plan_way choose(const struct plan *p, const struct plan_item *item, enum plan_way way)
{
	if (way <= PLAN_PAYLOAD && has_payload(p, item))
		return PLAN_PAYLOAD;
	if (way <= PLAN_SOLID && has_solid(p, item))
		return PLAN_SOLID;
	if (way <= PLAN_WHOLE && supply_has_whole(p->supply, item->file->path))
		return PLAN_WHOLE;
	return PLAN_NOWHERE;
}

static void start(const struct plan *p, struct plan_item *item, bool in_place)
{
	const struct listing *old = &p->warrant->old;
	const struct delta_line *line = item->line;
	const char *path = item->file->path;

	if (line == NULL)
		item->base = listing_find(old, path);
	else if (line->source == DELTA_COPY || line->source == DELTA_DCZ)
		item->base = listing_find(old, line->from);
	bool copied = line == NULL || line->source == DELTA_COPY;
	/* Another label or type in the manifest changes nothing of the file itself. */
	if (in_place && copied && strcmp(item->base->path, path) == 0 &&
	    item->base->exec == item->file->exec)
		item->way = PLAN_STAYS;
	else if (item->file->size == 0)
		item->way = PLAN_EMPTY;
	else if (copied)
		item->way = PLAN_COPY;
	else
		item->way = choose(p, item, PLAN_PAYLOAD);
	item->made = item->way == PLAN_STAYS ? PLAN_UNTOUCHED : PLAN_NOT_YET;
}

int plan_make(const struct warrant *w, const struct supply *s, bool in_place, struct plan *ret,
	      struct err *e)
{
	*ret = (struct plan){.warrant = w, .supply = s};
	ret->items = calloc(w->new.count, sizeof *ret->items);
	if (ret->items == NULL)
		return err_nomem(e);
	ret->count = w->new.count;
	for (size_t i = 0; i < ret->count; i++) {
		struct plan_item *item = &ret->items[i];
		item->file = &w->new.entries[i];
		item->line = w->lines[i];
		start(ret, item, in_place);
	}
	return 0;
}

void plan_release(struct plan *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i].failed);
	free(p->items);
	*p = (struct plan){.items = NULL};
}

int plan_fall_back(const struct plan *p, struct plan_item *item, struct err *e)
{
	if (item->way != PLAN_PAYLOAD && item->way != PLAN_SOLID)
		return -1;
	if (e->code == ERR_SYSTEM || e->code == ERR_CHANGED)
		return -1;
	enum plan_way next = choose(p, item, item->way + 1);
	if (next == PLAN_NOWHERE)
		return -1;
	char *why = strdup(e->msg);
	if (why == NULL)
		return -1;
	free(item->failed);
	item->failed = why;
	item->way = next;
	e->code = ERR_NONE;
	return 0;
}
