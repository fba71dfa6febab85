#include "swarm/merkle.h"

#include <stdlib.h>
#include <string.h>

#define LEVELS 64

/*
 * A binary counter over hashes: node[l] holds a whole subtree of 2^l of them where bit l of `count`
 * is set. zero[l] is the root of 2^l missing leaves.
 */
struct fold {
	uint64_t count;
	uint8_t node[LEVELS][SHA256_SIZE];
};

struct merkle {
	struct sha256 *sha;
	unsigned depth; /* a piece has 2^depth leaves */
	uint8_t zero[LEVELS][SHA256_SIZE];
	struct fold piece; /* of the leaves since the last whole piece */
	struct buf layer;
	uint64_t blocks;
	size_t held; /* bytes in block[] */
	uint8_t block[MERKLE_BLOCK];
};

static void join(struct sha256 *sha, const uint8_t *left, const uint8_t *right, uint8_t *ret)
{
	uint8_t pair[2 * SHA256_SIZE];

	memcpy(pair, left, SHA256_SIZE);
	memcpy(pair + SHA256_SIZE, right, SHA256_SIZE);
	sha256_once(sha, pair, sizeof pair, ret);
}

static void fold_add(struct fold *f, struct sha256 *sha, const uint8_t *hash)
{
	uint8_t node[SHA256_SIZE];
	unsigned level = 0;

	memcpy(node, hash, SHA256_SIZE);
	for (; f->count >> level & 1; level++)
		join(sha, f->node[level], node, node);
	memcpy(f->node[level], node, SHA256_SIZE);
	f->count++;
}

/* The root of the hashes so far, padded to 2^depth of them; pad[l] stands for 2^l pads. */
static void fold_root(const struct fold *f, struct sha256 *sha, unsigned depth,
		      const uint8_t (*pad)[SHA256_SIZE], uint8_t *ret)
{
	bool started = false;

	for (unsigned level = 0; level < depth; level++) {
		bool set = f->count >> level & 1;
		if (set && started)
			join(sha, f->node[level], ret, ret);
		else if (set)
			join(sha, f->node[level], pad[level], ret);
		else if (started)
			join(sha, ret, pad[level], ret);
		started = started || set;
	}
	if (!started)
		memcpy(ret, f->node[depth], SHA256_SIZE);
}

/* The smallest d with 2^d >= n. */
static unsigned log2_up(uint64_t n)
{
	unsigned d = 0;

	while (UINT64_C(1) << d < n)
		d++;
	return d;
}

static void fill_zeros(struct sha256 *sha, uint8_t (*zero)[SHA256_SIZE], unsigned levels)
{
	memset(zero[0], 0, SHA256_SIZE);
	for (unsigned level = 1; level < levels; level++)
		join(sha, zero[level - 1], zero[level - 1], zero[level]);
}

struct merkle *merkle_new(uint64_t piece_length, struct err *e)
{
	struct merkle *m = calloc(1, sizeof *m);

	if (m == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	buf_init(&m->layer);
	m->depth = log2_up(piece_length / MERKLE_BLOCK);
	m->sha = sha256_new(e);
	if (m->sha == NULL) {
		merkle_free(m);
		return NULL;
	}
	fill_zeros(m->sha, m->zero, LEVELS);
	return m;
}

void merkle_free(struct merkle *m)
{
	if (m == NULL)
		return;
	sha256_free(m->sha);
	buf_release(&m->layer);
	free(m);
}

void merkle_reset(struct merkle *m)
{
	m->piece.count = 0;
	m->blocks = 0;
	m->held = 0;
	buf_clear(&m->layer);
}

static void add_block(struct merkle *m, const uint8_t *block, size_t len)
{
	uint8_t leaf[SHA256_SIZE];

	sha256_once(m->sha, block, len, leaf);
	fold_add(&m->piece, m->sha, leaf);
	m->blocks++;
	if (m->piece.count >> m->depth) {
		buf_add(&m->layer, m->piece.node[m->depth], SHA256_SIZE);
		m->piece.count = 0;
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
		add_block(m, m->block, MERKLE_BLOCK);
		m->held = 0;
	}
	for (; len >= MERKLE_BLOCK; p += MERKLE_BLOCK, len -= MERKLE_BLOCK)
		add_block(m, p, MERKLE_BLOCK);
	if (len > 0)
		memcpy(m->block, p, len);
	m->held = len;
}

static void layer_root(struct sha256 *sha, const uint8_t *layer, size_t count,
		       const uint8_t (*pad)[SHA256_SIZE], uint8_t *ret)
{
	struct fold f = {.count = 0};

	for (size_t i = 0; i < count; i++)
		fold_add(&f, sha, layer + i * SHA256_SIZE);
	fold_root(&f, sha, log2_up(count), pad, ret);
}

int merkle_final(struct merkle *m, uint8_t root[static SHA256_SIZE], struct buf *layer,
		 struct err *e)
{
	const uint8_t(*zero)[SHA256_SIZE] = (const uint8_t(*)[SHA256_SIZE])m->zero;

	if (m->held > 0)
		add_block(m, m->block, m->held);
	m->held = 0;
	size_t pieces = m->layer.len / SHA256_SIZE + (m->piece.count > 0);
	if (m->blocks == 0) {
		memset(root, 0, SHA256_SIZE);
	} else if (pieces == 1 && m->piece.count > 0) {
		fold_root(&m->piece, m->sha, log2_up(m->blocks), zero, root);
	} else if (pieces == 1) {
		memcpy(root, m->layer.data, SHA256_SIZE);
	} else {
		if (m->piece.count > 0) {
			uint8_t last[SHA256_SIZE];
			fold_root(&m->piece, m->sha, m->depth, zero, last);
			buf_add(&m->layer, last, SHA256_SIZE);
		}
		if (buf_check(&m->layer, e) != 0)
			return -1;
		layer_root(m->sha, (const uint8_t *)m->layer.data, pieces, zero + m->depth, root);
		buf_add(layer, m->layer.data, m->layer.len);
	}
	if (buf_check(layer, e) != 0 || buf_check(&m->layer, e) != 0)
		return -1;
	return sha256_check(m->sha, e);
}

int merkle_layer_root(const uint8_t *layer, size_t count, uint64_t piece_length,
		      uint8_t root[static SHA256_SIZE], struct err *e)
{
	uint8_t zero[LEVELS][SHA256_SIZE];
	unsigned depth = log2_up(piece_length / MERKLE_BLOCK);
	struct sha256 *sha = sha256_new(e);

	if (sha == NULL)
		return -1;
	fill_zeros(sha, zero, depth + log2_up(count) + 1);
	layer_root(sha, layer, count, (const uint8_t(*)[SHA256_SIZE])(zero + depth), root);
	int status = sha256_check(sha, e);
	sha256_free(sha);
	return status;
}

uint64_t merkle_pieces(uint64_t size, uint64_t piece_length)
{
	return size / piece_length + (size % piece_length != 0);
}
