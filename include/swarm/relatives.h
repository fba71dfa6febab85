/*
 * relatives: the infohashes of other releases, to be named as torrents that share files (BEP 38,
 * `similar`): 20 bytes each, of a v2 one the first 20; sorted, each once.
 */
#ifndef SWARM_RELATIVES_H
#define SWARM_RELATIVES_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

#define RELATIVES_SIZE ((size_t)20)

struct relatives {
	uint8_t (*list)[RELATIVES_SIZE];
	size_t count, room;
};

/*
 * Takes the hashes out of the head of a manifest or a head. Its signature is not looked at: what is
 * named here is a hint where to look for data, which is checked in any case.
 */
ERR_CHECK int relatives_read(struct relatives *r, const char *path, struct err *e);
void relatives_release(struct relatives *r);
/* After the last one: sorts them, and leaves out doubles and `self`'s, which are RELATIVES_SIZE. */
void relatives_settle(struct relatives *r, const uint8_t *const *self, size_t self_count);

#endif
