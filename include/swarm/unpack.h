/* unpack: makes files of a new release of the solid payload. */
#ifndef SWARM_UNPACK_H
#define SWARM_UNPACK_H

#include <stdint.h>

#include "swarm/err.h"
#include "swarm/maker.h"
#include "swarm/plan.h"
#include "swarm/pool.h"

struct unpack_options {
	struct pool *pool;
	struct maker *const *makers; /* one for each thread of the pool */
	uint64_t memory;             /* bytes to stay within */
};

/*
 * Makes all files whose way is PLAN_SOLID and that are not made yet. The old files that the payload
 * refers to are proven first. A file that does not come out right stays unmade, and falls back to
 * its next way; ERR_UNTRUSTED or ERR_MALFORMED where it has none.
 */
ERR_CHECK int unpack_run(struct plan *plan, const struct unpack_options *options, struct err *e);

#endif
