/*
 * headervalues: the different values that a header field has in a release, by number, and sets of
 * such numbers.
 */
#ifndef SWARM_HEADERVALUES_H
#define SWARM_HEADERVALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/err.h"

#define HEADERVALUES_MAX  128
#define HEADERVALUES_NONE (-1)

struct headervalues {
	const char *texts[HEADERVALUES_MAX];
	size_t count, last;
};

/* The number of a value, of which `arena` keeps a copy. ERR_REFUSED if there are too many. */
ERR_CHECK int headervalues_find(struct headervalues *v, struct arena *arena, const char *text,
				int *ret, struct err *e);

struct headervalues_set {
	uint64_t bits[HEADERVALUES_MAX / 64];
};

bool headervalues_has(const struct headervalues_set *s, size_t n);
void headervalues_add(struct headervalues_set *s, size_t n);
/* The lowest number, or HEADERVALUES_NONE of an empty set. */
int headervalues_first(const struct headervalues_set *s);

#endif
