/*
 * merkle: the hash tree of one file, as in BEP 52.
 *
 * Leaves are the SHA-256 of 16 KiB blocks; the last block is hashed short. Missing leaves are 32
 * zero bytes. A file of at most one piece: its leaves are padded to a power of two, their tree's
 * root is the file's, and there is no layer. A larger one: the last piece's leaves are padded to a
 * whole piece, the layer is one root a piece, and it is padded to a power of two with the root of a
 * piece of missing leaves. The root does not depend on the piece length; the pads are no part of
 * the layer.
 */
#ifndef SWARM_MERKLE_H
#define SWARM_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/sha256.h"

#define MERKLE_BLOCK     ((size_t)16384)
#define MERKLE_PIECE_MIN UINT64_C(16384)
#define MERKLE_PIECE_MAX (UINT64_C(128) << 20)

/* A tree being built. */
struct merkle;

/* piece_length: a power of two from MERKLE_PIECE_MIN to MERKLE_PIECE_MAX. */
struct merkle *merkle_new(uint64_t piece_length, struct err *e);
void merkle_free(struct merkle *m);
void merkle_reset(struct merkle *m);
void merkle_update(struct merkle *m, const void *bytes, size_t len);
/*
 * The root (zeros for an empty file), and the piece layer appended to `layer`: 32 bytes a piece,
 * nothing for a file of at most one piece. -1: out of memory. Reset before the next update.
 */
ERR_CHECK int merkle_final(struct merkle *m, uint8_t root[static SHA256_SIZE], struct buf *layer,
			   struct err *e);

/* The root that `count` (at least 1) hashes of a piece layer give. */
ERR_CHECK int merkle_layer_root(const uint8_t *layer, size_t count, uint64_t piece_length,
				uint8_t root[static SHA256_SIZE], struct err *e);

/* How many pieces a file of `size` bytes has. */
uint64_t merkle_pieces(uint64_t size, uint64_t piece_length);

#endif
