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

#include "swarm/changes.h"
#include "swarm/draft.h"
#include "swarm/io.h"
#include "swarm/rebuild.h"
#include "swarm/scratch.h"

#include "manifests.h"

static const struct sheet before[] = {
    {"a", 5, 'a', NULL}, {"b/x", 5, 'b', NULL}, {"b.txt", 0, 0, NULL},
    {"c", 5, 'c', NULL}, {"d", 5, 'd', NULL},
};
static const struct sheet after[] = {
    {"a", 5, 'a', NULL},  {"b/w", 5, 'd', NULL}, {"b/x", 6, 'e', NULL},
    {"b.txt", 0, 0, "t"}, {"d", 5, 'd', NULL},   {"e", 7, 'f', NULL},
};

/* --- helpers ------------------------------------------------------------------------------------
 */

/* The body that comes out, and what happened on the way. */
struct got {
	struct buf body, log;
};

static int got_begin(void *context, const struct header *header, const char *text, size_t len,
		     struct err *e)
{
	struct got *g = context;

	(void)e;
	assert_int_equal(header->files, COUNT(after));
	buf_add(&g->body, text, len);
	buf_addc(&g->body, '\n');
	return 0;
}

static int got_file(void *context, const char *path, const char *text, size_t len,
		    const struct delta_line *line, struct err *e)
{
	struct got *g = context;

	(void)e;
	buf_addf(&g->log, "%s%s ",
		 line == NULL                 ? "="
		 : line->source == DELTA_COPY ? "<"
					      : "+",
		 path);
	if (line != NULL)
		assert_string_equal(line->path, path);
	buf_add(&g->body, text, len);
	buf_addc(&g->body, '\n');
	return 0;
}

static const struct rebuild_sink nobody = {.context = NULL};

/* What draft_write() makes of the pair, as text. */
static void write_delta(const struct sheet *from, size_t from_count, const struct sheet *to,
			size_t to_count, struct buf *ret)
{
	struct err e = {.code = ERR_NONE};
	struct document *a = open_sheets(1, from, from_count), *b = open_sheets(2, to, to_count);
	struct scratch *scratch = scratch_new(&e);
	struct outfile_options how = {.force = false};
	struct changes c;
	char path[] = "/tmp/test_rebuild-XXXXXX";
	uint64_t bytes = 0;

	assert_non_null(mkdtemp(path));
	struct buf name = BUF_INIT;
	buf_addf(&name, "%s/delta", path);
	struct outfile *out = outfile_open(name.data, &how, scratch, &e);
	assert_non_null(out);
	assert_int_equal(changes_read(a, b, &c, &e), 0);
	const struct draft draft = {.changes = &c};
	if (draft_write(&draft, a, out, &bytes, &e) != 0 || outfile_commit(out, &e) != 0)
		fail_msg("%s", e.msg);
	int fd = io_open(name.data, &e);
	assert_true(fd >= 0);
	assert_int_equal(io_read_all(fd, ret, 1 << 20, "delta", &e), 0);
	assert_int_equal(ret->len, bytes);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(name.data), 0);
	assert_int_equal(rmdir(path), 0);
	outfile_free(out);
	buf_release(&name);
	changes_release(&c);
	scratch_free(scratch);
	document_close(a);
	document_close(b);
}

static int rebuild(struct document *old, const struct buf *delta, const struct rebuild_sink *sink,
		   struct err *e)
{
	int fd = memfd_create("delta", MFD_CLOEXEC), status = -1;

	*e = (struct err){.code = ERR_NONE};
	assert_true(fd >= 0);
	assert_int_equal(write(fd, delta->data, delta->len), delta->len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	struct recipe *recipe = recipe_open(fd, delta->len, "delta", e);
	if (recipe != NULL)
		status = rebuild_run(old, recipe, sink, e);
	recipe_close(recipe);
	assert_int_equal(close(fd), 0);
	return status;
}

static void assert_refused(const struct buf *delta, enum err_code code, const char *message)
{
	struct document *old = open_sheets(1, before, COUNT(before));
	struct err e;

	assert_int_equal(rebuild(old, delta, &nobody, &e), -1);
	assert_int_equal(e.code, code);
	if (strstr(e.msg, message) == NULL)
		fail_msg("expected '%s' in: %s", message, e.msg);
	document_close(old);
}

/* Replaces the first `from` by `to`. */
static void replace(struct buf *text, const char *from, const char *to)
{
	struct buf result = BUF_INIT;
	const char *at = strstr(text->data, from);

	assert_non_null(at);
	buf_add(&result, text->data, (size_t)(at - text->data));
	buf_adds(&result, to);
	buf_adds(&result, at + strlen(from));
	buf_release(text);
	*text = result;
}

/* ------------------------------------------------------------------------------------------------
 */

static void rebuild_gives_the_new_body(void **state)
{
	struct got got = {BUF_INIT, BUF_INIT};
	struct rebuild_sink sink = {.context = &got, .begin = got_begin, .file = got_file};
	struct document *old = open_sheets(1, before, COUNT(before));
	struct buf delta = BUF_INIT, expected = BUF_INIT;
	struct err e;

	(void)state;
	write_delta(before, COUNT(before), after, COUNT(after), &delta);
	/* Twice: a document can be read again. */
	for (int i = 0; i < 2; i++) {
		buf_clear(&got.body);
		buf_clear(&got.log);
		if (rebuild(old, &delta, &sink, &e) != 0)
			fail_msg("%s", e.msg);
		buf_clear(&expected);
		put_body(&expected, make_header(2), after, COUNT(after));
		assert_string_equal(got.body.data, expected.data);
		assert_string_equal(got.log.data, "=a <b/w +b/x +b.txt =d +e ");
	}
	document_close(old);
	buf_release(&got.body);
	buf_release(&got.log);
	buf_release(&delta);
	buf_release(&expected);
}

static int keep_line(void *context, const char *path, const char *text, size_t len,
		     const struct delta_line *line, struct err *e)
{
	const char **paths = context;

	(void)path;
	(void)text;
	(void)len;
	(void)e;
	if (line == NULL)
		return 0;
	while (*paths != NULL)
		paths++;
	paths[0] = line->path;
	return 0;
}

static void rebuild_leaves_lines_in_the_callers_arena(void **state)
{
	const char *paths[COUNT(after) + 1] = {NULL};
	struct arena arena = ARENA_INIT;
	struct rebuild_sink sink = {.context = paths, .file = keep_line, .arena = &arena};
	struct document *old = open_sheets(1, before, COUNT(before));
	struct buf delta = BUF_INIT;
	struct err e;

	(void)state;
	write_delta(before, COUNT(before), after, COUNT(after), &delta);
	assert_int_equal(rebuild(old, &delta, &sink, &e), 0);
	assert_string_equal(paths[0], "b/w");
	assert_string_equal(paths[3], "e");
	assert_null(paths[4]);
	arena_release(&arena);
	document_close(old);
	buf_release(&delta);
}

static int refuse(void *context, const char *path, const char *text, size_t len,
		  const struct delta_line *line, struct err *e)
{
	(void)text;
	(void)len;
	(void)line;
	return strcmp(path, context) != 0 ? 0 : err_set(e, ERR_USAGE, "no '%s'", path);
}

static void rebuild_stops_where_the_sink_does(void **state)
{
	static char kept[] = "d", changed[] = "e";
	struct document *old = open_sheets(1, before, COUNT(before));
	struct buf delta = BUF_INIT;
	struct err e;

	(void)state;
	write_delta(before, COUNT(before), after, COUNT(after), &delta);
	for (int i = 0; i < 2; i++) {
		struct rebuild_sink sink = {.context = i == 0 ? kept : changed, .file = refuse};
		assert_int_equal(rebuild(old, &delta, &sink, &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
	}
	document_close(old);
	buf_release(&delta);
}

static void rebuild_starts_from_its_own_manifest(void **state)
{
	struct buf delta = BUF_INIT;
	struct sheet others[COUNT(before)];
	struct err e;

	(void)state;
	write_delta(before, COUNT(before), after, COUNT(after), &delta);
	/* Another serial, which the first line says; and other files, which only the digest does.
	 */
	struct document *old = open_sheets(3, before, COUNT(before));
	assert_int_equal(rebuild(old, &delta, &nobody, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.msg, "is of farm 1.0.3 (stable, serial 3), but the delta starts "
				      "from farm 1.0.1 (stable, serial 1)"));
	document_close(old);
	memcpy(others, before, sizeof before);
	others[4].content = 'x';
	old = open_sheets(1, others, COUNT(others));
	assert_int_equal(rebuild(old, &delta, &nobody, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_non_null(strstr(e.msg, "is not the manifest that the delta starts from"));
	document_close(old);
	buf_release(&delta);
}

static void rebuild_refuses_a_delta_that_leads_elsewhere(void **state)
{
	static const char removal[] = "{\"remove\":\"c\"}\n";
	struct buf good = BUF_INIT, delta = BUF_INIT;

	(void)state;
	write_delta(before, COUNT(before), after, COUNT(after), &good);
	/* Another file is removed; another label; a removal is lost, with the count put right. */
	buf_adds(&delta, good.data);
	replace(&delta, removal, "{\"remove\":\"d\"}\n");
	assert_refused(&delta, ERR_UNTRUSTED, "does not lead from");
	buf_clear(&delta);
	buf_adds(&delta, good.data);
	replace(&delta, "\"size\":7,\"label\":\"public\"", "\"size\":7,\"label\":\"origin\"");
	assert_refused(&delta, ERR_UNTRUSTED, "does not lead from");
	buf_clear(&delta);
	buf_adds(&delta, good.data);
	replace(&delta, removal, "");
	replace(&delta, "\"removes\":1", "\"removes\":0");
	assert_refused(&delta, ERR_UNTRUSTED, "does not lead from");
	/* The first line of the new manifest is part of it. */
	buf_clear(&delta);
	buf_adds(&delta, good.data);
	replace(&delta, "\"piece_length\":16384", "\"piece_length\":32768");
	assert_refused(&delta, ERR_UNTRUSTED, "does not lead from");
	buf_release(&good);
	buf_release(&delta);
}

static void rebuild_refuses_what_is_not_in_order(void **state)
{
	struct buf good = BUF_INIT, delta = BUF_INIT;

	(void)state;
	write_delta(before, COUNT(before), after, COUNT(after), &good);
	buf_adds(&delta, good.data);
	replace(&delta, "{\"remove\":\"c\"}", "{\"remove\":\"cc\"}");
	assert_refused(&delta, ERR_MALFORMED, "removes 'cc', which");
	/* Cut off at the end of a line. */
	buf_clear(&delta);
	buf_adds(&delta, good.data);
	buf_truncate(&delta, (size_t)(strstr(delta.data, "{\"remove\"") - delta.data));
	assert_refused(&delta, ERR_MALFORMED, "is it cut off?");
	buf_release(&good);
	buf_release(&delta);
}

/* From any release to any other, also to one with nothing in common. */
static void rebuild_is_proven_for_random_pairs(void **state)
{
	static char names[40][8];
	unsigned seed = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		(void)snprintf(names[i], sizeof names[i], "%c/%02zu", (char)('a' + i / 10), i);
	for (int round = 0; round < 200; round++) {
		struct sheet sides[2][COUNT(names)];
		size_t counts[2] = {0, 0};
		struct buf delta = BUF_INIT;
		for (size_t i = 0; i < 2 * COUNT(names); i++) {
			size_t side = i % 2;
			seed = seed * 1103515245 + 12345;
			if ((seed >> 16) % 4 > 0 || (i >= 78 && counts[side] == 0))
				sides[side][counts[side]++] =
				    (struct sheet){names[i / 2], (seed >> 18) % 4,
						   (char)('a' + (seed >> 20) % 5), NULL};
		}
		/* It fails if the delta does not give the new body. */
		write_delta(sides[0], counts[0], sides[1], counts[1], &delta);
		assert_true(delta.len > 0);
		buf_release(&delta);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rebuild_gives_the_new_body),
	    cmocka_unit_test(rebuild_leaves_lines_in_the_callers_arena),
	    cmocka_unit_test(rebuild_stops_where_the_sink_does),
	    cmocka_unit_test(rebuild_starts_from_its_own_manifest),
	    cmocka_unit_test(rebuild_refuses_a_delta_that_leads_elsewhere),
	    cmocka_unit_test(rebuild_refuses_what_is_not_in_order),
	    cmocka_unit_test(rebuild_is_proven_for_random_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
