#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/layers.h"

static int put(void *context, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	buf_add(context, bytes, len);
	return 0;
}

static struct layers *new_layers(void)
{
	struct err e;
	struct layers *l = layers_new(&e);

	assert_non_null(l);
	return l;
}

/* A file whose root is 32 times `root`, with a layer of `count` times `hash`. */
static void add(struct layers *l, char root, size_t count, char hash)
{
	struct entry entry = {.path = "x", .size = 1, .piece_count = count};
	uint8_t *pieces = malloc(count * SHA256_SIZE + 1);
	struct err e;

	assert_non_null(pieces);
	memset(entry.root, root, SHA256_SIZE);
	memset(pieces, hash, count * SHA256_SIZE);
	entry.pieces = pieces;
	assert_int_equal(layers_add(l, &entry, &e), 0);
	free(pieces);
}

static void add_times(struct buf *to, char c, size_t n)
{
	while (n-- > 0)
		buf_addc(to, c);
}

/* The same as bencode. */
static void expect(struct buf *to, char root, size_t count, char hash)
{
	buf_adds(to, "32:");
	add_times(to, root, SHA256_SIZE);
	buf_addf(to, "%zu:", count * SHA256_SIZE);
	add_times(to, hash, count * SHA256_SIZE);
}

static void assert_written(struct layers *l, const struct buf *want, uint64_t want_tokens)
{
	struct buf got = BUF_INIT;
	uint64_t tokens = 7;
	struct err e;

	assert_int_equal(layers_write(l, put, &got, &tokens, &e), 0);
	assert_int_equal(got.len, want->len);
	assert_memory_equal(got.data, want->data, want->len);
	assert_int_equal(tokens, 7 + want_tokens);
	buf_release(&got);
}

static void layers_of_nothing_are_an_empty_dictionary(void **state)
{
	struct layers *l = new_layers();
	struct buf want = BUF_INIT;

	(void)state;
	buf_adds(&want, "de");
	add(l, 'a', 0, 'x');
	assert_written(l, &want, 2);
	layers_free(l);
	layers_free(NULL);
	buf_release(&want);
}

/* By raw bytes, of which some have their highest bit set. */
static void layers_stand_by_root_each_once(void **state)
{
	static const char roots[] = {'m', '\xFF', 'a', '\x01', 'm', '\x80', 'a', '\x7F', '\0', 'm'};
	static const char order[] = {'\0', '\x01', 'a', 'm', '\x7F', '\x80', '\xFF'};
	struct layers *l = new_layers();
	struct buf want = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof roots; i++)
		add(l, roots[i], 2, (char)(roots[i] ^ 5));
	buf_addc(&want, 'd');
	for (size_t i = 0; i < sizeof order; i++)
		expect(&want, order[i], 2, (char)(order[i] ^ 5));
	buf_addc(&want, 'e');
	assert_written(l, &want, 2 + 2 * sizeof order);
	layers_free(l);
	buf_release(&want);
}

/* Longer than what is copied at a time: 2,048 hashes. */
static void layers_may_be_long(void **state)
{
	static const size_t counts[] = {2047, 2048, 2049, 4096, 10000};
	struct layers *l = new_layers();
	struct buf want = BUF_INIT;

	(void)state;
	buf_addc(&want, 'd');
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		add(l, (char)('a' + i), counts[i], (char)('A' + i));
		expect(&want, (char)('a' + i), counts[i], (char)('A' + i));
	}
	buf_addc(&want, 'e');
	assert_written(l, &want, 12);
	layers_free(l);
	buf_release(&want);
}

static int refuse(void *context, const void *bytes, size_t len, struct err *e)
{
	size_t *left = context;

	(void)bytes;
	(void)len;
	return (*left)-- > 0 ? 0 : err_set(e, ERR_SYSTEM, "refused");
}

static void layers_pass_failures_on(void **state)
{
	(void)state;
	for (size_t let_through = 0; let_through < 3; let_through++) {
		struct layers *l = new_layers();
		struct err e = {.code = ERR_NONE};
		uint64_t tokens = 0;
		size_t left = let_through;
		add(l, 'a', 2049, 'x');
		assert_int_equal(layers_write(l, refuse, &left, &tokens, &e), -1);
		assert_string_equal(e.msg, "refused");
		layers_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layers_of_nothing_are_an_empty_dictionary),
	    cmocka_unit_test(layers_stand_by_root_each_once),
	    cmocka_unit_test(layers_may_be_long),
	    cmocka_unit_test(layers_pass_failures_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
