/* explain: says why paths have the labels they have, in the manner of `git check-ignore -v`. */
#ifndef SWARM_EXPLAIN_H
#define SWARM_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "swarm/err.h"
#include "swarm/guards.h"
#include "swarm/rules.h"
#include "swarm/source.h"

struct explain_options {
	const struct rules *rules;
	const struct guards *guards; /* of names */
	const struct source *tree;   /* NULL: none. What is a directory there needs no slash. */
	bool json;
};

/*
 * For each path, which need not exist (a trailing slash means a directory; "-" reads paths from
 * standard input, one a line), a line `LABEL TAB FILE:LINE:COLUMN TAB PATTERN TAB PATH`, and below
 * it, indented, one for each other rule that matches and is outranked, the strongest first. Where
 * the label would publish a name that is refused, the last line says so: `refused TAB GUARD TAB
 * REASON TAB PATH`, with "-" for a name that is not portable. As JSON an object a path:
 * {"path","label","rule","pattern","also":[{"label","rule","pattern"},...],"refused":REASON,
 * "guard":ID}.
 *
 * ERR_REFUSED, after all lines are written, if there is a path that no rule labels, or a refused
 * one.
 */
ERR_CHECK int explain_paths(const struct explain_options *options, const char *const *paths,
			    size_t count, FILE *to, struct err *e);

#endif
