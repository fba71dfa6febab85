/*
 * Input: four sizes of blocks, 16 bits each, which are used in turn; by how much the size is given
 * too large, 8 bits; then a text, in which 0xFF N stands for the N-th of some words and 0xFE and 16
 * bits for so many bytes of nothing in particular. Both engines find in the blocks what PCRE2 finds
 * in one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/buf.h"
#include "swarm/patterns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZES     4
#define HEADER    ((size_t)SIZES * 2 + 1)
#define TEXT_MAX  ((size_t)120000)
#define EMPTY_MAX 64 /* blocks of nothing in a row: not for ever */

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* --- the set ---------------------------------------------------------------------------------- */

/* No match of these can begin in another one, and none is longer than it may be. */
static const char *const regexes[] = {
    "KEY_[0-9]{4,8}(?![0-9])", "<[^<>]{0,8190}>",  "^START[0-9]{0,20}$",
    "(?<![a-z])\\bWORD\\b",    "(?<=ab[0-9]{2})Z", "secret=(?<secret>[a-z]{1,20});",
    "(?i)MiXeD\\r?$",          "Q(.)Q\\1Q",        "\\AHEAD|TAIL\\z",
    "L(?=[^L\\n]{100}L)",      "\xC3\xA9+x",       "\\n\\n!",
};

static const char *const words[] = {
    "KEY_1234",  "KEY_123456789", "<",         ">",       "\nSTART12\n", " WORD ",
    "ab12Z",     "secret=abc;",   "mixed\r\n", "QxQxQ",   "HEAD",        "TAIL",
    "\xC3\xA9x", "\n\n!",         "L",         "\nSTART", "secret=",     "KEY_",
};

static struct patterns *make(enum patterns_engine engine)
{
	struct err e;
	struct patterns *p = patterns_new(&e);

	check(p != NULL);
	for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++)
		check(patterns_add(p, regexes[i], NULL, &e) == 0);
	patterns_compile(p, engine);
	return p;
}

/* --- what is found ---------------------------------------------------------------------------- */

struct find {
	size_t pattern;
	uint64_t offset, line;
	size_t len, secret, secret_len;
};

struct finds {
	struct find *list;
	size_t count, room;
	const struct buf *text;
};

static bool wants(void *context, size_t pattern)
{
	(void)context;
	return pattern < sizeof regexes / sizeof *regexes;
}

static int found(void *context, const struct patterns_match *m, struct err *e)
{
	struct finds *f = context;

	(void)e;
	check(m->offset + m->len <= f->text->len);
	check(memcmp(m->text, f->text->data + m->offset, m->len) == 0);
	check(m->len <= PATTERNS_MATCH_MAX);
	if (f->count == f->room) {
		f->room = f->room > 0 ? f->room * 2 : 64;
		f->list = realloc(f->list, f->room * sizeof *f->list);
		check(f->list != NULL);
	}
	f->list[f->count++] = (struct find){
	    m->pattern, m->offset, m->line, m->len, (size_t)(m->secret - m->text), m->secret_len};
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct find *x = a, *y = b;

	if (x->pattern != y->pattern)
		return x->pattern < y->pattern ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void check_same(const struct finds *a, const struct finds *b)
{
	check(a->count == b->count);
	if (a->count == 0)
		return;
	qsort(a->list, a->count, sizeof *a->list, compare);
	qsort(b->list, b->count, sizeof *b->list, compare);
	for (size_t i = 0; i < a->count; i++) {
		const struct find *x = &a->list[i], *y = &b->list[i];
		check(x->pattern == y->pattern && x->offset == y->offset && x->line == y->line &&
		      x->len == y->len && x->secret == y->secret && x->secret_len == y->secret_len);
	}
}

/* `sizes` are used in turn; NULL: all at once. From memory of just that size. */
static void scan(struct patterns *p, struct finds *to, uint64_t extra, const size_t *sizes)
{
	const struct patterns_visitor visitor = {to, wants, found, NULL};
	struct err e;
	struct patterns_scanner *s = patterns_scanner_new(p, &visitor, &e);
	unsigned empty = 0;

	check(s != NULL);
	patterns_begin(s, to->text->len + extra);
	for (size_t at = 0, n, turn = 0; at < to->text->len; at += n) {
		size_t left = to->text->len - at;
		n = sizes != NULL && empty < EMPTY_MAX ? sizes[turn++ % SIZES] : left;
		n = n < left ? n : left;
		empty = n > 0 ? 0 : empty + 1;
		uint8_t *exact = malloc(n > 0 ? n : 1);
		check(exact != NULL);
		memcpy(exact, to->text->data + at, n);
		check(patterns_see(s, exact, n, &e) == 0);
		free(exact);
	}
	check(patterns_end(s, &e) == 0);
	patterns_scanner_free(s);
}

/* --- the input -------------------------------------------------------------------------------- */

static void make_text(struct buf *to, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size && to->len < TEXT_MAX; i++) {
		if (data[i] == 0xFF && i + 1 < size) {
			buf_adds(to, words[data[++i] % (sizeof words / sizeof *words)]);
		} else if (data[i] == 0xFE && i + 2 < size) {
			for (size_t n = data[i + 1] + 256U * data[i + 2]; n > 0; n--)
				buf_addc(to, n % 77 == 0 ? '\n' : '.');
			i += 2;
		} else {
			buf_addc(to, (char)data[i]);
		}
	}
	check(!to->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Compiling takes longer than looking. */
	static struct patterns *fast, *slow;
	struct buf text = BUF_INIT;
	struct finds want = {.text = &text}, got = {.text = &text};
	size_t sizes[SIZES];

	if (size < HEADER)
		return 0;
	fast = fast != NULL ? fast : make(PATTERNS_FASTEST);
	slow = slow != NULL ? slow : make(PATTERNS_PCRE2);
	for (size_t i = 0; i < SIZES; i++)
		sizes[i] = data[2 * i] + 256U * data[2 * i + 1];
	make_text(&text, data + HEADER, size - HEADER);
	scan(slow, &want, 0, NULL);
	scan(slow, &got, data[HEADER - 1], sizes);
	check_same(&want, &got);
	got.count = 0;
	scan(fast, &got, data[HEADER - 1], sizes);
	check_same(&want, &got);
	got.count = 0;
	scan(fast, &got, 0, NULL);
	check_same(&want, &got);
	buf_release(&text);
	free(want.list);
	free(got.list);
	return 0;
}
