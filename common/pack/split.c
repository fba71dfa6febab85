#include "swarm/split.h"

#include <stdlib.h>

/* A file is dealt out by itself if it costs more than this part of a share. */
#define LARGE_PART 8

struct split_large {
	size_t index;
	uint64_t cost;
};

struct split_share {
	uint32_t number;
	uint64_t load;
};

static uint64_t cost_of(const struct scan_file *file)
{
	/* Cannot wrap: all sizes add up to less than 2^53. */
	return file->size + SPLIT_FILE_COST;
}

static int compare_large(const void *a, const void *b)
{
	const struct split_large *left = a, *right = b;

	if (left->cost != right->cost)
		return left->cost > right->cost ? -1 : 1;
	return (left->index > right->index) - (left->index < right->index);
}

static bool has_less(const struct split_share *a, const struct split_share *b)
{
	return a->load != b->load ? a->load < b->load : a->number < b->number;
}

/* Restores a heap of n shares, the one with the least on top, after the top has got more. */
static void sink_top(struct split_share *heap, size_t n)
{
	for (size_t at = 0, child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && has_less(&heap[child + 1], &heap[child]))
			child++;
		if (has_less(&heap[at], &heap[child]))
			return;
		struct split_share down = heap[at];
		heap[at] = heap[child];
		heap[child] = down;
	}
}

/* Deals out what costs more than `limit`, and keeps in `loads` what each share has then. */
static int deal_large(const struct scan_file *files, size_t n, uint64_t limit, uint64_t *loads,
		      uint32_t shares, uint32_t *ret, struct err *e)
{
	size_t count = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		count += cost_of(&files[i]) > limit;
	struct split_large *large = calloc(count + 1, sizeof *large);
	struct split_share *heap = calloc(shares, sizeof *heap);
	int status = -1;
	if (large == NULL || heap == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		if (cost_of(&files[i]) > limit)
			large[at++] = (struct split_large){i, cost_of(&files[i])};
	qsort(large, count, sizeof *large, compare_large);
	for (uint32_t k = 0; k < shares; k++)
		heap[k].number = k;
	for (size_t i = 0; i < count; i++) {
		ret[large[i].index] = heap->number;
		heap->load += large[i].cost;
		sink_top(heap, shares);
	}
	for (uint32_t k = 0; k < shares; k++)
		loads[heap[k].number] = heap[k].load;
	status = 0;
out:
	free(large);
	free(heap);
	return status;
}

static uint64_t room_of(uint64_t load, uint64_t level)
{
	return load < level ? level - load : 0;
}

/* The lowest level that holds what is left; `ideal` does, since all together fit below it. */
static uint64_t find_level(const uint64_t *loads, uint32_t shares, uint64_t left, uint64_t ideal)
{
	uint64_t low = 0, high = ideal;

	while (low < high) {
		uint64_t level = low + (high - low) / 2, room = 0;
		for (uint32_t k = 0; k < shares; k++)
			room += room_of(loads[k], level);
		if (room >= left)
			high = level;
		else
			low = level + 1;
	}
	return low;
}

/*
 * Pours the others into what room is left. Where a file begins decides, in all of them behind each
 * other: so a share that gets more than its room leaves so much less to the next, not to the last.
 */
static void pour_small(const struct scan_file *files, size_t n, uint64_t limit, uint64_t level,
		       const uint64_t *loads, uint32_t shares, uint32_t *ret)
{
	uint64_t at = 0, end = room_of(loads[0], level);
	uint32_t k = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t cost = cost_of(&files[i]);
		if (cost > limit)
			continue;
		while (at >= end && k + 1 < shares)
			end += room_of(loads[++k], level);
		ret[i] = k;
		at += cost;
	}
}

int split_files(const struct scan_file *files, size_t n, uint32_t shares, uint32_t *ret,
		struct err *e)
{
	uint64_t total = 0;
	uint64_t *loads = calloc(shares, sizeof *loads);

	if (loads == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		total += cost_of(&files[i]);
	uint64_t ideal = total / shares + (total % shares != 0), limit = ideal / LARGE_PART;
	int status = deal_large(files, n, limit, loads, shares, ret, e);
	if (status == 0) {
		uint64_t left = total;
		for (uint32_t k = 0; k < shares; k++)
			left -= loads[k];
		pour_small(files, n, limit, find_level(loads, shares, left, ideal), loads, shares,
			   ret);
	}
	free(loads);
	return status;
}
