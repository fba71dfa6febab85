#define PCRE2_CODE_UNIT_WIDTH 8

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pcre2.h>
#include <pthread.h>

#include "swarm/buf.h"
#include "swarm/patterns.h"

#include "patience.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define REGEXES_MAX  16
#define BLOCK        ((size_t)16384)

static const enum patterns_engine engines[] = {PATTERNS_FASTEST, PATTERNS_PCRE2};

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

/* --- what is found ---------------------------------------------------------------------------- */

struct find {
	size_t pattern;
	uint64_t offset, line;
	size_t len, secret, secret_len; /* secret: from the start of the match */
};

struct finds {
	struct find *list;
	size_t count, room;
	const struct buf *text; /* that is looked through */
	size_t stop_after;      /* matches; 0: never */
	size_t unwanted;        /* a pattern, plus one; 0: none */
};

static int compare_find(const void *a, const void *b)
{
	const struct find *x = a, *y = b;

	if (x->pattern != y->pattern)
		return x->pattern < y->pattern ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void sort_finds(const struct finds *f)
{
	if (f->count > 0)
		qsort(f->list, f->count, sizeof *f->list, compare_find);
}

static void add_find(struct finds *f, const struct find *find)
{
	if (f->count == f->room) {
		f->room = f->room > 0 ? f->room * 2 : 64;
		f->list = realloc(f->list, f->room * sizeof *f->list);
		assert_non_null(f->list);
	}
	f->list[f->count++] = *find;
}

static void release(struct finds *f)
{
	free(f->list);
	*f = (struct finds){.count = 0};
}

static bool wants(void *context, size_t pattern)
{
	const struct finds *f = context;

	return f->unwanted != pattern + 1;
}

/* Also whether text and secret are what stands there. */
static int found(void *context, const struct patterns_match *m, struct err *e)
{
	struct finds *f = context;
	struct find find = {m->pattern,   m->offset, m->line, m->len, (size_t)(m->secret - m->text),
			    m->secret_len};

	assert_true(m->offset + m->len <= f->text->len);
	assert_memory_equal(m->text, f->text->data + m->offset, m->len);
	assert_memory_equal(m->secret, f->text->data + m->offset + find.secret, m->secret_len);
	add_find(f, &find);
	return f->count == f->stop_after ? err_set(e, ERR_REFUSED, "enough") : 0;
}

static void assert_same(const struct finds *got, const struct finds *want, const char *how,
			size_t a, size_t b)
{
	sort_finds(got);
	for (size_t i = 0; i < got->count && i < want->count; i++) {
		const struct find *g = &got->list[i], *w = &want->list[i];
		if (compare_find(g, w) != 0 || g->line != w->line || g->len != w->len ||
		    g->secret != w->secret || g->secret_len != w->secret_len)
			fail_msg("%s (%zu, %zu): pattern %zu at %llu, line %llu, %zu bytes, "
				 "not pattern %zu at %llu, line %llu, %zu bytes",
				 how, a, b, g->pattern, (unsigned long long)g->offset,
				 (unsigned long long)g->line, g->len, w->pattern,
				 (unsigned long long)w->offset, (unsigned long long)w->line,
				 w->len);
	}
	if (got->count != want->count)
		fail_msg("%s (%zu, %zu): %zu matches, not %zu", how, a, b, got->count, want->count);
}

/* --- the definition: PCRE2 over the whole text ------------------------------------------------ */

static uint64_t line_at(const struct buf *text, size_t offset)
{
	uint64_t line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text->data[i] == '\n';
	return line;
}

static void reference_one(struct finds *to, size_t pattern, const char *regex,
			  const struct buf *text)
{
	int code = 0;
	PCRE2_SIZE where = 0, at = 0;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, PCRE2_MULTILINE,
				       &code, &where, NULL);
	assert_non_null(re);
	pcre2_match_data *data = pcre2_match_data_create(16, NULL);
	assert_non_null(data);
	int group = pcre2_substring_number_from_name(re, (PCRE2_SPTR) "secret");
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(data);

	while (at <= text->len &&
	       pcre2_match(re, (PCRE2_SPTR)text->data, text->len, at, 0, data, NULL) > 0) {
		size_t k = group > 0 && v[2 * group] != PCRE2_UNSET ? (size_t)group : 0;
		struct find find = {pattern,
				    v[0],
				    line_at(text, v[0]),
				    v[1] - v[0],
				    v[2 * k] - v[0],
				    v[2 * k + 1] - v[2 * k]};
		add_find(to, &find);
		at = v[1] > v[0] ? v[1] : v[1] + 1;
	}
	pcre2_match_data_free(data);
	pcre2_code_free(re);
}

static void reference(struct finds *to, const char *const *regexes, const struct buf *text)
{
	for (size_t i = 0; regexes[i] != NULL; i++)
		reference_one(to, i, regexes[i], text);
	sort_finds(to);
}

/* --- sets and scanners ------------------------------------------------------------------------ */

static struct patterns *make(const char *const *regexes, enum patterns_engine engine)
{
	struct err e = {.code = ERR_NONE};
	struct patterns *p = patterns_new(&e);

	assert_non_null(p);
	for (size_t i = 0; regexes[i] != NULL; i++)
		if (patterns_add(p, regexes[i], NULL, &e) != 0)
			fail_msg("'%s': %s", regexes[i], e.msg);
	patterns_compile(p, engine);
	return p;
}

static struct patterns_scanner *make_scanner(struct patterns *p, struct finds *to)
{
	const struct patterns_visitor visitor = {to, wants, found, NULL};
	struct err e = {.code = ERR_NONE};
	struct patterns_scanner *s = patterns_scanner_new(p, &visitor, &e);

	if (s == NULL)
		fail_msg("%s", e.msg);
	return s;
}

/* From memory of just that size, so that sanitizers see every step beyond it. */
static int see(struct patterns_scanner *s, const struct buf *text, size_t at, size_t len,
	       struct err *e)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);

	assert_non_null(exact);
	if (len > 0)
		memcpy(exact, text->data + at, len);
	int status = patterns_see(s, exact, len, e);
	if (len > 0)
		memset(exact, 'x', len);
	free(exact);
	return status;
}

/* The first block has `first` bytes, all others `rest`. */
static void scan(struct patterns_scanner *s, const struct buf *text, uint64_t size, size_t first,
		 size_t rest)
{
	struct err e = {.code = ERR_NONE};
	size_t n = first;

	patterns_begin(s, size);
	for (size_t at = 0; at < text->len; at += n, n = rest) {
		if (n > text->len - at)
			n = text->len - at;
		if (see(s, text, at, n, &e) != 0)
			fail_msg("%s", e.msg);
	}
	if (patterns_end(s, &e) != 0)
		fail_msg("%s", e.msg);
}

struct split {
	size_t first, rest;
};

/* Both engines find in each split what PCRE2 finds in the whole. */
static void assert_splits(const char *const *regexes, const struct buf *text,
			  const struct split *splits, size_t count)
{
	const size_t step = count > 10 ? patience_step(5) : 1;
	struct finds want = {.count = 0};

	reference(&want, regexes, text);
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct finds got = {.text = text};
		struct patterns *p = make(regexes, engines[k]);
		struct patterns_scanner *s = make_scanner(p, &got);
		for (size_t i = 0; i < count; i += step) {
			got.count = 0;
			scan(s, text, text->len, splits[i].first, splits[i].rest);
			assert_same(&got, &want, patterns_engine_name(p), splits[i].first,
				    splits[i].rest);
		}
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	release(&want);
}

static const struct split all_splits[] = {
    {SIZE_MAX, 1},  {1, SIZE_MAX}, {1, 1},         {63, 63},      {64, 64},         {65, 65},
    {1000, 1000},   {4096, 4096},  {8191, 8191},   {8192, 8192},  {8193, 8193},     {8255, 8255},
    {8256, 8256},   {8257, 8257},  {BLOCK, BLOCK}, {1, BLOCK},    {8255, BLOCK},    {65536, 65536},
    {65536, 1},     {66047, 8256}, {66048, 66048}, {100, 100000}, {262144, 262144}, {262144, 100},
    {262143, 8256}, {BLOCK, 17},   {8256, 1},      {8256, 8255},  {131072, 131071},
};

/* --- texts ------------------------------------------------------------------------------------ */

static void add_filler(struct buf *to, size_t n, unsigned *seed)
{
	static const char letters[] = "abcdefghijklmnop  \t.,;()=\r\n\n\x80\xC3\xA9\xFF";

	for (; n > 0; n--)
		buf_addc(to, letters[next_random(seed) % (sizeof letters - 1)]);
}

/* What stands here is found, or just not found, by the ones below. */
static const char *const planted[] = {
    "KEY_12345678",
    "xKEY_12345678",
    "KEY_1234567",
    "\nKEY_12345678\n",
    "QQ=hush7hush;",
    "QQ=hush\n;",
    "\nSTART",
    "xSTART",
    "END\n",
    "END\r\n",
    "ENDx",
    "caf\xC3\xA9",
    "caf\xC3\xA8",
    "<<<<one two three>>>>",
    "WORD",
    "aWORD",
    "WORDb",
    "BACK_REF_BACK_REF",
    "BACK_REF_BACK_RE",
    "Zap 0 Zap 1",
    "(2)(2)(3)",
    "mIxEd CaSe", /* (?i) */
};

static const char *const regexes_of_all_kinds[] = {
    "(?<![a-z])KEY_[0-9]{8}(?![0-9])",
    "QQ=(?<secret>[a-z0-9]+);",
    "^START",
    "END\\r?$",
    "caf\xC3\xA9",
    "<{4}[a-z ]+>{4}",
    "\\bWORD\\b",
    "(BACK_REF)_\\1",
    "Zap (?=(?<secret>[0-9]))",
    "(?i)MIXED case",
    NULL,
};

static void make_text(struct buf *to, size_t len, unsigned seed)
{
	while (to->len < len) {
		add_filler(to, next_random(&seed) % 500, &seed);
		buf_adds(to, planted[next_random(&seed) % COUNT(planted)]);
	}
	assert_false(to->failed);
}

/* --- blocks ----------------------------------------------------------------------------------- */

static void patterns_find_the_same_in_blocks_of_any_size(void **state)
{
	static const size_t lengths[] = {0, 1, 100, 8255, 8256, 8257, 66048, 300000};

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct buf text = BUF_INIT;
		make_text(&text, lengths[i], 7 + (unsigned)i);
		assert_splits(regexes_of_all_kinds, &text, all_splits, COUNT(all_splits));
		buf_release(&text);
	}
}

static void patterns_find_something_of_each_kind_in_that_text(void **state)
{
	struct finds want = {.count = 0};
	size_t counts[REGEXES_MAX] = {0};
	struct buf text = BUF_INIT;

	(void)state;
	make_text(&text, 300000, 14);
	reference(&want, regexes_of_all_kinds, &text);
	for (size_t i = 0; i < want.count; i++)
		counts[want.list[i].pattern]++;
	for (size_t i = 0; regexes_of_all_kinds[i] != NULL; i++)
		if (counts[i] < 5)
			fail_msg("'%s' matches %zu times", regexes_of_all_kinds[i], counts[i]);
	release(&want);
	buf_release(&text);
}

static void patterns_find_the_same_in_random_blocks(void **state)
{
	struct finds want = {.count = 0};
	struct err e = {.code = ERR_NONE};
	struct buf text = BUF_INIT;
	unsigned seed = 3;

	(void)state;
	make_text(&text, 400000, 5);
	reference(&want, regexes_of_all_kinds, &text);
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct finds got = {.text = &text};
		struct patterns *p = make(regexes_of_all_kinds, engines[k]);
		struct patterns_scanner *s = make_scanner(p, &got);
		for (size_t round = 0; round < patience(60, 6); round++) {
			static const size_t most[] = {50, 9000, 20000, 140000};
			got.count = 0;
			patterns_begin(s, text.len);
			for (size_t at = 0, n; at < text.len; at += n) {
				n = next_random(&seed) * 5 % most[next_random(&seed) % 4];
				n = n < text.len - at ? n : text.len - at;
				assert_int_equal(see(s, &text, at, n, &e), 0);
			}
			assert_int_equal(patterns_end(s, &e), 0);
			assert_same(&got, &want, patterns_engine_name(p), round, 0);
		}
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	release(&want);
	buf_release(&text);
}

/* A match of this length that starts at any of these places; one byte is its own line. */
static void assert_found_around(size_t len, size_t block, size_t from, size_t to, size_t step)
{
	static const char *const regexes[] = {"<[^>]*>", NULL};
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < 4 * block + 1000; i++)
		buf_addc(&text, i % 100 == 99 ? '\n' : '.');
	assert_false(text.failed);
	step *= patience_step(7);
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct finds got = {.text = &text};
		struct patterns *p = make(regexes, engines[k]);
		struct patterns_scanner *s = make_scanner(p, &got);
		for (size_t at = from; at <= to; at += step) {
			char before = text.data[at], last = text.data[at + len - 1];
			text.data[at] = '<';
			text.data[at + len - 1] = '>';
			got.count = 0;
			scan(s, &text, text.len, block, block);
			if (got.count != 1 || got.list[0].offset != at || got.list[0].len != len ||
			    got.list[0].line != line_at(&text, at))
				fail_msg("%zu matches of %zu bytes at %zu in blocks of %zu",
					 got.count, len, at, block);
			text.data[at] = before;
			text.data[at + len - 1] = last;
		}
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	buf_release(&text);
}

static void patterns_find_a_short_match_at_every_offset_of_a_seam(void **state)
{
	(void)state;
	assert_found_around(20, BLOCK, BLOCK - 90, BLOCK + 90, 1);
	assert_found_around(20, BLOCK, 2 * BLOCK - 8300, 2 * BLOCK - 8100, 1);
	assert_found_around(20, 8256, 2 * 8256 - 90, 2 * 8256 + 90, 1);
	assert_found_around(20, 8255, 8 * 8255 - 8300 - 24768, 8 * 8255 - 8100 - 24768, 1);
	assert_found_around(20, 262144, 262144 - 40, 262144 + 40, 1);
}

static void patterns_find_the_longest_match_wherever_blocks_meet(void **state)
{
	(void)state;
	assert_found_around(PATTERNS_MATCH_MAX, BLOCK, BLOCK - PATTERNS_MATCH_MAX - 70, BLOCK + 70,
			    61);
	assert_found_around(PATTERNS_MATCH_MAX, BLOCK, BLOCK - PATTERNS_MATCH_MAX - 2,
			    BLOCK - PATTERNS_MATCH_MAX + 2, 1);
	assert_found_around(PATTERNS_MATCH_MAX, BLOCK, BLOCK - 66, BLOCK + 2, 1);
	assert_found_around(PATTERNS_MATCH_MAX, 8256, 8256 - 8000, 3 * 8256, 127);
	assert_found_around(PATTERNS_MATCH_MAX, 8255, 1, 8255 * 3, 127);
	assert_found_around(PATTERNS_MATCH_MAX, 262144, 262144 - PATTERNS_MATCH_MAX, 262144, 509);
}

/* Each in one block, in two, and byte by byte. */
static void patterns_find_what_starts_or_ends_a_file(void **state)
{
	static const char *const regexes[] = {"^HEAD", "TAIL$", "\\AHEAD", "TAIL\\z", NULL};
	static const struct split splits[] = {
	    {SIZE_MAX, 1}, {4, SIZE_MAX}, {9000, 9000}, {1, 1}, {BLOCK, BLOCK}};
	static const size_t between[] = {0, 1, 8248, 8249, 2 * BLOCK - 8, 2 * BLOCK - 7, 100000};

	(void)state;
	for (size_t i = 0; i < COUNT(between); i++) {
		struct buf text = BUF_INIT;
		struct finds want = {.count = 0};
		buf_adds(&text, "HEAD");
		for (size_t k = 0; k < between[i]; k++)
			buf_addc(&text, '.');
		buf_adds(&text, "TAIL");
		reference(&want, regexes, &text);
		assert_int_equal(want.count, 4);
		assert_splits(regexes, &text, splits, COUNT(splits));
		release(&want);
		buf_release(&text);
	}
}

/* The word stands at every place where a block or a window might begin or end. */
static void patterns_take_no_seam_for_the_end_of_a_line_or_word(void **state)
{
	static const char *const regexes[] = {"^word",   "word$",      "\\bword",   "word\\b",
					      "\\Aword", "(?<!x)word", "word(?!x)", NULL};
	const struct split splits[] = {{BLOCK, BLOCK}, {8256, 8256}, {100, 100}, {1, BLOCK}};
	struct buf text = BUF_INIT;

	(void)state;
	while (text.len < 3 * BLOCK)
		buf_addc(&text, 'x');
	for (size_t i = 0; i < COUNT(splits); i++)
		for (size_t meet = splits[i].first; meet < 2 * BLOCK; meet += splits[i].rest * 97) {
			for (size_t at = meet < 6 ? 1 : meet - 6; at < meet + 3; at++) {
				memcpy(text.data + at, "word", 4);
				assert_splits(regexes, &text, &splits[i], 1);
				memset(text.data + at, 'x', 4);
			}
		}
	buf_release(&text);
}

static void patterns_see_enough_of_what_stands_in_front(void **state)
{
	static const char *const regexes[] = {"(?<=x{60})w", NULL};
	const struct split split = {BLOCK, BLOCK};
	const size_t from[] = {BLOCK - PATTERNS_MATCH_MAX - 5, BLOCK - 5};
	struct buf text = BUF_INIT;

	(void)state;
	while (text.len < 3 * BLOCK)
		buf_addc(&text, 'x');
	for (size_t i = 0; i < COUNT(from); i++)
		for (size_t at = from[i]; at < from[i] + 80; at += patience_step(7)) {
			text.data[at] = 'w';
			assert_splits(regexes, &text, &split, 1);
			text.data[at] = 'x';
		}
	buf_release(&text);
}

static void patterns_find_a_run_once_wherever_blocks_meet(void **state)
{
	static const char *const regexes[] = {"r+", "[rs]{10}", "r{5,}s?", NULL};
	struct buf text = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buf_addc(&text, i % 1000 < 400 ? 'r' : i % 50 == 0 ? '\n' : '.');
	assert_splits(regexes, &text, all_splits, COUNT(all_splits));
	buf_release(&text);
}

static void patterns_count_an_empty_match_once(void **state)
{
	static const char *const regexes[] = {"(?=KEY_)", "\\b(?=KEY_)(?=(?<secret>KEY_.))", NULL};
	static const struct split splits[] = {{SIZE_MAX, 1}, {BLOCK, BLOCK}, {1, 1}};
	struct buf text = BUF_INIT;

	(void)state;
	buf_adds(&text, "KEY_1 KEY_2 .KEY_3\n");
	for (size_t i = 0; i < 3 * BLOCK; i++)
		buf_adds(&text, i % 1000 == 0 ? "KEY_4" : ".");
	assert_splits(regexes, &text, splits, COUNT(splits));
	buf_release(&text);
}

/* \K moves the start of a match: the rest of it was looked at all the same. */
static void patterns_find_a_moved_start_wherever_blocks_meet(void **state)
{
	static const char *const regexes[] = {"password=\\K[a-z0-9]{8}", NULL};
	const struct split split = {BLOCK, BLOCK};

	(void)state;
	for (size_t at = BLOCK - 90; at < BLOCK + 90; at += patience_step(7)) {
		struct buf text = BUF_INIT;
		while (text.len < 2 * BLOCK)
			buf_addc(&text, '.');
		memcpy(text.data + at, "password=hunter22", 17);
		assert_splits(regexes, &text, &split, 1);
		memcpy(text.data + at, ".................", 17);
		memcpy(text.data + at - 8192, "password=hunter22", 17);
		assert_splits(regexes, &text, &split, 1);
		buf_release(&text);
	}
}

/* --- lines ------------------------------------------------------------------------------------ */

static void patterns_name_the_line_of_the_first_byte(void **state)
{
	static const char *const regexes[] = {"HIT", "two\\s+lines", NULL};
	struct buf text = BUF_INIT;
	unsigned seed = 1;

	(void)state;
	buf_adds(&text, "HIT\nHIT\r\n\n\nHITHIT\rHIT\ntwo\nlines\n");
	for (size_t i = 0; i < 20000; i++) {
		for (size_t n = next_random(&seed) % 40; n > 0; n--)
			buf_addc(&text, 'x');
		buf_adds(&text, i % 97 == 0 ? "HIT\n" : i % 3 == 0 ? "\r\n" : "\n");
	}
	for (size_t i = 0; i < 50000; i++) /* lanes of nothing but line ends */
		buf_addc(&text, '\n');
	buf_adds(&text, "HIT two\n\nlines");
	assert_splits(regexes, &text, all_splits, COUNT(all_splits));
	buf_release(&text);
}

static void patterns_find_in_a_line_as_long_as_the_file(void **state)
{
	static const char *const regexes[] = {"needle[0-9]", "^x", "9y$", NULL};
	static const struct split splits[] = {{262144, 262144}, {SIZE_MAX, 1}, {BLOCK, BLOCK}};
	struct buf text = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < patience(3000000, 600000); i++)
		buf_addc(&text, 'x');
	for (size_t at = 1000; at < text.len; at += 262100)
		memcpy(text.data + at, "needle9y", 8);
	assert_splits(regexes, &text, splits, COUNT(splits));
	buf_release(&text);
}

/* --- sizes ------------------------------------------------------------------------------------ */

static void patterns_find_the_same_when_less_comes_than_should(void **state)
{
	static const size_t lengths[] = {1, 5000, 8256, 40000, 150000};
	static const struct split splits[] = {{SIZE_MAX, 1}, {100, 100},     {8255, 8255},
					      {8256, 8256},  {BLOCK, BLOCK}, {BLOCK, 100},
					      {70000, 70000}};

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct buf text = BUF_INIT;
		struct finds want = {.count = 0};
		make_text(&text, lengths[i], 11);
		const uint64_t sizes[] = {text.len + 1, text.len + BLOCK, UINT64_MAX};
		reference(&want, regexes_of_all_kinds, &text);
		for (size_t k = 0; k < COUNT(engines); k++) {
			struct finds got = {.text = &text};
			struct patterns *p = make(regexes_of_all_kinds, engines[k]);
			struct patterns_scanner *s = make_scanner(p, &got);
			for (size_t n = 0; n < COUNT(sizes) * COUNT(splits);
			     n += patience_step(4)) {
				const struct split *split = &splits[n / COUNT(sizes)];
				got.count = 0;
				scan(s, &text, sizes[n % COUNT(sizes)], split->first, split->rest);
				assert_same(&got, &want, "wrong size", split->first,
					    (size_t)sizes[n % COUNT(sizes)]);
			}
			patterns_scanner_free(s);
			patterns_free(p);
			release(&got);
		}
		release(&want);
		buf_release(&text);
	}
}

static void patterns_reject_more_than_should_come(void **state)
{
	static const size_t sizes[] = {1, 100, 8255, 8256, BLOCK, BLOCK + 1};
	struct buf text = BUF_INIT;

	(void)state;
	make_text(&text, 3 * BLOCK, 11);
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct finds got = {.text = &text};
		struct patterns *p = make(regexes_of_all_kinds, engines[k]);
		struct patterns_scanner *s = make_scanner(p, &got);
		for (size_t i = 0; i < COUNT(sizes); i++) {
			struct err e = {.code = ERR_NONE};
			size_t at = 0;
			int status = 0;
			patterns_begin(s, sizes[i]);
			for (; status == 0 && at < text.len; at += BLOCK)
				status = see(s, &text, at,
					     BLOCK < text.len - at ? BLOCK : text.len - at, &e);
			assert_int_equal(status, -1);
			assert_int_equal(e.code, ERR_CHANGED);
			assert_int_equal(at, sizes[i] <= BLOCK ? 2 * BLOCK : 3 * BLOCK);
			assert_int_equal(patterns_end(s, &e), 0);
		}
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	buf_release(&text);
}

/* --- scanners and visitors -------------------------------------------------------------------- */

static void patterns_begin_anew_after_a_file_that_was_given_up(void **state)
{
	static const char *const regexes[] = {"abc", "^def", NULL};
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	(void)state;
	buf_adds(&first, "\n\nab");
	buf_adds(&second, "cdef\ndef");
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct finds got = {.text = &second};
		struct patterns *p = make(regexes, engines[k]);
		struct patterns_scanner *s = make_scanner(p, &got);
		patterns_begin(s, 100);
		assert_int_equal(see(s, &first, 0, first.len, &e), 0);
		scan(s, &second, 100, 3, 3);
		assert_int_equal(got.count, 1);
		assert_int_equal(got.list[0].pattern, 1);
		assert_int_equal(got.list[0].offset, 5);
		assert_int_equal(got.list[0].line, 2);
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	buf_release(&first);
	buf_release(&second);
}

static void patterns_end_the_search_when_the_visitor_says_so(void **state)
{
	static const char *const regexes[] = {"a", NULL};
	struct buf text = BUF_INIT;

	(void)state;
	buf_adds(&text, "aaaaaaaa");
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct err e = {.code = ERR_NONE};
		struct finds got = {.text = &text, .stop_after = 3};
		struct patterns *p = make(regexes, engines[k]);
		struct patterns_scanner *s = make_scanner(p, &got);
		patterns_begin(s, text.len);
		assert_int_equal(see(s, &text, 0, text.len, &e), -1);
		assert_int_equal(e.code, ERR_REFUSED);
		assert_string_equal(e.msg, "enough");
		assert_int_equal(got.count, 3);
		/* Also of what comes with the end. */
		got.count = 0;
		patterns_begin(s, text.len + 1);
		assert_int_equal(see(s, &text, 0, text.len, &e), 0);
		assert_int_equal(got.count, 0);
		assert_int_equal(patterns_end(s, &e), -1);
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	buf_release(&text);
}

static void patterns_look_for_nothing_that_is_not_wanted(void **state)
{
	static const char *const regexes[] = {"[a-c]", "[b-d]", NULL};
	struct buf text = BUF_INIT;

	(void)state;
	buf_adds(&text, "abcd");
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct finds got = {.text = &text, .unwanted = 1};
		struct patterns *p = make(regexes, engines[k]);
		struct patterns_scanner *s = make_scanner(p, &got);
		scan(s, &text, text.len, 4, 4);
		assert_int_equal(got.count, 3);
		for (size_t i = 0; i < got.count; i++)
			assert_int_equal(got.list[i].pattern, 1);
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	buf_release(&text);
}

static void patterns_without_any_find_nothing(void **state)
{
	static const char *const regexes[] = {NULL};
	struct buf text = BUF_INIT;

	(void)state;
	make_text(&text, 50000, 1);
	assert_splits(regexes, &text, all_splits, 5);
	buf_release(&text);
}

static void patterns_look_closer_only_where_the_hint_is(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	buf_adds(&text, "token-12 token-3 TOKEN-45 token-67");
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct err e = {.code = ERR_NONE};
		struct finds got = {.text = &text};
		struct patterns *p = patterns_new(&e);
		assert_non_null(p);
		assert_int_equal(patterns_add(p, "\\btoken-(?<secret>[0-9]{2})", "token-", &e), 0);
		patterns_compile(p, engines[k]);
		if (k % 2 == 0)
			patterns_start(p);
		struct patterns_scanner *s = make_scanner(p, &got);
		scan(s, &text, text.len, text.len, 1);
		assert_int_equal(got.count, 2);
		assert_int_equal(got.list[0].offset, 0);
		assert_int_equal(got.list[0].secret, 6);
		assert_int_equal(got.list[0].secret_len, 2);
		assert_int_equal(got.list[1].offset, 26);
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	buf_release(&text);
}

/* A group that did not take part is no secret, and may stand behind 32 others. */
static void patterns_take_the_match_where_there_is_no_secret(void **state)
{
	static const char *const regexes[] = {
	    "ab(?<secret>c)?d", "(a)(b)(?:(c)|(?<secret>x))",
	    "(((((((((((((((((((((((((((((((((a)))))))))))))))))))))))))))))))))(?<secret>b)",
	    NULL};
	struct buf text = BUF_INIT;

	(void)state;
	buf_adds(&text, "abd abcd");
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct finds got = {.text = &text};
		struct patterns *p = make(regexes, engines[k]);
		struct patterns_scanner *s = make_scanner(p, &got);
		scan(s, &text, text.len, text.len, 1);
		sort_finds(&got);
		assert_int_equal(got.count, 5);
		assert_int_equal(got.list[0].secret_len, 3);
		assert_int_equal(got.list[1].secret_len, 1);
		assert_int_equal(got.list[1].secret, 2);
		assert_int_equal(got.list[2].secret_len, 3);
		assert_int_equal(got.list[3].secret_len, 2);
		assert_int_equal(got.list[4].secret_len, 2);
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	buf_release(&text);
}

/* --- threads ---------------------------------------------------------------------------------- */

struct job {
	struct patterns *patterns;
	const struct buf *text;
	struct finds found;
	size_t block;
};

static void *run_job(void *context)
{
	struct job *job = context;
	struct patterns_scanner *s = make_scanner(job->patterns, &job->found);

	scan(s, job->text, job->text->len, job->block, job->block);
	patterns_scanner_free(s);
	return NULL;
}

static void patterns_are_shared_by_threads(void **state)
{
	static const size_t blocks[] = {100, 8256, BLOCK, 262144};
	struct buf text = BUF_INIT;
	struct finds want = {.count = 0};

	(void)state;
	make_text(&text, 300000, 23);
	reference(&want, regexes_of_all_kinds, &text);
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct patterns *p = make(regexes_of_all_kinds, engines[k]);
		struct job jobs[COUNT(blocks)];
		pthread_t threads[COUNT(blocks)];
		for (size_t i = 0; i < COUNT(blocks); i++) {
			jobs[i] = (struct job){p, &text, {.text = &text}, blocks[i]};
			assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
		}
		for (size_t i = 0; i < COUNT(blocks); i++) {
			assert_int_equal(pthread_join(threads[i], NULL), 0);
			assert_same(&jobs[i].found, &want, "thread", i, blocks[i]);
			release(&jobs[i].found);
		}
		patterns_free(p);
	}
	release(&want);
	buf_release(&text);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void patterns_refuse_what_is_no_regex(void **state)
{
	static const struct {
		const char *regex, *msg;
	} bad[] = {
	    {"ab(c", "at character 5: missing closing parenthesis"},
	    {"[z-a]", "at character 4: range out of order in character class"},
	    {"a**", NULL}, /* possessive or an error, by version: must not crash */
	    {"*a", "at character 1: quantifier does not follow a repeatable item"},
	    {"a\\C", "at character 4: using \\C is disabled by the application"},
	    {"(*UTF)a", "at character 7: using UTF is disabled by the application"},
	    {"(*UCP)a", "at character 7: using UCP is disabled by the application"},
	    {"(?<x", NULL},
	    {"\\", "at character 2: \\ at end of pattern"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = {.code = ERR_NONE};
		struct patterns *p = patterns_new(&e);
		assert_non_null(p);
		assert_int_equal(patterns_add(p, bad[i].regex, NULL, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		if (bad[i].msg != NULL)
			assert_string_equal(e.msg, bad[i].msg);
		patterns_free(p);
	}
}

static void patterns_refuse_what_matches_the_empty_text(void **state)
{
	static const char *const empty[] = {"", "a*", "^", "$", "(a|)", "(?!a)", "a?b?", "\\z"};

	(void)state;
	for (size_t i = 0; i < COUNT(empty); i++) {
		struct err e = {.code = ERR_NONE};
		struct patterns *p = patterns_new(&e);
		assert_non_null(p);
		assert_int_equal(patterns_add(p, empty[i], NULL, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_string_equal(e.msg, "it matches the empty text, and so everything");
		patterns_free(p);
	}
}

/* Failing is an answer, passing is none. The match at the end is for who looks first. */
static void patterns_give_up_on_a_regex_that_explodes(void **state)
{
	static const char *const regexes[] = {"(?:x+x+)+y", NULL};
	struct buf text = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 20000; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "z xxy");
	for (size_t k = 0; k < COUNT(engines); k++) {
		struct err e = {.code = ERR_NONE};
		struct finds got = {.text = &text};
		struct patterns *p = make(regexes, engines[k]);
		struct patterns_scanner *s = make_scanner(p, &got);
		patterns_begin(s, text.len);
		int status = see(s, &text, 0, text.len, &e);
		if (status == 0)
			status = patterns_end(s, &e);
		assert_int_equal(status, -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_string_equal(e.msg,
				    "the regex of 'a pattern' takes too long on this content");
		patterns_scanner_free(s);
		patterns_free(p);
		release(&got);
	}
	buf_release(&text);
}

/* Hyperscan reads none of these: each is left to PCRE2, and the others are not. */
static void patterns_find_what_only_pcre2_can_read(void **state)
{
	static const char *const regexes[] = {"(?=KEY)", "foo\\Kbar",   "(?|a1|b2)",     "\\Rxx",
					      "plain",   "x*(?=QQ)y?Q", "(?(?=7)7a|b7)", NULL};
	static const struct split splits[] = {{SIZE_MAX, 1}};
	struct buf text = BUF_INIT;

	(void)state;
	buf_adds(&text, "KEY foobar b2 \r\nxx plain xQQ 7a b7");
	assert_splits(regexes, &text, splits, COUNT(splits));
	buf_release(&text);
}

static void patterns_name_their_engine(void **state)
{
	static const char *const regexes[] = {"a", NULL};

	(void)state;
	struct patterns *p = make(regexes, PATTERNS_PCRE2);
	assert_int_equal(strncmp(patterns_engine_name(p), "PCRE2 10.", 9), 0);
	assert_null(strchr(patterns_engine_name(p) + 6, ' '));
	patterns_free(p);
	p = make(regexes, PATTERNS_FASTEST);
	assert_true(strncmp(patterns_engine_name(p), "PCRE2 10.", 9) == 0 ||
		    strncmp(patterns_engine_name(p), "Hyperscan ", 10) == 0);
	patterns_free(p);
	patterns_free(NULL);
	patterns_scanner_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(patterns_find_the_same_in_blocks_of_any_size),
	    cmocka_unit_test(patterns_find_something_of_each_kind_in_that_text),
	    cmocka_unit_test(patterns_find_the_same_in_random_blocks),
	    cmocka_unit_test(patterns_find_a_short_match_at_every_offset_of_a_seam),
	    cmocka_unit_test(patterns_find_the_longest_match_wherever_blocks_meet),
	    cmocka_unit_test(patterns_find_what_starts_or_ends_a_file),
	    cmocka_unit_test(patterns_take_no_seam_for_the_end_of_a_line_or_word),
	    cmocka_unit_test(patterns_see_enough_of_what_stands_in_front),
	    cmocka_unit_test(patterns_find_a_run_once_wherever_blocks_meet),
	    cmocka_unit_test(patterns_count_an_empty_match_once),
	    cmocka_unit_test(patterns_find_a_moved_start_wherever_blocks_meet),
	    cmocka_unit_test(patterns_name_the_line_of_the_first_byte),
	    cmocka_unit_test(patterns_find_in_a_line_as_long_as_the_file),
	    cmocka_unit_test(patterns_find_the_same_when_less_comes_than_should),
	    cmocka_unit_test(patterns_reject_more_than_should_come),
	    cmocka_unit_test(patterns_begin_anew_after_a_file_that_was_given_up),
	    cmocka_unit_test(patterns_end_the_search_when_the_visitor_says_so),
	    cmocka_unit_test(patterns_look_for_nothing_that_is_not_wanted),
	    cmocka_unit_test(patterns_without_any_find_nothing),
	    cmocka_unit_test(patterns_look_closer_only_where_the_hint_is),
	    cmocka_unit_test(patterns_take_the_match_where_there_is_no_secret),
	    cmocka_unit_test(patterns_are_shared_by_threads),
	    cmocka_unit_test(patterns_refuse_what_is_no_regex),
	    cmocka_unit_test(patterns_refuse_what_matches_the_empty_text),
	    cmocka_unit_test(patterns_give_up_on_a_regex_that_explodes),
	    cmocka_unit_test(patterns_find_what_only_pcre2_can_read),
	    cmocka_unit_test(patterns_name_their_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
