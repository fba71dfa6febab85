#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/sha.h>

#include "swarm/hex.h"
#include "swarm/merkle.h"

#include "patience.h"
#define KIB 1024

/* --- the definition, taken literally ---------------------------------------------------------- */

/* The root of a tree of `leaves` (a power of two) over bytes; what is behind them is missing. */
static void tree(const uint8_t *bytes, size_t len, size_t leaves, uint8_t *ret)
{
	if (leaves == 1) {
		memset(ret, 0, SHA256_SIZE);
		if (len > 0)
			SHA256(bytes, len, ret);
		return;
	}
	uint8_t pair[2 * SHA256_SIZE];
	size_t half = leaves / 2 * MERKLE_BLOCK, left = len < half ? len : half;
	tree(bytes, left, leaves / 2, pair);
	tree(bytes + left, len - left, leaves / 2, pair + SHA256_SIZE);
	SHA256(pair, sizeof pair, ret);
}

static size_t power_of_two(size_t n)
{
	size_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static void reference(const uint8_t *bytes, size_t len, size_t piece, uint8_t *root,
		      struct buf *layer)
{
	memset(root, 0, SHA256_SIZE);
	if (len == 0)
		return;
	/* The root is that of the whole file: it does not depend on the piece length. */
	tree(bytes, len, power_of_two((len + MERKLE_BLOCK - 1) / MERKLE_BLOCK), root);
	for (size_t at = 0; len > piece && at < len; at += piece) {
		uint8_t hash[SHA256_SIZE];
		tree(bytes + at, len - at < piece ? len - at : piece, piece / MERKLE_BLOCK, hash);
		buf_add(layer, hash, SHA256_SIZE);
	}
}

/* --- helpers ---------------------------------------------------------------------------------- */

static unsigned seed = 1;

static size_t chance(size_t below)
{
	seed = seed * 1103515245 + 12345;
	size_t high = seed >> 16;
	seed = seed * 1103515245 + 12345;
	return (high << 15 ^ seed >> 16) % below;
}

static struct lanes *lanes;

static struct merkle *new_merkle(uint64_t piece)
{
	struct err e;
	struct merkle *m = merkle_new(piece, lanes, &e);

	if (m == NULL)
		fail_msg("%s", e.msg);
	return m;
}

static void finish(struct merkle *m, uint8_t *root, struct buf *layer)
{
	struct err e;

	if (merkle_final(m, root, layer, &e) != 0)
		fail_msg("%s", e.msg);
}

/* --- vectors ---------------------------------------------------------------------------------- */

/* 'a' n times, in pieces of 64 KiB; made with libtorrent 2.0 and torrent-file-editor. */
static void assert_vector(size_t n, const char *want, size_t pieces)
{
	uint8_t root[SHA256_SIZE], again[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 1];
	struct buf layer = BUF_INIT;
	struct err e;
	struct merkle *m = new_merkle(64 * KIB);
	char *letters = malloc(n + 1);

	assert_non_null(letters);
	memset(letters, 'a', n);
	merkle_update(m, letters, n);
	finish(m, root, &layer);
	hex_format(text, root, SHA256_SIZE);
	assert_memory_equal(text, want, 8);
	assert_string_equal(text + 64 - strlen(want + 8), want + 8);
	assert_int_equal(layer.len, pieces * SHA256_SIZE);
	if (pieces > 0) {
		assert_int_equal(
		    merkle_layer_root((const uint8_t *)layer.data, pieces, 64 * KIB, again, &e), 0);
		assert_memory_equal(again, root, SHA256_SIZE);
	}
	free(letters);
	buf_release(&layer);
	merkle_free(m);
}

static void merkle_agrees_with_known_vectors(void **state)
{
	(void)state;
	/* The first eight digits of the root, and its last ones. */
	assert_vector(1,
		      "ca978112"
		      "ee48bb",
		      0);
	assert_vector(16385,
		      "dcdfa5bb"
		      "a442be79",
		      0);
	assert_vector(65536,
		      "92157cae"
		      "4925cc61",
		      0);
	assert_vector(65537,
		      "cbe670df"
		      "4f98d7d2",
		      2);
	assert_vector(196609,
		      "5837b5d5"
		      "96fcbf1b",
		      4);
}

static void merkle_of_a_block_is_its_plain_hash(void **state)
{
	static uint8_t bytes[MERKLE_BLOCK];
	static const size_t sizes[] = {1, 2, 100, MERKLE_BLOCK - 1, MERKLE_BLOCK};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint8_t root[SHA256_SIZE], want[SHA256_SIZE];
		struct buf layer = BUF_INIT;
		struct merkle *m = new_merkle(MERKLE_PIECE_MIN);
		merkle_update(m, bytes, sizes[i]);
		finish(m, root, &layer);
		SHA256(bytes, sizes[i], want);
		assert_memory_equal(root, want, SHA256_SIZE);
		assert_int_equal(layer.len, 0);
		merkle_free(m);
		buf_release(&layer);
	}
}

static void merkle_of_nothing_is_zeros(void **state)
{
	static const uint8_t zeros[SHA256_SIZE];
	uint8_t root[SHA256_SIZE];
	struct buf layer = BUF_INIT;
	struct merkle *m = new_merkle(MERKLE_PIECE_MIN);

	(void)state;
	finish(m, root, &layer);
	assert_memory_equal(root, zeros, SHA256_SIZE);
	merkle_reset(m);
	merkle_update(m, NULL, 0);
	finish(m, root, &layer);
	assert_memory_equal(root, zeros, SHA256_SIZE);
	assert_int_equal(layer.len, 0);
	merkle_free(m);
	merkle_free(NULL);
	buf_release(&layer);
}

/* --- against the definition ------------------------------------------------------------------- */

enum chunking {
	WHOLE,
	RANDOM,    /* mostly large */
	SMALL,     /* a few bytes each */
	AT_BLOCKS, /* just before, at and behind the end of a block */
};

static void feed(struct merkle *m, const uint8_t *bytes, size_t len, enum chunking chunking)
{
	for (size_t at = 0; at < len;) {
		size_t n = len;
		if (chunking == RANDOM)
			n = chance(100000);
		else if (chunking == SMALL)
			n = chance(700);
		else if (chunking == AT_BLOCKS)
			n = MERKLE_BLOCK - at % MERKLE_BLOCK - 1 + chance(3);
		if (n > len - at)
			n = len - at;
		merkle_update(m, bytes + at, n);
		at += n;
	}
}

static void assert_same(struct merkle *m, const uint8_t *bytes, size_t len, size_t piece,
			enum chunking chunking)
{
	uint8_t root[SHA256_SIZE], want[SHA256_SIZE], again[SHA256_SIZE];
	struct buf layer = BUF_INIT, want_layer = BUF_INIT;
	struct err e;

	merkle_reset(m);
	feed(m, bytes, len, chunking);
	finish(m, root, &layer);
	reference(bytes, len, piece, want, &want_layer);
	if (memcmp(root, want, SHA256_SIZE) != 0 || layer.len != want_layer.len ||
	    memcmp(layer.data, want_layer.data, layer.len) != 0)
		fail_msg("%zu bytes in pieces of %zu", len, piece);
	uint64_t pieces = merkle_pieces(len, piece);
	assert_int_equal(layer.len / SHA256_SIZE, pieces > 1 ? pieces : 0);
	if (pieces > 1) {
		assert_int_equal(merkle_layer_root((const uint8_t *)layer.data, (size_t)pieces,
						   piece, again, &e),
				 0);
		assert_memory_equal(again, root, SHA256_SIZE);
	}
	buf_release(&layer);
	buf_release(&want_layer);
}

static uint8_t *make_bytes(size_t len)
{
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)chance(256);
	return bytes;
}

/* Sizes around every multiple of a block, up to three pieces and a bit. */
static void merkle_agrees_with_its_definition_at_every_block(void **state)
{
	static const size_t pieces[] = {16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB};
	uint8_t *bytes = make_bytes(512 * KIB);

	(void)state;
	for (size_t i = 0; i < patience(sizeof pieces / sizeof *pieces, 2); i++) {
		struct merkle *m = new_merkle(pieces[i]);
		size_t end = 3 * pieces[i] + MERKLE_BLOCK;
		for (size_t at = 0; at <= end; at += MERKLE_BLOCK) {
			for (size_t len = at > 0 ? at - 1 : 0; len <= at + 1; len++) {
				assert_same(m, bytes, len, pieces[i], WHOLE);
				assert_same(m, bytes, len, pieces[i], AT_BLOCKS);
			}
		}
		merkle_free(m);
	}
	free(bytes);
}

/* Around every multiple of a piece, and every power of two of them, up to 4 MiB. */
static void merkle_agrees_with_its_definition_at_every_piece(void **state)
{
	uint8_t *bytes = make_bytes(4096 * KIB + MERKLE_BLOCK + 1);

	(void)state;
	for (size_t piece = 16 * KIB; piece <= patience(1024, 32) * KIB; piece *= 2) {
		struct merkle *m = new_merkle(piece);
		size_t step = piece < 256 * KIB ? 256 * KIB : piece;
		for (size_t at = 0; at <= 9 * piece && at <= 4096 * KIB; at += piece) {
			assert_same(m, bytes, at, piece, RANDOM);
			assert_same(m, bytes, at + 1, piece, RANDOM);
			if (at > 0)
				assert_same(m, bytes, at - 1, piece, RANDOM);
			assert_same(m, bytes, at + MERKLE_BLOCK, piece, RANDOM);
		}
		for (size_t at = step; at <= 4096 * KIB; at *= 2)
			for (size_t len = at - 1; len <= at + 1; len++)
				assert_same(m, bytes, len, piece, RANDOM);
		merkle_free(m);
	}
	free(bytes);
}

static void merkle_does_not_depend_on_how_bytes_come(void **state)
{
	uint8_t *bytes = make_bytes(300 * KIB);

	(void)state;
	for (size_t round = 0; round < patience(60, 10); round++) {
		size_t piece = (size_t)16 * KIB << chance(5);
		struct merkle *m = new_merkle(piece);
		assert_same(m, bytes, chance(300 * KIB), piece, SMALL);
		assert_same(m, bytes, chance(300 * KIB), piece, AT_BLOCKS);
		merkle_free(m);
	}
	free(bytes);
}

static void merkle_root_does_not_depend_on_the_piece_length(void **state)
{
	uint8_t *bytes = make_bytes(1000001);
	uint8_t first[SHA256_SIZE];

	(void)state;
	for (uint64_t piece = MERKLE_PIECE_MIN; piece <= MERKLE_PIECE_MAX; piece *= 2) {
		uint8_t root[SHA256_SIZE];
		struct buf layer = BUF_INIT;
		struct merkle *m = new_merkle(piece);
		merkle_update(m, bytes, 1000001);
		finish(m, piece == MERKLE_PIECE_MIN ? first : root, &layer);
		if (piece > MERKLE_PIECE_MIN)
			assert_memory_equal(root, first, SHA256_SIZE);
		buf_release(&layer);
		merkle_free(m);
	}
	free(bytes);
}

static void merkle_reset_forgets_a_half_read_file(void **state)
{
	uint8_t *bytes = make_bytes(200 * KIB);
	struct merkle *m = new_merkle(32 * KIB);

	(void)state;
	for (size_t before = 0; before < 200 * KIB; before += 9973) {
		merkle_reset(m);
		merkle_update(m, bytes + 1, before);
		assert_same(m, bytes, 100 * KIB + 1, 32 * KIB, RANDOM);
	}
	merkle_free(m);
	free(bytes);
}

/* A layer of any length; at the longest piece the pads stand for 128 MiB each. */
static void merkle_layer_root_pads_with_missing_pieces(void **state)
{
	static uint8_t layer[300 * SHA256_SIZE];
	uint8_t pad[SHA256_SIZE] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof layer; i++)
		layer[i] = (uint8_t)chance(256);
	for (int depth = 0; depth < 14; depth++) {
		for (size_t count = 1; count <= 300; count += count < 20 ? 1 : 37) {
			size_t width = power_of_two(count);
			uint8_t root[SHA256_SIZE];
			struct err e;
			uint8_t *nodes = malloc(width * SHA256_SIZE);
			assert_non_null(nodes);
			for (size_t i = 0; i < width; i++)
				memcpy(nodes + i * SHA256_SIZE,
				       i < count ? layer + i * SHA256_SIZE : pad, SHA256_SIZE);
			for (; width > 1; width /= 2)
				for (size_t i = 0; i < width / 2; i++)
					SHA256(nodes + 2 * i * SHA256_SIZE, 2 * SHA256_SIZE,
					       nodes + i * SHA256_SIZE);
			assert_int_equal(
			    merkle_layer_root(layer, count, MERKLE_PIECE_MIN << depth, root, &e),
			    0);
			assert_memory_equal(root, nodes, SHA256_SIZE);
			free(nodes);
		}
		uint8_t pair[2 * SHA256_SIZE];
		memcpy(pair, pad, SHA256_SIZE);
		memcpy(pair + SHA256_SIZE, pad, SHA256_SIZE);
		SHA256(pair, sizeof pair, pad);
	}
}

static void merkle_pieces_never_wraps(void **state)
{
	(void)state;
	assert_int_equal(merkle_pieces(0, 16384), 0);
	assert_int_equal(merkle_pieces(1, 16384), 1);
	assert_int_equal(merkle_pieces(16384, 16384), 1);
	assert_int_equal(merkle_pieces(16385, 16384), 2);
	assert_int_equal(merkle_pieces(UINT64_MAX, 16384), UINT64_C(1) << 50);
	assert_int_equal(merkle_pieces(UINT64_MAX, MERKLE_PIECE_MAX), UINT64_C(1) << 37);
}

static int setup(void **state)
{
	struct err e;

	(void)state;
	lanes = lanes_new(&e);
	return lanes != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	lanes_free(lanes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(merkle_agrees_with_known_vectors),
	    cmocka_unit_test(merkle_of_a_block_is_its_plain_hash),
	    cmocka_unit_test(merkle_of_nothing_is_zeros),
	    cmocka_unit_test(merkle_agrees_with_its_definition_at_every_block),
	    cmocka_unit_test(merkle_agrees_with_its_definition_at_every_piece),
	    cmocka_unit_test(merkle_does_not_depend_on_how_bytes_come),
	    cmocka_unit_test(merkle_root_does_not_depend_on_the_piece_length),
	    cmocka_unit_test(merkle_reset_forgets_a_half_read_file),
	    cmocka_unit_test(merkle_layer_root_pads_with_missing_pieces),
	    cmocka_unit_test(merkle_pieces_never_wraps),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
