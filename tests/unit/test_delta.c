#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/delta.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define END(version, serial, hex) \
	"{\"version\":\"" version "\",\"serial\":" serial ",\"sha256\":\"" hex "\"}"
#define MANIFEST(product, channel, version, serial, files)                             \
	"{\"swarm\":\"manifest/1\",\"product\":\"" product "\",\"channel\":\"" channel \
	"\",\"version\":\"" version "\",\"serial\":" serial                            \
	",\"piece_length\":16384,\"files\":" files ",\"bytes\":7}"
#define HEADER(product, from, to, counts, manifest, more)                                          \
	"{\"swarm\":\"delta/1\",\"product\":\"" product "\",\"channel\":\"stable\",\"from\":" from \
	",\"to\":" to "," counts ",\"header\":" manifest more "}"
#define FROM   END("1.0", "4", A64)
#define TO     END("1.1", "5", B64)
#define COUNTS "\"removes\":2,\"files\":3"
#define NEW    MANIFEST("farm", "stable", "1.1", "5", "9")
#define SOLID  ",\"solid\":{\"version\":1,\"size\":77,\"sha256\":\"" A64 "\"}"

#define FILE_7 "{\"path\":\"a/b\",\"size\":7,\"label\":\"public\",\"root\":\"" A64 "\"}"
#define FILE_0 "{\"path\":\"a/b\",\"size\":0,\"label\":\"public\"}"
#define DCZ    "\"patch\":{\"codec\":\"dcz\",\"base\":\"old\",\"size\":5,\"sha256\":\"" B64 "\"}"
#define ZSTD   "\"patch\":{\"codec\":\"zstd\",\"size\":5,\"sha256\":\"" B64 "\"}"

/* --- helpers ---------------------------------------------------------------------------------- */

static struct delta_header read_header(const char *text)
{
	struct delta_header h;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	if (delta_parse_header(text, strlen(text), &h, &e) != 0)
		fail_msg("%s", e.msg);
	delta_format_header(&b, &h);
	assert_string_equal(b.data, text);
	buf_release(&b);
	return h;
}

static void assert_header_rejected(const char *text, const char *message)
{
	struct delta_header h;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(delta_parse_header(text, strlen(text), &h, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_MALFORMED);
}

/* From a block of just its size, so that a read behind it is seen. */
static int parse(const char *text, size_t len, struct arena *arena, struct delta_line *ret,
		 struct err *e)
{
	char *exact = malloc(len + (len == 0));

	assert_non_null(exact);
	memcpy(exact, text, len);
	int status = delta_parse_line(exact, len, 16384, arena, ret, e);
	free(exact);
	return status;
}

static struct delta_line read_line(const char *text, struct arena *arena)
{
	struct delta_line line;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	if (parse(text, strlen(text), arena, &line, &e) != 0)
		fail_msg("%s", e.msg);
	delta_format_line(&b, &line);
	assert_string_equal(b.data, text);
	buf_release(&b);
	return line;
}

static void assert_line_taken(const char *text)
{
	struct arena arena = ARENA_INIT;

	(void)read_line(text, &arena);
	arena_release(&arena);
}

static void assert_line_rejected(const char *text, const char *message)
{
	struct arena arena = ARENA_INIT;
	struct delta_line line;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(parse(text, strlen(text), &arena, &line, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_MALFORMED);
	arena_release(&arena);
}

/* --- the first line --------------------------------------------------------------------------- */

static void header_reads_every_field(void **state)
{
	uint8_t bytes[SHA256_SIZE];

	(void)state;
	struct delta_header h = read_header(HEADER("farm", FROM, TO, COUNTS, NEW, SOLID));
	assert_string_equal(h.product, "farm");
	assert_string_equal(h.channel, "stable");
	assert_string_equal(h.from.version, "1.0");
	assert_int_equal(h.from.serial, 4);
	memset(bytes, 0xAA, sizeof bytes);
	assert_memory_equal(h.from.digest, bytes, sizeof bytes);
	assert_string_equal(h.to.version, "1.1");
	assert_int_equal(h.to.serial, 5);
	assert_int_equal(h.removes, 2);
	assert_int_equal(h.files, 3);
	assert_int_equal(h.header.kind, HEADER_MANIFEST);
	assert_int_equal(h.header.piece_length, 16384);
	assert_int_equal(h.header.files, 9);
	assert_int_equal(h.header.bytes, 7);
	assert_true(h.has_solid);
	assert_int_equal(h.solid.version, 1);
	assert_int_equal(h.solid.size, 77);
	assert_memory_equal(h.solid.sha256, bytes, sizeof bytes);
	memset(bytes, 0xBB, sizeof bytes);
	assert_memory_equal(h.to.digest, bytes, sizeof bytes);
	assert_false(read_header(HEADER("farm", FROM, TO, COUNTS, NEW, "")).has_solid);
	/* Another release of the same files. */
	h = read_header(HEADER("farm", FROM, TO, "\"removes\":0,\"files\":0", NEW, ""));
	assert_int_equal(h.files, 0);
}

static void header_goes_to_a_higher_serial(void **state)
{
	static const char why[] = "'to' has no higher serial than 'from'";

	(void)state;
	assert_header_rejected(HEADER("farm", END("1.0", "5", A64), TO, COUNTS, NEW, ""), why);
	assert_header_rejected(HEADER("farm", END("1.0", "6", A64), TO, COUNTS, NEW, ""), why);
	assert_header_rejected(HEADER("farm", END("1.0", "0", A64), TO, COUNTS, NEW, ""),
			       "'serial' is not at least 1");
}

static void header_holds_that_of_the_new_manifest(void **state)
{
	static const char other_product[] =
	    "'header' is of another product or channel than the delta";
	static const char other_release[] = "'header' is of another release than 'to'";

	(void)state;
	assert_header_rejected(HEADER("ranch", FROM, TO, COUNTS, NEW, ""), other_product);
	assert_header_rejected(
	    HEADER("farm", FROM, TO, COUNTS, MANIFEST("farm", "beta", "1.1", "5", "9"), ""),
	    other_product);
	assert_header_rejected(
	    HEADER("farm", FROM, TO, COUNTS, MANIFEST("farm", "stable", "1.2", "5", "9"), ""),
	    other_release);
	assert_header_rejected(
	    HEADER("farm", FROM, TO, COUNTS, MANIFEST("farm", "stable", "1.1", "6", "9"), ""),
	    other_release);
	assert_header_rejected(
	    HEADER("farm", FROM, TO, COUNTS,
		   "{\"swarm\":\"inventory/1\",\"piece_length\":16384,\"files\":9,\"bytes\":7}",
		   ""),
	    "'header' is not the first line of a manifest");
	assert_header_rejected(HEADER("farm", FROM, TO, COUNTS, "{}", ""), "'swarm' is missing");
	assert_header_rejected(HEADER("farm", FROM, TO, COUNTS, "[]", ""),
			       "'header' is not an object");
	assert_header_rejected(
	    HEADER("farm", FROM, TO, COUNTS, MANIFEST("farm", "stable", "1.1", "5", "2"), ""),
	    "'files' is more than the new manifest has");
	assert_header_rejected(
	    HEADER("farm", FROM, TO, COUNTS, MANIFEST("farm", "stable", "1.1", "5", "0"), ""),
	    "'files' is not at least 1");
}

static void header_rejects_bad_fields(void **state)
{
	(void)state;
	assert_header_rejected("{\"swarm\":\"delta/2\"}", "'swarm' is not delta/1");
	assert_header_rejected(HEADER("fa rm", FROM, TO, COUNTS, NEW, ""),
			       "'product' is not a product or channel");
	assert_header_rejected(HEADER("farm", END("1 0", "4", A64), TO, COUNTS, NEW, ""),
			       "'version' is not a version");
	assert_header_rejected(HEADER("farm", END("1.0", "4", "aa"), TO, COUNTS, NEW, ""),
			       "'sha256' is not lower-case hex of the right length");
	assert_header_rejected(HEADER("farm", FROM, TO, "\"removes\":-1,\"files\":3", NEW, ""),
			       "'removes' is not a whole number from 0 to 2^53-1");
	assert_header_rejected(HEADER("farm", FROM, TO, "\"files\":3", NEW, ""),
			       "'removes' is missing");
	assert_header_rejected(HEADER("farm", FROM, TO, COUNTS, NEW, ",\"solid\":true"),
			       "'solid' is not an object");
	assert_header_rejected(HEADER("farm", FROM, TO, COUNTS, NEW,
				      ",\"solid\":{\"version\":0,\"size\":7,\"sha256\":\"" A64
				      "\"}"),
			       "'version' is not at least 1");
	assert_header_rejected(HEADER("farm", FROM, TO, COUNTS, NEW,
				      ",\"solid\":{\"version\":1,\"size\":0,\"sha256\":\"" A64
				      "\"}"),
			       "'size' is not at least 1");
	assert_header_rejected(HEADER("farm", FROM, TO, COUNTS, NEW, ",\"x\":1"),
			       "'x' is not a key known here");
	assert_header_rejected(
	    HEADER("farm", FROM, TO, COUNTS,
		   "{\"swarm\":\"manifest/1\",\"product\":\"farm\",\"channel\":\"stable\","
		   "\"version\":\"1.1\",\"serial\":5,\"piece_length\":16384,\"files\":9,"
		   "\"bytes\":7,\"x\":1}",
		   ""),
	    "'x' is not a key known here");
}

static void header_has_one_spelling(void **state)
{
	static const char good[] = HEADER("farm", FROM, TO, COUNTS, NEW, SOLID);
	struct buf b = BUF_INIT;

	(void)state;
	(void)read_header(good);
	/* A space anywhere is one too many, and a byte less is one too few. */
	for (size_t i = 0; i < sizeof good; i++) {
		struct delta_header h;
		struct err e = {.code = ERR_NONE};
		buf_clear(&b);
		buf_add(&b, good, i);
		buf_addc(&b, ' ');
		buf_adds(&b, good + i);
		assert_int_equal(delta_parse_header(b.data, b.len, &h, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
		if (i == sizeof good - 1)
			continue;
		e = (struct err){.code = ERR_NONE};
		assert_int_equal(delta_parse_header(good, i, &h, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
	}
	buf_release(&b);
}

/* What parsing would take twenty times the memory of is not parsed at all. */
static void header_is_short(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "{\"swarm\":\"delta/1\",\"product\":");
	for (int i = 0; i < 1000000; i++)
		buf_adds(&b, "[[],");
	assert_header_rejected(b.data, "no first line of a delta is this long");
	buf_release(&b);
}

/* --- the other lines -------------------------------------------------------------------------- */

static void line_that_removes(void **state)
{
	struct arena arena = ARENA_INIT;

	(void)state;
	struct delta_line line = read_line("{\"remove\":\"img/old.png\"}", &arena);
	assert_true(line.remove);
	assert_string_equal(line.path, "img/old.png");
	arena_release(&arena);
	assert_line_rejected("{\"remove\":\"../x\"}",
			     "'remove' is not portable: it has a component '.' or '..'");
	assert_line_rejected("{\"remove\":\"x\",\"solid\":true}",
			     "'solid' is not a key known here");
	assert_line_rejected("{\"remove\":\"x\",\"file\":" FILE_0 "}",
			     "'file' is not a key known here");
	assert_line_rejected("{\"remove\":7}", "'remove' is not a string");
	assert_line_rejected("{\"remove\": \"x\"}",
			     "column 11: not the one spelling that a document may use (order of "
			     "keys, white space, escapes)");
}

static void line_of_each_source(void **state)
{
	struct arena arena = ARENA_INIT;
	uint8_t bytes[SHA256_SIZE];

	(void)state;
	struct delta_line line = read_line("{\"file\":" FILE_7 "}", &arena);
	assert_false(line.remove);
	assert_string_equal(line.path, "a/b");
	assert_int_equal(line.file.size, 7);
	assert_int_equal(line.source, DELTA_BARE);
	assert_int_equal(line.text_len, strlen(FILE_7));
	assert_string_equal(line.text, FILE_7);
	assert_false(line.solid);

	line = read_line("{\"file\":" FILE_7 ",\"copy\":\"a/b\"}", &arena);
	assert_int_equal(line.source, DELTA_COPY);
	assert_string_equal(line.from, "a/b");

	line = read_line("{\"file\":" FILE_7 "," DCZ "}", &arena);
	assert_int_equal(line.source, DELTA_DCZ);
	assert_string_equal(line.from, "old");
	assert_int_equal(line.size, 5);
	memset(bytes, 0xBB, sizeof bytes);
	assert_memory_equal(line.sha256, bytes, sizeof bytes);

	line = read_line("{\"file\":" FILE_7 "," ZSTD ",\"solid\":true}", &arena);
	assert_int_equal(line.source, DELTA_ZSTD);
	assert_null(line.from);
	assert_true(line.solid);
	assert_true(read_line("{\"file\":" FILE_7 ",\"solid\":true}", &arena).solid);
	assert_int_equal(read_line("{\"file\":" FILE_0 "}", &arena).file.size, 0);
	arena_release(&arena);
}

static void source_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(delta_source_name(DELTA_BARE), "bare");
	assert_string_equal(delta_source_name(DELTA_COPY), "copy");
	assert_string_equal(delta_source_name(DELTA_DCZ), "dcz");
	assert_string_equal(delta_source_name(DELTA_ZSTD), "zstd");
}

static void line_with_one_source_at_most(void **state)
{
	static const char copied[] = "'copy' leaves nothing to be made by a payload";
	static const char empty[] = "'file' is empty, and needs no source";

	(void)state;
	assert_line_rejected("{\"file\":" FILE_7 ",\"copy\":\"x\"," DCZ "}", copied);
	assert_line_rejected("{\"file\":" FILE_7 ",\"copy\":\"x\",\"solid\":true}", copied);
	assert_line_rejected("{\"file\":" FILE_0 ",\"copy\":\"x\"}", empty);
	assert_line_rejected("{\"file\":" FILE_0 "," ZSTD "}", empty);
	assert_line_rejected("{\"file\":" FILE_0 ",\"solid\":true}", empty);
}

static void line_rejects_bad_sources(void **state)
{
#define PATCH(members) "{\"file\":" FILE_7 ",\"patch\":{" members "}}"
	(void)state;
	assert_line_taken(PATCH("\"codec\":\"zstd\",\"size\":5,\"sha256\":\"" B64 "\""));
	assert_line_rejected(PATCH("\"codec\":\"xz\",\"size\":5,\"sha256\":\"" B64 "\""),
			     "'codec' is neither dcz nor zstd");
	assert_line_rejected(PATCH("\"codec\":\"bare\",\"size\":5,\"sha256\":\"" B64 "\""),
			     "'codec' is neither dcz nor zstd");
	assert_line_rejected(
	    PATCH("\"codec\":\"zstd\",\"base\":\"a\",\"size\":5,\"sha256\":\"" B64 "\""),
	    "'base' is not a key known here");
	assert_line_rejected(PATCH("\"codec\":\"dcz\",\"size\":5,\"sha256\":\"" B64 "\""),
			     "'base' is missing");
	assert_line_rejected(
	    PATCH("\"codec\":\"dcz\",\"base\":\"/etc/passwd\",\"size\":5,\"sha256\":\"" B64 "\""),
	    "'base' is not portable: it has an empty component");
	assert_line_rejected(PATCH("\"codec\":\"zstd\",\"size\":0,\"sha256\":\"" B64 "\""),
			     "'size' is not at least 1");
	assert_line_rejected(PATCH("\"codec\":\"zstd\",\"size\":5"), "'sha256' is missing");
	assert_line_rejected("{\"file\":" FILE_7 ",\"copy\":\"a//b\"}",
			     "'copy' is not portable: it has an empty component");
	assert_line_rejected("{\"file\":" FILE_7 ",\"copy\":{}}", "'copy' is not a string");
	assert_line_rejected("{\"file\":" FILE_7 ",\"patch\":[]}", "'patch' is not an object");
	assert_line_rejected("{\"file\":" FILE_7 ",\"solid\":false}",
			     "'solid' is false: it is to be left out");
	assert_line_rejected("{\"file\":" FILE_7 ",\"x\":1}", "'x' is not a key known here");
}

/* The new manifest's line is taken as it is, so it must be one. */
static void line_holds_a_line_of_a_manifest(void **state)
{
	(void)state;
	assert_line_rejected("{\"file\":7}", "'file' is not an object, or does not end");
	assert_line_rejected("{\"file\":[]}", "'file' is not an object, or does not end");
	assert_line_rejected("{\"file\":{}}", "'file': 'path' is missing");
	assert_line_rejected("{\"file\":{\"path\":\"}\",\"size\":0}", "'file': 'label' is missing");
	assert_line_rejected("{\"file\":{\"path\":\"\\\"}\",\"size\":0}",
			     "'file': 'path' is not portable: it has one of \\ : * ? \" < > |");
	assert_line_rejected("{\"file\":" FILE_7,
			     "not a JSON object: string or '}' expected near end of file");
}

static void line_has_one_spelling(void **state)
{
	/* A space inside a path makes another path of it: where that can be. */
	static const int other_paths[] = {5, 3, 2, 1};
	static const char *const good[] = {
	    "{\"file\":" FILE_7 "," DCZ ",\"solid\":true}",
	    "{\"file\":" FILE_7 ",\"copy\":\"a\"}",
	    "{\"file\":" FILE_0 "}",
	    "{\"remove\":\"a\"}",
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
		int taken = 0;
		size_t len = strlen(good[k]);
		assert_line_taken(good[k]);
		for (size_t i = 0; i <= len; i++) {
			struct arena arena = ARENA_INIT;
			struct delta_line line;
			struct err e = {.code = ERR_NONE};
			buf_clear(&b);
			buf_add(&b, good[k], i);
			buf_addc(&b, ' ');
			buf_adds(&b, good[k] + i);
			if (parse(b.data, b.len, &arena, &line, &e) == 0)
				taken++;
			else
				assert_int_equal(e.code, ERR_MALFORMED);
			arena_release(&arena);
		}
		assert_int_equal(taken, other_paths[k]);
		for (size_t i = 0; i < len; i++) {
			struct arena arena = ARENA_INIT;
			struct delta_line line;
			struct err e = {.code = ERR_NONE};
			assert_int_equal(parse(good[k], i, &arena, &line, &e), -1);
			assert_int_equal(e.code, ERR_MALFORMED);
			arena_release(&arena);
		}
	}
	buf_release(&b);
}

/* Neither depth nor length costs more than a look. */
static void line_that_is_deep_or_huge(void **state)
{
	static const char *const starts[] = {
	    "{\"file\":", "{\"file\":" FILE_7 ",\"x\":", "{\"remove\":", "{"};
	static const char *const messages[] = {
	    "'file' is not an object, or does not end", "too much stands behind 'file'",
	    "no line that removes a file is this long", "no line that removes a file is this long"};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		buf_clear(&b);
		buf_adds(&b, starts[i]);
		for (int n = 0; n < 1000000; n++)
			buf_adds(&b, i == 0 ? "{\"\":" : "[");
		assert_line_rejected(b.data, messages[i]);
	}
	buf_clear(&b);
	buf_adds(&b, "{\"file\":{\"path\":");
	for (int n = 0; n < 1000000; n++)
		buf_adds(&b, "[");
	for (int n = 0; n < 1000000; n++)
		buf_adds(&b, "]");
	buf_adds(&b, "}}");
	assert_line_rejected(b.data, "'file': column 9: an array or object inside the line");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(header_reads_every_field),
	    cmocka_unit_test(header_goes_to_a_higher_serial),
	    cmocka_unit_test(header_holds_that_of_the_new_manifest),
	    cmocka_unit_test(header_rejects_bad_fields),
	    cmocka_unit_test(header_has_one_spelling),
	    cmocka_unit_test(header_is_short),
	    cmocka_unit_test(line_that_removes),
	    cmocka_unit_test(line_of_each_source),
	    cmocka_unit_test(source_has_a_name),
	    cmocka_unit_test(line_with_one_source_at_most),
	    cmocka_unit_test(line_rejects_bad_sources),
	    cmocka_unit_test(line_holds_a_line_of_a_manifest),
	    cmocka_unit_test(line_has_one_spelling),
	    cmocka_unit_test(line_that_is_deep_or_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
