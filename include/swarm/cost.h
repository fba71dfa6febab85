/* cost: what it costs a client to come from an older release to a new one, in each way. */
#ifndef SWARM_COST_H
#define SWARM_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/cause.h"
#include "swarm/changes.h"
#include "swarm/document.h"
#include "swarm/err.h"
#include "swarm/payloads.h"
#include "swarm/stock.h"

/* How many files are looked into. */
#define COST_TOP 20

/*
 * Of one of the changes. A client that goes by pieces has the old release, knows the hash of each
 * of its pieces, and takes those that it has: at whatever place and of whatever file, but on piece
 * boundaries, as BitTorrent and the manifest count them. A file of at most one piece is one piece.
 * Each file counts for itself: content that two new files have is counted twice.
 */
struct cost_file {
	uint64_t pieces, missing; /* of a file that is fetched */
	uint64_t missing_bytes;   /* what the missing pieces hold */
};

/* One of the most expensive files. */
struct cost_top {
	size_t item;      /* number in the changes */
	uint64_t bytes;   /* by payload where there are any, else by piece */
	const char *base; /* the old file that it was compared with; NULL: none */
	bool known;       /* its content was looked at: */
	struct cause cause;
};

struct cost {
	const struct changes *changes;
	const struct payloads_item
	    *payloads;            /* one for each of the changes; NULL: none were made */
	struct cost_file *files;  /* one for each of the changes */
	uint64_t fetched;         /* files whose content has to come from somewhere */
	uint64_t pieces, missing; /* of these files */
	uint64_t bare;            /* of these files: without a payload */
	uint64_t whole_bytes, missing_bytes;
	uint64_t payload_bytes; /* of all payloads, and of the bare files */
	uint64_t solid_bytes;   /* 0: no solid payload */
	uint64_t manifest_bytes, delta_bytes;
	struct cost_top top[COST_TOP]; /* the most expensive first */
	size_t top_count;
};

/*
 * Counts; `from` is the old manifest, read once more. All pointers are borrowed for the life of
 * `ret`, which is released by cost_release(), also after a failure. What a solid payload and the
 * delta cost is for the caller to fill in.
 */
ERR_CHECK int cost_measure(const struct changes *changes, const struct payloads_item *payloads,
			   struct document *from, struct cost *ret, struct err *e);
void cost_release(struct cost *c);

/*
 * Finds out why the most expensive files are so: from the content, within `memory` bytes. A file
 * that is too large for that stays unknown.
 */
ERR_CHECK int cost_explain(struct cost *c, const struct stock *old, const struct stock *fresh,
			   uint64_t memory, struct err *e);

#endif
