/*
 * selection: a list of gitignore patterns in a YAML file, each of which knows where it stands.
 *
 * The list is one pattern or a list of them; `!` excludes again and cannot come first. How patterns
 * and paths meet is told in glob.h; patterns are compiled in Unicode NFC.
 */
#ifndef SWARM_SELECTION_H
#define SWARM_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/arena.h"
#include "swarm/err.h"
#include "swarm/glob.h"
#include "swarm/marked.h"

struct selection_pattern {
	const char *text; /* as written */
	struct marked_place place;
};

struct selection {
	size_t count;
	const struct selection_pattern *patterns;
	struct glob **globs;
};

/*
 * `what` names the list in messages ("match"). Texts go into the arena. `ret` is zeroed by the
 * caller and released with selection_release(), also after a failure, which is ERR_CONFIG with its
 * place.
 */
ERR_CHECK int selection_read(struct selection *ret, struct arena *arena, const struct marked *at,
			     const char *what, struct err *e);
void selection_release(struct selection *s);
/* *ret_pattern (may be NULL) is the deciding one where the result is true. */
bool selection_match(const struct selection *s, const char *path, bool is_directory,
		     enum glob_negation negation, const struct selection_pattern **ret_pattern);

#endif
