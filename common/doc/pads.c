#include "swarm/pads.h"

#include <stdlib.h>

/* An open hash table; a size of 0 is a free place. */
struct place {
	uint64_t size, count;
};

struct pads {
	struct place *places;
	size_t room; /* a power of two */
	size_t used;
};

#define FIRST_ROOM ((size_t)64)

struct pads *pads_new(struct err *e)
{
	struct pads *p = calloc(1, sizeof *p);

	if (p != NULL)
		p->places = calloc(FIRST_ROOM, sizeof *p->places);
	if (p == NULL || p->places == NULL) {
		free(p);
		(void)err_nomem(e);
		return NULL;
	}
	p->room = FIRST_ROOM;
	return p;
}

void pads_free(struct pads *p)
{
	if (p == NULL)
		return;
	free(p->places);
	free(p);
}

static struct place *find(struct place *places, size_t room, uint64_t size)
{
	size_t i = (size_t)((size * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (room - 1);

	while (places[i].size != 0 && places[i].size != size)
		i = (i + 1) & (room - 1);
	return &places[i];
}

static int grow(struct pads *p, struct err *e)
{
	size_t room = p->room * 2;
	struct place *places = calloc(room, sizeof *places);

	if (places == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p->room; i++)
		if (p->places[i].size != 0)
			*find(places, room, p->places[i].size) = p->places[i];
	free(p->places);
	p->places = places;
	p->room = room;
	return 0;
}

int pads_name(struct pads *p, uint64_t size, struct buf *to, struct err *e)
{
	if (p->used >= p->room / 2 && grow(p, e) != 0)
		return -1;
	struct place *place = find(p->places, p->room, size);
	p->used += place->size == 0;
	place->size = size;
	buf_addf(to, "%llu", (unsigned long long)size);
	if (place->count > 0)
		buf_addf(to, ".%llu", (unsigned long long)place->count);
	place->count++;
	return 0;
}
