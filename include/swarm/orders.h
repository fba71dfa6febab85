/*
 * orders: which payloads are to be made for several old releases at once. A file that needs one is
 * a wish; wishes for the same content against the same old release are one order, since one payload
 * serves all of them; orders for the same content are one job, for which it is read once.
 */
#ifndef SWARM_ORDERS_H
#define SWARM_ORDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/payloads.h"

/* Old files at the paths of new ones with equal content: more than one is rare. */
#define ORDERS_SAME_PATHS 2
#define ORDERS_BASES_MAX  (ORDERS_SAME_PATHS + PAYLOADS_CANDIDATES)

struct orders_wish {
	const struct entry *file;
	size_t from, item; /* which old release, which of its changes */
};

struct orders_order {
	size_t first, count; /* of the wishes */
	size_t from;
	const struct entry *bases[ORDERS_BASES_MAX]; /* old files that it may be made from */
	size_t base_count;
};

struct orders_job {
	const struct entry *file;
	size_t first, count; /* of the orders */
};

struct orders {
	struct payloads_from *from; /* borrowed */
	size_t from_count;
	struct orders_wish *wishes;
	struct orders_order *list;
	struct orders_job *jobs; /* the largest first */
	size_t wish_count, count, job_count;
};

/*
 * Collects them, and answers at once the items that get no payload, whatever it would cost. `ret`
 * is released by orders_release(), also after a failure.
 */
ERR_CHECK int orders_collect(struct payloads_from *from, size_t from_count, struct orders *ret,
			     struct err *e);
void orders_release(struct orders *o);

/* Adds the old files at the paths of the new ones. */
void orders_add_same_paths(const struct orders *o, struct orders_order *order);
/* Adds an old file, unless it is none to make anything from, or its content is there already. */
void orders_add_base(struct orders_order *order, const struct entry *base);
/*
 * Whether a payload against `base` (NULL: none) may not be given to all whom one of the files may
 * be given to.
 */
bool orders_hides(const struct orders *o, const struct orders_order *order,
		  const struct entry *base);
/* Says of all items of an order what became of them; the label is each one's own, or stricter. */
void orders_answer(const struct orders *o, const struct orders_order *order,
		   const struct payloads_item *what);

#endif
