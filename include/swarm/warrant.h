/*
 * warrant: what entitles a program to turn one release into the next: a genuine delta, a genuine
 * head that is wanted, and the manifest that the delta starts from. Out of them comes the new
 * manifest.
 */
#ifndef SWARM_WARRANT_H
#define SWARM_WARRANT_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/arena.h"
#include "swarm/delta.h"
#include "swarm/envelope.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/listing.h"
#include "swarm/policy.h"
#include "swarm/trust.h"

struct warrant_options {
	const struct trust *trust;
	const char *delta, *old_manifest, *head; /* "-" is standard input */
	struct policy policy;
	const struct policy_state *state; /* NULL: none */
	bool lenient; /* an objection to a serial that is too low is the caller's to heed, too */
};

struct warrant {
	struct head head;
	struct envelope envelope;                    /* the head's */
	struct trust_signers signers, delta_signers; /* keyids borrowed from the trust */
	struct err
	    objection; /* what time, or leniently the serial, speaks against; else ERR_NONE */
	struct delta_header delta; /* its first line */
	struct listing old, new;
	/* For each file of `new` the delta's line that names it; NULL: it is kept. */
	const struct delta_line **lines;
	size_t line_count;  /* as many as new.count */
	struct arena arena; /* what the lines point to */
	int body;           /* a nameless file with the new manifest's body; -1: none */
};

#define WARRANT_INIT                                                                             \
	{                                                                                        \
		.old = {.arena = ARENA_INIT}, .new = {.arena = ARENA_INIT}, .arena = ARENA_INIT, \
		.envelope = {.payload = BUF_INIT}, .body = -1                                    \
	}

/*
 * Checks all of it, in the order in which it is safe: the delta's signature; the head's, and that
 * it is wanted; that the delta leads to this head and upwards; that the old manifest is the
 * delta's; that what comes out is what the head has signed. ERR_UNTRUSTED, ERR_REFUSED or
 * ERR_MALFORMED says what is not so. A copy or a base that the old manifest does not have is
 * ERR_MALFORMED too. `ret` (WARRANT_INIT) is released by warrant_release(), also after a failure.
 */
ERR_CHECK int warrant_check(const struct warrant_options *o, struct warrant *ret, struct err *e);
void warrant_release(struct warrant *w);

#endif
