/*
 * arena: many small allocations that live and die together (the paths of a tree, the entries of a
 * manifest). Not safe for use by two threads at once.
 */
#ifndef SWARM_ARENA_H
#define SWARM_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *chunks; /* newest first */
};

#define ARENA_INIT             \
	{                      \
		.chunks = NULL \
	}

/* Frees everything that was allocated from it and leaves it empty. */
void arena_release(struct arena *a);
/* `size` bytes aligned for any type, not zeroed, or NULL. They live until arena_release(). */
void *arena_alloc(struct arena *a, size_t size);
/* A copy with a NUL behind it, or NULL. */
char *arena_copy(struct arena *a, const char *text, size_t len);

#endif
