/* report: an audit's findings for people, what is wrong first. */
#ifndef SWARM_REPORT_H
#define SWARM_REPORT_H

#include <stddef.h>

#include "swarm/audit.h"
#include "swarm/buf.h"

struct report_options {
	size_t shown; /* findings of each kind; SIZE_MAX: all */
	bool ok;      /* files that are right too */
};

/*
 * Appends the findings in groups, the worst kind first, each under a heading with its count; and
 * nothing where all is well. Lines end in line feeds; names are printable (text.h).
 */
void report_findings(struct buf *to, const struct audit *audit,
		     const struct report_options *options);

/* Appends "3 corrupt, 1 missing, 25 ok": the kinds that there are, the worst first. */
void report_counts(struct buf *to, const struct audit *audit);

#endif
