#define _GNU_SOURCE /* memfd_create() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/body.h"

#define HEADER          "{\"swarm\":\"inventory/1\",\"piece_length\":16384,\"files\":%d,\"bytes\":0}\n"
#define FILE_LINE(path) "{\"path\":\"" path "\",\"size\":0,\"label\":\"public\"}\n"
#define A64             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Reads it all: how many files came, and what went wrong (code ERR_NONE: nothing). */
static int read_body(const char *text, size_t len, uint64_t length, struct err *e)
{
	struct arena arena = ARENA_INIT;
	struct entry entry;
	int fd = file_of(text, len), files = 0, got = 0;
	struct body *b = body_open(fd, length, "x", e);

	while (b != NULL && (got = body_next(b, &arena, &entry, e)) > 0)
		files++;
	if (b == NULL || got < 0) {
		assert_int_not_equal(e->code, ERR_NONE);
	} else {
		assert_int_equal(e->code, ERR_NONE);
		/* At the end it stays. */
		assert_int_equal(body_next(b, &arena, &entry, e), 0);
	}
	arena_release(&arena);
	body_close(b);
	assert_int_equal(close(fd), 0);
	return files;
}

static void assert_taken(const char *text, int files)
{
	struct err e = {.code = ERR_NONE};

	int got = read_body(text, strlen(text), UINT64_MAX, &e);
	if (e.code != ERR_NONE)
		fail_msg("%s", e.msg);
	assert_int_equal(got, files);
}

static void assert_rejected(const char *text, const char *message)
{
	struct err e = {.code = ERR_NONE};

	(void)read_body(text, strlen(text), UINT64_MAX, &e);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_MALFORMED);
}

/* A body of these lines behind the header of an inventory. */
static void body_of(struct buf *to, int files, const char *lines)
{
	buf_addf(to, HEADER, files);
	buf_adds(to, lines);
}

static void assert_lines_taken(int files, const char *lines)
{
	struct buf b = BUF_INIT;

	body_of(&b, files, lines);
	assert_taken(b.data, files);
	buf_release(&b);
}

static void assert_lines_rejected(int files, const char *lines, const char *message)
{
	struct buf b = BUF_INIT;

	body_of(&b, files, lines);
	assert_rejected(b.data, message);
	buf_release(&b);
}

static void body_reads_files_in_order(void **state)
{
	static const char text[] =
	    "{\"swarm\":\"manifest/"
	    "1\",\"product\":\"farm\",\"channel\":\"stable\",\"version\":\"1\","
	    "\"serial\":1,\"piece_length\":16384,\"files\":2,\"bytes\":7}\n"
	    "{\"path\":\"a\",\"size\":7,\"label\":\"public\",\"root\":\"" A64
	    "\"}\n" FILE_LINE("b");
	static const char *const paths[] = {"a", "b"};
	struct arena arena = ARENA_INIT;
	struct entry entry;
	struct err e;
	uint8_t digest[SHA256_SIZE], want[SHA256_SIZE];
	uint64_t bytes;
	int fd = file_of(text, sizeof text - 1);
	struct body *b = body_open(fd, sizeof text - 1, "x", &e);

	(void)state;
	assert_non_null(b);
	assert_int_equal(body_header(b)->kind, HEADER_MANIFEST);
	assert_string_equal(body_header(b)->id.product, "farm");
	const char *line = strchr(text, '\n') + 1;
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		assert_int_equal(body_next(b, &arena, &entry, &e), 1);
		assert_string_equal(entry.path, paths[i]);
		const char *raw = body_line(b, &len);
		assert_memory_equal(raw, line, len);
		assert_int_equal(line[len], '\n');
		line += len + 1;
	}
	assert_int_equal(body_next(b, &arena, &entry, &e), 0);
	body_digest(b, digest, &bytes);
	assert_int_equal(bytes, sizeof text - 1);
	struct sha256 *sha = sha256_new(&e);
	assert_non_null(sha);
	sha256_once(sha, text, sizeof text - 1, want);
	assert_memory_equal(digest, want, SHA256_SIZE);
	sha256_free(sha);
	arena_release(&arena);
	body_close(b);
	body_close(NULL);
	assert_int_equal(close(fd), 0);
}

static void body_rejects_a_duplicate_path(void **state)
{
	(void)state;
	assert_lines_taken(2, FILE_LINE("a") FILE_LINE("b"));
	assert_lines_rejected(2, FILE_LINE("a") FILE_LINE("a"),
			      "x:3: the path 'a' stands here twice");
}

static void body_rejects_files_out_of_order(void **state)
{
	(void)state;
	assert_lines_rejected(2, FILE_LINE("b") FILE_LINE("a"),
			      "x:3: 'a' is out of order behind 'b'");
	/* In the order of file trees, not of strings. */
	assert_lines_taken(2, FILE_LINE("a/x") FILE_LINE("a.txt"));
	assert_lines_rejected(2, FILE_LINE("a.txt") FILE_LINE("a/x"),
			      "x:3: 'a/x' is out of order behind 'a.txt'");
	assert_lines_rejected(3, FILE_LINE("a/x") FILE_LINE("b") FILE_LINE("a/y"),
			      "x:4: 'a/y' is out of order behind 'b'");
}

static void body_rejects_a_file_that_is_a_parent(void **state)
{
	(void)state;
	assert_lines_rejected(2, FILE_LINE("a") FILE_LINE("a/b"),
			      "x:3: 'a/b' lies below 'a', which is a file");
	assert_lines_rejected(2, FILE_LINE("a/b") FILE_LINE("a/b/c/d"),
			      "x:3: 'a/b/c/d' lies below 'a/b', which is a file");
	assert_lines_taken(3, FILE_LINE("a") FILE_LINE("a.b") FILE_LINE("ab/c"));
}

static void body_rejects_wrong_counts(void **state)
{
	(void)state;
	assert_lines_rejected(2, FILE_LINE("a"), "'x' holds 1 files, but its first line says 2");
	assert_lines_rejected(1, FILE_LINE("a") FILE_LINE("b"),
			      "'x' holds 2 files, but its first line says 1");
	assert_lines_rejected(1, "", "'x' holds 0 files, but its first line says 1");
	assert_lines_rejected(
	    1, "{\"path\":\"a\",\"size\":7,\"label\":\"public\",\"root\":\"" A64 "\"}\n",
	    "the sizes in 'x' add up to 7 bytes, but its first line says 0");
	assert_rejected("{\"swarm\":\"inventory/"
			"1\",\"piece_length\":16384,\"files\":1,\"bytes\":1}\n" FILE_LINE("a"),
			"the sizes in 'x' add up to 0 bytes, but its first line says 1");
}

static void body_has_plain_digests_everywhere_or_nowhere(void **state)
{
#define WITH(path) \
	"{\"path\":\"" path "\",\"size\":0,\"label\":\"public\",\"sha256\":\"" A64 "\"}\n"
	static const char why[] = "x:3: 'sha256' must stand in all lines or none";

	(void)state;
	assert_lines_taken(2, WITH("a") WITH("b"));
	assert_lines_rejected(2, WITH("a") FILE_LINE("b"), why);
	assert_lines_rejected(2, FILE_LINE("a") WITH("b"), why);
}

static void body_names_the_line_of_an_error(void **state)
{
	(void)state;
	assert_rejected("{}\n", "x:1: 'swarm' is missing");
	assert_lines_rejected(2, FILE_LINE("a") "{}\n", "x:3: 'path' is missing");
	assert_lines_rejected(2, FILE_LINE("a") "\n" FILE_LINE("b"),
			      "x:3: not a JSON object: '[' or '{' expected near end of file");
	assert_lines_rejected(1, "{\"path\":\"a\",\"size\":0,\"label\":\"public\"}\r\n",
			      "x:2: column 39: not the one spelling that a document may use (order "
			      "of keys, white space, escapes)");
}

static void body_must_end_in_a_line_feed(void **state)
{
	(void)state;
	assert_lines_rejected(1, "{\"path\":\"a\",\"size\":0,\"label\":\"public\"}",
			      "x:2: the last line has no line feed: is it cut off?");
	assert_rejected("{\"swarm\":", "x:1: the last line has no line feed: is it cut off?");
}

/* Cut anywhere but at its end, it is rejected, and a reason is given. */
static void body_rejects_every_truncation(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	body_of(&b, 2, FILE_LINE("a") FILE_LINE("b"));
	for (size_t len = 0; len < b.len; len++) {
		struct err e = {.code = ERR_NONE};
		(void)read_body(b.data, len, UINT64_MAX, &e);
		assert_int_equal(e.code, ERR_MALFORMED);
	}
	buf_release(&b);
}

/* What stands behind the length that was asked for is no part of it. */
static void body_ends_at_its_length(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	body_of(&b, 1, FILE_LINE("a"));
	size_t len = b.len;
	buf_adds(&b, FILE_LINE("b"));
	struct err e = {.code = ERR_NONE};
	assert_int_equal(read_body(b.data, b.len, len, &e), 1);
	for (uint64_t short_ = 0; short_ < len; short_++) {
		e = (struct err){.code = ERR_NONE};
		(void)read_body(b.data, b.len, short_, &e);
		assert_int_equal(e.code, ERR_MALFORMED);
	}
	buf_release(&b);
}

static void body_tells_of_a_file_that_cannot_be_read(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_null(body_open(-1, 100, "x", &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot read 'x': Bad file descriptor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(body_reads_files_in_order),
	    cmocka_unit_test(body_rejects_a_duplicate_path),
	    cmocka_unit_test(body_rejects_files_out_of_order),
	    cmocka_unit_test(body_rejects_a_file_that_is_a_parent),
	    cmocka_unit_test(body_rejects_wrong_counts),
	    cmocka_unit_test(body_has_plain_digests_everywhere_or_nowhere),
	    cmocka_unit_test(body_names_the_line_of_an_error),
	    cmocka_unit_test(body_must_end_in_a_line_feed),
	    cmocka_unit_test(body_rejects_every_truncation),
	    cmocka_unit_test(body_ends_at_its_length),
	    cmocka_unit_test(body_tells_of_a_file_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
