#include "swarm/merkle.h"

#include <stdlib.h>
#include <string.h>

/* Nodes of the same height that are hashed at a time, of however many rows. */
#define GROUP ((size_t)128)
/* What is kept of content that comes in order is one node for 2^6 leaves, a mebibyte. */
#define RUN_HEIGHT 6
#define RUN_LEAVES ((size_t)1 << RUN_HEIGHT)

uint64_t merkle_pieces(uint64_t size, uint64_t piece_length)
{
	return size / piece_length + (size % piece_length != 0);
}

size_t merkle_blocks(size_t len)
{
	return len / MERKLE_BLOCK + (len % MERKLE_BLOCK != 0);
}

unsigned merkle_height(uint64_t piece_length)
{
	unsigned height = 0;

	while (MERKLE_BLOCK << height < piece_length)
		height++;
	return height;
}

/* --- rows ---------------------------------------------------------------------------------------
 */

void merkle_fill_pads(struct merkle_pads *pads, struct lanes *l)
{
	memset(pads->root[0], 0, SHA256_SIZE);
	for (unsigned height = 1; height < MERKLE_HEIGHTS; height++) {
		uint8_t pair[2 * SHA256_SIZE];
		memcpy(pair, pads->root[height - 1], SHA256_SIZE);
		memcpy(pair + SHA256_SIZE, pads->root[height - 1], SHA256_SIZE);
		lanes_hash(l, &(struct sha256_message){pair, sizeof pair, pads->root[height]}, 1);
	}
}

/* Pairs that wait to be hashed, and where what they give belongs. */
struct group {
	struct sha256_message pairs[GROUP];
	uint8_t *homes[GROUP];
	uint8_t digests[GROUP][SHA256_SIZE];
	size_t count;
};

/*
 * A node's home is where its pair, or one further in front, has stood: not to be written to before
 * all of the group are hashed.
 */
static void settle(struct group *g, struct lanes *l)
{
	lanes_hash(l, g->pairs, g->count);
	for (size_t i = 0; i < g->count; i++)
		memcpy(g->homes[i], g->digests[i], SHA256_SIZE);
	g->count = 0;
}

static void add_pair(struct group *g, struct lanes *l, const uint8_t *pair, uint8_t *home)
{
	g->pairs[g->count] = (struct sha256_message){pair, 2 * SHA256_SIZE, g->digests[g->count]};
	g->homes[g->count] = home;
	if (++g->count == GROUP)
		settle(g, l);
}

static bool is_there(const struct merkle_row *row)
{
	return row->height == row->target || (row->target == MERKLE_TOP && row->count == 1);
}

/* One height up. Returns whether there was anything to do. */
static bool raise_all(struct group *g, struct lanes *l, const struct merkle_pads *pads,
		      struct merkle_row *rows, size_t count)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		struct merkle_row *row = &rows[i];
		if (row->count == 0 || is_there(row))
			continue;
		any = true;
		if (row->count % 2 != 0)
			memcpy(row->nodes + row->count * SHA256_SIZE, pads->root[row->height],
			       SHA256_SIZE);
		row->count = (row->count + 1) / 2;
		row->height++;
		for (size_t k = 0; k < row->count; k++)
			add_pair(g, l, row->nodes + k * 2 * SHA256_SIZE,
				 row->nodes + k * SHA256_SIZE);
	}
	settle(g, l);
	return any;
}

void merkle_raise(struct lanes *l, const struct merkle_pads *pads, struct merkle_row *rows,
		  size_t count)
{
	struct group g;

	g.count = 0;
	while (raise_all(&g, l, pads, rows, count))
		;
}

void merkle_finish(struct lanes *l, const struct merkle_pads *pads, unsigned piece_height,
		   struct merkle_row *row, uint8_t root[static SHA256_SIZE], struct buf *layer)
{
	bool one_piece = row->count <= (size_t)1 << (piece_height - row->height);

	if (!one_piece) {
		row->target = piece_height;
		merkle_raise(l, pads, row, 1);
		buf_add(layer, row->nodes, row->count * SHA256_SIZE);
	}
	row->target = MERKLE_TOP;
	merkle_raise(l, pads, row, 1);
	memcpy(root, row->nodes, SHA256_SIZE);
}

int merkle_layer_root(const uint8_t *layer, size_t count, uint64_t piece_length,
		      uint8_t root[static SHA256_SIZE], struct err *e)
{
	struct merkle_row row = {
	    .count = count, .height = merkle_height(piece_length), .target = MERKLE_TOP};
	struct merkle_pads *pads = malloc(sizeof *pads);
	struct lanes *l = NULL;
	int status = -1;

	row.nodes = malloc((count + 1) * SHA256_SIZE);
	if (pads == NULL || row.nodes == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	l = lanes_new(e);
	if (l == NULL)
		goto out;
	merkle_fill_pads(pads, l);
	memcpy(row.nodes, layer, count * SHA256_SIZE);
	merkle_raise(l, pads, &row, 1);
	memcpy(root, row.nodes, SHA256_SIZE);
	status = lanes_check(l, e);
out:
	lanes_free(l);
	free(row.nodes);
	free(pads);
	return status;
}

/* --- in order -----------------------------------------------------------------------------------
 */

struct merkle {
	struct lanes *lanes; /* borrowed */
	struct merkle_pads pads;
	unsigned piece_height;
	unsigned run_height; /* of the nodes that are kept */
	struct buf nodes;    /* of all whole runs */
	size_t leaf_count;   /* of the run at hand */
	uint8_t leaves[RUN_LEAVES + 1][SHA256_SIZE];
	size_t held; /* bytes in block[] */
	uint8_t block[MERKLE_BLOCK];
};

struct merkle *merkle_new(uint64_t piece_length, struct lanes *l, struct err *e)
{
	struct merkle *m = calloc(1, sizeof *m);

	if (m == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	m->lanes = l;
	buf_init(&m->nodes);
	m->piece_height = merkle_height(piece_length);
	m->run_height = m->piece_height < RUN_HEIGHT ? m->piece_height : RUN_HEIGHT;
	merkle_fill_pads(&m->pads, l);
	return m;
}

void merkle_free(struct merkle *m)
{
	if (m == NULL)
		return;
	buf_release(&m->nodes);
	free(m);
}

void merkle_reset(struct merkle *m)
{
	m->leaf_count = 0;
	m->held = 0;
	buf_clear(&m->nodes);
}

/* Moves the leaves at hand to the nodes. */
static void end_run(struct merkle *m)
{
	struct merkle_row row = {
	    .nodes = m->leaves[0], .count = m->leaf_count, .target = m->run_height};

	merkle_raise(m->lanes, &m->pads, &row, 1);
	buf_add(&m->nodes, row.nodes, row.count * SHA256_SIZE);
	m->leaf_count = 0;
}

/* Whole blocks, but for the last of a file. */
static void add_blocks(struct merkle *m, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		struct sha256_message blocks[RUN_LEAVES];
		size_t n = 0;
		for (; len > 0 && m->leaf_count + n < RUN_LEAVES; n++) {
			size_t size = len < MERKLE_BLOCK ? len : MERKLE_BLOCK;
			blocks[n] =
			    (struct sha256_message){bytes, size, m->leaves[m->leaf_count + n]};
			bytes += size;
			len -= size;
		}
		lanes_hash(m->lanes, blocks, n);
		m->leaf_count += n;
		if (m->leaf_count == RUN_LEAVES)
			end_run(m);
	}
}

void merkle_update(struct merkle *m, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	if (m->held > 0) {
		size_t n = MERKLE_BLOCK - m->held < len ? MERKLE_BLOCK - m->held : len;
		memcpy(m->block + m->held, p, n);
		m->held += n;
		p += n;
		len -= n;
		if (m->held < MERKLE_BLOCK)
			return;
		add_blocks(m, m->block, MERKLE_BLOCK);
		m->held = 0;
	}
	size_t whole = len / MERKLE_BLOCK * MERKLE_BLOCK;
	add_blocks(m, p, whole);
	if (len > whole)
		memcpy(m->block, p + whole, len - whole);
	m->held = len - whole;
}

int merkle_final(struct merkle *m, uint8_t root[static SHA256_SIZE], struct buf *layer,
		 struct err *e)
{
	struct merkle_row row = {.nodes = m->leaves[0]};

	if (m->held > 0)
		add_blocks(m, m->block, m->held);
	m->held = 0;
	row.count = m->leaf_count;
	if (m->nodes.len > 0) {
		if (m->leaf_count > 0)
			end_run(m);
		(void)buf_room(&m->nodes, SHA256_SIZE);
		row = (struct merkle_row){.nodes = (uint8_t *)m->nodes.data,
					  .count = m->nodes.len / SHA256_SIZE,
					  .height = m->run_height};
		if (buf_check(&m->nodes, e) != 0)
			return -1;
	}
	if (row.count == 0)
		memset(root, 0, SHA256_SIZE);
	else
		merkle_finish(m->lanes, &m->pads, m->piece_height, &row, root, layer);
	if (buf_check(layer, e) != 0)
		return -1;
	return lanes_check(m->lanes, e);
}
