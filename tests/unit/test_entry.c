#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/entry.h"
#include "swarm/num.h"

#define PIECE 16384
#define A64   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct arena arena = ARENA_INIT;

static int release_arena(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static struct entry read_line(const char *line)
{
	struct entry entry;
	struct err e = {.code = ERR_NONE};

	if (entry_parse(line, strlen(line), PIECE, &arena, &entry, &e) != 0)
		fail_msg("%s: %s", line, e.msg);
	return entry;
}

static void assert_rejected(const char *line, const char *message)
{
	struct entry entry;
	struct err e = {.code = ERR_NONE};

	if (entry_parse(line, strlen(line), PIECE, &arena, &entry, &e) == 0)
		fail_msg("%s was taken", line);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_MALFORMED);
}

static void assert_misspelt(const char *line, size_t column)
{
	char message[160];

	(void)snprintf(message, sizeof message,
		       "column %zu: not the one spelling that a document may use (order of keys, "
		       "white space, escapes)",
		       column);
	assert_rejected(line, message);
}

static void assert_same(const struct entry *a, const struct entry *b)
{
	assert_string_equal(a->path, b->path);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->label, b->label);
	assert_int_equal(a->has_sha256, b->has_sha256);
	if (a->has_sha256)
		assert_memory_equal(a->sha256, b->sha256, SHA256_SIZE);
	assert_memory_equal(a->root, b->root, SHA256_SIZE);
	assert_int_equal(a->piece_count, b->piece_count);
	if (a->piece_count > 0)
		assert_memory_equal(a->pieces, b->pieces, a->piece_count * SHA256_SIZE);
	assert_int_equal(a->exec, b->exec);
	assert_int_equal(a->type == NULL, b->type == NULL);
	if (a->type != NULL)
		assert_string_equal(a->type, b->type);
	assert_int_equal(a->cache == NULL, b->cache == NULL);
	if (a->cache != NULL)
		assert_string_equal(a->cache, b->cache);
	assert_int_equal(a->hot, b->hot);
}

static void assert_round_trip(const struct entry *entry)
{
	struct buf b = BUF_INIT;

	entry_format(&b, entry);
	struct entry again = read_line(b.data);
	assert_same(entry, &again);
	buf_release(&b);
}

/* An entry of `count` pieces whose hashes give the root. */
static struct entry with_pieces(size_t count, uint64_t size)
{
	static uint8_t layer[64 * SHA256_SIZE];
	struct entry entry = {.path = "a/b.bin",
			      .size = size,
			      .label = LABEL_PUBLIC,
			      .pieces = layer,
			      .piece_count = count,
			      .hot = ENTRY_NOT_HOT};
	struct err e;

	for (size_t i = 0; i < count * SHA256_SIZE; i++)
		layer[i] = (uint8_t)(i * 37);
	assert_int_equal(merkle_layer_root(layer, count, PIECE, entry.root, &e), 0);
	return entry;
}

static void entry_round_trips_all_its_fields(void **state)
{
	struct entry entry = with_pieces(3, 2 * PIECE + 1);

	(void)state;
	assert_round_trip(&entry);
	entry.has_sha256 = true;
	memset(entry.sha256, 0xAB, SHA256_SIZE);
	entry.label = LABEL_ORIGIN;
	entry.exec = true;
	entry.type = "text/html; charset=\"utf-8\"";
	entry.cache = "public, max-age=1\\";
	entry.hot = 0;
	assert_round_trip(&entry);
	entry.hot = 63;
	entry.path = "\xC3\xA9/\xF0\x9F\x98\x80 'q'.txt";
	assert_round_trip(&entry);
	entry = (struct entry){.path = "empty", .label = LABEL_PUBLIC, .hot = ENTRY_NOT_HOT};
	assert_round_trip(&entry);
	entry.size = PIECE;
	memset(entry.root, 1, SHA256_SIZE);
	assert_round_trip(&entry);
}

static void entry_has_the_keys_in_order(void **state)
{
	struct buf b = BUF_INIT;
	struct entry entry = {.path = "x",
			      .size = 1,
			      .has_sha256 = true,
			      .exec = true,
			      .type = "t",
			      .cache = "c",
			      .hot = 7};

	(void)state;
	memset(entry.sha256, 0xAA, SHA256_SIZE);
	memset(entry.root, 0xBB, SHA256_SIZE);
	entry_format(&b, &entry);
	assert_string_equal(b.data,
			    "{\"path\":\"x\",\"size\":1,\"label\":\"public\",\"sha256\":\"" A64
			    "\",\"root\":\"" B64 "\",\"exec\":true,\"type\":\"t\","
			    "\"cache\":\"c\",\"hot\":7}");
	struct entry again = read_line(b.data);
	assert_same(&entry, &again);
	buf_release(&b);
}

static void entry_rejects_paths_that_are_not_portable(void **state)
{
	(void)state;
	assert_rejected("{\"path\":\"../x\",\"size\":0,\"label\":\"public\"}",
			"'path' is not portable: it has a component '.' or '..'");
	assert_rejected("{\"path\":\"/etc/passwd\",\"size\":0,\"label\":\"public\"}",
			"'path' is not portable: it has an empty component");
	assert_rejected("{\"path\":\"a\\\\b\",\"size\":0,\"label\":\"public\"}",
			"'path' is not portable: it has one of \\ : * ? \" < > |");
	assert_rejected("{\"path\":\"a\\nb\",\"size\":0,\"label\":\"public\"}",
			"'path' is not portable: it has a control character");
	assert_rejected("{\"path\":\"nul.txt\",\"size\":0,\"label\":\"public\"}",
			"'path' is not portable: it has the name of a Windows device");
	assert_rejected("{\"path\":\"\",\"size\":0,\"label\":\"public\"}",
			"'path' is not portable: it is empty");
	(void)read_line("{\"path\":\"..x\",\"size\":0,\"label\":\"public\"}");
}

static void entry_never_lists_private_files(void **state)
{
	static const char why[] = "'label' is neither public nor origin";

	(void)state;
	(void)read_line("{\"path\":\"x\",\"size\":0,\"label\":\"origin\"}");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"private\"}", why);
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"Public\"}", why);
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"\"}", why);
	assert_rejected("{\"path\":\"x\",\"size\":0}", "'label' is missing");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":null}", "'label' is not a string");
}

static void entry_has_a_root_unless_it_is_empty(void **state)
{
	(void)state;
	(void)read_line("{\"path\":\"x\",\"size\":1,\"label\":\"public\",\"root\":\"" A64 "\"}");
	assert_rejected("{\"path\":\"x\",\"size\":1,\"label\":\"public\"}", "'root' is missing");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"root\":\"" A64 "\"}",
			"'root' is not a key known here");
	assert_rejected("{\"path\":\"x\",\"size\":1,\"label\":\"public\",\"root\":\"" A64 "a\"}",
			"'root' is not lower-case hex of the right length");
	assert_rejected("{\"path\":\"x\",\"size\":1,\"label\":\"public\",\"root\":\"\"}",
			"'root' is not lower-case hex of the right length");
}

/* One hash too few, one too many, and none at all: at both sides of a piece's end. */
static void entry_has_one_hash_a_piece(void **state)
{
	static const char why[] = "'pieces' does not hold one hash for each piece";
	static const uint64_t sizes[] = {PIECE + 1, 2 * PIECE, 2 * PIECE + 1, 5 * PIECE};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t right = (size_t)merkle_pieces(sizes[i], PIECE);
		for (size_t count = right - 1; count <= right + 1; count++) {
			struct buf b = BUF_INIT;
			struct entry entry = with_pieces(count, sizes[i]);
			entry_format(&b, &entry);
			if (count == right)
				(void)read_line(b.data);
			else
				assert_rejected(b.data, why);
			buf_release(&b);
		}
	}
	assert_rejected("{\"path\":\"x\",\"size\":16385,\"label\":\"public\",\"root\":\"" A64 "\"}",
			"'pieces' is missing");
	assert_rejected("{\"path\":\"x\",\"size\":16384,\"label\":\"public\",\"root\":\"" A64
			"\",\"pieces\":\"\"}",
			"'pieces' is not a key known here");
	assert_rejected("{\"path\":\"x\",\"size\":16385,\"label\":\"public\",\"root\":\"" A64
			"\",\"pieces\":\"\"}",
			why);
	assert_rejected("{\"path\":\"x\",\"size\":16385,\"label\":\"public\",\"root\":\"" A64
			"\",\"pieces\":\"AAAA\"}",
			why);
	/* A size at which the count would take 2^44 bytes. */
	assert_rejected(
	    "{\"path\":\"x\",\"size\":9007199254740991,\"label\":\"public\",\"root\":\"" A64
	    "\",\"pieces\":\"AAAA\"}",
	    why);
}

/* Each byte of the pieces, and of the root, counts. */
static void entry_pieces_give_the_root(void **state)
{
	struct entry entry = with_pieces(5, 5 * PIECE);
	uint8_t layer[5 * SHA256_SIZE];

	(void)state;
	memcpy(layer, entry.pieces, sizeof layer);
	entry.pieces = layer;
	assert_round_trip(&entry);
	for (size_t i = 0; i < sizeof layer + SHA256_SIZE; i++) {
		struct buf b = BUF_INIT;
		uint8_t *byte = i < sizeof layer ? &layer[i] : &entry.root[i - sizeof layer];
		*byte ^= 1;
		entry_format(&b, &entry);
		assert_rejected(b.data, "'pieces' does not give 'root'");
		*byte ^= 1;
		buf_release(&b);
	}
	assert_round_trip(&entry);
}

static void entry_leaves_out_what_does_not_apply(void **state)
{
	(void)state;
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"exec\":false}",
			"'exec' is false: it is to be left out");
	(void)read_line("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"exec\":true}");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"exec\":1}",
			"'exec' is neither true nor false");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"type\":null}",
			"'type' is not a string");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"sha256\":null}",
			"'sha256' is not a string");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"hot\":64}",
			"'hot' is above 63");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"hot\":-1}",
			"'hot' is not a whole number from 0 to 2^53-1");
	(void)read_line("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"hot\":63}");
}

static void entry_attributes_are_printable_ascii(void **state)
{
	char text[260], line[400];

	(void)state;
	assert_true(entry_is_attribute(" ~\"\\"));
	assert_false(entry_is_attribute(""));
	assert_false(entry_is_attribute("\xC3\xA9"));
	assert_false(entry_is_attribute("a\tb"));
	assert_false(entry_is_attribute("a\x7F"));
	for (size_t len = 255; len <= 256; len++) {
		memset(text, 'a', len);
		text[len] = '\0';
		assert_int_equal(entry_is_attribute(text), len == 255);
		(void)snprintf(line, sizeof line,
			       "{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"cache\":\"%s\"}",
			       text);
		if (len == 255)
			(void)read_line(line);
		else
			assert_rejected(line, "'cache' is not 1-255 printable ASCII characters");
	}
	/* What would split a header line of HTTP. */
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"cache\":\"a\\r\\nb\"}",
			"'cache' is not 1-255 printable ASCII characters");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"type\":\"\"}",
			"'type' is not 1-255 printable ASCII characters");
}

static void entry_rejects_unknown_and_doubled_keys(void **state)
{
	(void)state;
	assert_rejected("{\"path\":\"x\",\"size\":0,\"label\":\"public\",\"mode\":420}",
			"'mode' is not a key known here");
	assert_rejected("{\"path\":\"x\",\"size\":0,\"size\":0,\"label\":\"public\"}",
			"not a JSON object: duplicate object key near '\"size\"'");
	assert_rejected("{\"size\":0,\"label\":\"public\"}", "'path' is missing");
	assert_rejected("{\"path\":\"x\",\"label\":\"public\"}", "'size' is missing");
	assert_rejected("{}", "'path' is missing");
}

static void entry_has_one_spelling(void **state)
{
	(void)state;
	(void)read_line("{\"path\":\"x\",\"size\":0,\"label\":\"public\"}");
	assert_misspelt("{\"size\":0,\"path\":\"x\",\"label\":\"public\"}", 3);
	assert_misspelt("{\"path\":\"x\",\"size\":0, \"label\":\"public\"}", 22);
	assert_misspelt("{\"path\":\"x\",\"size\":0,\"label\":\"public\"} ", 39);
	assert_misspelt("{\"path\":\"\\u0078\",\"size\":0,\"label\":\"public\"}", 10);
	assert_misspelt("{\"path\":\"a\\/x\",\"size\":0,\"label\":\"public\"}", 11);
	assert_misspelt("{\"path\":\"\\u00e9\",\"size\":0,\"label\":\"public\"}", 10);
	assert_misspelt("{\"path\":\"x\",\"size\":-0,\"label\":\"public\"}", 20);
}

static void entry_rejects_huge_numbers(void **state)
{
	(void)state;
	assert_rejected("{\"path\":\"x\",\"size\":9007199254740992,\"label\":\"public\"}",
			"'size' is not a whole number from 0 to 2^53-1");
	assert_rejected("{\"path\":\"x\",\"size\":18446744073709551616,\"label\":\"public\"}",
			"not a JSON object: too big integer near '18446744073709551616'");
	assert_rejected("{\"path\":\"x\",\"size\":1e3,\"label\":\"public\"}",
			"'size' is not a whole number from 0 to 2^53-1");
}

/* Any one byte of a line changed is either rejected, or is another line that says so. */
static void entry_of_a_changed_line_formats_to_that_line(void **state)
{
	struct buf line = BUF_INIT, again = BUF_INIT;
	struct entry entry = with_pieces(2, PIECE + 1);
	size_t taken = 0;

	(void)state;
	entry.exec = true;
	entry.type = "a/b";
	entry_format(&line, &entry);
	for (size_t i = 0; i < line.len; i++) {
		char kept = line.data[i];
		for (int c = 0; c < 256; c++) {
			struct entry other;
			struct err e = {.code = ERR_NONE};
			line.data[i] = (char)c;
			if (entry_parse(line.data, line.len, PIECE, &arena, &other, &e) != 0) {
				assert_int_equal(e.code, ERR_MALFORMED);
				continue;
			}
			taken++;
			buf_clear(&again);
			entry_format(&again, &other);
			assert_int_equal(again.len, line.len);
			assert_memory_equal(again.data, line.data, line.len);
		}
		line.data[i] = kept;
		arena_release(&arena);
	}
	assert_true(taken > line.len);
	buf_release(&line);
	buf_release(&again);
}

static void entry_content_is_size_and_root(void **state)
{
	struct entry a = with_pieces(2, PIECE + 1), b = a;
	const struct entry empty = {.path = "e"}, other = {.path = "f", .label = LABEL_ORIGIN};

	(void)state;
	b.path = "c/d.bin";
	b.label = LABEL_ORIGIN;
	b.type = "a/b";
	b.has_sha256 = true;
	memset(b.sha256, 0xAB, SHA256_SIZE);
	assert_true(entry_same_content(&a, &b));
	assert_true(entry_same_content(&empty, &other));
	assert_false(entry_same_content(&a, &empty));
	b.size++;
	assert_false(entry_same_content(&a, &b));
	b.size--;
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		b.root[i] ^= 1;
		assert_false(entry_same_content(&a, &b));
		b.root[i] ^= 1;
	}
	assert_true(entry_same_content(&a, &b));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_teardown(test, release_arena)
	const struct CMUnitTest tests[] = {
	    TEST(entry_round_trips_all_its_fields),
	    TEST(entry_has_the_keys_in_order),
	    TEST(entry_rejects_paths_that_are_not_portable),
	    TEST(entry_never_lists_private_files),
	    TEST(entry_has_a_root_unless_it_is_empty),
	    TEST(entry_has_one_hash_a_piece),
	    TEST(entry_pieces_give_the_root),
	    TEST(entry_leaves_out_what_does_not_apply),
	    TEST(entry_attributes_are_printable_ascii),
	    TEST(entry_rejects_unknown_and_doubled_keys),
	    TEST(entry_has_one_spelling),
	    TEST(entry_rejects_huge_numbers),
	    TEST(entry_of_a_changed_line_formats_to_that_line),
	    TEST(entry_content_is_size_and_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
