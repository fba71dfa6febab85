/* bale: all new content of a release in one solid payload, see solid.h. */
#ifndef SWARM_BALE_H
#define SWARM_BALE_H

#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/changes.h"
#include "swarm/err.h"
#include "swarm/listing.h"
#include "swarm/stock.h"

struct bale_from {
	const struct changes *changes;
	const struct listing *listing;     /* the old manifest */
	const struct stock *stock, *fresh; /* the old release's files, and the new one's */
};

struct bale_options {
	unsigned threads; /* 0: one a processor */
	uint64_t memory;  /* bytes to stay within */
};

/*
 * Appends the payload of all files of which changes_is_fetched() to `ret`, nothing if there are
 * none. The old files that fit into memory are its context, see context.h; ERR_USAGE: not even the
 * new ones fit. It has been decoded and compared. A tree that does not hold what its manifest says
 * is ERR_UNTRUSTED or ERR_REFUSED.
 */
ERR_CHECK int bale_make(const struct bale_from *from, const struct bale_options *options,
			struct buf *ret, struct err *e);

#endif
