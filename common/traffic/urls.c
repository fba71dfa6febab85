#include "swarm/urls.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/buf.h"
#include "swarm/utc.h"

static const char index_name[] = "/index.html";

struct slot {
	const char *path; /* NULL if it is free */
	size_t number;
};

struct text {
	char *at;
	size_t len;
};

struct urls {
	struct text *prefixes; /* the longest first; normal, without slashes around them */
	size_t prefix_count;
	struct slot *slots;
	size_t mask; /* their number, a power of two, less one */
	uint64_t seed;
	char path[URLS_PATH_MAX + sizeof index_name];
};

/* --- paths --------------------------------------------------------------------------------------
 */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place; whether there was anything to decode. */
static bool decode(struct text *t)
{
	char *to = memchr(t->at, '%', t->len), *end = t->at + t->len;

	if (to == NULL)
		return false;
	for (const char *p = to; p < end; p++) {
		*to = *p;
		if (*p == '%' && end - p > 2 && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			*to = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
			p += 2;
		}
		to++;
	}
	bool shorter = to != end;
	t->len = (size_t)(to - t->at);
	return shorter;
}

/* In place, without slashes around it; whether it must be a folder, as "a/" and "a/.." must. */
static bool normalize(struct text *t)
{
	char *to = t->at, *end = t->at + t->len;
	bool is_folder = true;

	for (char *p = t->at; p < end;) {
		char *stop = memchr(p, '/', (size_t)(end - p));
		size_t n = stop != NULL ? (size_t)(stop - p) : (size_t)(end - p);
		bool is_up = n == 2 && p[0] == '.' && p[1] == '.';
		bool is_name = n > 0 && !is_up && !(n == 1 && *p == '.');
		if (is_name) {
			if (to != t->at)
				*to++ = '/';
			memmove(to, p, n);
			to += n;
		} else if (is_up) {
			while (to > t->at && *--to != '/')
				continue;
		}
		is_folder = !is_name || stop != NULL;
		p = stop != NULL ? stop + 1 : end;
	}
	t->len = (size_t)(to - t->at);
	return is_folder;
}

/* --- prefixes -----------------------------------------------------------------------------------
 */

static int longest_first(const void *left, const void *right)
{
	const struct text *a = left, *b = right;

	return (a->len < b->len) - (a->len > b->len);
}

static int keep_prefix(struct text *to, const char *prefix, struct err *e)
{
	const char *scheme = strstr(prefix, "://");

	if (scheme != NULL) {
		prefix = scheme + 3;
		prefix += strcspn(prefix, "/?#");
	}
	to->len = strcspn(prefix, "?#");
	to->at = strndup(prefix, to->len);
	if (to->at == NULL)
		return err_nomem(e);
	(void)decode(to);
	(void)normalize(to);
	return 0;
}

static int keep_prefixes(struct urls *u, const char *const *prefixes, size_t n, struct err *e)
{
	static const char *const root[] = {"/"};

	if (n == 0) {
		prefixes = root;
		n = 1;
	}
	u->prefixes = calloc(n, sizeof *u->prefixes);
	if (u->prefixes == NULL)
		return err_nomem(e);
	for (; u->prefix_count < n; u->prefix_count++)
		if (keep_prefix(&u->prefixes[u->prefix_count], prefixes[u->prefix_count], e) != 0)
			return -1;
	qsort(u->prefixes, n, sizeof *u->prefixes, longest_first);
	return 0;
}

int urls_prefix(struct buf *to, const char *prefix, struct err *e)
{
	struct text t;

	if (keep_prefix(&t, prefix, e) != 0)
		return -1;
	buf_addc(to, '/');
	buf_add(to, t.at, t.len);
	if (t.len > 0)
		buf_addc(to, '/');
	free(t.at);
	return buf_check(to, e);
}

/* --- the table ----------------------------------------------------------------------------------
 */

struct urls *urls_new(const char *const *prefixes, size_t n, size_t files, struct err *e)
{
	struct urls *u = calloc(1, sizeof *u);
	size_t slots = 16;

	while (slots < files * 2 && slots < SIZE_MAX / 4)
		slots *= 2;
	if (u != NULL)
		u->slots = calloc(slots, sizeof *u->slots);
	if (u == NULL || u->slots == NULL) {
		(void)err_nomem(e);
		urls_free(u);
		return NULL;
	}
	u->mask = slots - 1;
	/* So that nobody can name files in a way that makes all of them collide. */
	u->seed = (uint64_t)utc_now() ^ (uint64_t)(uintptr_t)u->slots;
	if (keep_prefixes(u, prefixes, n, e) != 0) {
		urls_free(u);
		return NULL;
	}
	return u;
}

void urls_free(struct urls *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < u->prefix_count; i++)
		free(u->prefixes[i].at);
	free(u->prefixes);
	free(u->slots);
	free(u);
}

/* FNV-1a, whose upper bits are the better ones. */
static size_t first_slot(const struct urls *u, const char *path, size_t len)
{
	uint64_t hash = u->seed ^ UINT64_C(0xCBF29CE484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)path[i]) * UINT64_C(0x100000001B3);
	return (size_t)(hash ^ hash >> 32) & u->mask;
}

void urls_add(struct urls *u, const char *path, size_t number)
{
	size_t i = first_slot(u, path, strlen(path));

	while (u->slots[i].path != NULL)
		i = (i + 1) & u->mask;
	u->slots[i] = (struct slot){path, number};
}

/* `path` holds no NUL. */
static size_t look_up(const struct urls *u, const char *path, size_t len)
{
	for (size_t i = first_slot(u, path, len); u->slots[i].path != NULL; i = (i + 1) & u->mask)
		if (strncmp(u->slots[i].path, path, len) == 0 && u->slots[i].path[len] == '\0')
			return u->slots[i].number;
	return URLS_NONE;
}

/* Behind the path there is room for the name of an index. */
static size_t look_below(const struct urls *u, struct text path, const struct text *prefix,
			 bool is_folder)
{
	size_t skip = prefix->len, n = sizeof index_name - 1;

	if (path.len < skip || memcmp(path.at, prefix->at, skip) != 0)
		return URLS_NONE;
	if (skip > 0 && path.len > skip && path.at[skip++] != '/')
		return URLS_NONE;
	char *rest = path.at + skip;
	size_t len = path.len - skip;
	if (len > 0 && !is_folder)
		return look_up(u, rest, len);
	/* An index at the root has no slash in front. */
	size_t slash = len == 0 ? 1 : 0;
	memcpy(rest + len, index_name + slash, n - slash);
	return look_up(u, rest, len + n - slash);
}

static size_t look(const struct urls *u, struct text path, bool is_folder)
{
	size_t found = URLS_NONE;

	if (memchr(path.at, '\0', path.len) != NULL)
		return URLS_NONE;
	for (size_t i = 0; i < u->prefix_count && found == URLS_NONE; i++)
		found = look_below(u, path, &u->prefixes[i], is_folder);
	return found;
}

static bool blank_pluses(struct text *t)
{
	bool found = false;

	for (char *p = t->at; (p = memchr(p, '+', t->len - (size_t)(p - t->at))) != NULL; p++) {
		*p = ' ';
		found = true;
	}
	return found;
}

size_t urls_find(struct urls *u, const char *path, size_t len, bool recoded)
{
	struct text t = {u->path, len};

	if (len > URLS_PATH_MAX)
		return URLS_NONE;
	memcpy(t.at, path, len);
	(void)decode(&t);
	bool is_folder = normalize(&t);
	size_t found = look(u, t, is_folder);
	if (found == URLS_NONE && recoded && decode(&t)) {
		is_folder = normalize(&t) || is_folder;
		found = look(u, t, is_folder);
	}
	if (found == URLS_NONE && recoded && blank_pluses(&t))
		found = look(u, t, is_folder);
	return found;
}
