/* batch: the digests of many small contents at once, which share lanes. */
#ifndef SWARM_BATCH_H
#define SWARM_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/lanes.h"
#include "swarm/merkle.h"

struct batch_item {
	const uint8_t *bytes;
	size_t len;
	struct filehash_digests *ret; /* initialised, the caller's */
};

/* One thread at a time. */
struct batch;

/* `l` and `pads` are borrowed. */
struct batch *batch_new(const struct filehash_options *options, struct lanes *l,
			const struct merkle_pads *pads, struct err *e);
void batch_free(struct batch *b);
/* -1: out of memory, or lanes_check(); then none of the digests counts. */
ERR_CHECK int batch_hash(struct batch *b, const struct batch_item *items, size_t count,
			 struct err *e);

#endif
