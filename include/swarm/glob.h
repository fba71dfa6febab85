/*
 * glob: one pattern of gitignore(5).
 *
 *   pattern   = ["!"] ["/"] component *("/" component) ["/"]
 *   component = "**" | 1*( "*" | "?" | "[" class "]" | "\" byte | byte )
 *
 * A slash at the start or in the middle anchors the pattern to the top of the tree; without one it
 * is matched against the last component of a path. A trailing slash matches directories only. `*`
 * and `?` stop at a slash; a component `**` stands for any number of components (at the end: for at
 * least one). Unescaped trailing spaces are dropped. Bytes are compared as they are,
 * case-sensitively. `[a-z]`, `[!a-z]`, `[^a-z]` and `[[:alpha:]]` (the POSIX classes over ASCII)
 * never match a slash.
 *
 * Matching takes time at most proportional to the product of the two lengths times the number of
 * `**`, whatever the pattern: rules may come from strangers.
 */
#ifndef SWARM_GLOB_H
#define SWARM_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/err.h"

struct glob;

/*
 * ERR_CONFIG for what can match nothing or is not a pattern: an empty one, one that starts with an
 * unescaped '#' (a comment in a file, a mistake in a list), an unclosed '[', one with an unknown
 * class or that leaves nothing to match, a '\' at the end, a component that is empty, '.' or '..'.
 * The message says only what is wrong: the caller knows the place.
 */
struct glob *glob_new(const char *pattern, struct err *e);
void glob_free(struct glob *g);

/* Whether it starts with '!': what it matches is excluded again. glob_match() ignores that. */
bool glob_is_negated(const struct glob *g);
/* Whether the pattern matches this very path (not one of its parents). */
bool glob_match(const struct glob *g, const char *path, bool is_directory);

/*
 * Whether a list of n patterns selects a file, as one .gitignore would: a pattern that matches a
 * directory stands for all that is below it, and the last pattern that matches the path or one of
 * its parents decides. (Unlike git, a `!` pattern can select a file below a directory that an
 * earlier one excluded.) *ret_index is the deciding pattern where the result is true.
 */
bool glob_list_match(struct glob *const *list, size_t n, const char *path, bool is_directory,
		     size_t *ret_index);

#endif
