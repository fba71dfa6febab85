#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/header.h"
#include "swarm/num.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define INVENTORY "{\"swarm\":\"inventory/1\",\"piece_length\":262144,\"files\":2,\"bytes\":300123}"
#define MANIFEST                                                                             \
	"{\"swarm\":\"manifest/1\",\"product\":\"farm\",\"channel\":\"stable\","             \
	"\"version\":\"1.0.2\",\"serial\":42,\"piece_length\":262144,\"files\":2,\"bytes\":" \
	"300123}"

static struct header read_line(const char *line)
{
	struct header h;
	struct err e = {.code = ERR_NONE};

	if (header_parse(line, strlen(line), &h, &e) != 0)
		fail_msg("%s: %s", line, e.msg);
	return h;
}

static void assert_rejected(const char *line, const char *message)
{
	struct header h;
	struct err e = {.code = ERR_NONE};

	if (header_parse(line, strlen(line), &h, &e) == 0)
		fail_msg("%s was taken", line);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_MALFORMED);
}

static void assert_round_trip(const struct header *h)
{
	struct buf b = BUF_INIT;

	header_format(&b, h);
	struct header again = read_line(b.data);
	assert_int_equal(again.kind, h->kind);
	assert_string_equal(again.id.product, h->id.product);
	assert_string_equal(again.id.channel, h->id.channel);
	assert_string_equal(again.id.version, h->id.version);
	assert_int_equal(again.id.serial, h->id.serial);
	assert_int_equal(again.piece_length, h->piece_length);
	assert_int_equal(again.files, h->files);
	assert_int_equal(again.bytes, h->bytes);
	buf_release(&b);
}

static void header_reads_what_the_design_shows(void **state)
{
	struct buf b = BUF_INIT;
	struct header h = read_line(INVENTORY);

	(void)state;
	assert_int_equal(h.kind, HEADER_INVENTORY);
	assert_int_equal(h.piece_length, 262144);
	assert_int_equal(h.files, 2);
	assert_int_equal(h.bytes, 300123);
	header_format(&b, &h);
	assert_string_equal(b.data, INVENTORY);
	buf_clear(&b);
	h = read_line(MANIFEST);
	assert_int_equal(h.kind, HEADER_MANIFEST);
	assert_string_equal(h.id.product, "farm");
	assert_string_equal(h.id.channel, "stable");
	assert_string_equal(h.id.version, "1.0.2");
	assert_int_equal(h.id.serial, 42);
	header_format(&b, &h);
	assert_string_equal(b.data, MANIFEST);
	buf_release(&b);
}

static void header_round_trips_extremes(void **state)
{
	struct header h = {.kind = HEADER_INVENTORY, .piece_length = 16384, .files = 1};

	(void)state;
	assert_round_trip(&h);
	h = (struct header){.kind = HEADER_MANIFEST,
			    .id = {.product = "abcdefghijklmnopqrstuvwxyz012345",
				   .channel = "A._-............................",
				   .version = "0.1+2_3-4......................................x",
				   .serial = NUM_MAX},
			    .piece_length = UINT64_C(128) << 20,
			    .files = NUM_MAX,
			    .bytes = NUM_MAX};
	assert_int_equal(strlen(h.id.product), HEADER_PRODUCT_MAX);
	assert_int_equal(strlen(h.id.version), HEADER_VERSION_MAX);
	assert_round_trip(&h);
}

static void header_rejects_other_documents(void **state)
{
	(void)state;
	assert_rejected(
	    "{\"swarm\":\"inventory/2\",\"piece_length\":262144,\"files\":2,\"bytes\":1}",
	    "'swarm' is neither inventory/1 nor manifest/1");
	assert_rejected(
	    "{\"swarm\":\"Inventory/1\",\"piece_length\":262144,\"files\":2,\"bytes\":1}",
	    "'swarm' is neither inventory/1 nor manifest/1");
	assert_rejected("{\"piece_length\":262144,\"files\":2,\"bytes\":1}", "'swarm' is missing");
	assert_rejected("{\"swarm\":1,\"piece_length\":262144,\"files\":2,\"bytes\":1}",
			"'swarm' is not a string");
	assert_rejected("", "not a JSON object: '[' or '{' expected near end of file");
	assert_rejected("[]", "not a JSON object: another kind of value");
}

static void header_takes_powers_of_two_as_piece_length(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 53; shift++) {
		for (int off = -1; off <= 1; off++) {
			struct header h;
			struct err e = {.code = ERR_NONE};
			char line[256];
			uint64_t n = (UINT64_C(1) << shift) + (uint64_t)(int64_t)off;
			bool good = off == 0 && shift >= 14 && shift <= 27;
			(void)snprintf(
			    line, sizeof line,
			    "{\"swarm\":\"inventory/1\",\"piece_length\":%llu,\"files\":1,"
			    "\"bytes\":0}",
			    (unsigned long long)n);
			assert_int_equal(header_parse(line, strlen(line), &h, &e), good ? 0 : -1);
			assert_int_equal(header_is_piece_length(n), good);
			if (!good)
				assert_string_equal(
				    e.msg,
				    "'piece_length' is not a power of two from 16 KiB to 128 MiB");
		}
	}
	assert_false(header_is_piece_length(0));
	assert_false(header_is_piece_length(UINT64_MAX));
}

static void header_needs_a_file_and_a_serial(void **state)
{
	(void)state;
	assert_rejected(
	    "{\"swarm\":\"inventory/1\",\"piece_length\":262144,\"files\":0,\"bytes\":0}",
	    "'files' is not at least 1");
	assert_rejected("{\"swarm\":\"manifest/1\",\"product\":\"farm\",\"channel\":\"stable\","
			"\"version\":\"1\",\"serial\":0,\"piece_length\":262144,\"files\":2,"
			"\"bytes\":1}",
			"'serial' is not at least 1");
	assert_rejected(
	    "{\"swarm\":\"inventory/1\",\"piece_length\":262144,\"files\":-1,\"bytes\":0}",
	    "'files' is not a whole number from 0 to 2^53-1");
	assert_rejected("{\"swarm\":\"inventory/1\",\"piece_length\":262144,\"files\":1,"
			"\"bytes\":9007199254740992}",
			"'bytes' is not a whole number from 0 to 2^53-1");
}

static void header_rejects_unknown_missing_and_doubled_keys(void **state)
{
	(void)state;
	assert_rejected("{\"swarm\":\"inventory/1\",\"piece_length\":262144,\"files\":2}",
			"'bytes' is missing");
	assert_rejected(
	    "{\"swarm\":\"inventory/1\",\"piece_length\":262144,\"files\":2,\"bytes\":1,"
	    "\"x\":1}",
	    "'x' is not a key known here");
	/* What belongs to a manifest is unknown in an inventory. */
	assert_rejected(
	    "{\"swarm\":\"inventory/1\",\"serial\":1,\"piece_length\":262144,\"files\":2,"
	    "\"bytes\":1}",
	    "'serial' is not a key known here");
	assert_rejected(
	    "{\"swarm\":\"manifest/1\",\"piece_length\":262144,\"files\":2,\"bytes\":1}",
	    "'product' is missing");
	assert_rejected(
	    "{\"swarm\":\"inventory/1\",\"piece_length\":262144,\"files\":2,\"files\":2,"
	    "\"bytes\":1}",
	    "not a JSON object: duplicate object key near '\"files\"'");
}

static void header_has_one_spelling(void **state)
{
	(void)state;
	assert_rejected(
	    "{\"swarm\":\"inventory/1\",\"files\":2,\"piece_length\":262144,\"bytes\":1}",
	    "column 25: not the one spelling that a document may use (order of keys, "
	    "white space, escapes)");
	assert_rejected(
	    "{\"swarm\": \"inventory/1\",\"piece_length\":262144,\"files\":2,\"bytes\":1}",
	    "column 10: not the one spelling that a document may use (order of keys, "
	    "white space, escapes)");
	assert_rejected(
	    "{\"swarm\":\"inventory\\/1\",\"piece_length\":262144,\"files\":2,\"bytes\":1}",
	    "column 20: not the one spelling that a document may use (order of keys, "
	    "white space, escapes)");
	assert_rejected(
	    "{\"swarm\":\"inventory/1\",\"piece_length\":262144,\"files\":2,\"bytes\":-0}",
	    "column 64: not the one spelling that a document may use (order of keys, "
	    "white space, escapes)");
}

static void header_names_are_words(void **state)
{
	static const char *const good[] = {"a",   "Z",    "0",   "a.b", "a_b",
					   "a-b", "0.-_", "a..", "a--"};
	static const char *const bad[] = {"",    ".a",  "-a",       "_a",  "a b", "a/b", "a+b",
					  "a\\", "a\n", "\xC3\xA9", "a:b", "..",  "a%",  " a"};
	char name[64];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(header_is_name(good[i]));
		assert_true(header_is_version(good[i]));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(header_is_name(bad[i]));
		assert_int_equal(header_is_version(bad[i]), strcmp(bad[i], "a+b") == 0);
	}
	assert_false(header_is_version("+a"));
	memset(name, 'a', sizeof name);
	name[32] = '\0';
	assert_true(header_is_name(name));
	name[32] = 'a';
	name[33] = '\0';
	assert_false(header_is_name(name));
	assert_true(header_is_version(name));
	name[33] = 'a';
	name[48] = '\0';
	assert_true(header_is_version(name));
	name[48] = 'a';
	name[49] = '\0';
	assert_false(header_is_version(name));
}

static void header_rejects_names_that_are_no_words(void **state)
{
	(void)state;
	assert_rejected("{\"swarm\":\"manifest/1\",\"product\":\"../farm\",\"channel\":\"stable\","
			"\"version\":\"1\",\"serial\":1,\"piece_length\":262144,\"files\":2,"
			"\"bytes\":1}",
			"'product' is not 1-32 of A-Z a-z 0-9 . _ -, the first a letter or digit");
	assert_rejected("{\"swarm\":\"manifest/1\",\"product\":\"farm\",\"channel\":\"\","
			"\"version\":\"1\",\"serial\":1,\"piece_length\":262144,\"files\":2,"
			"\"bytes\":1}",
			"'channel' is not 1-32 of A-Z a-z 0-9 . _ -, the first a letter or digit");
	assert_rejected(
	    "{\"swarm\":\"manifest/1\",\"product\":\"farm\",\"channel\":\"stable\","
	    "\"version\":\"1 \",\"serial\":1,\"piece_length\":262144,\"files\":2,"
	    "\"bytes\":1}",
	    "'version' is not 1-48 of A-Z a-z 0-9 . + _ -, the first a letter or digit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(header_reads_what_the_design_shows),
	    cmocka_unit_test(header_round_trips_extremes),
	    cmocka_unit_test(header_rejects_other_documents),
	    cmocka_unit_test(header_takes_powers_of_two_as_piece_length),
	    cmocka_unit_test(header_needs_a_file_and_a_serial),
	    cmocka_unit_test(header_rejects_unknown_missing_and_doubled_keys),
	    cmocka_unit_test(header_has_one_spelling),
	    cmocka_unit_test(header_names_are_words),
	    cmocka_unit_test(header_rejects_names_that_are_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
