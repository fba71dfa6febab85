#include "swarm/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/grow.h"

#define FIRST_SLOTS ((size_t)1024)

void shelf_release(struct shelf *s)
{
	free(s->items);
	free(s->slots);
	arena_release(&s->arena);
	*s = (struct shelf)SHELF_INIT;
}

/* Where the item of this id stands, or would stand: digests are evenly spread as they are. */
static uint32_t *slot_of(const struct shelf *s, const uint8_t *id)
{
	uint64_t at;

	memcpy(&at, id, sizeof at);
	for (;; at++) {
		uint32_t *slot = &s->slots[at & (s->slot_count - 1)];
		if (*slot == 0 || memcmp(s->items[*slot - 1].id, id, SHA256_SIZE) == 0)
			return slot;
	}
}

static int widen(struct shelf *s, struct err *e)
{
	size_t count = s->slot_count == 0 ? FIRST_SLOTS : s->slot_count * 2;

	if (s->count >= UINT32_MAX / 2)
		return err_nomem(e);
	uint32_t *slots = calloc(count, sizeof *slots);
	if (slots == NULL)
		return err_nomem(e);
	free(s->slots);
	s->slots = slots;
	s->slot_count = count;
	for (size_t i = 0; i < s->count; i++)
		*slot_of(s, s->items[i].id) = (uint32_t)i + 1;
	return 0;
}

struct shelf_item *shelf_find(const struct shelf *s, const uint8_t id[static SHA256_SIZE])
{
	uint32_t number = s->slot_count > 0 ? *slot_of(s, id) : 0;

	return number > 0 ? &s->items[number - 1] : NULL;
}

static const char *keep_headers(struct shelf *s, const char *headers)
{
	if (s->headers == NULL || strcmp(s->headers, headers) != 0)
		s->headers = arena_copy(&s->arena, headers, strlen(headers));
	return s->headers;
}

int shelf_put(struct shelf *s, const uint8_t id[static SHA256_SIZE], const char *key,
	      const char *headers, struct err *e)
{
	if (s->count >= s->slot_count / 2 && widen(s, e) != 0)
		return -1;
	uint32_t *slot = slot_of(s, id);
	if (*slot != 0)
		return 0;
	struct shelf_item *items = grow_for_one(s->items, s->count, &s->room, sizeof *items, e);
	if (items == NULL)
		return -1;
	s->items = items;
	struct shelf_item item = {.key = arena_copy(&s->arena, key, strlen(key)),
				  .headers = keep_headers(s, headers)};
	if (item.key == NULL || item.headers == NULL)
		return err_nomem(e);
	memcpy(item.id, id, SHA256_SIZE);
	items[s->count++] = item;
	*slot = (uint32_t)s->count;
	return 0;
}

int shelf_rewrite(struct shelf *s, struct shelf_item *item, const char *headers, struct err *e)
{
	const char *kept = keep_headers(s, headers);

	if (kept == NULL)
		return err_nomem(e);
	item->headers = kept;
	return 0;
}
