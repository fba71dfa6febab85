/* apply: makes the files of the new release that a plan speaks of, in a staging folder. */
#ifndef SWARM_APPLY_H
#define SWARM_APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/faults.h"
#include "swarm/plan.h"
#include "swarm/progress.h"
#include "swarm/staging.h"

struct apply_options {
	bool link;                 /* files that do not change become other names of the old ones */
	uint64_t memory;           /* bytes that payloads and what they are decoded with may take */
	unsigned threads;          /* 0: one a processor */
	struct progress *progress; /* NULL: none */
};

/* Makes files of one plan in one staging folder. */
struct apply;

/* All is borrowed. */
struct apply *apply_new(struct plan *plan, const struct staging *staging,
			const struct apply_options *options, struct err *e);
void apply_free(struct apply *a);

/*
 * Proves files against a manifest, all of it: appends those that are not what they should be, in
 * order. They stand in the old tree, but where `parts` (NULL: nowhere) says of one, as many as the
 * listing has, that it is in another part of the staging folder. -1 where that could not be found
 * out.
 */
ERR_CHECK int apply_check_tree(struct apply *a, const struct listing *listing,
			       const enum staging_part *parts, struct faults *ret_wrong,
			       struct err *e);
/*
 * Proves what an interrupted run has left, where an item says that there is something: what is
 * right needs not be made again.
 */
ERR_CHECK int apply_resume(struct apply *a, struct err *e);
/*
 * Makes all that is not made yet; no item may be PLAN_NOWHERE. Where a payload is not what it
 * should be and the file can be had in another way, that one is taken. ERR_UNTRUSTED, ERR_MALFORMED
 * or ERR_REFUSED names the file that cannot be made. What was made stays, for the next run.
 */
ERR_CHECK int apply_run(struct apply *a, struct err *e);

#endif
