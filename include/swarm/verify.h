/* verify: from a signed document, the keys that are trusted and a copy, to a verdict. */
#ifndef SWARM_VERIFY_H
#define SWARM_VERIFY_H

#include <stdbool.h>

#include "swarm/audit.h"
#include "swarm/err.h"
#include "swarm/policy.h"
#include "swarm/scratch.h"
#include "swarm/trust.h"
#include "swarm/verdict.h"

struct verify_options {
	const struct trust *trust;
	const char *document; /* manifest, head or delta; "-" is standard input */
	const char *head;     /* a newer head over the same body; NULL: the document's own judges */
	const char *copy;     /* NULL: the document alone is checked */
	struct policy policy;
	const char *state; /* a state file; NULL: none */
	bool keep_state;   /* look at the state, do not change it */
	struct audit_options audit;
};

/*
 * Does all of it, in the order in which it is safe: signature, then policy, then the manifest's
 * body, then the copy; of a delta, which goes with no copy, its lines. `ret` (initialised by
 * verdict_init()) is settled in any case; -1 where `e` has something to say that the verdict's text
 * does not.
 */
ERR_CHECK int verify_run(const struct verify_options *options, struct scratch *scratch,
			 struct verdict *ret, struct err *e);

#endif
