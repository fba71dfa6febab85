/*
 * outcome: all that is known at the end of an update, and how it is told to people and to programs.
 */
#ifndef SWARM_OUTCOME_H
#define SWARM_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/faults.h"
#include "swarm/plan.h"
#include "swarm/supply.h"
#include "swarm/warrant.h"

enum outcome_end {
	OUTCOME_FAILED,
	OUTCOME_POSSIBLE, /* a dry run: everything needed is there, or `waiting` */
	OUTCOME_MANIFEST, /* the new manifest stands, and no tree was wanted */
	OUTCOME_DONE,     /* the new tree stands */
	OUTCOME_FINISHED, /* in place: it stands, as an interrupted run had begun it */
	OUTCOME_ALREADY,  /* in place: it stood before */
};

struct outcome {
	enum outcome_end end;
	bool genuine;     /* `warrant` counts */
	bool planned;     /* `plan` counts */
	const char *tree; /* the new tree, as it was asked for; borrowed */
	struct warrant warrant;
	struct supply supply;
	struct plan plan;
	struct faults wrong; /* in the old tree, or in the way */
	struct buf leftover; /* the folder that is kept for the next run; empty: none is */
	size_t trusted_keys;
	bool waiting; /* in place: an update to this release was begun, and waits to be finished */
};

#define OUTCOME_INIT                                                                  \
	{                                                                             \
		.warrant = WARRANT_INIT, .supply = SUPPLY_INIT, .wrong = FAULTS_INIT, \
		.leftover = BUF_INIT                                                  \
	}

void outcome_release(struct outcome *o);

/* How many files are needed that nothing was given for, and how many bytes they have. */
size_t outcome_needed(const struct outcome *o, uint64_t *ret_bytes);

/*
 * Appends text for people: which release became which, by whose word, where its files came from,
 * and lists of what is wrong or needed, of which `verbose` leaves nothing out.
 */
void outcome_describe(struct buf *to, const struct outcome *o, bool verbose);
/*
 * Appends JSON lines: one for each file that is needed, {"path":P,"needed":true,"size":N,...}, or
 * wrong in the old tree, {"path":P,"wrong":S}, and a last one {"patched":B,...,"status":N}. `e`
 * (ERR_NONE: nothing) becomes "error".
 */
void outcome_format(struct buf *to, const struct outcome *o, const struct err *e);

#endif
