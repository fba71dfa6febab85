#include "swarm/listing.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/grow.h"
#include "swarm/path.h"

int listing_read(struct body *body, struct listing *ret, struct err *e)
{
	size_t room = 0;

	*ret = (struct listing){.header = *body_header(body), .arena = ARENA_INIT};
	for (;;) {
		struct entry *more = grow_for_one(ret->entries, ret->count, &room, sizeof *more, e);
		if (more == NULL)
			return -1;
		ret->entries = more;
		int got = body_next(body, &ret->arena, &more[ret->count], e);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		ret->count++;
	}
	body_digest(body, ret->digest, &ret->bytes);
	return 0;
}

void listing_release(struct listing *l)
{
	free(l->entries);
	arena_release(&l->arena);
	*l = (struct listing){.arena = ARENA_INIT};
}

static int compare_path(const void *path, const void *entry)
{
	return path_compare(path, ((const struct entry *)entry)->path);
}

const struct entry *listing_find(const struct listing *l, const char *path)
{
	if (l->count == 0)
		return NULL;
	return bsearch(path, l->entries, l->count, sizeof *l->entries, compare_path);
}
