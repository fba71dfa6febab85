/*
 * chunked: the hash tree of one large content whose chunks are hashed in any order, by several
 * threads at the same time.
 */
#ifndef SWARM_CHUNKED_H
#define SWARM_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/lanes.h"
#include "swarm/merkle.h"

/* In bytes: a power of two. All chunks are of this size but the last. */
#define CHUNKED_SIZE ((size_t)256 * 1024)

struct chunked;

/* Of a content of `size` bytes. `pads` is borrowed. */
struct chunked *chunked_new(uint64_t piece_length, uint64_t size, const struct merkle_pads *pads,
			    struct err *e);
void chunked_free(struct chunked *c);
/* How many chunks there are. */
uint64_t chunked_count(const struct chunked *c);
/* `l` is the calling thread's. Different chunks may be added at the same time. */
void chunked_add(struct chunked *c, struct lanes *l, uint64_t index, const void *bytes, size_t len);
/* Once all have been added: the root (zeros for no bytes), and the layer, which is appended. */
void chunked_finish(struct chunked *c, struct lanes *l, uint8_t root[static SHA256_SIZE],
		    struct buf *layer);

#endif
