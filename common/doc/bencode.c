#include "swarm/bencode.h"

#include <string.h>

/* --- writing ------------------------------------------------------------------------------------
 */

void bencode_open_dictionary(struct bencode_writer *w)
{
	buf_addc(w->to, 'd');
	w->tokens++;
}

void bencode_open_list(struct bencode_writer *w)
{
	buf_addc(w->to, 'l');
	w->tokens++;
}

void bencode_close(struct bencode_writer *w)
{
	buf_addc(w->to, 'e');
	w->tokens++;
}

void bencode_number(struct bencode_writer *w, uint64_t n)
{
	buf_addf(w->to, "i%llue", (unsigned long long)n);
	w->tokens++;
}

void bencode_start_string(struct bencode_writer *w, uint64_t len)
{
	buf_addf(w->to, "%llu:", (unsigned long long)len);
	w->tokens++;
}

void bencode_string(struct bencode_writer *w, const void *bytes, size_t len)
{
	bencode_start_string(w, len);
	buf_add(w->to, bytes, len);
}

void bencode_text(struct bencode_writer *w, const char *text)
{
	bencode_string(w, text, strlen(text));
}

/* --- checking -----------------------------------------------------------------------------------
 */

/* A list or dictionary that is open. */
struct level {
	const char *key; /* the last one; NULL: none yet */
	size_t key_len;
	bool dictionary;
	bool wants_value; /* a key stands, its value comes */
};

struct checker {
	const char *start, *at, *end;
	struct level levels[BENCODE_DEPTH_MAX];
	size_t depth;
};

static int reject(const struct checker *c, const char *why, struct err *e)
{
	return err_set(e, ERR_MALFORMED, "byte %zu: %s", (size_t)(c->at - c->start) + 1, why);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, no zero in front of others; c->at is behind them. */
static int skip_digits(struct checker *c, struct err *e)
{
	const char *first = c->at;

	while (c->at < c->end && is_digit(*c->at))
		c->at++;
	if (c->at == first)
		return reject(c, "a digit is missing", e);
	if (*first == '0' && c->at - first > 1)
		return reject(c, "a number starts with 0", e);
	return 0;
}

static int check_number(struct checker *c, struct err *e)
{
	c->at++;
	bool minus = c->at < c->end && *c->at == '-';
	c->at += minus;
	if (minus && c->at < c->end && *c->at == '0')
		return reject(c, "there is no number -0", e);
	if (skip_digits(c, e) != 0)
		return -1;
	if (c->at == c->end || *c->at != 'e')
		return reject(c, "a number has no end", e);
	c->at++;
	return 0;
}

/* The length that stands at `at`, before `end`; behind its colon then. False: it is too long. */
static bool read_length(const char **at, const char *end, size_t *ret)
{
	size_t len = 0;

	for (; is_digit(**at); ++*at) {
		if (len > (size_t)(end - *at))
			return false;
		len = len * 10 + (size_t)(**at - '0');
	}
	++*at;
	*ret = len;
	return *at <= end && len <= (size_t)(end - *at);
}

static int check_string(struct checker *c, const char **ret, size_t *ret_len, struct err *e)
{
	const char *start = c->at;

	if (skip_digits(c, e) != 0)
		return -1;
	if (c->at == c->end || *c->at != ':')
		return reject(c, "the length of a string has no colon behind it", e);
	c->at = start;
	const char *text = start;
	if (!read_length(&text, c->end, ret_len))
		return reject(c, "a string is longer than what there is", e);
	*ret = text;
	c->at = text + *ret_len;
	return 0;
}

static int check_key(struct checker *c, struct level *l, struct err *e)
{
	const char *key = "", *start = c->at;
	size_t len = 0;

	if (!is_digit(*c->at))
		return reject(c, "a key is no string", e);
	if (check_string(c, &key, &len, e) != 0)
		return -1;
	if (l->key != NULL) {
		size_t n = len < l->key_len ? len : l->key_len;
		int order = memcmp(l->key, key, n);
		if (order > 0 || (order == 0 && l->key_len >= len)) {
			c->at = start;
			return reject(c, "the keys of a dictionary are not in order", e);
		}
	}
	l->key = key;
	l->key_len = len;
	l->wants_value = true;
	return 0;
}

static int open_level(struct checker *c, struct err *e)
{
	if (c->depth == BENCODE_DEPTH_MAX)
		return reject(c, "too many lists and dictionaries in each other", e);
	c->levels[c->depth++] = (struct level){.dictionary = *c->at == 'd'};
	c->at++;
	return 0;
}

static int close_level(struct checker *c, struct err *e)
{
	if (c->levels[c->depth - 1].wants_value)
		return reject(c, "a key has no value", e);
	c->depth--;
	c->at++;
	return 0;
}

static int check_item(struct checker *c, struct err *e)
{
	struct level *l = c->depth > 0 ? &c->levels[c->depth - 1] : NULL;
	const char *text;
	size_t len;

	if (l != NULL && *c->at == 'e')
		return close_level(c, e);
	if (l != NULL && l->dictionary && !l->wants_value)
		return check_key(c, l, e);
	if (l != NULL)
		l->wants_value = false;
	if (*c->at == 'd' || *c->at == 'l')
		return open_level(c, e);
	return *c->at == 'i' ? check_number(c, e) : check_string(c, &text, &len, e);
}

int bencode_check(const char *bytes, size_t len, struct err *e)
{
	struct checker c = {.start = bytes, .at = bytes, .end = bytes + len};

	do {
		if (c.at == c.end)
			return reject(&c, "it ends too early", e);
		if (check_item(&c, e) != 0)
			return -1;
	} while (c.depth > 0);
	return c.at == c.end ? 0 : reject(&c, "there is more behind its end", e);
}

/* --- reading what was checked -------------------------------------------------------------------
 */

static const char *end_of_string(const char *at, const char *end, const char **ret_text)
{
	size_t len;

	if (!read_length(&at, end, &len))
		return end;
	*ret_text = at;
	return at + len;
}

/* Where the value at `at` ends. */
static const char *end_of(const char *at, const char *end)
{
	size_t depth = 0;
	const char *text;

	do {
		if (is_digit(*at)) {
			at = end_of_string(at, end, &text);
			continue;
		}
		if (*at == 'i')
			at = memchr(at, 'e', (size_t)(end - at));
		else
			depth += *at == 'e' ? (size_t)-1 : 1;
		at++;
	} while (depth > 0);
	return at;
}

static struct bencode value_at(const char *at, const char *end)
{
	return (struct bencode){is_digit(*at) ? 's' : *at, at, (size_t)(end_of(at, end) - at)};
}

struct bencode bencode_root(const char *bytes, size_t len)
{
	return (struct bencode){is_digit(*bytes) ? 's' : *bytes, bytes, len};
}

struct bencode_walk bencode_begin(const struct bencode *v)
{
	if (v->type != 'l' && v->type != 'd')
		return (struct bencode_walk){.keyed = false};
	return (struct bencode_walk){v->at + 1, v->at + v->len - 1, v->type == 'd'};
}

bool bencode_next(struct bencode_walk *w, struct bencode *key, struct bencode *ret)
{
	if (w->at == w->end)
		return false;
	if (w->keyed) {
		struct bencode k = value_at(w->at, w->end);
		w->at += k.len;
		if (key != NULL)
			*key = k;
	}
	*ret = value_at(w->at, w->end);
	w->at += ret->len;
	return true;
}

struct bencode bencode_get(const struct bencode *d, const char *key)
{
	struct bencode_walk w = bencode_begin(d);
	struct bencode k, v;
	size_t len;

	while (w.keyed && bencode_next(&w, &k, &v)) {
		const char *text = bencode_get_string(&k, &len);
		if (len == strlen(key) && memcmp(text, key, len) == 0)
			return v;
	}
	return (struct bencode){.type = 0};
}

bool bencode_get_number(const struct bencode *v, uint64_t *ret)
{
	uint64_t n = 0;

	if (v->type != 'i' || v->at[1] == '-' || v->len > 21)
		return false;
	for (const char *p = v->at + 1; *p != 'e'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');
		if (n > (INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*ret = n;
	return true;
}

const char *bencode_get_string(const struct bencode *v, size_t *ret_len)
{
	const char *text = NULL;

	*ret_len = 0;
	if (v->type != 's')
		return NULL;
	const char *end = end_of_string(v->at, v->at + v->len, &text);
	*ret_len = (size_t)(end - text);
	return text;
}
