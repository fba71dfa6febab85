#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/grow.h"

#include <stdlib.h>

#define FIRST_ROOM 16

void *grow_for_one(void *array, size_t count, size_t *room, size_t size, struct err *e)
{
	if (count < *room)
		return array;
	size_t want = *room == 0 ? FIRST_ROOM : *room + *room / 2;
	void *more = reallocarray(array, want, size);
	if (more == NULL)
		(void)err_nomem(e);
	else
		*room = want;
	return more;
}
