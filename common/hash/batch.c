#include "swarm/batch.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/grow.h"

struct batch {
	struct filehash_options options;
	struct lanes *lanes;             /* borrowed */
	const struct merkle_pads *pads;  /* borrowed */
	struct sha256_message *messages; /* leaves, and whole contents */
	size_t message_count, message_room;
	struct merkle_row *rows; /* one for each content that is not empty */
	size_t row_count, row_room;
	struct buf nodes; /* of all rows, each with room for one more */
};

struct batch *batch_new(const struct filehash_options *options, struct lanes *l,
			const struct merkle_pads *pads, struct err *e)
{
	struct batch *b = calloc(1, sizeof *b);

	if (b == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	b->options = *options;
	b->lanes = l;
	b->pads = pads;
	buf_init(&b->nodes);
	return b;
}

void batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	free(b->messages);
	free(b->rows);
	buf_release(&b->nodes);
	free(b);
}

static int add_message(struct batch *b, const uint8_t *bytes, size_t len, uint8_t *digest,
		       struct err *e)
{
	struct sha256_message *more =
	    grow_for_one(b->messages, b->message_count, &b->message_room, sizeof *b->messages, e);

	if (more == NULL)
		return -1;
	b->messages = more;
	more[b->message_count++] = (struct sha256_message){bytes, len, digest};
	return 0;
}

static int add_leaves(struct batch *b, const struct batch_item *item, uint8_t *nodes, struct err *e)
{
	struct merkle_row *more =
	    grow_for_one(b->rows, b->row_count, &b->row_room, sizeof *b->rows, e);

	if (more == NULL)
		return -1;
	b->rows = more;
	more[b->row_count++] =
	    (struct merkle_row){.nodes = nodes, .count = merkle_blocks(item->len)};
	for (size_t at = 0; at < item->len; at += MERKLE_BLOCK, nodes += SHA256_SIZE) {
		size_t left = item->len - at;
		if (add_message(b, item->bytes + at, left < MERKLE_BLOCK ? left : MERKLE_BLOCK,
				nodes, e) != 0)
			return -1;
	}
	return 0;
}

static int add_all(struct batch *b, const struct batch_item *items, size_t count, struct err *e)
{
	size_t room = 0;

	b->message_count = b->row_count = 0;
	buf_clear(&b->nodes);
	for (size_t i = 0; i < count; i++)
		room += (merkle_blocks(items[i].len) + 1) * SHA256_SIZE;
	uint8_t *nodes = (uint8_t *)buf_room(&b->nodes, room);
	if (nodes == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++) {
		const struct batch_item *item = &items[i];
		/* The digest of one block is its leaf already. */
		bool is_leaf = item->len > 0 && item->len <= MERKLE_BLOCK;
		if (b->options.plain && !is_leaf &&
		    add_message(b, item->bytes, item->len, item->ret->sha256, e) != 0)
			return -1;
		if (item->len > 0 && add_leaves(b, item, nodes, e) != 0)
			return -1;
		nodes += (merkle_blocks(item->len) + 1) * SHA256_SIZE;
	}
	return 0;
}

/* Up to the pieces where there are several, and up to the root where there are not. */
static void raise_to_layers(struct batch *b)
{
	unsigned height = merkle_height(b->options.piece_length);

	for (size_t i = 0; i < b->row_count; i++)
		b->rows[i].target = b->rows[i].count > (size_t)1 << height ? height : MERKLE_TOP;
	merkle_raise(b->lanes, b->pads, b->rows, b->row_count);
}

static int take_layers(struct batch *b, const struct batch_item *items, size_t count, struct err *e)
{
	struct merkle_row *row = b->rows;

	for (size_t i = 0; i < count; i++) {
		struct filehash_digests *ret = items[i].ret;
		buf_clear(&ret->layer);
		if (items[i].len == 0)
			continue;
		if (row->target != MERKLE_TOP)
			buf_add(&ret->layer, row->nodes, row->count * SHA256_SIZE);
		if (buf_check(&ret->layer, e) != 0)
			return -1;
		row->target = MERKLE_TOP;
		row++;
	}
	return 0;
}

static void take_roots(const struct batch *b, const struct batch_item *items, size_t count)
{
	const struct merkle_row *row = b->rows;

	for (size_t i = 0; i < count; i++) {
		struct filehash_digests *ret = items[i].ret;
		ret->size = items[i].len;
		ret->has_sha256 = b->options.plain;
		memset(ret->root, 0, SHA256_SIZE);
		if (items[i].len == 0)
			continue;
		memcpy(ret->root, row->nodes, SHA256_SIZE);
		if (ret->has_sha256 && items[i].len <= MERKLE_BLOCK)
			memcpy(ret->sha256, row->nodes, SHA256_SIZE);
		row++;
	}
}

int batch_hash(struct batch *b, const struct batch_item *items, size_t count, struct err *e)
{
	if (add_all(b, items, count, e) != 0)
		return -1;
	lanes_hash(b->lanes, b->messages, b->message_count);
	raise_to_layers(b);
	if (take_layers(b, items, count, e) != 0)
		return -1;
	merkle_raise(b->lanes, b->pads, b->rows, b->row_count);
	take_roots(b, items, count);
	return lanes_check(b->lanes, e);
}
