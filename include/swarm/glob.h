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
 * The n patterns of an option, `name` ("--only"), as a list for glob_list_match(); ERR_USAGE names
 * the one that is none.
 */
struct glob **glob_list_new(const char *name, const char *const *patterns, size_t n, struct err *e);
void glob_list_free(struct glob **list, size_t n);

/*
 * What a `!` pattern that matches a directory says of the files below it.
 *
 * In gitignore it takes back what selected the directory, while files below it stay selected by any
 * pattern that matches them themselves: after "all that is below static", a `!` of the directory
 * static/tmp leaves the files in tmp selected. Most people read it otherwise: tmp is out, and all
 * that is in it. Neither reading is the safer one for every label, so the caller chooses.
 */
enum glob_negation {
	/* As gitignore: it takes back what selected the directory, not what selects more below it.
	 */
	GLOB_NEGATES_DIRECTORY,
	/* All of it is left out, unless a pattern behind it selects it again. */
	GLOB_NEGATES_BELOW,
};

/*
 * Whether a list of n patterns selects a path, as one .gitignore would: a pattern that matches a
 * directory stands for all that is below it, and the last pattern that matches decides. (Unlike
 * git, a `!` pattern can take out a file below a directory that an earlier one selected.)
 * *ret_index is the deciding pattern where the result is true.
 */
bool glob_list_match(struct glob *const *list, size_t n, const char *path, bool is_directory,
		     enum glob_negation negation, size_t *ret_index);

#endif
