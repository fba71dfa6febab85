#define _GNU_SOURCE /* memfd_create() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/cost.h"
#include "swarm/merkle.h"

#include "manifests.h"

/* A file whose pieces' hashes are these letters, 32 times each; a small one has one letter. */
struct layered {
	const char *path;
	uint64_t size;
	const char *pieces;
};

static void put_layered(struct buf *to, const struct layered *l)
{
	struct entry entry = {.path = l->path, .size = l->size, .hot = ENTRY_NOT_HOT};
	struct buf layer = BUF_INIT;
	struct err e;

	for (const char *p = l->pieces; *p != '\0'; p++)
		for (size_t i = 0; i < SHA256_SIZE; i++)
			buf_addc(&layer, *p);
	if (l->size > PIECE) {
		entry.pieces = (const uint8_t *)layer.data;
		entry.piece_count = strlen(l->pieces);
		assert_int_equal(
		    merkle_layer_root(entry.pieces, entry.piece_count, PIECE, entry.root, &e), 0);
	} else if (l->size > 0) {
		memcpy(entry.root, layer.data, SHA256_SIZE);
	}
	entry_format(to, &entry);
	buf_addc(to, '\n');
	buf_release(&layer);
}

static struct document *open_layered(uint64_t serial, const struct layered *files, size_t count)
{
	struct buf body = BUF_INIT;
	struct header h = make_header(serial);

	h.files = count;
	for (size_t i = 0; i < count; i++)
		h.bytes += files[i].size;
	header_format(&body, &h);
	buf_addc(&body, '\n');
	for (size_t i = 0; i < count; i++)
		put_layered(&body, &files[i]);
	struct document *d = open_body(&body);
	buf_release(&body);
	return d;
}

/* Opened and compared; released by end(). */
struct pair {
	struct document *from, *to;
	struct changes changes;
};

static void begin(struct pair *p, const struct layered *from, size_t from_count,
		  const struct layered *to, size_t to_count)
{
	struct err e;

	p->from = open_layered(1, from, from_count);
	p->to = open_layered(2, to, to_count);
	if (changes_read(p->from, p->to, &p->changes, &e) != 0)
		fail_msg("%s", e.msg);
}

static void end(struct pair *p)
{
	changes_release(&p->changes);
	document_close(p->from);
	document_close(p->to);
}

static void cost_counts_missing_pieces(void **state)
{
	static const struct layered from[] = {
	    {"big", 3 * PIECE, "abc"},
	    {"kept", 2 * PIECE + 1, "xyz"},
	    {"small", 100, "s"},
	};
	static const struct layered to[] = {
	    {"big", 4 * PIECE - 5, "acne"}, /* c moved, a stays; n and e are new */
	    {"copy", 100, "s"},             /* is there already */
	    {"empty", 0, ""},               /* costs nothing */
	    {"kept", 2 * PIECE + 1, "xyz"}, /* is kept */
	    {"mixed", 2 * PIECE, "xs"},     /* of a kept file, and of a small one */
	    {"new", 7, "w"},                /* a piece of its own */
	    {"piece", PIECE, "b"},          /* one piece of a larger file */
	    {"tail", 2 * PIECE + 3, "nnt"}, /* a short last piece */
	};
	static const struct {
		uint64_t pieces, missing, bytes;
	} expected[] = {
	    {4, 2, 2 * PIECE - 5}, {0, 0, 0}, {0, 0, 0}, {2, 0, 0}, {1, 1, 7}, {1, 0, 0},
	    {3, 3, 2 * PIECE + 3}};
	struct pair p;
	struct cost c;
	struct err e;

	(void)state;
	begin(&p, from, COUNT(from), to, COUNT(to));
	assert_int_equal(cost_measure(&p.changes, NULL, p.from, &c, &e), 0);
	/* The removed file stands behind "piece". */
	assert_int_equal(p.changes.count, COUNT(expected) + 1);
	for (size_t i = 0, k = 0; i < p.changes.count; i++) {
		if (p.changes.items[i].kind == CHANGES_REMOVED) {
			assert_int_equal(c.files[i].pieces, 0);
			continue;
		}
		assert_int_equal(c.files[i].pieces, expected[k].pieces);
		assert_int_equal(c.files[i].missing, expected[k].missing);
		assert_int_equal(c.files[i].missing_bytes, expected[k].bytes);
		k++;
	}
	assert_int_equal(c.fetched, 5);
	assert_int_equal(c.pieces, 11);
	assert_int_equal(c.missing, 6);
	assert_int_equal(c.missing_bytes, 4 * PIECE + 5);
	assert_int_equal(c.whole_bytes, 4 * PIECE - 5 + 2 * PIECE + 7 + PIECE + 2 * PIECE + 3);
	assert_int_equal(c.bare, 5);
	/* The most expensive first; what costs nothing is not among them. */
	assert_int_equal(c.top_count, 3);
	assert_string_equal(p.changes.items[c.top[0].item].path, "tail");
	assert_string_equal(p.changes.items[c.top[1].item].path, "big");
	assert_string_equal(p.changes.items[c.top[2].item].path, "new");
	cost_release(&c);
	cost_release(&c);
	end(&p);
}

static void cost_goes_by_payloads_where_there_are_any(void **state)
{
	static const struct layered from[] = {{"a", 10, "a"}};
	static const struct layered to[] = {{"a", 20, "b"}, {"b", 30, "c"}, {"c", 25, "d"}};
	static const struct payloads_item items[] = {
	    {.bare = PAYLOADS_MADE, .source = DELTA_ZSTD, .size = 12},
	    {.bare = PAYLOADS_MADE, .source = DELTA_ZSTD, .size = 3},
	    {.bare = PAYLOADS_NO_GAIN, .size = 24},
	};
	struct pair p;
	struct cost c;
	struct err e;

	(void)state;
	begin(&p, from, COUNT(from), to, COUNT(to));
	assert_int_equal(cost_measure(&p.changes, items, p.from, &c, &e), 0);
	assert_int_equal(c.payload_bytes, 12 + 3 + 25);
	assert_int_equal(c.bare, 1);
	assert_int_equal(c.top_count, 3);
	for (size_t i = 0; i < 3; i++) {
		static const uint64_t bytes[] = {25, 12, 3};
		static const size_t order[] = {2, 0, 1};
		assert_int_equal(c.top[i].bytes, bytes[i]);
		assert_int_equal(c.top[i].item, order[i]);
		assert_false(c.top[i].known);
	}
	cost_release(&c);
	end(&p);
}

static void cost_shows_the_first_twenty(void **state)
{
	static const struct layered from[] = {{"x", 1, "x"}};
	static char paths[50][8];
	struct layered to[COUNT(paths)];
	struct pair p;
	struct cost c;
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		(void)snprintf(paths[i], sizeof paths[i], "%02zu", i);
		/* Sizes come twice: of equal ones the first is first. */
		to[i] = (struct layered){paths[i], 1 + i * 7 % 25, "n"};
	}
	begin(&p, from, COUNT(from), to, COUNT(to));
	assert_int_equal(cost_measure(&p.changes, NULL, p.from, &c, &e), 0);
	assert_int_equal(c.top_count, COST_TOP);
	for (size_t i = 0; i < COST_TOP; i++) {
		assert_int_equal(c.top[i].bytes, 25 - i / 2);
		if (i % 2 == 1)
			assert_true(c.top[i].item > c.top[i - 1].item);
	}
	cost_release(&c);
	end(&p);
}

static void cost_of_nothing_is_nothing(void **state)
{
	static const struct layered files[] = {{"a", 10, "a"}}, empty[] = {{"b", 0, ""}};
	struct pair p;
	struct cost c;
	struct err e;

	(void)state;
	begin(&p, files, COUNT(files), empty, COUNT(empty));
	assert_int_equal(cost_measure(&p.changes, NULL, p.from, &c, &e), 0);
	assert_int_equal(c.fetched, 0);
	assert_int_equal(c.whole_bytes + c.missing_bytes + c.payload_bytes, 0);
	assert_int_equal(c.top_count, 0);
	cost_release(&c);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cost_counts_missing_pieces),
	    cmocka_unit_test(cost_goes_by_payloads_where_there_are_any),
	    cmocka_unit_test(cost_shows_the_first_twenty),
	    cmocka_unit_test(cost_of_nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
