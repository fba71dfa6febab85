#include "swarm/dictionaries.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/arena.h"
#include "swarm/glob.h"
#include "swarm/names.h"
#include "swarm/urlpattern.h"

struct dictionaries {
	struct glob **globs;
	const char **patterns; /* of the globs; "": no dictionary */
	size_t match_count;
	struct arena arena;
	struct names given; /* by pattern: 2 for those that several files have, else 1 */
	uint64_t count, shared;
};

static int read_match(struct dictionaries *d, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return err_set(e, ERR_USAGE, "'%s' is not of the form GLOB=PATTERN", text);
	const char *why = equals[1] != '\0' ? urlpattern_wrong(equals + 1) : NULL;
	if (why != NULL)
		return err_set(e, ERR_USAGE, "the pattern of '%s' cannot be sent: %s", text, why);
	const char *pattern = arena_copy(&d->arena, equals + 1, strlen(equals + 1));
	char *glob = arena_copy(&d->arena, text, (size_t)(equals - text));
	if (glob == NULL || pattern == NULL)
		return err_nomem(e);
	d->globs[d->match_count] = glob_new(glob, e);
	if (d->globs[d->match_count] == NULL) {
		e->code = ERR_USAGE;
		return err_prefix(e, "'%s'", text);
	}
	d->patterns[d->match_count++] = pattern;
	return 0;
}

static int read_matches(struct dictionaries *d, const char *const *matches, size_t n, struct err *e)
{
	d->globs = calloc(n + 1, sizeof *d->globs);
	d->patterns = calloc(n + 1, sizeof *d->patterns);
	if (d->globs == NULL || d->patterns == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (read_match(d, matches[i], e) != 0)
			return err_prefix(e, "--match");
	return 0;
}

struct dictionaries *dictionaries_new(const char *const *matches, size_t n, struct err *e)
{
	struct dictionaries *d = calloc(1, sizeof *d);

	if (d == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	if (read_matches(d, matches, n, e) == 0)
		return d;
	dictionaries_free(d);
	return NULL;
}

void dictionaries_free(struct dictionaries *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->match_count; i++)
		glob_free(d->globs[i]);
	free(d->globs);
	free(d->patterns);
	names_release(&d->given);
	arena_release(&d->arena);
	free(d);
}

/* Counts the files that have it: a browser keeps only one of them. */
static int note(struct dictionaries *d, const char *pattern, struct err *e)
{
	size_t n = 0;

	d->count++;
	if (names_get(&d->given, pattern, &n))
		d->shared += n == 1 ? 2 : 1;
	const char *copy = pattern;
	if (n == 0)
		copy = arena_copy(&d->arena, pattern, strlen(pattern));
	if (copy == NULL)
		return err_nomem(e);
	return n < 2 ? names_put(&d->given, copy, n + 1, e) : 0;
}

int dictionaries_pattern(struct dictionaries *d, const char *prefix, const char *path,
			 uint64_t size, const char *version, struct buf *ret, struct err *e)
{
	size_t i;

	buf_clear(ret);
	if (size == 0 || size > DICTIONARIES_MAX)
		return 0;
	if (glob_list_match(d->globs, d->match_count, path, false, GLOB_NEGATES_BELOW, &i))
		buf_adds(ret, d->patterns[i]);
	else
		urlpattern_add(ret, prefix, path, version);
	if (buf_check(ret, e) != 0)
		return -1;
	return ret->len > 0 ? note(d, ret->data, e) : 0;
}

/* The pattern as a string of RFC 8941. */
void dictionaries_value(struct buf *to, const char *pattern)
{
	buf_adds(to, "match=\"");
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '"' || *pattern == '\\')
			buf_addc(to, '\\');
		buf_addc(to, *pattern);
	}
	buf_addc(to, '"');
}

uint64_t dictionaries_count(const struct dictionaries *d)
{
	return d->count;
}

uint64_t dictionaries_shared(const struct dictionaries *d)
{
	return d->shared;
}
