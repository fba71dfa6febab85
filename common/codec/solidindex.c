#include "swarm/solidindex.h"

#include <divsufsort.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS     65536 /* of the suffix array: by the first two bytes */
#define NEIGHBOURS  16    /* equally long occurrences that are compared, each way */
#define NEW_GRAM    12    /* what is hashed of the new text */
#define LIKE_GRAM   6     /* bytes before a place that make it like another */
#define LIKE_MAX    22
#define SPARSE_GRAM 24 /* what is hashed of the old text where there is no suffix array */
#define HASH_MIN    16
#define HASH_MAX    24

struct solidindex {
	const uint8_t *old, *new;
	size_t old_len, new_len;
	int32_t *suffixes;
	uint32_t *buckets; /* where the suffixes begin that start with these two bytes */
	/* instead of these: positions, each divided by `stride`, plus one */
	uint32_t *sparse;
	unsigned sparse_bits;
	size_t stride;
	uint32_t *latest; /* positions in the new text, plus one */
	unsigned latest_bits;
	unsigned like_bits;
	uint32_t *likes; /* places in the new text, plus one, by what stands before them */
	size_t added;
};

static unsigned hash_bits(uint64_t positions)
{
	unsigned bits = HASH_MIN;

	while (bits < HASH_MAX && positions >> bits > 0)
		bits++;
	return bits;
}

static uint64_t suffixes_memory(uint64_t len)
{
	return (len + BUCKETS + 1) * sizeof(int32_t);
}

uint64_t solidindex_memory(uint64_t old_len, uint64_t new_len)
{
	uint64_t all = sizeof(struct solidindex) + (sizeof(uint32_t) << hash_bits(new_len)) +
		       (sizeof(uint32_t) << LIKE_MAX);

	if (old_len <= INT32_MAX)
		return all + suffixes_memory(old_len);
	return all + (sizeof(uint32_t) << HASH_MAX);
}

static uint64_t load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static size_t hash_new(const struct solidindex *ix, size_t at)
{
	uint64_t h = load(ix->new + at) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= load32(ix->new + at + 8) * UINT64_C(0xc2b2ae3d27d4eb4f);
	return (size_t)((h * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - ix->latest_bits));
}

static size_t hash_like(const struct solidindex *ix, size_t at)
{
	uint64_t h = 0;

	memcpy(&h, ix->new + at - LIKE_GRAM, LIKE_GRAM);
	return (size_t)((h * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - ix->like_bits));
}

static size_t hash_sparse(const struct solidindex *ix, const uint8_t *p)
{
	uint64_t h = load(p) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 31 ^ load(p + 8)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 31 ^ load(p + 16)) * UINT64_C(0x94d049bb133111eb);
	return (size_t)(h >> (64 - ix->sparse_bits));
}

static int fill_suffixes(struct solidindex *ix, struct err *e)
{
	uint32_t sum = 0;

	ix->suffixes = malloc((ix->old_len + 1) * sizeof *ix->suffixes);
	ix->buckets = calloc(BUCKETS + 1, sizeof *ix->buckets);
	if (ix->suffixes == NULL || ix->buckets == NULL)
		return err_nomem(e);
	if (divsufsort(ix->old, ix->suffixes, (int32_t)ix->old_len) != 0)
		return err_nomem(e);
	for (size_t i = 0; i + 1 < ix->old_len; i++)
		ix->buckets[ix->old[i] << 8 | ix->old[i + 1]]++;
	/* The last byte alone stands before all that start with it. */
	for (unsigned b = 0; b <= BUCKETS; b++) {
		if (ix->old_len > 0 && b == (unsigned)ix->old[ix->old_len - 1] << 8)
			sum++;
		uint32_t here = ix->buckets[b];
		ix->buckets[b] = sum;
		sum += here;
	}
	return 0;
}

static int fill_sparse(struct solidindex *ix, uint64_t memory, struct err *e)
{
	ix->sparse_bits = HASH_MIN;
	while (ix->sparse_bits < HASH_MAX && sizeof *ix->sparse << (ix->sparse_bits + 1) <= memory)
		ix->sparse_bits++;
	ix->stride = (ix->old_len >> ix->sparse_bits) + 1;
	ix->sparse = calloc((size_t)1 << ix->sparse_bits, sizeof *ix->sparse);
	if (ix->sparse == NULL)
		return err_nomem(e);
	for (size_t i = 0; i + SPARSE_GRAM <= ix->old_len; i += ix->stride) {
		uint32_t *place = &ix->sparse[hash_sparse(ix, ix->old + i)];
		if (*place == 0)
			*place = (uint32_t)(i / ix->stride) + 1;
	}
	return 0;
}

struct solidindex *solidindex_new(const uint8_t *old, size_t old_len, const uint8_t *new,
				  size_t new_len, uint64_t memory, struct err *e)
{
	struct solidindex *ix = calloc(1, sizeof *ix);

	if (ix == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	*ix = (struct solidindex){.old = old, .old_len = old_len, .new = new, .new_len = new_len};
	ix->latest_bits = hash_bits(new_len);
	ix->like_bits = ix->latest_bits < LIKE_MAX ? ix->latest_bits : LIKE_MAX;
	while (ix->latest_bits > HASH_MIN && sizeof *ix->latest << ix->latest_bits > memory / 4)
		ix->latest_bits--;
	uint64_t taken = sizeof *ix->latest << ix->latest_bits;
	ix->latest = calloc((size_t)1 << ix->latest_bits, sizeof *ix->latest);
	ix->likes = calloc((size_t)1 << ix->like_bits, sizeof *ix->likes);
	if (ix->latest == NULL || ix->likes == NULL) {
		(void)err_nomem(e);
		goto fail;
	}
	bool whole = old_len <= INT32_MAX && solidindex_memory(old_len, new_len) <= memory;
	if (whole ? fill_suffixes(ix, e) != 0
		  : fill_sparse(ix, memory > taken ? memory - taken : 0, e) != 0)
		goto fail;
	return ix;
fail:
	solidindex_free(ix);
	return NULL;
}

void solidindex_free(struct solidindex *ix)
{
	if (ix == NULL)
		return;
	free(ix->suffixes);
	free(ix->buckets);
	free(ix->sparse);
	free(ix->latest);
	free(ix->likes);
	free(ix);
}

/* How long a and b are the same from `from` on, up to `len`. */
static size_t same(const uint8_t *a, const uint8_t *b, size_t from, size_t len)
{
	size_t i = from;

	while (i + 8 <= len && load(a + i) == load(b + i))
		i += 8;
	while (i < len && a[i] == b[i])
		i++;
	return i;
}

static size_t same_old(const struct solidindex *ix, size_t at, size_t old, size_t from)
{
	size_t len = ix->new_len - at;

	if (len > SOLIDINDEX_LONGEST)
		len = SOLIDINDEX_LONGEST;
	if (len > ix->old_len - old)
		len = ix->old_len - old;
	return same(ix->new + at, ix->old + old, from, len);
}

static size_t distance(size_t a, size_t b)
{
	return a < b ? b - a : a - b;
}

/* Of the suffixes beside number k that are the same for `len` bytes too, the one nearest to `near`.
 */
static size_t nearest(const struct solidindex *ix, size_t at, size_t k, size_t len, size_t near)
{
	size_t best = (size_t)ix->suffixes[k];

	for (int way = -1; way <= 1; way += 2) {
		for (size_t n = 1; n <= NEIGHBOURS; n++) {
			if (way < 0 ? n > k : k + n >= ix->old_len)
				break;
			size_t old = (size_t)ix->suffixes[way < 0 ? k - n : k + n];
			if (ix->old_len - old < len ||
			    memcmp(ix->new + at, ix->old + old, len) != 0)
				break;
			if (distance(old, near) < distance(best, near))
				best = old;
		}
	}
	return best;
}

static size_t find_suffix(const struct solidindex *ix, size_t at, size_t near, size_t *ret)
{
	if (ix->new_len - at < 2)
		return 0;
	const uint8_t *want = ix->new + at;
	unsigned b = (unsigned)want[0] << 8 | want[1];
	size_t low = ix->buckets[b], high = ix->buckets[b + 1];
	size_t low_len = 2, high_len = 2, best_len = 0, best = 0;

	/* Between both ends each suffix shares with `want` what both ends share with it. */
	while (low < high) {
		size_t k = low + (high - low) / 2;
		size_t old = (size_t)ix->suffixes[k];
		size_t len = same_old(ix, at, old, 0);
		if (len > best_len) {
			best_len = len;
			best = k;
		}
		if (len >= SOLIDINDEX_LONGEST || at + len == ix->new_len)
			break;
		if (old + len == ix->old_len || ix->old[old + len] < want[len]) {
			low = k + 1;
			low_len = len;
		} else {
			high = k;
			high_len = len;
		}
	}
	(void)low_len;
	(void)high_len;
	if (best_len > 0)
		*ret = nearest(ix, at, best, best_len, near);
	return best_len;
}

static size_t find_sparse(const struct solidindex *ix, size_t at, size_t *ret)
{
	if (ix->new_len - at < SPARSE_GRAM)
		return 0;
	uint32_t place = ix->sparse[hash_sparse(ix, ix->new + at)];
	if (place == 0)
		return 0;
	*ret = (size_t)(place - 1) * ix->stride;
	return same_old(ix, at, *ret, 0);
}

size_t solidindex_old(const struct solidindex *ix, size_t at, size_t near, size_t *ret)
{
	return ix->suffixes != NULL ? find_suffix(ix, at, near, ret) : find_sparse(ix, at, ret);
}

size_t solidindex_new_text(const struct solidindex *ix, size_t at, size_t *ret)
{
	if (ix->new_len - at < NEW_GRAM)
		return 0;
	uint32_t place = ix->latest[hash_new(ix, at)];
	if (place == 0 || place - 1 >= at)
		return 0;
	size_t len = ix->new_len - at;
	*ret = place - 1;
	return same(ix->new + at, ix->new + *ret, 0,
		    len < SOLIDINDEX_LONGEST ? len : SOLIDINDEX_LONGEST);
}

void solidindex_add(struct solidindex *ix, size_t at)
{
	for (; ix->added < at && ix->added + NEW_GRAM <= ix->new_len && ix->added < UINT32_MAX - 1;
	     ix->added++) {
		ix->latest[hash_new(ix, ix->added)] = (uint32_t)ix->added + 1;
		if (ix->added >= LIKE_GRAM)
			ix->likes[hash_like(ix, ix->added)] = (uint32_t)ix->added + 1;
	}
}

bool solidindex_like(const struct solidindex *ix, size_t at, size_t *ret)
{
	if (at < LIKE_GRAM)
		return false;
	uint32_t place = ix->likes[hash_like(ix, at)];
	if (place == 0 || place - 1 >= at)
		return false;
	*ret = place - 1;
	return true;
}
