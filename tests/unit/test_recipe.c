#define _GNU_SOURCE /* memfd_create() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/recipe.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The new manifest has 9 files with 20 bytes. */
#define HEADER_WITH(more)                                                               \
	"{\"swarm\":\"delta/1\",\"product\":\"farm\",\"channel\":\"stable\","           \
	"\"from\":{\"version\":\"1.0\",\"serial\":4,\"sha256\":\"" A64 "\"},"           \
	"\"to\":{\"version\":\"1.1\",\"serial\":5,\"sha256\":\"" B64 "\"},"             \
	"\"removes\":%d,\"files\":%d,\"header\":{\"swarm\":\"manifest/1\","             \
	"\"product\":\"farm\",\"channel\":\"stable\",\"version\":\"1.1\",\"serial\":5," \
	"\"piece_length\":16384,\"files\":9,\"bytes\":20}" more "}\n"
#define HEADER HEADER_WITH("")
#define SOLID  HEADER_WITH(",\"solid\":{\"version\":1,\"size\":77,\"sha256\":\"" A64 "\"}")

#define REMOVE(path)     "{\"remove\":\"" path "\"}\n"
#define EMPTY(path)      "{\"file\":{\"path\":\"" path "\",\"size\":0,\"label\":\"public\"}}\n"
#define FILE_OF(path, n) FILE_WITH(path, n, "")
#define FILE_WITH(path, n, more)                                                               \
	"{\"file\":{\"path\":\"" path "\",\"size\":" n ",\"label\":\"public\",\"root\":\"" A64 \
	"\"}" more "}\n"

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("delta", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Reads it all: how many lines came, and what went wrong (code ERR_NONE: nothing). */
static int read_recipe(const char *text, size_t len, uint64_t length, struct err *e)
{
	struct arena arena = ARENA_INIT;
	struct delta_line line;
	int fd = file_of(text, len), lines = 0, got = 0;
	struct recipe *r = recipe_open(fd, length, "x", e);

	while (r != NULL && (got = recipe_next(r, &arena, &line, e)) > 0)
		lines++;
	if (r == NULL || got < 0) {
		assert_int_not_equal(e->code, ERR_NONE);
	} else {
		assert_int_equal(e->code, ERR_NONE);
		/* At the end it stays. */
		assert_int_equal(recipe_next(r, &arena, &line, e), 0);
	}
	arena_release(&arena);
	recipe_close(r);
	assert_int_equal(close(fd), 0);
	return lines;
}

static void assert_text_taken(const struct buf *text, int lines)
{
	struct err e = {.code = ERR_NONE};

	int got = read_recipe(text->data, text->len, UINT64_MAX, &e);
	if (e.code != ERR_NONE)
		fail_msg("%s", e.msg);
	assert_int_equal(got, lines);
}

static void assert_taken(int removes, int files, const char *lines)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, HEADER, removes, files);
	buf_adds(&b, lines);
	assert_text_taken(&b, removes + files);
	buf_release(&b);
}

static void assert_rejected(int removes, int files, const char *lines, const char *message)
{
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	buf_addf(&b, HEADER, removes, files);
	buf_adds(&b, lines);
	(void)read_recipe(b.data, b.len, UINT64_MAX, &e);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_MALFORMED);
	buf_release(&b);
}

static void recipe_reads_lines_in_order(void **state)
{
	static const char *const paths[] = {"a", "b/c", "b.c"};
	struct buf b = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct delta_line line;
	struct err e = {.code = ERR_NONE};
	uint8_t digest[SHA256_SIZE], want[SHA256_SIZE];
	uint64_t bytes;

	(void)state;
	buf_addf(&b, HEADER, 1, 2);
	buf_adds(&b, FILE_WITH("a", "7", ",\"copy\":\"old\"") REMOVE("b/c") EMPTY("b.c"));
	int fd = file_of(b.data, b.len);
	struct recipe *r = recipe_open(fd, b.len, "x", &e);
	assert_non_null(r);
	assert_string_equal(recipe_header(r)->to.version, "1.1");
	const char *at = b.data;
	for (size_t i = 0; i < 4; i++) {
		size_t len;
		const char *raw = recipe_line(r, &len);
		assert_memory_equal(raw, at, len);
		assert_int_equal(at[len], '\n');
		at += len + 1;
		assert_int_equal(recipe_next(r, &arena, &line, &e), i < 3);
		if (i < 3)
			assert_string_equal(line.path, paths[i]);
	}
	recipe_digest(r, digest, &bytes);
	assert_int_equal(bytes, b.len);
	struct sha256 *sha = sha256_new(&e);
	assert_non_null(sha);
	sha256_once(sha, b.data, b.len, want);
	assert_memory_equal(digest, want, SHA256_SIZE);
	sha256_free(sha);
	arena_release(&arena);
	recipe_close(r);
	recipe_close(NULL);
	assert_int_equal(close(fd), 0);
	buf_release(&b);
}

/* Another release of the same files. */
static void recipe_may_change_nothing(void **state)
{
	(void)state;
	assert_taken(0, 0, "");
}

static void recipe_names_no_path_twice(void **state)
{
	(void)state;
	assert_taken(1, 1, EMPTY("a") REMOVE("b"));
	assert_rejected(1, 1, EMPTY("a") REMOVE("a"), "x:3: the path 'a' stands here twice");
	assert_rejected(2, 0, REMOVE("a") REMOVE("a"), "x:3: the path 'a' stands here twice");
	assert_rejected(0, 2, EMPTY("a") EMPTY("a"), "x:3: the path 'a' stands here twice");
}

static void recipe_is_in_file_tree_order(void **state)
{
	(void)state;
	assert_rejected(1, 1, EMPTY("b") REMOVE("a"), "x:3: 'a' is out of order behind 'b'");
	assert_taken(1, 1, REMOVE("a/x") EMPTY("a.txt"));
	assert_rejected(1, 1, EMPTY("a.txt") REMOVE("a/x"),
			"x:3: 'a/x' is out of order behind 'a.txt'");
}

/* A file may take the place of a folder, and the other way round; it cannot be both. */
static void recipe_makes_no_file_a_parent(void **state)
{
	(void)state;
	assert_taken(1, 1, EMPTY("a") REMOVE("a/b"));
	assert_taken(1, 1, REMOVE("a") EMPTY("a/b"));
	assert_rejected(0, 2, EMPTY("a") EMPTY("a/b"),
			"x:3: 'a/b' lies below 'a', which is a file");
	assert_rejected(1, 2, EMPTY("a") REMOVE("a/b") EMPTY("a/c/d"),
			"x:4: 'a/c/d' lies below 'a', which is a file");
}

static void recipe_counts(void **state)
{
	(void)state;
	assert_rejected(1, 2, EMPTY("a") EMPTY("b"),
			"'x' removes 0 files, but its first line says 1: is it cut off?");
	assert_rejected(0, 2, EMPTY("a"),
			"'x' brings 1 files, but its first line says 2: is it cut off?");
	assert_rejected(0, 1, EMPTY("a") REMOVE("b"),
			"'x' removes 1 files, but its first line says 0: is it cut off?");
	/* A thing too many of one kind does not make up for one too few of the other. */
	assert_rejected(1, 1, EMPTY("a") EMPTY("b"),
			"'x' removes 0 files, but its first line says 1: is it cut off?");
}

static void recipe_fits_into_the_new_manifest(void **state)
{
#define EIGHT \
	EMPTY("b") EMPTY("c") EMPTY("d") EMPTY("e") EMPTY("f") EMPTY("g") EMPTY("h") EMPTY("i")
	(void)state;
	assert_taken(0, 2, FILE_OF("a", "7") FILE_OF("b", "13"));
	assert_rejected(0, 2, FILE_OF("a", "7") FILE_OF("b", "14"),
			"x:3: the sizes add up to more than the new manifest's");
	assert_rejected(0, 10, "", "x:1: 'files' is more than the new manifest has");
	assert_taken(0, 9, FILE_OF("a", "20") EIGHT);
	assert_rejected(0, 9, FILE_OF("a", "19") EIGHT,
			"'x' brings all files of the new manifest, but their sizes add up to 19 "
			"bytes, not 20");
}

static void recipe_has_plain_digests_everywhere_or_nowhere(void **state)
{
#define PLAIN(path)                                                                          \
	"{\"file\":{\"path\":\"" path "\",\"size\":0,\"label\":\"public\",\"sha256\":\"" A64 \
	"\"}}\n"
	static const char why[] = "x:3: 'sha256' must stand in all lines or none";

	(void)state;
	assert_taken(1, 2, PLAIN("a") REMOVE("b") PLAIN("c"));
	assert_rejected(0, 2, PLAIN("a") EMPTY("c"), why);
	assert_rejected(0, 2, EMPTY("a") PLAIN("c"), why);
}

static void recipe_is_solid_only_if_its_first_line_says_so(void **state)
{
	static const char line[] = FILE_WITH("a", "7", ",\"solid\":true");
	struct buf b = BUF_INIT;

	(void)state;
	buf_addf(&b, SOLID, 0, 1);
	size_t header = b.len;
	buf_adds(&b, line);
	assert_text_taken(&b, 1);
	buf_truncate(&b, header);
	buf_adds(&b, FILE_OF("a", "7"));
	assert_text_taken(&b, 1);
	buf_release(&b);
	assert_rejected(0, 1, line, "x:2: 'solid' stands here, but not in the first line");
}

static void recipe_names_the_line_of_an_error(void **state)
{
	(void)state;
	assert_rejected(0, 2, EMPTY("a") "{}\n", "x:3: 'remove' is missing");
	assert_rejected(0, 1, "\n", "x:2: not a JSON object: '[' or '{' expected near end of file");
	/* As if it had been signed twice. */
	assert_rejected(0, 1, EMPTY("a") "{\"payloadType\":\"x\"}\n", "x:3: 'remove' is missing");
}

/* Cut anywhere but at its end, it is rejected, and a reason is given. */
static void recipe_rejects_every_truncation(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_addf(&b, HEADER, 2, 2);
	buf_adds(&b, REMOVE("a") FILE_OF("b", "7") EMPTY("c") REMOVE("d"));
	for (size_t len = 0; len < b.len; len++) {
		struct err e = {.code = ERR_NONE};
		(void)read_recipe(b.data, len, UINT64_MAX, &e);
		assert_int_equal(e.code, ERR_MALFORMED);
		/* The same where it is only the length that ends there. */
		e = (struct err){.code = ERR_NONE};
		(void)read_recipe(b.data, b.len, len, &e);
		assert_int_equal(e.code, ERR_MALFORMED);
	}
	struct err e = {.code = ERR_NONE};
	assert_int_equal(read_recipe(b.data, b.len, b.len, &e), 4);
	assert_int_equal(e.code, ERR_NONE);
	buf_release(&b);
}

static void recipe_tells_of_a_file_that_cannot_be_read(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_null(recipe_open(-1, 100, "x", &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot read 'x': Bad file descriptor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recipe_reads_lines_in_order),
	    cmocka_unit_test(recipe_may_change_nothing),
	    cmocka_unit_test(recipe_names_no_path_twice),
	    cmocka_unit_test(recipe_is_in_file_tree_order),
	    cmocka_unit_test(recipe_makes_no_file_a_parent),
	    cmocka_unit_test(recipe_counts),
	    cmocka_unit_test(recipe_fits_into_the_new_manifest),
	    cmocka_unit_test(recipe_has_plain_digests_everywhere_or_nowhere),
	    cmocka_unit_test(recipe_is_solid_only_if_its_first_line_says_so),
	    cmocka_unit_test(recipe_names_the_line_of_an_error),
	    cmocka_unit_test(recipe_rejects_every_truncation),
	    cmocka_unit_test(recipe_tells_of_a_file_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
