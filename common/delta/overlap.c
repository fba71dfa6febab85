#include "swarm/overlap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Shortest run that is looked for. */
#define BLOCK_MIN ((size_t)32)
/* Longest gap that is looked into. */
#define GAP_MAX ((size_t)256)
/* How many places of the table are looked at, whatever somebody made of the bytes. */
#define PROBES     8
#define SLOTS_MIN  ((size_t)64)
#define MULTIPLIER UINT64_C(0x9E3779B97F4A7C15)

/* The blocks of the old bytes, by a hash that rolls over the new ones. */
struct table {
	const uint8_t *old, *new;
	size_t old_len, new_len;
	size_t block;
	uint64_t leaving; /* MULTIPLIER^(block - 1): what the first byte of a block counts */
	uint32_t *slots;  /* number of a block, from 1; 0: free */
	size_t mask;
};

static uint64_t hash_block(const struct table *t, const uint8_t *p)
{
	uint64_t h = 0;

	for (size_t i = 0; i < t->block; i++)
		h = h * MULTIPLIER + p[i] + 1;
	return h;
}

static uint64_t roll(const struct table *t, uint64_t h, uint8_t out, uint8_t in)
{
	return (h - (out + UINT64_C(1)) * t->leaving) * MULTIPLIER + in + 1;
}

static size_t slot_of(const struct table *t, uint64_t h, unsigned probe)
{
	h ^= h >> 32;
	return (size_t)((h * MULTIPLIER >> 20) + probe) & t->mask;
}

/* The old block equal to the bytes at `p`; -1: none is known. */
static ptrdiff_t find(const struct table *t, uint64_t h, const uint8_t *p)
{
	for (unsigned probe = 0; probe < PROBES; probe++) {
		uint32_t number = t->slots[slot_of(t, h, probe)];
		if (number == 0)
			return -1;
		size_t at = (number - (size_t)1) * t->block;
		if (memcmp(t->old + at, p, t->block) == 0)
			return (ptrdiff_t)at;
	}
	return -1;
}

static void insert(struct table *t, size_t number)
{
	const uint8_t *p = t->old + number * t->block;
	uint64_t h = hash_block(t, p);

	for (unsigned probe = 0; probe < PROBES; probe++) {
		uint32_t *slot = &t->slots[slot_of(t, h, probe)];
		if (*slot == 0) {
			*slot = (uint32_t)(number + 1);
			return;
		}
		if (memcmp(t->old + (*slot - (size_t)1) * t->block, p, t->block) == 0)
			return;
	}
}

static int table_init(struct table *t, uint64_t memory, struct err *e)
{
	size_t slots = SLOTS_MIN;

	t->block = BLOCK_MIN;
	while (t->old_len / t->block > UINT32_MAX / 4 ||
	       (t->old_len / t->block > SLOTS_MIN &&
		t->old_len / t->block * 4 > memory / sizeof *t->slots))
		t->block *= 2;
	while (slots < t->old_len / t->block * 2)
		slots *= 2;
	t->mask = slots - 1;
	t->leaving = 1;
	for (size_t i = 1; i < t->block; i++)
		t->leaving *= MULTIPLIER;
	t->slots = calloc(slots, sizeof *t->slots);
	if (t->slots == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < t->old_len / t->block; i++)
		insert(t, i);
	return 0;
}

/* Where the last run ended, in both. */
struct ends {
	size_t old, new;
};

/* Whether the new bytes go on as the old ones do behind the last run, after a gap. */
static bool follows(const struct table *t, const struct ends *last, size_t at)
{
	size_t old = last->old + (at - last->new);

	return old < t->old_len && t->old_len - old >= t->block &&
	       memcmp(t->old + old, t->new + at, t->block) == 0;
}

static uint64_t count_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint64_t equal = 0;

	for (size_t i = 0; i < len; i++)
		equal += a[i] == b[i];
	return equal;
}

/* Takes the run around an equal block; returns where it ends. */
static size_t take_run(const struct table *t, struct ends *last, size_t old, size_t new,
		       struct overlap *ret)
{
	size_t len = t->block;

	while (old > 0 && new > last->new && t->old[old - 1] == t->new[new - 1]) {
		old--;
		new --;
		len++;
	}
	while (old + len < t->old_len && new + len < t->new_len &&
	       t->old[old + len] == t->new[new + len])
		len++;
	size_t gap = new - last->new;
	if (old != last->old || gap > 0)
		ret->edits++;
	if (gap <= GAP_MAX && old >= last->old && old - last->old == gap)
		ret->near += count_equal(t->old + last->old, t->new + last->new, gap);
	ret->shared += len;
	ret->in_place += old == new ? len : 0;
	ret->disordered += old < last->old ? len : 0;
	*last = (struct ends){old + len, new + len};
	return new + len;
}

static void scan(const struct table *t, struct overlap *ret)
{
	struct ends last = {0, 0};
	uint64_t h = 0;
	bool fresh = true; /* the hash is to be made anew */

	for (size_t at = 0; t->new_len >= t->block && at <= t->new_len - t->block;) {
		if (follows(t, &last, at)) {
			at = take_run(t, &last, last.old + (at - last.new), at, ret);
			fresh = true;
			continue;
		}
		if (fresh)
			h = hash_block(t, t->new + at);
		fresh = false;
		ptrdiff_t old = find(t, h, t->new + at);
		if (old >= 0) {
			at = take_run(t, &last, (size_t)old, at, ret);
			fresh = true;
			continue;
		}
		if (at + t->block < t->new_len)
			h = roll(t, h, t->new[at], t->new[at + t->block]);
		at++;
	}
	if (last.new < t->new_len)
		ret->edits++;
}

int overlap_measure(const uint8_t *old, size_t old_len, const uint8_t *new, size_t new_len,
		    uint64_t memory, struct overlap *ret, struct err *e)
{
	struct table t = {.old = old, .new = new, .old_len = old_len, .new_len = new_len};

	*ret = (struct overlap){.shared = 0};
	if (table_init(&t, memory, e) != 0)
		return -1;
	scan(&t, ret);
	ret->same = count_equal(old, new, old_len < new_len ? old_len : new_len);
	free(t.slots);
	return 0;
}
