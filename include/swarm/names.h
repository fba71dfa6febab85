/* names: a map from texts to numbers. Not safe for use by two threads at once. */
#ifndef SWARM_NAMES_H
#define SWARM_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/arena.h"
#include "swarm/err.h"

struct names {
	void *root; /* of a tsearch() tree */
	struct arena arena;
};

#define NAMES_INIT                  \
	{                           \
		.arena = ARENA_INIT \
	}

void names_release(struct names *n);
/* Puts `number` under `name` (borrowed until the release), in place of what was there. */
ERR_CHECK int names_put(struct names *n, const char *name, size_t number, struct err *e);
/* False if there is none of this name. */
bool names_get(const struct names *n, const char *name, size_t *ret_number);

#endif
