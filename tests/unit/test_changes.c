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
#include "swarm/listing.h"
#include "swarm/path.h"

#include "manifests.h"

/* --- helpers ------------------------------------------------------------------------------------
 */

static void read_changes(struct document *from, struct document *to, struct changes *ret)
{
	struct err e = {.code = ERR_NONE};

	if (changes_read(from, to, ret, &e) != 0)
		fail_msg("%s", e.msg);
}

static void compare_sheets(const struct sheet *from, size_t from_count, const struct sheet *to,
			   size_t to_count, struct changes *ret)
{
	struct document *a = open_sheets(1, from, from_count), *b = open_sheets(2, to, to_count);

	read_changes(a, b, ret);
	document_close(a);
	document_close(b);
}

/* One character for each kind, as "path:kind>copy ". */
static void describe(const struct changes *c, struct buf *to)
{
	buf_clear(to);
	for (size_t i = 0; i < c->count; i++) {
		const struct changes_item *item = &c->items[i];
		buf_addf(to, "%s%s:%s", i > 0 ? " " : "", item->path,
			 changes_kind_name(item->kind));
		if (item->copy != NULL)
			buf_addf(to, ">%s", item->copy);
	}
}

#define ASSERT_CHANGES(from, to, expected)                                   \
	do {                                                                 \
		struct changes changes_;                                     \
		struct buf text_ = BUF_INIT;                                 \
		compare_sheets(from, COUNT(from), to, COUNT(to), &changes_); \
		describe(&changes_, &text_);                                 \
		assert_string_equal(text_.data, expected);                   \
		buf_release(&text_);                                         \
		changes_release(&changes_);                                  \
	} while (0)

static void assert_refused(struct document *from, struct document *to, enum err_code code,
			   const char *message)
{
	struct changes c;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(changes_read(from, to, &c, &e), -1);
	assert_int_equal(e.code, code);
	if (strstr(e.msg, message) == NULL)
		fail_msg("expected '%s' in: %s", message, e.msg);
	changes_release(&c);
	document_close(from);
	document_close(to);
}

/* A manifest of these lines; its first line says `files` and `bytes`. */
static struct document *open_lines(uint64_t serial, uint64_t files, uint64_t bytes,
				   const char *lines)
{
	struct buf body = BUF_INIT;
	struct header h = make_header(serial);

	h.files = files;
	h.bytes = bytes;
	header_format(&body, &h);
	buf_addc(&body, '\n');
	buf_adds(&body, lines);
	struct document *d = open_body(&body);
	buf_release(&body);
	return d;
}

#define EMPTY(path) "{\"path\":\"" path "\",\"size\":0,\"label\":\"public\"}\n"

/* --- what differs -------------------------------------------------------------------------------
 */

static void changes_knows_every_kind(void **state)
{
	static const struct sheet from[] = {
	    {"attributes", 5, 'a', NULL}, {"content", 5, 'b', NULL}, {"empty", 0, 0, NULL},
	    {"gone", 5, 'g', NULL},       {"kept", 5, 'k', NULL},    {"source", 7, 's', NULL},
	};
	static const struct sheet to[] = {
	    {"attributes", 5, 'a', "text/plain"},
	    {"content", 6, 'c', NULL},
	    {"duplicate", 5, 'k', NULL},
	    {"empty", 0, 0, "text/plain"},
	    {"kept", 5, 'k', NULL},
	    {"new", 9, 'n', NULL},
	    {"new-empty", 0, 0, NULL},
	    {"renamed", 7, 's', NULL},
	};
	struct changes c;

	(void)state;
	ASSERT_CHANGES(from, to,
		       "attributes:attributes>attributes content:content duplicate:duplicated>kept "
		       "empty:attributes gone:removed new:added new-empty:added "
		       "renamed:renamed>source source:removed");
	compare_sheets(from, COUNT(from), to, COUNT(to), &c);
	static const uint64_t kinds[CHANGES_KINDS] = {2, 1, 1, 1, 2, 2};
	for (int kind = 0; kind < CHANGES_KINDS; kind++)
		assert_int_equal(c.kinds[kind], kinds[kind]);
	assert_int_equal(c.kept, 1);
	assert_int_equal(c.from.id.serial, 1);
	assert_int_equal(c.to.files, COUNT(to));
	/* Only what no other file has, and is not empty, has to be fetched. */
	for (size_t i = 0; i < c.count; i++)
		assert_int_equal(changes_is_fetched(&c.items[i]),
				 strcmp(c.items[i].path, "content") == 0 ||
				     strcmp(c.items[i].path, "new") == 0);
	assert_int_equal(c.items[1].old.root[0], 'b');
	assert_int_equal(c.items[1].file.root[0], 'c');
	assert_null(c.items[4].text);
	changes_release(&c);
	changes_release(&c);
}

static void changes_of_equal_files_are_none(void **state)
{
	static const struct sheet files[] = {{"a", 5, 'a', NULL}, {"b", 0, 0, NULL}};
	struct changes c;

	(void)state;
	compare_sheets(files, COUNT(files), files, COUNT(files), &c);
	assert_int_equal(c.count, 0);
	assert_int_equal(c.kept, 2);
	changes_release(&c);
}

/* Component by component: 'a/x' before 'a.txt', which strings would not. */
static void changes_go_by_the_file_tree(void **state)
{
	static const struct sheet from[] = {{"a/x", 1, 'x', NULL}, {"a.txt", 1, 't', NULL}};
	static const struct sheet to[] = {
	    {"a/x", 1, 'y', NULL}, {"a/y", 1, 'z', NULL}, {"a.txt", 1, 'u', NULL}};
	static const struct sheet file[] = {{"a", 1, 'a', NULL}};

	(void)state;
	ASSERT_CHANGES(from, to, "a/x:content a/y:added a.txt:content");
	ASSERT_CHANGES(file, to, "a:removed a/x:added a/y:added a.txt:added");
	ASSERT_CHANGES(to, file, "a:added a/x:removed a/y:removed a.txt:removed");
}

static void changes_copy_from_the_first_path(void **state)
{
	static const struct sheet from[] = {
	    {"b", 5, 'x', NULL}, {"c", 5, 'x', NULL}, {"d", 5, 'y', NULL}, {"e", 6, 'x', NULL}};
	static const struct sheet to[] = {{"a", 5, 'x', NULL}, {"c", 5, 'x', "t/t"},
					  {"d", 5, 'x', NULL}, {"e", 6, 'x', NULL},
					  {"f", 7, 'x', NULL}, {"g", 5, 'y', NULL}};

	(void)state;
	/* The first of equal ones, though it is removed; the same path, where it is there; of d
	 * what it was; nothing of another size. */
	ASSERT_CHANGES(from, to,
		       "a:renamed>b b:removed c:attributes>c d:content>b f:added g:duplicated>d");
}

static void changes_are_found_by_path(void **state)
{
	/* In the order of the tree, which is not that of the bytes: 'a/b' stands before 'a-b'. */
	static const struct sheet from[] = {{"a/b", 1, 'x', NULL}, {"kept", 1, 'k', NULL}};
	static const struct sheet to[] = {{"a/b", 1, 'y', NULL},
					  {"a/c", 1, 'c', NULL},
					  {"a-b", 1, 'z', NULL},
					  {"kept", 1, 'k', NULL},
					  {"z", 1, 'q', NULL}};
	struct changes c;

	(void)state;
	compare_sheets(from, COUNT(from), to, COUNT(to), &c);
	assert_int_equal(c.count, 4);
	for (size_t i = 0; i < c.count; i++)
		assert_ptr_equal(changes_find(&c, c.items[i].path), &c.items[i]);
	assert_null(changes_find(&c, "kept"));
	assert_null(changes_find(&c, "a"));
	assert_null(changes_find(&c, "a/"));
	assert_null(changes_find(&c, "zz"));
	assert_null(changes_find(&c, ""));
	changes_release(&c);
	compare_sheets(from, COUNT(from), from, COUNT(from), &c);
	assert_null(changes_find(&c, "kept"));
	changes_release(&c);
}

static void changes_make_the_lines_of_a_delta(void **state)
{
	static const struct sheet from[] = {{"a", 5, 'a', NULL}, {"b", 5, 'b', NULL}};
	static const struct sheet to[] = {{"c", 5, 'a', NULL}, {"d", 6, 'd', NULL}};
	struct changes c;
	struct delta_header h;
	struct delta_line line;
	struct buf text = BUF_INIT;

	(void)state;
	compare_sheets(from, COUNT(from), to, COUNT(to), &c);
	changes_header(&c, &h);
	assert_string_equal(h.product, "farm");
	assert_string_equal(h.channel, "stable");
	assert_string_equal(h.from.version, "1.0.1");
	assert_string_equal(h.to.version, "1.0.2");
	assert_int_equal(h.from.serial, 1);
	assert_int_equal(h.to.serial, 2);
	assert_memory_equal(h.from.digest, c.from_digest, SHA256_SIZE);
	assert_memory_equal(h.to.digest, c.to_digest, SHA256_SIZE);
	assert_memory_not_equal(h.to.digest, c.from_digest, SHA256_SIZE);
	assert_int_equal(h.removes, 2);
	assert_int_equal(h.files, 2);
	assert_false(h.has_solid);
	static const char *const sources[] = {"", "", "a", NULL};
	for (size_t i = 0; i < c.count; i++) {
		changes_line(&c.items[i], &line);
		assert_int_equal(line.remove, i < 2);
		assert_string_equal(line.path, c.items[i].path);
		if (i < 2)
			continue;
		buf_clear(&text);
		put_sheet(&text, &to[i - 2]);
		assert_int_equal(line.text_len, text.len - 1);
		assert_memory_equal(line.text, text.data, line.text_len);
		assert_int_equal(line.source, sources[i] != NULL ? DELTA_COPY : DELTA_BARE);
		if (sources[i] != NULL)
			assert_string_equal(line.from, sources[i]);
		assert_false(line.solid);
	}
	buf_release(&text);
	changes_release(&c);
}

/* --- many pairs, judged in another way -----------------------------------------------------------
 */

static unsigned seed = 1;

static unsigned next_random(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

static char paths[64][16];

/* Files at random; of few sizes and contents, so that much is found again elsewhere. */
static size_t make_sheets(struct sheet *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < COUNT(paths); i++) {
		if (next_random(3) == 0)
			continue;
		uint64_t size = next_random(4);
		ret[count++] = (struct sheet){paths[i], size, (char)('a' + next_random(6)),
					      next_random(4) == 0 ? "text/html" : NULL};
	}
	if (count == 0)
		ret[count++] = (struct sheet){paths[0], 1, 'a', NULL};
	return count;
}

static const struct sheet *find_sheet(const struct sheet *sheets, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(sheets[i].path, path) == 0)
			return &sheets[i];
	return NULL;
}

static bool is_equal_content(const struct sheet *a, const struct sheet *b)
{
	return a->size == b->size && (a->size == 0 || a->content == b->content);
}

static const char *source_of(const struct sheet *file, const struct sheet *from, size_t count)
{
	const struct sheet *same = find_sheet(from, count, file->path);

	if (file->size == 0)
		return NULL;
	if (same != NULL && is_equal_content(same, file))
		return file->path;
	for (size_t i = 0; i < count; i++)
		if (is_equal_content(&from[i], file))
			return from[i].path;
	return NULL;
}

/* What describe() must say. */
static void expect(const struct sheet *from, size_t from_count, const struct sheet *to,
		   size_t to_count, struct buf *ret)
{
	buf_clear(ret);
	for (size_t i = 0; i < COUNT(paths); i++) {
		const struct sheet *old = find_sheet(from, from_count, paths[i]);
		const struct sheet *new = find_sheet(to, to_count, paths[i]);
		const char *copy = new != NULL ? source_of(new, from, from_count) : NULL;
		const char *kind = "removed";
		if (old == NULL && new == NULL)
			continue;
		if (old != NULL && new != NULL && is_equal_content(old, new) &&
		    old->type == new->type)
			continue;
		if (old != NULL && new != NULL)
			kind = is_equal_content(old, new) ? "attributes" : "content";
		else if (new != NULL && copy == NULL)
			kind = "added";
		else if (new != NULL)
			kind = find_sheet(to, to_count, copy) != NULL ? "duplicated" : "renamed";
		buf_addf(ret, "%s%s:%s", ret->len > 0 ? " " : "", paths[i], kind);
		if (copy != NULL)
			buf_addf(ret, ">%s", copy);
	}
}

static void changes_are_those_that_a_slow_search_finds(void **state)
{
	struct sheet from[COUNT(paths)], to[COUNT(paths)];
	struct buf expected = BUF_INIT, found = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		(void)snprintf(paths[i], sizeof paths[i], "%c/%02zu", (char)('a' + i / 16), i);
	for (int round = 0; round < 300; round++) {
		size_t from_count = make_sheets(from), to_count = make_sheets(to);
		struct changes c;
		compare_sheets(from, from_count, to, to_count, &c);
		describe(&c, &found);
		expect(from, from_count, to, to_count, &expected);
		assert_string_equal(found.data, expected.data);
		changes_release(&c);
	}
	buf_release(&expected);
	buf_release(&found);
}

/* --- what is refused ----------------------------------------------------------------------------
 */

static const struct sheet one[] = {{"a", 5, 'a', NULL}};

static struct document *open_of(struct header h)
{
	struct buf body = BUF_INIT;

	put_body(&body, h, one, COUNT(one));
	struct document *d = open_body(&body);
	buf_release(&body);
	return d;
}

static void changes_are_within_a_product_and_channel(void **state)
{
	struct header product = make_header(2), channel = make_header(2);

	(void)state;
	memcpy(product.id.product, "game", sizeof "game");
	memcpy(channel.id.channel, "beta", sizeof "beta");
	assert_refused(open_of(make_header(1)), open_of(product), ERR_REFUSED,
		       "is of farm (stable), the new one of game (stable)");
	assert_refused(open_of(make_header(1)), open_of(channel), ERR_REFUSED,
		       "the new one of farm (beta)");
}

static void changes_lead_to_a_higher_serial(void **state)
{
	struct changes c;
	struct document *a = open_of(make_header(7)), *b = open_of(make_header(8));

	(void)state;
	assert_refused(open_of(make_header(7)), open_of(make_header(7)), ERR_REFUSED,
		       "the serial of the new release, 7, is not above that of the old one, 7");
	assert_refused(open_of(make_header(8)), open_of(make_header(7)), ERR_REFUSED,
		       "7, is not above that of the old one, 8");
	read_changes(a, b, &c);
	changes_release(&c);
	document_close(a);
	document_close(b);
}

static void changes_need_the_body_that_was_signed(void **state)
{
	struct buf body = BUF_INIT;
	struct header h = make_header(1);

	(void)state;
	put_body(&body, h, one, COUNT(one));
	h.files = 1;
	for (int what = 0; what < 5; what++) {
		struct head head = head_of(&h, &body);
		head.digest[31] ^= what == 0;
		head.bytes += what == 1;
		head.files += what == 2;
		head.id.serial += what == 3;
		head.id.version[0] = what == 4 ? '2' : '1';
		assert_refused(open_sealed(&body, &head), open_of(make_header(3)), ERR_UNTRUSTED,
			       what < 2 ? "is not the manifest that was signed" : "head");
	}
	/* The new one too. */
	buf_clear(&body);
	h = make_header(9);
	put_body(&body, h, one, COUNT(one));
	h.files = 1;
	struct head head = head_of(&h, &body);
	head.digest[0] ^= 1;
	assert_refused(open_of(make_header(1)), open_sealed(&body, &head), ERR_UNTRUSTED,
		       "is not the manifest that was signed");
	buf_release(&body);
}

static void changes_need_manifests(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	buf_adds(&text, "{\"swarm\":\"inventory/1\",\"piece_length\":16384,\"files\":1,\"bytes\":0}"
			"\n" EMPTY("a"));
	assert_refused(open_text(&text), open_of(make_header(2)), ERR_UNTRUSTED, "is no manifest");
	assert_refused(open_of(make_header(2)), open_text(&text), ERR_UNTRUSTED, "is no manifest");
	buf_release(&text);
}

/* Equal lines are not parsed, but they have to be in order. */
static void changes_check_the_order_of_equal_lines(void **state)
{
	static const struct {
		const char *lines, *message;
		uint64_t files;
	} cases[] = {
	    {EMPTY("b") EMPTY("a"), ":3: 'a' is out of order behind 'b'", 2},
	    {EMPTY("a") EMPTY("a"), ":3: the path 'a' stands here twice", 2},
	    {EMPTY("a") EMPTY("a/b"), ":3: 'a/b' lies below 'a', which is a file", 2},
	    {EMPTY("a.b") EMPTY("a/b"), ":3: 'a/b' is out of order behind 'a.b'", 2},
	    {EMPTY("a") "\n" EMPTY("b"), ":3: not a JSON object", 3},
	    {"{\"path\":\"a\\\\b\",\"size\":0,\"label\":\"public\"}\n",
	     ":2: 'path' is not portable", 1},
	    {"{\"path\":\"a\x01\",\"size\":0,\"label\":\"public\"}\n", ":2: not a JSON object", 1},
	    {"{ \"path\":\"a\",\"size\":0,\"label\":\"public\"}\n", ":2: column 2: not the one", 1},
	    {"{\"size\":0,\"path\":\"a\",\"label\":\"public\"}\n", ":2: column 3: not the one", 1},
	    {"{\"path\":\"\",\"size\":0,\"label\":\"public\"}\n", ":2: 'path' is not portable", 1},
	    {"{\"path\":\"a\n", ":2: not a JSON object", 1},
	    {EMPTY("a"), "holds 1 files, but its first line says 2", 2},
	    {EMPTY("a") EMPTY("b"), "holds 2 files, but its first line says 1", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(open_lines(1, cases[i].files, 0, cases[i].lines),
			       open_lines(2, cases[i].files, 0, cases[i].lines), ERR_MALFORMED,
			       cases[i].message);
}

static void changes_parse_what_differs(void **state)
{
	static const char
	    good[] = EMPTY("a") EMPTY("b"),
	    bad[] = EMPTY("a") "{\"path\":\"b\",\"size\":0,\"label\":\"pubic\"}\n",
	    mixed[] = EMPTY("a") "{\"path\":\"b\",\"size\":0,\"label\":\"public\","
				 "\"sha256\":\""
				 "0000000000000000000000000000000000000000000000000000000000000000"
				 "\"}\n"
				 "{\"path\":\"c\",\"size\":0,\"label\":\"public\"}\n";

	(void)state;
	assert_refused(open_lines(1, 2, 0, good), open_lines(2, 2, 0, bad), ERR_MALFORMED,
		       ":3: 'label' is neither public nor origin");
	assert_refused(open_lines(1, 2, 0, bad), open_lines(2, 2, 0, good), ERR_MALFORMED,
		       ":3: 'label' is neither public nor origin");
	assert_refused(open_lines(1, 2, 0, good), open_lines(2, 3, 0, mixed), ERR_MALFORMED,
		       ":4: 'sha256' must stand in all lines or none");
	/* Sizes that are not those of the first line. */
	assert_refused(open_lines(1, 2, 0, good), open_lines(2, 2, 1, good), ERR_MALFORMED,
		       "do not add up");
}

/* Sizes of lines that are equal count in both, and of what differs in its own manifest. */
static void changes_add_up_the_sizes(void **state)
{
	static const char old[] =
	    "{\"path\":\"a\",\"size\":3,\"label\":\"public\",\"root\":"
	    "\"0000000000000000000000000000000000000000000000000000000000000000\"}\n" EMPTY("b");
	static const char new[] =
	    "{\"path\":\"a\",\"size\":5,\"label\":\"public\",\"root\":"
	    "\"0000000000000000000000000000000000000000000000000000000000000000\"}\n" EMPTY("b");
	struct document *a = open_lines(1, 2, 3, old), *b = open_lines(2, 2, 5, new);
	struct changes c;

	(void)state;
	read_changes(a, b, &c);
	changes_release(&c);
	document_close(a);
	document_close(b);
	assert_refused(open_lines(1, 2, 3, old), open_lines(2, 2, 6, new), ERR_MALFORMED,
		       "do not add up");
	assert_refused(open_lines(1, 2, 2, old), open_lines(2, 2, 5, new), ERR_MALFORMED,
		       "do not add up");
	assert_refused(open_lines(1, 2, 1, old), open_lines(2, 2, 3, new), ERR_MALFORMED,
		       "do not add up");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes_knows_every_kind),
	    cmocka_unit_test(changes_of_equal_files_are_none),
	    cmocka_unit_test(changes_go_by_the_file_tree),
	    cmocka_unit_test(changes_copy_from_the_first_path),
	    cmocka_unit_test(changes_are_found_by_path),
	    cmocka_unit_test(changes_make_the_lines_of_a_delta),
	    cmocka_unit_test(changes_are_those_that_a_slow_search_finds),
	    cmocka_unit_test(changes_are_within_a_product_and_channel),
	    cmocka_unit_test(changes_lead_to_a_higher_serial),
	    cmocka_unit_test(changes_need_the_body_that_was_signed),
	    cmocka_unit_test(changes_need_manifests),
	    cmocka_unit_test(changes_check_the_order_of_equal_lines),
	    cmocka_unit_test(changes_parse_what_differs),
	    cmocka_unit_test(changes_add_up_the_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
