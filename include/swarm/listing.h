/* listing: all files of an inventory or a manifest in memory, in file-tree order. */
#ifndef SWARM_LISTING_H
#define SWARM_LISTING_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/body.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/header.h"

struct listing {
	struct header header;
	struct entry *entries;
	size_t count;
	uint8_t digest[SHA256_SIZE]; /* of the body */
	uint64_t bytes;              /* length of the body */
	struct arena arena;          /* what the entries point to */
};

/* Reads all that is left of `body`. `ret` is released by listing_release(), also after a failure.
 */
ERR_CHECK int listing_read(struct body *body, struct listing *ret, struct err *e);
void listing_release(struct listing *l);
/* The entry of this path, or NULL. */
const struct entry *listing_find(const struct listing *l, const char *path);

#endif
