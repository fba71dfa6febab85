/* dictionaries: which files browsers are to keep as dictionaries (RFC 9842), and for which URLs. */
#ifndef SWARM_DICTIONARIES_H
#define SWARM_DICTIONARIES_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

/* Larger files are never a dictionary: no window reaches over them. */
#define DICTIONARIES_MAX (UINT64_C(128) << 20)

struct dictionaries;

/*
 * Each of the n `matches` is GLOB=PATTERN: the pattern of files that a gitignore pattern matches,
 * in place of urlpattern_add()'s; an empty one: they are no dictionaries. The last that matches
 * counts. ERR_USAGE for what cannot be one.
 */
struct dictionaries *dictionaries_new(const char *const *matches, size_t n, struct err *e);
void dictionaries_free(struct dictionaries *d);
/*
 * Puts the pattern of a file at `prefix` + `path` in a release of this version into *ret, nothing
 * if it is to be no dictionary.
 */
ERR_CHECK int dictionaries_pattern(struct dictionaries *d, const char *prefix, const char *path,
				   uint64_t size, const char *version, struct buf *ret,
				   struct err *e);
/* Appends the value of Use-As-Dictionary with this pattern. */
void dictionaries_value(struct buf *to, const char *pattern);
/* Of the patterns asked for: how many there were, and how many of them another file has as well. */
uint64_t dictionaries_count(const struct dictionaries *d);
uint64_t dictionaries_shared(const struct dictionaries *d);

#endif
