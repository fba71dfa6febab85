/* The digests of a content as their definition says, taken literally, and contents to try. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "swarm/filehash.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define KIB          ((size_t)1024)
#define MIB          (1024 * KIB)

/* The root of a tree of `leaves` (a power of two) over bytes; what is behind them is missing. */
static inline void tree_root(const uint8_t *bytes, size_t len, size_t leaves, uint8_t *ret)
{
	if (leaves == 1) {
		memset(ret, 0, SHA256_SIZE);
		if (len > 0)
			SHA256(bytes, len, ret);
		return;
	}
	uint8_t pair[2 * SHA256_SIZE];
	size_t half = leaves / 2 * MERKLE_BLOCK, left = len < half ? len : half;
	tree_root(bytes, left, leaves / 2, pair);
	tree_root(bytes + left, len - left, leaves / 2, pair + SHA256_SIZE);
	SHA256(pair, sizeof pair, ret);
}

/* All that a filehash says of bytes; the caller releases `ret`. */
static inline void define_digests(const struct filehash_options *options, const uint8_t *bytes,
				  size_t len, struct filehash_digests *ret)
{
	size_t piece = (size_t)options->piece_length, leaves = 1;

	*ret = (struct filehash_digests)FILEHASH_DIGESTS_INIT;
	ret->size = len;
	ret->has_sha256 = options->plain;
	if (options->plain)
		SHA256(bytes, len, ret->sha256);
	while (leaves * MERKLE_BLOCK < len)
		leaves *= 2;
	tree_root(bytes, len, leaves, ret->root);
	for (size_t at = 0; len > piece && at < len; at += piece) {
		uint8_t hash[SHA256_SIZE];
		tree_root(bytes + at, len - at < piece ? len - at : piece, piece / MERKLE_BLOCK,
			  hash);
		buf_add(&ret->layer, hash, SHA256_SIZE);
	}
}

/* NULL, or what is not the same. */
static inline const char *difference(const struct filehash_digests *x,
				     const struct filehash_digests *y)
{
	if (x->size != y->size)
		return "size";
	if (memcmp(x->root, y->root, SHA256_SIZE) != 0)
		return "root";
	if (x->layer.len != y->layer.len || memcmp(x->layer.data, y->layer.data, x->layer.len) != 0)
		return "layer";
	if (x->has_sha256 != y->has_sha256)
		return "has_sha256";
	if (x->has_sha256 && memcmp(x->sha256, y->sha256, SHA256_SIZE) != 0)
		return "sha256";
	return NULL;
}

/* Bytes that are the same nowhere else; the caller frees them. */
static inline uint8_t *make_content(size_t len, unsigned seed)
{
	uint8_t *bytes = malloc(len + 1);
	uint64_t x = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;

	for (size_t i = 0; bytes != NULL && i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (uint8_t)(x >> 32);
	}
	return bytes;
}
