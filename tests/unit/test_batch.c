#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/batch.h"

#include "contents.h"
#include "patience.h"

#define ITEMS_MAX ((size_t)300)

/* --- helpers ---------------------------------------------------------------------------------- */

struct bench {
	struct filehash_options options;
	struct batch *batch;
	struct filehash *one;
	struct batch_item items[ITEMS_MAX];
	struct filehash_digests digests[ITEMS_MAX];
	size_t count;
};

static struct bench *new_bench(size_t piece_length, bool plain)
{
	struct bench *b = calloc(1, sizeof *b);
	struct err e;

	assert_non_null(b);
	b->options = (struct filehash_options){piece_length, plain};
	b->batch = batch_new(&b->options, lanes, &pads, &e);
	b->one = filehash_new(&b->options, &e);
	assert_non_null(b->batch);
	assert_non_null(b->one);
	for (size_t i = 0; i < ITEMS_MAX; i++)
		b->digests[i] = (struct filehash_digests)FILEHASH_DIGESTS_INIT;
	return b;
}

static void free_bench(struct bench *b)
{
	batch_free(b->batch);
	filehash_free(b->one);
	for (size_t i = 0; i < ITEMS_MAX; i++)
		filehash_release(&b->digests[i]);
	free(b);
}

static void add(struct bench *b, size_t at, size_t len)
{
	assert_true(b->count < ITEMS_MAX && at + len <= CONTENT);
	b->items[b->count] = (struct batch_item){content + at, len, &b->digests[b->count]};
	b->count++;
}

/* Both the definition and filehash, which gets the bytes in parts. */
static void assert_digests(struct bench *b, const struct batch_item *item)
{
	struct filehash_digests want, parts = FILEHASH_DIGESTS_INIT;
	struct err e;

	define_digests(&b->options, item->bytes, item->len, &want);
	for (size_t at = 0, step = 7777; at < item->len; at += step)
		filehash_update(b->one, item->bytes + at,
				item->len - at < step ? item->len - at : step);
	assert_int_equal(filehash_final(b->one, &parts, &e), 0);
	const char *by_batch = difference(item->ret, &want), *by_parts = difference(&parts, &want);
	if (by_batch != NULL || by_parts != NULL)
		fail_msg("%zu bytes in pieces of %zu: batch: %s, filehash: %s", item->len,
			 (size_t)b->options.piece_length, by_batch, by_parts);
	filehash_release(&want);
	filehash_release(&parts);
}

/* Hashes what was added, and starts over. */
static void assert_hashed(struct bench *b)
{
	struct err e;

	if (batch_hash(b->batch, b->items, b->count, &e) != 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < b->count; i++)
		assert_digests(b, &b->items[i]);
	b->count = 0;
}

static const size_t piece_lengths[] = {16 * KIB,  32 * KIB,  64 * KIB, 128 * KIB,
				       256 * KIB, 512 * KIB, MIB,      128 * MIB};

/* --- tests ------------------------------------------------------------------------------------ */

static void digests_are_right_around_blocks(void **state)
{
	(void)state;
	for (size_t p = 0; p < patience(COUNT(piece_lengths), 2); p++) {
		for (int plain = 0; plain < 2; plain++) {
			struct bench *b = new_bench(piece_lengths[p], plain == 1);
			add(b, 0, 0);
			add(b, 1, 1);
			for (size_t end = MERKLE_BLOCK; end <= 9 * MERKLE_BLOCK;
			     end += MERKLE_BLOCK)
				for (size_t len = end - 1; len <= end + 1; len++)
					add(b, len % 64, len);
			assert_hashed(b);
			free_bench(b);
		}
	}
}

static void digests_are_right_around_pieces(void **state)
{
	(void)state;
	for (size_t p = 0; p < patience(COUNT(piece_lengths), 2); p++) {
		size_t piece = piece_lengths[p];
		for (int plain = 0; plain < 2; plain++) {
			struct bench *b = new_bench(piece, plain == 1);
			for (size_t k = 1; k <= 5 && k * piece <= MIB; k++) {
				for (size_t len = k * piece - 1; len <= k * piece + 1; len++)
					add(b, 0, len);
				add(b, 0, k * piece - MERKLE_BLOCK);
				if (k * piece + MERKLE_BLOCK < CONTENT)
					add(b, 0, k * piece + MERKLE_BLOCK);
			}
			assert_hashed(b);
			free_bench(b);
		}
	}
}

/* Each alone: nobody shares its lanes. */
static void a_batch_may_be_of_one(void **state)
{
	static const size_t lengths[] = {0,     1,     54,    55,    64,     16383,  16384,
					 16385, 32768, 32769, 98304, 262145, MIB + 1};

	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		struct bench *b = new_bench(32 * KIB, plain == 1);
		for (size_t i = 0; i < COUNT(lengths); i++) {
			add(b, i, lengths[i]);
			assert_hashed(b);
		}
		free_bench(b);
	}
}

static void a_batch_may_be_of_nothing(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		struct bench *b = new_bench(32 * KIB, plain == 1);
		assert_hashed(b);
		add(b, 0, 100);
		assert_hashed(b);
		assert_hashed(b);
		free_bench(b);
	}
}

static void empty_contents_may_stand_anywhere(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		struct bench *b = new_bench(16 * KIB, plain == 1);
		for (size_t i = 0; i < 256; i++)
			add(b, i, 0);
		b->items[7].bytes = NULL;
		assert_hashed(b);
		for (size_t i = 0; i < 60; i++)
			add(b, i, i % 3 == 1 ? i * 1999 : 0);
		assert_hashed(b);
		for (size_t i = 0; i < 60; i++)
			add(b, i, i % 3 == 1 ? 0 : i * 1999);
		assert_hashed(b);
		free_bench(b);
	}
}

static void many_contents_share_lanes(void **state)
{
	unsigned seed = 11;

	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		for (size_t piece = 16 * KIB; piece <= 128 * KIB; piece *= 8) {
			struct bench *b = new_bench(piece, plain == 1);
			for (size_t i = 0; i < 256; i++)
				add(b, i, 4096);
			assert_hashed(b);
			for (size_t i = 0; i < 256; i++) {
				seed = seed * 1103515245 + 12345;
				size_t most = (size_t)1 << (seed >> 16) % 19;
				add(b, i, (seed >> 8) % (most + 1));
			}
			assert_hashed(b);
			free_bench(b);
		}
	}
}

static void contents_may_be_long(void **state)
{
	(void)state;
	for (size_t piece = 64 * KIB; piece <= MIB; piece *= 16) {
		struct bench *b = new_bench(piece, true);
		add(b, 0, 100);
		add(b, 3, 3 * MIB + 12345);
		add(b, 0, 0);
		add(b, 5, 2 * MIB);
		assert_hashed(b);
		free_bench(b);
	}
}

/* Many pieces before few, a layer before none: of what was there nothing may be left. */
static void digests_of_a_batch_before_leave_nothing(void **state)
{
	struct bench *b = new_bench(16 * KIB, true);

	(void)state;
	for (size_t round = 0; round < 6; round++) {
		for (size_t i = 0; i < 40; i++)
			add(b, i, (i + round) % 3 == 0 ? 0 : (i * 7 + round * 13) % 40 * 5000);
		assert_hashed(b);
	}
	free_bench(b);
}

/* Whoever moved the layer out may leave an empty one behind. */
static void digests_can_be_moved_out(void **state)
{
	struct bench *b = new_bench(16 * KIB, false);

	(void)state;
	add(b, 0, 100000);
	assert_hashed(b);
	struct filehash_digests moved = b->digests[0], want;
	buf_init(&b->digests[0].layer);
	add(b, 5, 60000);
	assert_hashed(b);
	define_digests(&b->options, content, 100000, &want);
	assert_null(difference(&moved, &want));
	filehash_release(&moved);
	filehash_release(&want);
	free_bench(b);
}

/* Two with lanes and pads in common, one after the other. */
static void batches_may_share_lanes_and_pads(void **state)
{
	struct bench *x = new_bench(16 * KIB, true), *y = new_bench(MIB, false);

	(void)state;
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < 30; i++) {
			add(x, i, i * 3000);
			add(y, i, i * 9000);
		}
		assert_hashed(x);
		assert_hashed(y);
	}
	free_bench(x);
	free_bench(y);
	batch_free(NULL);
}

/* One byte, and it must be seen. */
static void digests_tell_a_changed_byte(void **state)
{
	struct bench *b = new_bench(32 * KIB, true);
	struct err e;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		add(b, 0, 100000);
	uint8_t *other = malloc(100000);
	assert_non_null(other);
	memcpy(other, content, 100000);
	other[99999] ^= 1;
	b->items[1].bytes = other;
	assert_int_equal(batch_hash(b->batch, b->items, 3, &e), 0);
	assert_null(difference(&b->digests[0], &b->digests[2]));
	assert_memory_not_equal(b->digests[0].root, b->digests[1].root, SHA256_SIZE);
	assert_memory_not_equal(b->digests[0].sha256, b->digests[1].sha256, SHA256_SIZE);
	assert_memory_not_equal(b->digests[0].layer.data, b->digests[1].layer.data,
				b->digests[0].layer.len);
	free(other);
	free_bench(b);
}

/* --- all -------------------------------------------------------------------------------------- */

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digests_are_right_around_blocks),
	    cmocka_unit_test(digests_are_right_around_pieces),
	    cmocka_unit_test(a_batch_may_be_of_one),
	    cmocka_unit_test(a_batch_may_be_of_nothing),
	    cmocka_unit_test(empty_contents_may_stand_anywhere),
	    cmocka_unit_test(many_contents_share_lanes),
	    cmocka_unit_test(contents_may_be_long),
	    cmocka_unit_test(digests_of_a_batch_before_leave_nothing),
	    cmocka_unit_test(digests_can_be_moved_out),
	    cmocka_unit_test(batches_may_share_lanes_and_pads),
	    cmocka_unit_test(digests_tell_a_changed_byte),
	};

	return cmocka_run_group_tests(tests, make_content_and_lanes, free_content_and_lanes);
}
