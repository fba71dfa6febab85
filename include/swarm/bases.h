/* bases: the files of an old release, indexed by content, to be the bases of payloads. */
#ifndef SWARM_BASES_H
#define SWARM_BASES_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/listing.h"
#include "swarm/progress.h"
#include "swarm/stock.h"

struct bases;

struct bases_options {
	unsigned threads;          /* at least 1 */
	uint64_t memory;           /* bytes to stay within while it is made; a half of it stays */
	struct progress *progress; /* NULL: none */
};

/*
 * Reads all files of the release, each content once, none over DCZ_WINDOW_MAX. `listing` and what
 * is in it is borrowed for as long as the bases live, `stock` for the call. A file that is not what
 * the listing says is ERR_UNTRUSTED or ERR_REFUSED.
 */
struct bases *bases_new(const struct listing *listing, const struct stock *stock,
			const struct bases_options *options, struct err *e);
void bases_free(struct bases *b);

/*
 * The old files that resemble these bytes most, at most `max`, the best first; see similar_find().
 * Any thread.
 */
ERR_CHECK int bases_find(const struct bases *b, const uint8_t *bytes, size_t len, size_t max,
			 const struct entry **ret, size_t *ret_count, struct err *e);

#endif
