/*
 * Input: a path and patterns, separated by NUL; a path that ends in '/' is a directory. Our matcher
 * must agree with a second one that follows the text of the pattern and tries everything.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LENGTH_MAX   200
#define PATTERNS_MAX 8

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* --- the second matcher ----------------------------------------------------------------------- */

struct naive {
	const char *p, *t;
	size_t pn, tn;
	bool failed[LENGTH_MAX + 1][LENGTH_MAX + 1]; /* p[i..] is known not to match t[k..] */
};

static bool in_class(const char *name, size_t len, uint8_t c, bool *known)
{
	static const char *const names[] = {"alnum", "alpha", "blank", "cntrl", "digit", "graph",
					    "lower", "print", "punct", "space", "upper", "xdigit"};
	bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z',
	     digit = c >= '0' && c <= '9';
	bool graph = c > ' ' && c < 0x7F, alnum = lower || upper || digit;
	bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
	const bool is[] = {alnum,
			   lower || upper,
			   c == ' ' || c == '\t',
			   c < ' ' || c == 0x7F,
			   digit,
			   graph,
			   lower,
			   graph || c == ' ',
			   graph && !alnum,
			   c == ' ' || c == '\t' || c == '\n' || c == '\r',
			   upper,
			   hex};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return is[i];
	*known = false;
	return false;
}

/* Whether the bracket at p[i] has byte c; *end is behind it. False if it is malformed. */
static bool in_bracket(const struct naive *n, size_t i, uint8_t c, size_t *end)
{
	bool inverted = i + 1 < n->pn && (n->p[i + 1] == '!' || n->p[i + 1] == '^');
	bool found = false, known = true;
	int before = -1;
	size_t first = i + 1 + inverted;

	for (i = first; i < n->pn && (i == first || n->p[i] != ']'); i++) {
		const char *close = memchr(n->p + i, ']', n->pn - i);
		if (n->p[i] == '-' && before >= 0 && i + 1 < n->pn && n->p[i + 1] != ']') {
			i += n->p[i + 1] == '\\' ? 2 : 1;
			if (i >= n->pn)
				return false;
			found |= before <= c && c <= (uint8_t)n->p[i];
			before = -1;
		} else if (n->p[i] == '[' && i + 1 < n->pn && n->p[i + 1] == ':' && close != NULL &&
			   close - n->p >= (ptrdiff_t)i + 3 && close[-1] == ':') {
			size_t len = (size_t)(close - n->p) - i - 3;
			found |= in_class(n->p + i + 2, len, c, &known);
			i += len + 3;
			before = -1;
		} else {
			i += n->p[i] == '\\';
			if (i >= n->pn)
				return false;
			before = (uint8_t)n->p[i];
			found |= before == c;
		}
	}
	*end = i + 1;
	return i < n->pn && known && found != inverted && c != '/';
}

static bool naive_from(struct naive *n, size_t i, size_t k);

static bool naive_stars(struct naive *n, size_t i, size_t k)
{
	size_t j = i;

	while (j < n->pn && n->p[j] == '*')
		j++;
	bool slash = j < n->pn && n->p[j] == '/';
	bool ends = j == n->pn || slash || (n->p[j] == '\\' && j + 1 < n->pn && n->p[j + 1] == '/');
	bool deep = j - i >= 2 && (i == 0 || n->p[i - 1] == '/') && ends;
	if (deep && j == n->pn)
		return true;
	if (deep && slash && naive_from(n, j + 1, k))
		return true;
	for (;; k++) {
		if (naive_from(n, j, k))
			return true;
		if (k == n->tn || (n->t[k] == '/' && !deep))
			return false;
	}
}

static bool naive_step(struct naive *n, size_t i, size_t k)
{
	size_t end = i + 1;

	if (i == n->pn)
		return k == n->tn;
	if (n->p[i] == '*')
		return naive_stars(n, i, k);
	if (k == n->tn)
		return false;
	if (n->p[i] == '[')
		return in_bracket(n, i, (uint8_t)n->t[k], &end) && naive_from(n, end, k + 1);
	if (n->p[i] == '?')
		return n->t[k] != '/' && naive_from(n, end, k + 1);
	if (n->p[i] == '\\' && ++end > n->pn)
		return false;
	return n->p[end - 1] == n->t[k] && naive_from(n, end, k + 1);
}

static bool naive_from(struct naive *n, size_t i, size_t k)
{
	if (n->failed[i][k])
		return false;
	bool matches = naive_step(n, i, k);
	n->failed[i][k] = !matches;
	return matches;
}

static bool naive_match(const char *pattern, const char *path, size_t len, bool is_directory)
{
	struct naive n = {.p = pattern, .pn = strlen(pattern), .t = path, .tn = len};

	while (n.pn > 0 && n.p[n.pn - 1] == ' ') {
		size_t escapes = 0;
		while (escapes + 1 < n.pn && n.p[n.pn - 2 - escapes] == '\\')
			escapes++;
		if (escapes % 2 == 1)
			break;
		n.pn--;
	}
	if (n.pn > 0 && *n.p == '!') {
		n.p++;
		n.pn--;
	}
	if (n.pn > 0 && n.p[n.pn - 1] == '/') {
		if (!is_directory)
			return false;
		n.pn--;
	}
	if (memchr(n.p, '/', n.pn) == NULL) {
		for (size_t i = len; i > 0 && path[i - 1] != '/'; i--)
			n.t = path + i - 1;
		n.tn = (size_t)(path + len - n.t);
	} else if (*n.p == '/') {
		n.p++;
		n.pn--;
	}
	return n.pn > 0 && naive_from(&n, 0, 0);
}

static bool naive_list(const char *const *patterns, size_t n, const char *path, bool is_directory,
		       size_t *index)
{
	size_t len = strlen(path);

	while (n-- > 0) {
		bool matches = naive_match(patterns[n], path, len, is_directory);
		for (size_t i = 0; i < len; i++)
			if (path[i] == '/')
				matches |= naive_match(patterns[n], path, i, true);
		if (matches) {
			*index = n;
			return *patterns[n] != '!';
		}
	}
	return false;
}

/* --- the input -------------------------------------------------------------------------------- */

/* As the walk makes them: no component is empty, '.' or '..'. */
static bool is_path(const char *path)
{
	for (;;) {
		size_t n = strcspn(path, "/");
		if (n == 0 || (n <= 2 && strspn(path, ".") >= n))
			return false;
		if (path[n] == '\0')
			return true;
		path += n + 1;
	}
}

static void compare(char *path, const char *const *patterns, size_t n)
{
	struct glob *list[PATTERNS_MAX];
	const char *legal[PATTERNS_MAX];
	size_t have = 0, len = strlen(path), index = SIZE_MAX, expected = SIZE_MAX;
	bool is_directory = len > 1 && path[len - 1] == '/';

	path[len - is_directory] = '\0';
	if (!is_path(path))
		return;
	for (size_t i = 0; i < n; i++) {
		struct err e = {0};
		struct glob *g = glob_new(patterns[i], &e);
		bool matches = naive_match(patterns[i], path, strlen(path), is_directory);
		if (g == NULL) {
			check(e.code == ERR_CONFIG && e.msg[0] != '\0');
			check(!matches || *patterns[i] == '#');
			continue;
		}
		check(glob_match(g, path, is_directory) == matches);
		check(glob_is_negated(g) == (*patterns[i] == '!'));
		list[have] = g;
		legal[have++] = patterns[i];
	}
	bool selected = naive_list(legal, have, path, is_directory, &expected);
	check(glob_list_match(list, have, path, is_directory, GLOB_NEGATES_BELOW, &index) ==
	      selected);
	check(index == SIZE_MAX || index == expected);
	/* The two readings differ only where a pattern names a directory above the path. */
	bool by_level =
	    glob_list_match(list, have, path, is_directory, GLOB_NEGATES_DIRECTORY, &index);
	check(strchr(path, '/') != NULL || by_level == selected);
	while (have > 0)
		glob_free(list[--have]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *fields[1 + PATTERNS_MAX];
	size_t n = 0;
	char *copy = malloc(size + 1);

	check(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	for (size_t at = 0; at < size && n < 1 + PATTERNS_MAX; at += strlen(copy + at) + 1) {
		if (strlen(copy + at) > LENGTH_MAX)
			break;
		fields[n++] = copy + at;
	}
	if (n > 0)
		compare(copy, fields + 1, n - 1);
	free(copy);
	return 0;
}
