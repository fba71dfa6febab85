/*
 * onlooker: somebody who sees the bytes of a file as they are hashed, on the thread that hashes
 * them. The caller embeds it in what it is about.
 */
#ifndef SWARM_ONLOOKER_H
#define SWARM_ONLOOKER_H

#include <stddef.h>

#include "swarm/err.h"

struct onlooker {
	/* All bytes, in order. After a failure it sees no more of the file. */
	int (*see)(struct onlooker *self, const void *bytes, size_t len, struct err *e);
	/* Once for each file, in any case: the last call. */
	int (*end)(struct onlooker *self, struct err *e);
};

#endif
