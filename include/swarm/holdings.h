/*
 * holdings: what of a release's content a store has already, from an earlier release or from a line
 * before, and under which key.
 *
 * In layout `release` it is to be copied from there, if it is served with the same headers; of
 * several objects from the one at the same path, else from the first. In layout `hash` it is there
 * under the very key, whatever path it has.
 */
#ifndef SWARM_HOLDINGS_H
#define SWARM_HOLDINGS_H

#include "swarm/buf.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/planner.h"
#include "swarm/shelf.h"

enum holdings_answer {
	HOLDINGS_NONE,  /* it has none of it */
	HOLDINGS_COPY,  /* it has it under the key that is in `from` then */
	HOLDINGS_THERE, /* it has it where it belongs */
};

struct holdings {
	struct shelf shelf;
	struct buf what; /* of one file */
};

#define HOLDINGS_INIT                                 \
	{                                             \
		.shelf = SHELF_INIT, .what = BUF_INIT \
	}

void holdings_release(struct holdings *h);
/* Notes a file of the planner's latest release. Errors are those of planner_content(). */
ERR_CHECK int holdings_note(struct holdings *h, struct planner *p, const struct entry *entry,
			    struct err *e);
/*
 * Asks for a file of the release itself, whose key is in p->key then; the store has it from now on.
 * ERR_REFUSED for one that would be one object with a file before it, and is of another type.
 */
ERR_CHECK int holdings_ask(struct holdings *h, struct planner *p, const struct entry *entry,
			   enum holdings_answer *ret, struct err *e);

/* The Content-Type of a file, never NULL. */
const char *holdings_type(const struct entry *entry);

#endif
