/*
 * swap: an update in place: the old files that change are moved out of the tree, and the new ones
 * in, by names alone.
 *
 * What is to be moved stands in a journal, see journal.h. As long as there is none, the tree is the
 * old one. While there is one, it can be finished or undone, whoever was killed at whatever point:
 * a file that was to be moved out has been if it stands in the staging folder's `old`, one that was
 * to be moved in if it stands in `new` no more. What an earlier run has
 * left is finished by recover.h, which looks at content first.
 */
#ifndef SWARM_SWAP_H
#define SWARM_SWAP_H

#include "swarm/err.h"
#include "swarm/faults.h"
#include "swarm/journal.h"
#include "swarm/plan.h"
#include "swarm/scratch.h"
#include "swarm/staging.h"

/*
 * Appends each thing in the tree that stands where a new file or directory must go and is no file
 * of the old release. Nothing of it may be lost. The old tree has been found right.
 */
ERR_CHECK int swap_obstacles(const struct staging *staging, const struct plan *plan,
			     struct faults *ret, struct err *e);
/* What is to be moved. `ret` (JOURNAL_INIT) is released in any case, and borrows the paths. */
ERR_CHECK int swap_plan(const struct plan *plan, struct journal *ret, struct err *e);

/*
 * Looks where the files of a journal that was found are, ret_parts[i] that of moves[i]: as these
 * moves, or their undoing, may have left them at some point. A file that is nowhere is said to be
 * in the staging folder. Appends what no such point explains: somebody has changed the tree since,
 * and nothing may be moved in it. Looks at names alone.
 */
ERR_CHECK int swap_examine(const struct staging *staging, const struct journal *journal,
			   enum staging_part *ret_parts, struct faults *ret_conflicts,
			   struct err *e);
/*
 * Moves everything that is not moved yet, and removes directories that become empty. The journal
 * is written first, unless `written` says that it stands there. An error undoes what was done: the
 * tree is the old one again, and -1 is returned; only where that fails too does the journal stay.
 */
ERR_CHECK int swap_run(const struct staging *staging, const struct journal *journal, bool written,
		       struct scratch *scratch, struct err *e);
/* Moves everything back that was moved, and removes the journal: the tree is the old one again. */
ERR_CHECK int swap_undo(const struct staging *staging, const struct journal *journal,
			struct scratch *scratch, struct err *e);

#endif
