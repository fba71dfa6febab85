#include "swarm/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)64 * 1024)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;
	alignas(max_align_t) char data[];
};

void arena_release(struct arena *a)
{
	while (a->chunks != NULL) {
		struct arena_chunk *next = a->chunks->next;
		free(a->chunks);
		a->chunks = next;
	}
}

static void *take(struct arena *a, size_t size, size_t align)
{
	struct arena_chunk *c = a->chunks;

	if (c != NULL) {
		size_t at = (c->used + align - 1) & ~(align - 1);
		if (at <= c->size && c->size - at >= size) {
			c->used = at + size;
			return c->data + at;
		}
	}
	size_t room = size > CHUNK_SIZE / 4 ? size : CHUNK_SIZE;
	if (room > SIZE_MAX - sizeof *c || (c = malloc(sizeof *c + room)) == NULL)
		return NULL;
	c->size = room;
	c->used = size;
	/* A chunk made for one large block is full: keep filling the one before it. */
	if (room == size && a->chunks != NULL) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = a->chunks;
		a->chunks = c;
	}
	return c->data;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return take(a, size, alignof(max_align_t));
}

char *arena_copy(struct arena *a, const char *text, size_t len)
{
	char *copy = len < SIZE_MAX ? take(a, len + 1, 1) : NULL;

	if (copy != NULL) {
		if (len > 0)
			memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}
