#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/rules.h"
#include "swarm/watcher.h"

#define HEAD "swarm: rules/1\nrules: [{label: public, match: \"*\"}]\n"
/* Cut, so that it is no key to those who look for keys. */
#define AGE           \
	"AGE-SECRET-" \
	"KEY-1"

static const char rules_text[] =
    HEAD "guards:\n"
	 "  - {id: word, regex: 'WORD[0-9]'}\n"
	 "  - {id: keyed, regex: 'k=[a-zA-Z]+', keywords: [foo, Bar]}\n"
	 "  - {id: free, regex: 'FREE', allow: /docs/}\n"
	 "  - {id: slow, regex: '(?:x+x+)+y'}\n";

struct fixture {
	struct rules *rules;
	struct guards *guards;
	struct hits *hits;
	struct watcher *watcher;
};

static int make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = {.code = ERR_NONE};

	assert_non_null(f);
	f->rules = rules_parse("t.yaml", rules_text, strlen(rules_text), &e);
	assert_non_null(f->rules);
	f->guards = guards_new(rules_guards(f->rules), &e);
	assert_non_null(f->guards);
	f->hits = hits_new(&e);
	assert_non_null(f->hits);
	f->watcher = watcher_new(f->guards, f->hits, &e);
	assert_non_null(f->watcher);
	*state = f;
	return 0;
}

static int release(void **state)
{
	struct fixture *f = *state;

	watcher_free(f->watcher);
	hits_free(f->hits);
	guards_free(f->guards);
	rules_free(f->rules);
	free(f);
	return 0;
}

/* In blocks of `block` bytes. */
static void watch_all(struct fixture *f, const struct watcher_file *files, size_t count,
		      const void *bytes, size_t len, size_t block)
{
	struct err e = {.code = ERR_NONE};

	watcher_begin(f->watcher, files, count);
	for (size_t at = 0; at < len; at += block)
		if (watcher_see(f->watcher, (const char *)bytes + at,
				len - at < block ? len - at : block, &e) != 0)
			fail_msg("%s", e.msg);
	assert_int_equal(watcher_end(f->watcher, &e), 0);
}

static void watch(struct fixture *f, size_t number, const char *path, const char *text)
{
	const struct watcher_file file = {number, path, LABEL_PUBLIC, NULL, strlen(text)};

	watch_all(f, &file, 1, text, strlen(text), SIZE_MAX);
}

static const struct hits_hit *only_hit(struct fixture *f)
{
	size_t count = 0;
	const struct hits_hit *list = hits_list(f->hits, &count);

	assert_int_equal(count, 1);
	return list;
}

static size_t count_hits(struct fixture *f)
{
	size_t count = 0;

	(void)hits_list(f->hits, &count);
	return count;
}

static void assert_hit(const struct hits_hit *hit, size_t file, const char *id, uint64_t line,
		       uint64_t count)
{
	assert_int_equal(hit->file, file);
	assert_string_equal(hit->guard->id, id);
	assert_int_equal(hit->line, line);
	assert_int_equal(hit->count, count);
}

/* --- patterns --------------------------------------------------------------------------------- */

static void watcher_counts_what_it_finds_from_the_first_line_on(void **state)
{
	struct fixture *f = *state;

	watch(f, 3, "a.txt", "\n\nWORD1 WORD2\nWORD3\n");
	assert_hit(only_hit(f), 3, "word", 3, 3);
}

static void watcher_finds_nothing_in_what_is_harmless(void **state)
{
	struct fixture *f = *state;

	watch(f, 0, "a.txt", "");
	watch(f, 1, "a.txt", "WORD\n");
	watch(f, 2, "b.html", "<!DOCTYPE html>");
	assert_int_equal(count_hits(f), 0);
}

static void watcher_forgets_the_file_before(void **state)
{
	struct fixture *f = *state;
	struct err e = {.code = ERR_NONE};
	const struct watcher_file file = {0, "a.txt", LABEL_PUBLIC, NULL, 100};

	/* One is given up in the middle. */
	watcher_begin(f->watcher, &file, 1);
	assert_int_equal(watcher_see(f->watcher, "WORD1\nWORD", 10, &e), 0);
	watch(f, 1, "docs/a", "2 FREE");
	assert_int_equal(count_hits(f), 0);
	watch(f, 2, "a.txt", "2 FREE");
	assert_hit(only_hit(f), 2, "free", 1, 1);
}

static void watcher_finds_the_same_in_blocks(void **state)
{
	static const size_t blocks[] = {1, 100, 8256, 16384, 50000};
	struct fixture *f = *state;
	struct buf text = BUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < 2000; i++)
		buf_addf(&text, "line %zu ........................... WORD%zu\n", i, i % 10);
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		const struct watcher_file file = {i, "a", LABEL_PUBLIC, NULL, text.len};
		watch_all(f, &file, 1, text.data, text.len, blocks[i]);
	}
	const struct hits_hit *list = hits_list(f->hits, &n);
	assert_int_equal(n, sizeof blocks / sizeof *blocks);
	for (size_t i = 0; i < n; i++)
		assert_hit(&list[i], i, "word", 1, 2000);
	buf_release(&text);
}

static void watcher_wants_a_keyword_in_the_match(void **state)
{
	struct fixture *f = *state;

	watch(f, 0, "a", "k=abc foo");
	assert_int_equal(count_hits(f), 0);
	watch(f, 1, "a", "k=abc\nk=aFoOb\nk=xbarx\nk=ba");
	assert_hit(only_hit(f), 1, "keyed", 2, 2);
}

/* 58 times one character has no entropy at all. */
static void watcher_takes_what_is_not_random_for_an_example(void **state)
{
	struct fixture *f = *state;

	watch(f, 0, "a", AGE "QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ");
	assert_int_equal(count_hits(f), 0);
	watch(f, 1, "a", AGE "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE");
	assert_hit(only_hit(f), 1, "age-identity", 1, 1);
}

static void watcher_asks_of_each_file_what_is_allowed_in_it(void **state)
{
	static const char text[] = "\nFREE WORD1\n";
	const struct watcher_file files[] = {
	    {0, "docs/a", LABEL_PUBLIC, NULL, strlen(text)},
	    {1, "a", LABEL_ORIGIN, NULL, strlen(text)},
	    {2, "a/docs/b", LABEL_PUBLIC, NULL, strlen(text)},
	};
	struct fixture *f = *state;
	size_t n = 0;

	watch_all(f, files, 3, text, strlen(text), SIZE_MAX);
	const struct hits_hit *list = hits_list(f->hits, &n);
	assert_int_equal(n, 5);
	assert_hit(&list[0], 0, "word", 2, 1);
	assert_hit(&list[1], 1, "word", 2, 1);
	assert_hit(&list[2], 1, "free", 2, 1);
	assert_hit(&list[3], 2, "word", 2, 1);
	assert_hit(&list[4], 2, "free", 2, 1);
}

static void watcher_fails_where_a_regex_explodes(void **state)
{
	struct fixture *f = *state;
	struct err e = {.code = ERR_NONE};
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < 2000; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "z xxy");
	const struct watcher_file file = {0, "dir/a", LABEL_PUBLIC, NULL, text.len};
	watcher_begin(f->watcher, &file, 1);
	int status = watcher_see(f->watcher, text.data, text.len, &e);
	if (status == 0)
		status = watcher_end(f->watcher, &e);
	assert_int_equal(status, -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "'dir/a': the regex of 'slow' takes too long on this content");
	/* It can go on with another file. */
	watch(f, 1, "a", "WORD1");
	assert_hit(only_hit(f), 1, "word", 1, 1);
	buf_release(&text);
}

/* --- what a name promises --------------------------------------------------------------------- */

static void watcher_knows_an_error_page_by_the_name_of_the_asset(void **state)
{
	static const char page[] = "\n<!DOCTYPE html>\n<title>404</title>";
	static const char store[] = "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code>";
	struct fixture *f = *state;
	size_t n = 0;

	watch(f, 0, "a/b.PNG", page);
	watch(f, 1, "index.html", page);
	watch(f, 2, "a.wasm", store);
	watch(f, 3, "README", page);
	const struct hits_hit *list = hits_list(f->hits, &n);
	assert_int_equal(n, 2);
	assert_hit(&list[0], 0, "html-asset", 0, 1);
	assert_hit(&list[1], 2, "html-asset", 0, 1);
}

static void watcher_believes_the_rule_before_the_name(void **state)
{
	static const char page[] = "<html><body>";
	const struct watcher_file files[] = {
	    {0, "page.png", LABEL_PUBLIC, "text/html; charset=utf-8", strlen(page)},
	    {1, "page", LABEL_ORIGIN, "image/png", strlen(page)},
	};
	struct fixture *f = *state;

	watch_all(f, files, 2, page, strlen(page), SIZE_MAX);
	assert_hit(only_hit(f), 1, "html-asset", 0, 1);
}

/* --- formats ---------------------------------------------------------------------------------- */

/* A core dump of 64 bits, as far as its header goes. */
static const uint8_t core[64] = {0x7F, 'E', 'L', 'F', 2, 1, 1, [16] = 4, [18] = 62, [20] = 1};
static const uint8_t jpeg[16] = {0xFF, 0xD8, 0xFF, 0xE1};

static bool knows(const struct fixture *f, const char *path, enum label label, const void *bytes,
		  size_t len)
{
	const struct watcher_file file = {0, path, label, NULL, 1000};

	return watcher_knows_format(f->guards, &file, bytes, len);
}

static void watcher_knows_the_formats_to_look_into(void **state)
{
	const struct fixture *f = *state;

	assert_true(sizeof core <= WATCHER_START);
	assert_true(knows(f, "a", LABEL_PUBLIC, core, sizeof core));
	assert_true(knows(f, "a", LABEL_ORIGIN, core, sizeof core));
	assert_true(knows(f, "a.txt", LABEL_PUBLIC, jpeg, sizeof jpeg));
	/* Where it was taken is no matter for the origin. */
	assert_false(knows(f, "a.jpg", LABEL_ORIGIN, jpeg, sizeof jpeg));
	assert_false(knows(f, "a.jpg", LABEL_PUBLIC, "text", 4));
	assert_false(knows(f, "a.jpg", LABEL_PUBLIC, "", 0));
}

static void watcher_inspects_a_core_dump(void **state)
{
	struct fixture *f = *state;
	const struct watcher_file file = {9, "a", LABEL_ORIGIN, NULL, sizeof core};
	struct probe p = {.size = sizeof core, .first = core, .first_len = sizeof core};
	struct err e = {.code = ERR_NONE};

	assert_int_equal(watcher_inspect(f->guards, f->hits, &file, 1, &p, &e), 0);
	assert_hit(only_hit(f), 9, "core-dump", 0, 1);
}

static ssize_t refuse(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	(void)context;
	(void)offset;
	(void)to;
	(void)len;
	return err_set(e, ERR_SYSTEM, "no");
}

/* What cannot be read is not passed. */
static void watcher_fails_where_the_file_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	const struct watcher_file file = {0, "a", LABEL_PUBLIC, NULL, 1000};
	struct probe p = {.size = 1000, .first = core, .first_len = 16, .read_at = refuse};
	struct err e = {.code = ERR_NONE};

	assert_int_equal(watcher_inspect(f->guards, f->hits, &file, 1, &p, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "no");
	assert_int_equal(count_hits(f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, release)

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(watcher_counts_what_it_finds_from_the_first_line_on),
	    TEST(watcher_finds_nothing_in_what_is_harmless),
	    TEST(watcher_forgets_the_file_before),
	    TEST(watcher_finds_the_same_in_blocks),
	    TEST(watcher_wants_a_keyword_in_the_match),
	    TEST(watcher_takes_what_is_not_random_for_an_example),
	    TEST(watcher_asks_of_each_file_what_is_allowed_in_it),
	    TEST(watcher_fails_where_a_regex_explodes),
	    TEST(watcher_knows_an_error_page_by_the_name_of_the_asset),
	    TEST(watcher_believes_the_rule_before_the_name),
	    TEST(watcher_knows_the_formats_to_look_into),
	    TEST(watcher_inspects_a_core_dump),
	    TEST(watcher_fails_where_the_file_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
