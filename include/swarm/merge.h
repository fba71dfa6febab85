/*
 * merge: parts of an inventory (part.h) become the inventory that one machine would have written.
 *
 * Their lines are merged as they are read, so memory grows with the parts, not with their files.
 */
#ifndef SWARM_MERGE_H
#define SWARM_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/progress.h"
#include "swarm/scan.h"
#include "swarm/scratch.h"

struct merge_options {
	const char *const *parts; /* in any order; one may be "-", standard input */
	size_t count;
	const char *inventory;     /* where to; "-" is standard output */
	bool force;                /* may replace what stands there */
	struct progress *progress; /* NULL: none */
	struct scratch *scratch;
};

struct merge_result {
	struct scan_total totals[LABEL_ORIGIN + 1]; /* by label */
	uint64_t piece_length;
	size_t parts;
};

/*
 * The inventory appears when all is well, or not at all. ERR_MALFORMED for a part that is damaged,
 * ERR_REFUSED for parts that do not belong together or lack one; ERR_USAGE for an output that is a
 * part.
 */
ERR_CHECK int merge_run(const struct merge_options *options, struct merge_result *ret,
			struct err *e);

/* Append lines for people; one JSON object:
 * {"public":{"files":N,"bytes":N},"origin":{...},"piece_length":N,"parts":N}. */
void merge_describe(struct buf *to, const struct merge_result *r);
void merge_format(struct buf *to, const struct merge_result *r);

#endif
