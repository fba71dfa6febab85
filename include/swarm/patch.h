/* patch: from a delta, an old tree and what was fetched, to the new tree. */
#ifndef SWARM_PATCH_H
#define SWARM_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/outcome.h"
#include "swarm/policy.h"
#include "swarm/progress.h"
#include "swarm/scratch.h"
#include "swarm/supply.h"
#include "swarm/trust.h"

struct patch_options {
	const struct trust *trust;
	const char *delta, *old_manifest, *head; /* "-" is standard input */
	struct policy policy;
	const char *state; /* a state file; NULL: none */
	bool keep_state;   /* look at the state, do not change it */
	struct supply_options supply;
	const char *out; /* where the new tree is to stand; NULL: in place of the old one */
	/* Make `new_manifest` and nothing else: neither `supply` nor `out` counts. */
	bool manifest_only;
	bool force;               /* it may replace what stands there */
	bool link;                /* files that do not change become other names of the old ones */
	const char *new_manifest; /* where the new manifest is to be written, last; NULL: nowhere */
	bool dry_run;
	uint64_t memory;           /* bytes to stay within, besides both manifests */
	unsigned threads;          /* 0: one a processor */
	struct progress *progress; /* NULL: none */
};

/*
 * Does it, in the order in which it is safe: what warrant.h checks; then the old files, each by its
 * content; then each new file, while it is made beside the tree; names are given last. On failure
 * the old tree is as it was, and what was made stays for the next run. `ret` (OUTCOME_INIT) is
 * filled as far as it went, also on failure. The state is left alone where no tree is made.
 */
ERR_CHECK int patch_run(const struct patch_options *options, struct scratch *scratch,
			struct outcome *ret, struct err *e);

#endif
