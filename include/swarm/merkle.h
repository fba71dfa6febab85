/*
 * merkle: the hash tree of one file, as in BEP 52.
 *
 * Leaves are the SHA-256 of 16 KiB blocks; the last block is hashed short. Missing leaves are 32
 * zero bytes. A file of at most one piece: its leaves are padded to a power of two, their tree's
 * root is the file's, and there is no layer. A larger one: the last piece's leaves are padded to a
 * whole piece, the layer is one root a piece, and it is padded to a power of two with the root of a
 * piece of missing leaves. The root does not depend on the piece length; the pads are no part of
 * the layer.
 *
 * So at any height of the tree, what is missing is the root of missing leaves: two nodes give the
 * one above, the last alone is paired with a pad, until one is left.
 */
#ifndef SWARM_MERKLE_H
#define SWARM_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/lanes.h"
#include "swarm/sha256.h"

#define MERKLE_BLOCK     ((size_t)16384)
#define MERKLE_PIECE_MIN UINT64_C(16384)
#define MERKLE_PIECE_MAX (UINT64_C(128) << 20)

/* How many pieces a file of `size` bytes has. */
uint64_t merkle_pieces(uint64_t size, uint64_t piece_length);
/* How many blocks `len` bytes have. */
size_t merkle_blocks(size_t len);
/* The height at which one node stands for a piece (a power of two, as are all piece lengths). */
unsigned merkle_height(uint64_t piece_length);

/* The root that `count` (at least 1) hashes of a piece layer give. */
ERR_CHECK int merkle_layer_root(const uint8_t *layer, size_t count, uint64_t piece_length,
				uint8_t root[static SHA256_SIZE], struct err *e);

/* --- parts of trees, for those who hash many at once --------------------------------------------
 */

#define MERKLE_HEIGHTS 64

/* The roots of 2^height missing leaves, by height. */
struct merkle_pads {
	uint8_t root[MERKLE_HEIGHTS][SHA256_SIZE];
};

void merkle_fill_pads(struct merkle_pads *pads, struct lanes *l);

#define MERKLE_TOP MERKLE_HEIGHTS /* as a target: wherever one node is left */

/* Nodes of one height, side by side, with room for one more behind them. */
struct merkle_row {
	uint8_t *nodes;
	size_t count;
	unsigned height;
	unsigned target;
};

/* Raises each row to its target, in place: they share lanes. */
void merkle_raise(struct lanes *l, const struct merkle_pads *pads, struct merkle_row *rows,
		  size_t count);

/*
 * The end of a tree whose nodes of one height (at most that of a piece) are known: its root, and
 * its layer, which is appended. `row` has at least one node; its target is ignored.
 */
void merkle_finish(struct lanes *l, const struct merkle_pads *pads, unsigned piece_height,
		   struct merkle_row *row, uint8_t root[static SHA256_SIZE], struct buf *layer);

/* --- a tree whose content comes in order --------------------------------------------------------
 */

struct merkle;

/* piece_length: a power of two from MERKLE_PIECE_MIN to MERKLE_PIECE_MAX. `l` is borrowed. */
struct merkle *merkle_new(uint64_t piece_length, struct lanes *l, struct err *e);
void merkle_free(struct merkle *m);
void merkle_reset(struct merkle *m);
void merkle_update(struct merkle *m, const void *bytes, size_t len);
/*
 * The root (zeros for an empty file), and the piece layer appended to `layer`: 32 bytes a piece,
 * nothing for a file of at most one piece. -1: out of memory, or lanes_check(). Reset before the
 * next update.
 */
ERR_CHECK int merkle_final(struct merkle *m, uint8_t root[static SHA256_SIZE], struct buf *layer,
			   struct err *e);

#endif
