/*
 * guardlist: what rules files say of guards.
 *
 *   guards:
 *     - id: internal-host         required: [a-z0-9][a-z0-9-]*, at most 64 characters
 *       description: names a host optional: completes "'x': "
 *       regex: 'build[0-9]+'      content that must not be published: a PCRE2 expression over bytes
 *       keywords: [build]         optional: texts of which a match holds one at least
 *       allow: ["/docs/"]         optional: gitignore patterns of paths where it may stand
 *   disable-guards: [id, "*"]     ids of built-in guards, or all of them
 *
 * A guard without a regex names a built-in one (or one of a file that was read before) and allows
 * it in more places.
 */
#ifndef SWARM_GUARDLIST_H
#define SWARM_GUARDLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/arena.h"
#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/marked.h"
#include "swarm/selection.h"

struct guardlist_guard {
	const char *id;
	const char *description; /* NULL if none */
	const char *regex;       /* NULL: only allows */
	const char *const *keywords;
	size_t keyword_count;
	struct selection allow;
	struct marked_place place, regex_place;
};

struct guardlist_disabled {
	const char *id; /* or "*" */
	struct marked_place place;
};

struct guardlist {
	struct guardlist_guard *guards;
	size_t count, room;
	struct guardlist_disabled *disabled;
	size_t disabled_count, disabled_room;
};

/*
 * Append what a file says; either may be NULL. Texts go into the arena. Whether an id is known and
 * a regex is one is for guards.h to say.
 */
ERR_CHECK int guardlist_read(struct guardlist *to, struct arena *arena, const struct marked *guards,
			     const struct marked *disabled, struct err *e);
void guardlist_release(struct guardlist *l);

/*
 * Appends all that decides what is refused, a line of JSON for each item of the two lists, so that
 * lists that refuse the same in the same words have the same text.
 */
void guardlist_format(struct buf *to, const struct guardlist *l);

#endif
