/* rebuild: makes the body of the new manifest, byte for byte, of the old one and a delta. */
#ifndef SWARM_REBUILD_H
#define SWARM_REBUILD_H

#include <stddef.h>

#include "swarm/arena.h"
#include "swarm/delta.h"
#include "swarm/document.h"
#include "swarm/err.h"
#include "swarm/recipe.h"

/*
 * Where the new body goes. Nothing of it counts before rebuild_run() has returned 0. Texts are
 * without their line feed and borrowed for the call. Each function returns 0, or -1 with `e`
 * filled; NULL where nobody is interested.
 */
struct rebuild_sink {
	void *context;
	/* The new manifest's first line. */
	int (*begin)(void *context, const struct header *header, const char *text, size_t len,
		     struct err *e);
	/*
	 * Each of its files, in order: the line of the delta that names it, or NULL if the file is
	 * kept, whose path and line are the old manifest's.
	 */
	int (*file)(void *context, const char *path, const char *text, size_t len,
		    const struct delta_line *line, struct err *e);
	/* Where the delta's lines live; NULL: each of them until the next call. */
	struct arena *arena;
};

/*
 * Reads the old manifest's body and what is left of the delta. ERR_UNTRUSTED: the old manifest is
 * not the one that the delta starts from, or what comes out is not the one that it leads to;
 * ERR_MALFORMED: one of both is not in order, or the delta removes what is not there. Neither
 * signature is looked at: the body is genuine only if the head says so of the delta's to.sha256.
 */
ERR_CHECK int rebuild_run(struct document *old, struct recipe *recipe,
			  const struct rebuild_sink *sink, struct err *e);

#endif
