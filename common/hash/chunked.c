#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/chunked.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES (CHUNKED_SIZE / MERKLE_BLOCK)

struct chunked {
	const struct merkle_pads *pads; /* borrowed */
	unsigned piece_height;
	unsigned height; /* of the nodes that are kept: a chunk's, or a piece's if that is less */
	size_t each;     /* how many of them a whole chunk has */
	uint64_t size, count;
	uint8_t *nodes; /* of all chunks, and room for one more */
};

struct chunked *chunked_new(uint64_t piece_length, uint64_t size, const struct merkle_pads *pads,
			    struct err *e)
{
	struct chunked *c = calloc(1, sizeof *c);
	unsigned height = merkle_height(CHUNKED_SIZE);

	if (c == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	c->pads = pads;
	c->piece_height = merkle_height(piece_length);
	c->height = c->piece_height < height ? c->piece_height : height;
	c->each = LEAVES >> c->height;
	c->size = size;
	c->count = merkle_pieces(size, CHUNKED_SIZE);
	if (c->count > SIZE_MAX / SHA256_SIZE / LEAVES - 1) {
		free(c);
		(void)err_nomem(e);
		return NULL;
	}
	c->nodes = reallocarray(NULL, c->count * c->each + 1, SHA256_SIZE);
	if (c->nodes == NULL) {
		free(c);
		(void)err_nomem(e);
		return NULL;
	}
	return c;
}

void chunked_free(struct chunked *c)
{
	if (c == NULL)
		return;
	free(c->nodes);
	free(c);
}

uint64_t chunked_count(const struct chunked *c)
{
	return c->count;
}

void chunked_add(struct chunked *c, struct lanes *l, uint64_t index, const void *bytes, size_t len)
{
	uint8_t leaves[LEAVES + 1][SHA256_SIZE];
	struct sha256_message blocks[LEAVES];
	/* The only node there is is the root, and no higher than its leaves make it. */
	bool is_root = c->size <= (uint64_t)MERKLE_BLOCK << c->height;
	struct merkle_row row = {.nodes = leaves[0], .target = is_root ? MERKLE_TOP : c->height};

	for (size_t at = 0; at < len; at += MERKLE_BLOCK) {
		size_t left = len - at;
		blocks[row.count] = (struct sha256_message){
		    (const uint8_t *)bytes + at, left < MERKLE_BLOCK ? left : MERKLE_BLOCK,
		    leaves[row.count]};
		row.count++;
	}
	lanes_hash(l, blocks, row.count);
	merkle_raise(l, c->pads, &row, 1);
	memcpy(c->nodes + index * c->each * SHA256_SIZE, row.nodes, row.count * SHA256_SIZE);
}

void chunked_finish(struct chunked *c, struct lanes *l, uint8_t root[static SHA256_SIZE],
		    struct buf *layer)
{
	uint64_t node = (uint64_t)MERKLE_BLOCK << c->height;
	struct merkle_row row = {
	    .nodes = c->nodes, .count = (size_t)merkle_pieces(c->size, node), .height = c->height};

	if (row.count == 0)
		memset(root, 0, SHA256_SIZE);
	else
		merkle_finish(l, c->pads, c->piece_height, &row, root, layer);
}
