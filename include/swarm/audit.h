/*
 * audit: compares a copy of a release with what the manifest says, and writes nothing to it.
 *
 * Every file of the manifest gets exactly one finding (two where its content is right and its mode
 * is not); so does everything else that the copy holds, unless extra files are to be ignored.
 */
#ifndef SWARM_AUDIT_H
#define SWARM_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/finding.h"
#include "swarm/glob.h"
#include "swarm/listing.h"
#include "swarm/progress.h"
#include "swarm/source.h"

struct audit_options {
	bool fast;       /* sizes only: no content is read */
	bool roots_only; /* not the plain digests */
	bool ignore_extra;
	bool strict_modes;        /* a wrong mode counts as wrong */
	unsigned strip;           /* leading components that names in the copy lose */
	struct glob *const *only; /* files of the manifest that these match, and no others; extra */
	size_t only_count;        /* files are looked at in the same way. 0: all */
	unsigned threads;         /* 0: one a processor */
	struct progress *progress; /* NULL: none */
};

struct audit {
	struct finding_list findings;    /* in file-tree order */
	uint64_t checked, checked_bytes; /* files of the manifest that were looked at */
	bool verified;                   /* their content was read, and nothing was found wrong */
	struct err failure;              /* the copy could only be read up to here; else ERR_NONE */
};

#define AUDIT_INIT                            \
	{                                     \
		.findings = FINDING_LIST_INIT \
	}

/*
 * Findings are no failure. `ret` points into `listing`, which must outlive it, and is released with
 * audit_release(), also after a failure. A copy that
 * cannot be listed at all is a failure. ERR_USAGE: `only` matches nothing.
 */
ERR_CHECK int audit_run(const struct listing *listing, struct source *copy,
			const struct audit_options *options, struct audit *ret, struct err *e);
void audit_release(struct audit *a);

/* Findings of a kind count as wrong: all but ok, and wrong-mode unless modes are strict. */
bool audit_is_wrong(const struct audit_options *options, enum finding_kind kind);

#endif
