#include "swarm/oldtext.h"

#include <stdbool.h>
#include <stdlib.h>

/* Files that are open at the same time: a payload jumps back and forth between a few. */
#define SLOTS 64

struct slot {
	bool open;
	size_t number; /* of the file in the listing */
	struct stock_file file;
};

struct oldtext {
	const struct stock *stock;
	const struct listing *listing;
	uint64_t *ends; /* where each file ends; one that is not chosen has no bytes */
	struct slot slots[SLOTS];
};

struct oldtext *oldtext_new(const struct stock *stock, const struct listing *listing,
			    const struct context_file *files, struct err *e)
{
	struct oldtext *o = calloc(1, sizeof *o);
	uint64_t at = 0;

	if (o == NULL || (o->ends = calloc(listing->count, sizeof *o->ends)) == NULL) {
		free(o);
		(void)err_nomem(e);
		return NULL;
	}
	o->stock = stock;
	o->listing = listing;
	for (size_t i = 0; i < listing->count; i++) {
		/* All sizes together are a number of the manifest's first line. */
		at += files[i].chosen ? listing->entries[i].size : 0;
		o->ends[i] = at;
	}
	return o;
}

void oldtext_free(struct oldtext *o)
{
	struct err e;

	if (o == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		if (o->slots[i].open)
			(void)!stock_file_close(&o->slots[i].file, &e);
	free(o->ends);
	free(o);
}

static struct slot *open_slot(struct oldtext *o, size_t number, struct err *e)
{
	struct slot *slot = &o->slots[number % SLOTS];

	if (slot->open && slot->number == number)
		return slot;
	if (slot->open) {
		slot->open = false;
		if (stock_file_close(&slot->file, e) != 0)
			return NULL;
	}
	if (stock_file_open(o->stock, o->listing->entries[number].path, &slot->file, e) != 0)
		return NULL;
	slot->open = true;
	slot->number = number;
	return slot;
}

/* The file that has the byte at `offset`: the first one that ends behind it. */
static size_t find(const struct oldtext *o, uint64_t offset)
{
	size_t low = 0, high = o->listing->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (o->ends[middle] <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int oldtext_read(struct oldtext *o, uint64_t offset, void *to, size_t len, struct err *e)
{
	char *at = to;

	for (size_t i = find(o, offset); len > 0; i++) {
		uint64_t start = i > 0 ? o->ends[i - 1] : 0;
		uint64_t left = o->ends[i] - offset;
		size_t part = left < len ? (size_t)left : len;
		if (part == 0)
			continue;
		struct slot *slot = open_slot(o, i, e);
		if (slot == NULL)
			return -1;
		ssize_t n = stock_file_read(&slot->file, offset - start, at, part, e);
		if (n < 0)
			return -1;
		if ((size_t)n != part)
			return err_set(e, ERR_CHANGED, "'%s' became shorter while it was read",
				       o->listing->entries[i].path);
		at += part;
		offset += part;
		len -= part;
	}
	return 0;
}
