/*
 * sha1run: the SHA-1 of each piece of a run of bytes, several at a time where the processor and
 * libipsec-mb can, else one after the other. The digests are the same.
 */
#ifndef SWARM_SHA1RUN_H
#define SWARM_SHA1RUN_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/sha1.h"

/* One thread at a time. */
struct sha1run;

/*
 * The first time in a process, the ways to hash are timed, and libipsec-mb has to give libcrypto's
 * digests, else it is not used. ERR_USAGE as in lanes_new().
 */
struct sha1run *sha1run_new(struct err *e);
void sha1run_free(struct sha1run *r);
/* How many pieces it hashes at once: at least 1. */
size_t sha1run_width(const struct sha1run *r);
/*
 * Hashes pieces of `piece` bytes, the last one as long as what is left, into `digests`, SHA1_SIZE
 * each. Returns how many.
 */
size_t sha1run_hash(struct sha1run *r, const uint8_t *bytes, size_t len, size_t piece,
		    uint8_t *digests);
/* -1 if a library ever refused: then no digest that came from `r` counts. */
ERR_CHECK int sha1run_check(const struct sha1run *r, struct err *e);

#endif
