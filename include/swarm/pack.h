/*
 * pack: from a tree and its rules to an inventory and a bundle. Every file is read once: the plain
 * digest, the BEP 52 root and layer, and the copy in the bundle come from the same bytes.
 */
#ifndef SWARM_PACK_H
#define SWARM_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/progress.h"
#include "swarm/scan.h"
#include "swarm/scratch.h"
#include "swarm/source.h"

struct pack_options {
	uint64_t piece_length;
	bool plain;                /* `sha256` in the inventory */
	const char *inventory;     /* where to; "-" is standard output */
	const char *bundle;        /* NULL: none */
	int64_t mtime;             /* of the files in the bundle */
	bool force;                /* may replace what stands there */
	unsigned threads;          /* 0: one a processor */
	struct progress *progress; /* NULL: none */
};

/*
 * Hashes what `scan` says is to be published, and writes the inventory and the bundle. The scan has
 * files and no problems. A file that is not as it was listed is ERR_CHANGED. On failure neither
 * output has appeared, but for one case: the bundle stays if only the inventory cannot be named.
 */
ERR_CHECK int pack_run(struct source *source, const struct scan *scan,
		       const struct pack_options *options, struct scratch *scratch, struct err *e);

/* The piece length of an earlier release: of an inventory or a manifest, unverified. */
ERR_CHECK int pack_like(const char *path, uint64_t *ret_piece_length, struct err *e);

/*
 * Whether outputs may stand where they are to (bundle may be NULL), else ERR_USAGE: not in the
 * tree, where this run or the next would publish them, unless their names there are private; and a
 * folder that the bundle replaces must not hold the tree, the current directory or the inventory.
 */
ERR_CHECK int pack_check_outputs(const struct source *source, const struct scan_options *options,
				 const char *inventory, const char *bundle, struct err *e);

#endif
