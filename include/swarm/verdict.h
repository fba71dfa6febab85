/*
 * verdict: all that is known at the end of a verification, and how it is told to people and to
 * programs.
 */
#ifndef SWARM_VERDICT_H
#define SWARM_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/audit.h"
#include "swarm/buf.h"
#include "swarm/endorse.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/listing.h"
#include "swarm/trust.h"

struct verdict {
	bool genuine; /* signed as asked for: `head` (or `delta`) and `signers` count */
	struct head head;
	bool is_delta; /* there is no head, but a delta, of which all is known if the status is 0 */
	struct endorse delta;
	struct trust_signers signers; /* keyids borrowed from the trust */
	size_t trusted_keys;
	struct err expired; /* the objection of time, else ERR_NONE: it does not stop an audit */
	bool audited;       /* a copy was compared: `audit` counts */
	struct audit_options audit_options;
	struct audit audit;
	struct listing listing; /* what the audit points into */
	int status;             /* the exit status: 0 verified, 1 not, 2 it could not be done */
};

void verdict_init(struct verdict *v);
void verdict_release(struct verdict *v);

/*
 * Sets v->status from what is known, `e` telling of a failure (ERR_NONE: there was none). Where the
 * report alone does not say why the status is not 0, `e` is filled.
 */
void verdict_settle(struct verdict *v, struct err *e);

/*
 * Appends text for people: who released it and who signed it, then what is wrong, the worst first,
 * then the verdict in one line. `verbose` leaves nothing out.
 */
void verdict_describe(struct buf *to, const struct verdict *v, bool verbose);
/*
 * Appends JSON lines: one a finding (with `verbose` also for files that are right), and a last one
 * {"verified":B,"files":N,"bytes":N,"findings":{KIND:N,...},"product":S,...,"status":N}. What is
 * not known is left out; `e` (ERR_NONE: nothing) becomes "error".
 */
void verdict_format(struct buf *to, const struct verdict *v, const struct err *e, bool verbose);

#endif
