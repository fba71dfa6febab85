/* shelf: objects of a store, found by digests of whatever tells them apart. */
#ifndef SWARM_SHELF_H
#define SWARM_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/err.h"
#include "swarm/sha256.h"

struct shelf_item {
	uint8_t id[SHA256_SIZE];
	const char *key;
	const char *headers; /* as text; one copy for all that have the same as the one before */
	uint32_t mark;       /* the caller's; 0 at first */
};

struct shelf {
	struct shelf_item *items; /* in the order in which they came */
	size_t count, room;
	uint32_t *slots; /* numbers of items + 1, at most half of them taken */
	size_t slot_count;
	const char *headers; /* of the last item */
	struct arena arena;
};

#define SHELF_INIT                  \
	{                           \
		.arena = ARENA_INIT \
	}

void shelf_release(struct shelf *s);
/* NULL if there is none; valid until the next shelf_put(). */
struct shelf_item *shelf_find(const struct shelf *s, const uint8_t id[static SHA256_SIZE]);
/* Adds what is not there yet; texts are copied. */
ERR_CHECK int shelf_put(struct shelf *s, const uint8_t id[static SHA256_SIZE], const char *key,
			const char *headers, struct err *e);
/* Gives an item other headers. */
ERR_CHECK int shelf_rewrite(struct shelf *s, struct shelf_item *item, const char *headers,
			    struct err *e);

#endif
