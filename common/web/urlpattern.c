#include "swarm/urlpattern.h"

#include <stdbool.h>
#include <string.h>

/* --- what looks like a hash ---------------------------------------------------------------------
 */

/* What kinds of characters a word is made of. */
struct look {
	size_t len;
	size_t turns; /* from a digit to a letter, or back */
	bool digit, upper, lower, inner_upper, hex;
	bool other; /* '-' or '_' */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
	return is_digit(c) || is_upper(c) || is_lower(c);
}

static struct look look_at(const char *word, size_t len)
{
	struct look l = {.len = len, .hex = true};

	for (size_t i = 0; i < len; i++) {
		char c = word[i];
		l.digit = l.digit || is_digit(c);
		l.upper = l.upper || is_upper(c);
		l.inner_upper = l.inner_upper || (i > 0 && is_upper(c));
		l.lower = l.lower || is_lower(c);
		l.other = l.other || !is_alnum(c);
		l.hex = l.hex && (is_digit(c) || (c >= 'a' && c <= 'f'));
		l.turns += i > 0 && is_digit(c) != is_digit(word[i - 1]);
	}
	return l;
}

/* A word of letters and digits: hexadecimal, or the base 36 and 62 of longer hashes. */
static bool is_hash(const char *word, size_t len)
{
	struct look l = look_at(word, len);

	if (!l.digit || !(l.upper || l.lower) || l.other)
		return false;
	if (l.hex && len >= 5)
		return len >= 8 || is_digit(*word) || l.turns > 1;
	return len >= 8 && (l.inner_upper ? l.lower : l.turns > 2 && len >= 16);
}

/* Vite and Rollup end a name in '-' and 8 characters of URL-safe base64. */
static bool ends_in_hash(const char *stem, size_t len)
{
	const char *hash = stem + len - 8;

	if (len < 10 || hash[-1] != '-')
		return false;
	for (size_t i = 0; i < 8; i++)
		if (!is_alnum(hash[i]) && hash[i] != '-' && hash[i] != '_')
			return false;
	struct look l = look_at(hash, 8);
	return l.inner_upper && (l.lower || l.digit);
}

/* --- the pattern --------------------------------------------------------------------------------
 */

/* The path percent-encode set of url.spec.whatwg.org, and what means something in a pattern. */
static void add_literal(struct buf *to, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c <= ' ' || c >= 0x7F || strchr("\"#<>?^`{}", c) != NULL || c == '%')
			buf_addf(to, "%%%02X", c);
		else if (strchr("()*+:\\", c) != NULL)
			buf_addf(to, "\\%c", c);
		else
			buf_addc(to, (char)c);
	}
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return n <= len && memcmp(text + len - n, end, n) == 0;
}

/* How much of a component of the prefix stands before the version: all of it if there is none. */
static size_t before_version(const char *component, size_t len, const char *version)
{
	if (!ends_with(component, len, version))
		return len;
	size_t rest = len - strlen(version);
	size_t bare = rest > 0 && component[rest - 1] == 'v' ? rest - 1 : rest;
	return rest == 0 || bare == 0 || component[bare - 1] == '-' ? rest : len;
}

static void add_prefix(struct buf *to, const char *prefix, const char *version)
{
	while (*prefix != '\0') {
		size_t len = strcspn(prefix, "/");
		size_t keep = before_version(prefix, len, version);
		add_literal(to, prefix, keep);
		if (keep < len)
			buf_addc(to, '*');
		prefix += len;
		if (*prefix == '/')
			buf_addc(to, *prefix++);
	}
}

static void add_stem(struct buf *to, const char *stem, size_t len)
{
	if (ends_in_hash(stem, len)) {
		add_literal(to, stem, len - 8);
		buf_addc(to, '*');
		return;
	}
	for (size_t i = 0; i < len;) {
		size_t n = 0;
		while (i + n < len && is_alnum(stem[i + n]))
			n++;
		if (n > 0 && is_hash(stem + i, n))
			buf_addc(to, '*');
		else
			add_literal(to, stem + i, n);
		i += n;
		if (i < len)
			add_literal(to, stem + i++, 1);
	}
}

void urlpattern_add(struct buf *to, const char *prefix, const char *path, const char *version)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	size_t stem = dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);

	add_prefix(to, prefix, version);
	add_literal(to, path, (size_t)(name - path));
	if (strcmp(name, "index.html") == 0) {
		buf_adds(to, "{index.html}?");
		return;
	}
	add_stem(to, name, stem);
	add_literal(to, name + stem, strlen(name + stem));
}

const char *urlpattern_wrong(const char *pattern)
{
	if (*pattern != '/')
		return "it does not start with '/'";
	bool escaped = false;
	for (; *pattern != '\0'; pattern++) {
		if (*pattern < ' ' || *pattern > '~')
			return "it is not printable ASCII: percent-encode it";
		if (*pattern == '(' && !escaped)
			return "it holds a group of a regular expression, which RFC 9842 rules out";
		escaped = *pattern == '\\' && !escaped;
	}
	return escaped ? "it ends in '\\'" : NULL;
}
