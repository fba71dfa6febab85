#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/chunked.h"

#include "contents.h"

/* --- helpers ---------------------------------------------------------------------------------- */

#define CHUNKS (CONTENT / CHUNKED_SIZE)

static struct chunked *new_chunked(size_t piece_length, size_t size)
{
	struct err e;
	struct chunked *c = chunked_new(piece_length, size, &pads, &e);

	if (c == NULL)
		fail_msg("%s", e.msg);
	assert_int_equal(chunked_count(c), (size + CHUNKED_SIZE - 1) / CHUNKED_SIZE);
	return c;
}

static void add(struct chunked *c, struct lanes *l, size_t size, size_t index)
{
	size_t at = index * CHUNKED_SIZE, left = size - at;

	chunked_add(c, l, index, content + at, left < CHUNKED_SIZE ? left : CHUNKED_SIZE);
}

/* Against the definition, and against filehash. */
static void assert_finished(struct chunked *c, size_t piece_length, size_t size)
{
	const struct filehash_options options = {piece_length, false};
	struct filehash_digests found = FILEHASH_DIGESTS_INIT, in_order = FILEHASH_DIGESTS_INIT;
	struct filehash_digests want;
	struct err e;
	struct filehash *f = filehash_new(&options, &e);

	assert_non_null(f);
	found.size = size;
	chunked_finish(c, lanes, found.root, &found.layer);
	assert_int_equal(buf_check(&found.layer, &e), 0);
	assert_int_equal(lanes_check(lanes, &e), 0);
	filehash_update(f, content, size);
	assert_int_equal(filehash_final(f, &in_order, &e), 0);
	define_digests(&options, content, size, &want);
	const char *by_chunks = difference(&found, &want), *by_order = difference(&in_order, &want);
	if (by_chunks != NULL || by_order != NULL)
		fail_msg("%zu bytes in pieces of %zu: chunked: %s, filehash: %s", size,
			 piece_length, by_chunks, by_order);
	filehash_release(&found);
	filehash_release(&in_order);
	filehash_release(&want);
	filehash_free(f);
	chunked_free(c);
}

static unsigned seed = 1;

static size_t chance(size_t below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 12) % below;
}

enum order { FORWARDS, BACKWARDS, SHUFFLED, ORDERS };

static void fill_order(size_t *order, size_t count, enum order how)
{
	for (size_t i = 0; i < count; i++)
		order[i] = how == BACKWARDS ? count - 1 - i : i;
	for (size_t i = count; how == SHUFFLED && i > 1; i--) {
		size_t k = chance(i), other = order[i - 1];
		order[i - 1] = order[k];
		order[k] = other;
	}
}

static void assert_right(size_t piece_length, size_t size, enum order how)
{
	struct chunked *c = new_chunked(piece_length, size);
	size_t order[CHUNKS + 1], count = (size_t)chunked_count(c);

	fill_order(order, count, how);
	for (size_t i = 0; i < count; i++)
		add(c, lanes, size, order[i]);
	assert_finished(c, piece_length, size);
}

static const size_t piece_lengths[] = {16 * KIB, 64 * KIB, 256 * KIB, MIB, 128 * MIB};

/* --- sizes ------------------------------------------------------------------------------------ */

static void digests_are_right_around_chunks(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(piece_lengths); p++)
		for (size_t k = 1; k <= 8; k += k < 4 ? 1 : 4)
			for (size_t size = k * CHUNKED_SIZE - 1; size <= k * CHUNKED_SIZE + 1;
			     size++)
				assert_right(piece_lengths[p], size, (enum order)(k % ORDERS));
}

static void digests_are_right_around_pieces(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(piece_lengths); p++) {
		size_t piece = piece_lengths[p], from = CHUNKED_SIZE / piece * piece;
		for (size_t end = from + piece; end <= from + 3 * piece && end < CONTENT;
		     end += piece)
			for (size_t size = end - 1; size <= end + 1; size++)
				assert_right(piece, size, (enum order)(size % ORDERS));
	}
}

static void digests_are_right_around_blocks(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(piece_lengths); p++)
		for (size_t end = CHUNKED_SIZE + MERKLE_BLOCK; end <= 2 * CHUNKED_SIZE;
		     end += 3 * MERKLE_BLOCK)
			for (size_t size = end - 1; size <= end + 1; size++)
				assert_right(piece_lengths[p], size, FORWARDS);
}

/* A file that was large when it was listed may be a small one by now. */
static void digests_are_right_below_one_chunk(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(piece_lengths); p++) {
		assert_right(piece_lengths[p], 1, FORWARDS);
		for (size_t end = MERKLE_BLOCK; end <= CHUNKED_SIZE; end += MERKLE_BLOCK)
			for (size_t size = end - 1; size <= end + 1; size++)
				assert_right(piece_lengths[p], size, FORWARDS);
	}
}

static void the_root_of_no_bytes_is_zeros(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(piece_lengths); p++) {
		uint8_t root[SHA256_SIZE], zeros[SHA256_SIZE] = {0};
		struct buf layer = BUF_INIT;
		struct chunked *c = new_chunked(piece_lengths[p], 0);
		memset(root, 1, sizeof root);
		assert_int_equal(chunked_count(c), 0);
		chunked_finish(c, lanes, root, &layer);
		assert_memory_equal(root, zeros, sizeof root);
		assert_int_equal(layer.len, 0);
		chunked_free(c);
		buf_release(&layer);
	}
	chunked_free(NULL);
}

/* --- order ------------------------------------------------------------------------------------ */

static void chunks_may_be_added_in_any_order(void **state)
{
	static const size_t sizes[] = {CHUNKED_SIZE + 1, 2 * MIB + 77777};

	(void)state;
	for (size_t p = 0; p < COUNT(piece_lengths); p++)
		for (size_t i = 0; i < COUNT(sizes); i++)
			for (enum order how = FORWARDS; how < ORDERS; how++)
				assert_right(piece_lengths[p], sizes[i], how);
}

static void the_layer_is_appended(void **state)
{
	uint8_t root[SHA256_SIZE];
	struct buf layer = BUF_INIT;
	struct chunked *c = new_chunked(CHUNKED_SIZE, 2 * CHUNKED_SIZE);

	(void)state;
	buf_adds(&layer, "before");
	add(c, lanes, 2 * CHUNKED_SIZE, 0);
	add(c, lanes, 2 * CHUNKED_SIZE, 1);
	chunked_finish(c, lanes, root, &layer);
	assert_int_equal(layer.len, 6 + 2 * SHA256_SIZE);
	assert_memory_equal(layer.data, "before", 6);
	chunked_free(c);
	buf_release(&layer);
}

/* --- threads ---------------------------------------------------------------------------------- */

#define THREADS ((size_t)4)

struct one_thread {
	pthread_t thread;
	struct chunked *chunked;
	struct lanes *lanes;
	size_t size, number;
	const size_t *order;
};

static void *add_some(void *arg)
{
	struct one_thread *t = arg;
	size_t count = (size_t)chunked_count(t->chunked);

	for (size_t i = t->number; i < count; i += THREADS)
		add(t->chunked, t->lanes, t->size, t->order[i]);
	return NULL;
}

static void chunks_may_be_added_by_several_threads(void **state)
{
	static const size_t sizes[] = {THREADS * CHUNKED_SIZE, 3 * MIB - 1};
	struct one_thread threads[THREADS];
	struct err e;

	(void)state;
	for (size_t t = 0; t < THREADS; t++) {
		threads[t] = (struct one_thread){.number = t, .lanes = lanes_new(&e)};
		assert_non_null(threads[t].lanes);
	}
	for (size_t p = 0; p < COUNT(piece_lengths); p++) {
		for (size_t i = 0; i < COUNT(sizes); i++) {
			struct chunked *c = new_chunked(piece_lengths[p], sizes[i]);
			size_t order[CHUNKS + 1];
			fill_order(order, (size_t)chunked_count(c), SHUFFLED);
			for (size_t t = 0; t < THREADS; t++) {
				threads[t].chunked = c;
				threads[t].size = sizes[i];
				threads[t].order = order;
				assert_int_equal(
				    pthread_create(&threads[t].thread, NULL, add_some, &threads[t]),
				    0);
			}
			for (size_t t = 0; t < THREADS; t++)
				assert_int_equal(pthread_join(threads[t].thread, NULL), 0);
			assert_finished(c, piece_lengths[p], sizes[i]);
		}
	}
	for (size_t t = 0; t < THREADS; t++) {
		assert_int_equal(lanes_check(threads[t].lanes, &e), 0);
		lanes_free(threads[t].lanes);
	}
}

/* --- all -------------------------------------------------------------------------------------- */

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digests_are_right_around_chunks),
	    cmocka_unit_test(digests_are_right_around_pieces),
	    cmocka_unit_test(digests_are_right_around_blocks),
	    cmocka_unit_test(digests_are_right_below_one_chunk),
	    cmocka_unit_test(the_root_of_no_bytes_is_zeros),
	    cmocka_unit_test(chunks_may_be_added_in_any_order),
	    cmocka_unit_test(the_layer_is_appended),
	    cmocka_unit_test(chunks_may_be_added_by_several_threads),
	};

	return cmocka_run_group_tests(tests, make_content_and_lanes, free_content_and_lanes);
}
