/*
 * recover: what becomes of an update in place that was interrupted among its moves.
 *
 * Neither the tree nor what is staged is believed to be as it was left: the tree may have been
 * restored, and what was made may have come to harm. Before the first name is moved, each file is
 * proven where it is, so that what comes out is one of the two releases.
 */
#ifndef SWARM_RECOVER_H
#define SWARM_RECOVER_H

#include <stdbool.h>

#include "swarm/apply.h"
#include "swarm/err.h"
#include "swarm/faults.h"
#include "swarm/journal.h"
#include "swarm/scratch.h"
#include "swarm/staging.h"
#include "swarm/warrant.h"

struct recover {
	const struct warrant *warrant; /* of an update from the release that the journal is from */
	const struct journal *journal;
	bool ours; /* it leads to the same release: it may be finished */
	const struct staging *staging;
	struct apply *apply;
	struct scratch *scratch;
};

/*
 * 1: the tree is the new release; 0: it is the old one. The journal is gone in both cases. The
 * update is finished if its new files are right, else undone if the old ones are; where the tree
 * was changed since, it counts only as a whole. ERR_UNTRUSTED: none of it can be; nothing was
 * changed, and the journal stays. `ret_wrong` has what is in the way of it.
 */
ERR_CHECK int recover_run(const struct recover *r, struct faults *ret_wrong, struct err *e);

#endif
