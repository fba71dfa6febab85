/* grow: arrays that are filled one by one. */
#ifndef SWARM_GROW_H
#define SWARM_GROW_H

#include <stddef.h>

#include "swarm/err.h"

/*
 * The array, perhaps moved, with room for one more than the `count` that it holds, of `size` bytes
 * each; *room is for how many there is, 0 with an array that is NULL. The caller frees it. NULL:
 * out of memory, and the array is as it was.
 */
void *grow_for_one(void *array, size_t count, size_t *room, size_t size, struct err *e);

#endif
