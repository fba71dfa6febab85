/*
 * piecer: the SHA-1 of each piece of a run of bytes, as BitTorrent v1 has it, on the threads of a
 * pool.
 *
 * The bytes come in order, from one thread; pieces are hashed at the same time. Pieces that are too
 * large for several of them to be kept are hashed one after the other, beside what the caller does.
 */
#ifndef SWARM_PIECER_H
#define SWARM_PIECER_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/pool.h"
#include "swarm/sha1.h"

struct piecer;

/*
 * `put` gets `len` bytes of digests, SHA1_SIZE for each piece, in order, on the caller's thread; it
 * returns 0, or -1 with `e` filled. `pool` is borrowed.
 */
struct piecer *piecer_new(struct pool *pool, uint64_t piece_length,
			  int (*put)(void *context, const void *digests, size_t len, struct err *e),
			  void *context, struct err *e);
/* Waits for what is being hashed. */
void piecer_free(struct piecer *p);
ERR_CHECK int piecer_add(struct piecer *p, const void *bytes, size_t len, struct err *e);
/* The same for zeros. */
ERR_CHECK int piecer_pad(struct piecer *p, uint64_t len, struct err *e);
/* The last piece is as long as what is left. */
ERR_CHECK int piecer_end(struct piecer *p, struct err *e);

#endif
