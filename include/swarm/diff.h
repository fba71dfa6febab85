/* diff: makes the deltas that lead from older releases to a new one, with their payloads. */
#ifndef SWARM_DIFF_H
#define SWARM_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/changes.h"
#include "swarm/cost.h"
#include "swarm/err.h"
#include "swarm/listing.h"
#include "swarm/payloads.h"
#include "swarm/progress.h"
#include "swarm/scratch.h"

/* "-" is standard input or output. */
struct diff_from {
	const char *manifest;
	const char *tree; /* a directory or an archive; NULL: none is at hand */
};

struct diff_options {
	const struct diff_from *from; /* either all of them have a tree, or none */
	size_t from_count;            /* at least 1 */
	struct diff_from to;
	const char *out;      /* the delta */
	bool out_is_folder;   /* several: <from.version>-<to.version>.delta in the folder `out` */
	const char *payloads; /* folder, see payloads.h; NULL: none are made */
	const char *solid;    /* where the solid payload goes; NULL: none is made */
	int level;            /* of zstd */
	uint64_t memory;      /* bytes to stay within */
	unsigned strip;       /* leading components that names in archives lose */
	unsigned threads;     /* 0: one a processor */
	bool force;           /* outputs may replace what stands there */
	bool count;           /* what it costs is wanted */
	bool explain;         /* and why, of the most expensive files, where there are trees */
	struct progress *progress; /* NULL: none */
};

/* What became of one older release. */
struct diff_result {
	struct changes changes;
	struct payloads_item *payloads; /* one for each of the changes; NULL: none were made */
	struct cost cost;               /* where it was wanted */
	struct listing listing;         /* what the payloads point to */
	uint64_t delta_bytes, solid_bytes;
};

struct diff {
	struct diff_result *results; /* in the order of `from` */
	size_t count;
};

/*
 * Makes everything, proves it, and only then gives the outputs their names, deltas last; payloads
 * appear one by one, each proven. What fails leaves no other output. `ret` is released by
 * diff_release(), also after a failure.
 */
ERR_CHECK int diff_run(const struct diff_options *options, struct scratch *scratch,
		       struct diff *ret, struct err *e);
void diff_release(struct diff *d);

#endif
