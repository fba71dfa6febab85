/* maker: makes files of a new release in a staging folder, one after the other; one a thread. */
#ifndef SWARM_MAKER_H
#define SWARM_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/gate.h"
#include "swarm/plan.h"
#include "swarm/progress.h"
#include "swarm/staging.h"
#include "swarm/supply.h"

struct maker;

/* All is borrowed, and the same for all makers. */
struct maker_options {
	const struct supply *supply;
	const struct staging *staging;
	struct gate *memory;       /* what payloads take of it */
	bool link;                 /* files that do not change become other names of the old ones */
	struct progress *progress; /* NULL: none */
};

struct maker *maker_new(const struct maker_options *options, struct err *e);
void maker_free(struct maker *m);

/* Whether what is staged under the item's name is right: then it is PLAN_RESUMED. */
bool maker_resume(struct maker *m, struct plan_item *item);
/*
 * Makes a file in its way, which is not PLAN_SOLID. It is proven against the new manifest while it
 * is written; what is wrong does not stay. ERR_UNTRUSTED, ERR_MALFORMED or ERR_REFUSED: an old
 * file, a payload or a whole file is not what it should be.
 */
ERR_CHECK int maker_make(struct maker *m, struct plan_item *item, struct err *e);
/* Reads a file of the old tree and proves that it is what a manifest says. */
ERR_CHECK int maker_check_old(struct maker *m, const struct entry *entry, struct err *e);
/* The same of one that stands in a part of the staging folder. */
ERR_CHECK int maker_check_staged(struct maker *m, enum staging_part part, const struct entry *entry,
				 struct err *e);

/*
 * The same by hand, for content that comes from elsewhere: begin, put, end. `status` says how the
 * putting went; maker_end() returns it, or -1 where the content is not right.
 */
ERR_CHECK int maker_begin(struct maker *m, const struct entry *file, struct err *e);
ERR_CHECK int maker_put(struct maker *m, const void *bytes, size_t len, struct err *e);
ERR_CHECK int maker_end(struct maker *m, int status, struct err *e);

#endif
