#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/listing.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/path.h"

static int grow(struct listing *l, size_t *cap, struct err *e)
{
	size_t want = *cap == 0 ? 64 : *cap * 2;
	struct entry *entries = reallocarray(l->entries, want, sizeof *entries);

	if (entries == NULL)
		return err_nomem(e);
	l->entries = entries;
	*cap = want;
	return 0;
}

int listing_read(struct body *body, struct listing *ret, struct err *e)
{
	size_t cap = 0;

	*ret = (struct listing){.header = *body_header(body), .arena = ARENA_INIT};
	for (;;) {
		if (ret->count == cap && grow(ret, &cap, e) != 0)
			return -1;
		int got = body_next(body, &ret->arena, &ret->entries[ret->count], e);
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
