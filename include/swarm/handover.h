/*
 * handover: the whole of an export: reads a release, and earlier ones where the format looks back
 * at them, and hands them to an exporter, whose output appears at the end or not at all.
 */
#ifndef SWARM_HANDOVER_H
#define SWARM_HANDOVER_H

#include <stdbool.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/exporter.h"
#include "swarm/head.h"
#include "swarm/opt.h"
#include "swarm/scratch.h"
#include "swarm/trust.h"

struct handover_options {
	struct format_job job; /* but for `out` */
	const char *output;    /* where to; "-" is standard output */
	bool force;            /* may replace what stands there */
	/* Whose signatures make the releases genuine; NULL: no signature is looked at. */
	const struct trust *trust;
	const struct opt_list *keys; /* the files that `trust` is of; they are not written over */
};

struct handover {
	const struct handover_options *options;
	struct outfile *out;
	struct exporter *exporter;
	struct head head; /* of the release */
};

/* ERR_USAGE for two inputs that are standard input, and for an output that is an input. */
ERR_CHECK int handover_check(const struct handover_options *options, struct err *e);
/*
 * Does it. Earlier releases may have expired. `ret` is released with handover_release(), also after
 * a failure, and borrows the options.
 */
ERR_CHECK int handover_run(const struct handover_options *options, struct scratch *scratch,
			   struct handover *ret, struct err *e);
void handover_release(struct handover *h);

/* Append, after a success, lines for people; a JSON line. */
void handover_describe(struct buf *to, const struct handover *h, bool verbose);
void handover_format(struct buf *to, const struct handover *h);

#endif
