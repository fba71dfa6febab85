/*
 * pack: from a tree and its rules to an inventory and a bundle. Every file is read once: the plain
 * digest, the BEP 52 root and layer, and the copy in the bundle come from the same bytes.
 */
#ifndef SWARM_PACK_H
#define SWARM_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/bundle.h"
#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/outfile.h"
#include "swarm/progress.h"
#include "swarm/scan.h"
#include "swarm/source.h"

struct pack_options {
	uint64_t piece_length;
	bool plain; /* `sha256` in the inventory */
	unsigned threads; /* 0: one a processor */
	struct progress *progress; /* NULL: none */
};

/*
 * Hashes what `scan` says is to be published, and writes it to `bundle` (NULL: none) and the lines
 * of an inventory to `inventory`; neither is committed. The scan has files and no problems. A file
 * that is not as it was listed is ERR_CHANGED.
 */
ERR_CHECK int pack_run(struct source *source, const struct scan *scan,
		       const struct pack_options *options, struct bundle *bundle,
		       struct outfile *inventory, struct err *e);

/* The piece length of an earlier release: of an inventory or a manifest, unverified. */
ERR_CHECK int pack_like(const char *path, uint64_t *ret_piece_length, struct err *e);

/*
 * Whether an output at `path` would lie in the tree `source` where it could be published by the next
 * run, or is being published by this one: ERR_USAGE, unless its name there is private.
 */
ERR_CHECK int pack_check_output(const struct source *source, const struct scan_options *options,
				const char *path, struct err *e);

#endif
