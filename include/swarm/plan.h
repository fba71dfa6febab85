/* plan: for each file of the new release where its content is to come from. */
#ifndef SWARM_PLAN_H
#define SWARM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/delta.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/supply.h"
#include "swarm/warrant.h"

/* In the order in which they are tried, where a file has several. */
enum plan_way {
	PLAN_STAYS,   /* in place: it is there already, and nothing is to be done */
	PLAN_EMPTY,   /* it has no content */
	PLAN_COPY,    /* the old file, unchanged or of another name */
	PLAN_PAYLOAD, /* a payload of its own, maybe against an old file */
	PLAN_SOLID,   /* the solid payload */
	PLAN_WHOLE,   /* the whole file, from elsewhere */
	PLAN_NOWHERE, /* what is needed for it has not been given */
};
#define PLAN_WAYS (PLAN_NOWHERE + 1)

/* What has become of a file. */
enum plan_made {
	PLAN_NOT_YET,
	PLAN_UNTOUCHED, /* PLAN_STAYS */
	PLAN_RESUMED,   /* an interrupted run had made it */
	PLAN_WRITTEN,
	PLAN_CLONED, /* it shares the old file's blocks on disk */
	PLAN_LINKED, /* it is another name of the old file */
};

struct plan_item {
	const struct entry *file;      /* in the new listing */
	const struct delta_line *line; /* NULL: it is kept */
	const struct entry *base;      /* the old file that is copied or patched; NULL: none */
	enum plan_way way;
	enum plan_made made;
	bool staged;  /* something of this name lay in the staging folder at the start */
	char *failed; /* why an earlier way came to nothing; NULL: none did */
};

struct plan {
	const struct warrant *warrant;
	const struct supply *supply;
	struct plan_item *items; /* one for each file of the new listing */
	size_t count;
};

/* `in_place`: files that are kept stay where they are. Released by plan_release() in any case. */
ERR_CHECK int plan_make(const struct warrant *w, const struct supply *s, bool in_place,
			struct plan *ret, struct err *e);
void plan_release(struct plan *p);
/*
 * The way of an item has failed for the reason `e`: takes the next one, or returns -1 and leaves
 * `e` alone if there is none, or if the reason is one of this machine. Any thread, one an item.
 */
ERR_CHECK int plan_fall_back(const struct plan *p, struct plan_item *item, struct err *e);

#endif
