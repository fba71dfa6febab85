/* explain: says why paths have the labels they have, in the manner of `git check-ignore -v`. */
#ifndef SWARM_EXPLAIN_H
#define SWARM_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "swarm/err.h"
#include "swarm/rules.h"

/*
 * For each path, which need not exist (a trailing slash means a directory; "-" reads paths from
 * standard input, one a line), a line `LABEL TAB FILE:LINE:COLUMN TAB PATTERN TAB PATH`, and below
 * it, indented, one for each other rule that matches and is outranked, the strongest first. As JSON
 * an object a path: {"path","label","rule","pattern","also":[{"label","rule","pattern"},...]}.
 *
 * ERR_REFUSED, after all lines are written, if there is a path that no rule labels.
 */
ERR_CHECK int explain_paths(const struct rules *rules, const char *const *paths, size_t count,
			    bool json, FILE *to, struct err *e);

#endif
