#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/similar.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * A window ends where these bits of the gear hash are zero, one position in 64. Bit n depends on
 * the last n+1 bytes, so that the 48 lower bits are a hash of exactly the last 48.
 */
#define GEAR_BITS   48
#define GEAR_MASK   ((UINT64_C(1) << GEAR_BITS) - 1)
#define SAMPLE_MASK (UINT64_C(63) << (GEAR_BITS - 6))
/* A file has a window about every 64 bytes, and its list never more than twice as many. */
#define FEATURE_BYTES 32
/* A window stands for the bytes since the last one, but for no more than these. */
#define WEIGHT_MAX 512
/*
 * Content that is in more old files than this is found in the first of them: it tells nothing
 * apart, and looking for it must not take longer the more of them there are.
 */
#define CROWD_MAX 32
/* How far a chain is followed, whatever hostile content makes of the hash. */
#define CHAIN_MAX  128
#define NONE       UINT32_MAX
#define GEAR_COUNT 256

/* A window of a file. */
struct feature {
	uint64_t hash;
	uint64_t weight;
};

struct features {
	struct feature *list;
	size_t count, room;
	bool closed; /* there are too many already */
};

/* A window of an old file, in the chain of its hash. */
struct place {
	uint64_t hash;
	uint32_t file;
	uint32_t next;
};

struct old_file {
	size_t number;
	uint64_t size;
};

struct similar {
	uint64_t gear[GEAR_COUNT];
	uint64_t highest; /* hashes up to here are kept */
	size_t most;      /* places */
	struct place *places;
	size_t count, room;
	struct old_file *files;
	size_t file_count, file_room;
	uint32_t *heads;          /* NULL until sealed */
	unsigned shift;           /* a hash shifted right by this is the number of its chain */
	struct features features; /* of the file that is added */
};

/* The finalizer of SplitMix64: each bit of the input changes about half of the output's. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

struct similar *similar_new(uint64_t memory, struct err *e)
{
	struct similar *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	for (uint64_t i = 0; i < GEAR_COUNT; i++)
		s->gear[i] = mix((i + 1) * UINT64_C(0x9E3779B97F4A7C15));
	s->highest = UINT64_MAX;
	/* Each place has a head, of which there are up to twice as many. */
	uint64_t most = memory / (sizeof *s->places + 2 * sizeof *s->heads);
	s->most = most < NONE ? (size_t)most : NONE - 1;
	return s;
}

void similar_free(struct similar *s)
{
	if (s == NULL)
		return;
	free(s->places);
	free(s->files);
	free(s->heads);
	free(s->features.list);
	free(s);
}

/* --- windows ------------------------------------------------------------------------------------
 */

static int compare_features(const void *left, const void *right)
{
	const struct feature *x = left, *y = right;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->weight > y->weight) - (x->weight < y->weight);
}

/* What repeats itself counts once: a payload costs no more for it, whatever it is made from. */
static void drop_repeats(struct features *f)
{
	size_t kept = 0;

	if (f->count > 0)
		qsort(f->list, f->count, sizeof *f->list, compare_features);
	for (size_t i = 0; i < f->count; i++)
		if (kept == 0 || f->list[kept - 1].hash != f->list[i].hash)
			f->list[kept++] = f->list[i];
	f->count = kept;
}

/*
 * -1: out of memory. A file can be made so that a window begins at every byte: at `most` of them,
 * the list is cut down to different ones, and if these are many, no more are added.
 */
static int add_feature(struct features *f, uint64_t hash, uint64_t weight, size_t most)
{
	if (f->count >= most && !f->closed) {
		drop_repeats(f);
		f->closed = f->count > most / 2;
	}
	if (f->closed)
		return 0;
	if (f->count == f->room) {
		size_t want = f->room == 0 ? 256 : f->room * 2;
		struct feature *more = reallocarray(f->list, want, sizeof *more);
		if (more == NULL)
			return -1;
		f->list = more;
		f->room = want;
	}
	f->list[f->count++] = (struct feature){hash, weight < WEIGHT_MAX ? weight : WEIGHT_MAX};
	return 0;
}

/* The windows of a file, each once. */
static int find_features(const struct similar *s, const uint8_t *bytes, size_t len,
			 struct features *ret, struct err *e)
{
	uint64_t gear = 0, last = UINT64_MAX;
	size_t start = 0, most = len / FEATURE_BYTES + 256;

	ret->count = 0;
	ret->closed = false;
	for (size_t i = 0; i < len; i++) {
		gear = (gear << 1) + s->gear[bytes[i]];
		/* Before so many bytes there is no whole window, and much that begins alike. */
		if ((gear & SAMPLE_MASK) != 0 || i + 1 < GEAR_BITS)
			continue;
		uint64_t hash = mix(gear & GEAR_MASK);
		/* Long runs of one byte are one window after the other. */
		if (hash != last && hash <= s->highest &&
		    add_feature(ret, hash, i + 1 - start, most) != 0)
			return err_nomem(e);
		last = hash;
		start = i + 1;
	}
	drop_repeats(ret);
	return 0;
}

/* --- the index ----------------------------------------------------------------------------------
 */

/* Keeps the lower half of all hashes, and again until there is room. */
static void thin_out(struct similar *s)
{
	while (s->count > s->most / 2 && s->highest > 0) {
		size_t kept = 0;
		s->highest /= 2;
		for (size_t i = 0; i < s->count; i++)
			if (s->places[i].hash <= s->highest)
				s->places[kept++] = s->places[i];
		s->count = kept;
	}
}

static int add_place(struct similar *s, uint64_t hash, uint32_t file, struct err *e)
{
	if (s->count >= s->most)
		thin_out(s);
	if (hash > s->highest || s->count >= s->most)
		return 0;
	if (s->count == s->room) {
		size_t want = s->room == 0 ? 1024 : s->room * 2;
		struct place *more =
		    reallocarray(s->places, want < s->most ? want : s->most, sizeof *more);
		if (more == NULL)
			return err_nomem(e);
		s->places = more;
		s->room = want < s->most ? want : s->most;
	}
	s->places[s->count++] = (struct place){hash, file, NONE};
	return 0;
}

int similar_add(struct similar *s, size_t number, const uint8_t *bytes, size_t len, struct err *e)
{
	if (s->file_count >= NONE)
		return err_set(e, ERR_USAGE, "there are too many old files");
	if (s->file_count == s->file_room) {
		size_t want = s->file_room == 0 ? 64 : s->file_room * 2;
		struct old_file *more = reallocarray(s->files, want, sizeof *more);
		if (more == NULL)
			return err_nomem(e);
		s->files = more;
		s->file_room = want;
	}
	if (find_features(s, bytes, len, &s->features, e) != 0)
		return -1;
	s->files[s->file_count] = (struct old_file){number, len};
	for (size_t i = 0; i < s->features.count; i++)
		if (add_place(s, s->features.list[i].hash, (uint32_t)s->file_count, e) != 0)
			return -1;
	s->file_count++;
	return 0;
}

/* Whether there is room for one more place in the chain. */
static bool has_room(const struct similar *s, const struct place *place, uint32_t at)
{
	size_t same = 0;

	for (size_t steps = 0; at != NONE; at = s->places[at].next, steps++) {
		same += s->places[at].hash == place->hash;
		if (same == CROWD_MAX || steps == CHAIN_MAX - 1)
			return false;
	}
	return true;
}

int similar_seal(struct similar *s, struct err *e)
{
	unsigned log = 1;

	free(s->features.list);
	s->features = (struct features){0};
	while (log < 32 && (UINT64_C(1) << log) < s->count)
		log++;
	size_t heads = (size_t)1 << log;
	s->heads = malloc(heads * sizeof *s->heads);
	if (s->heads == NULL)
		return err_nomem(e);
	memset(s->heads, 0xFF, heads * sizeof *s->heads);
	/* Of hashes up to `highest` the upper bits are all the same. */
	unsigned spare = 0;
	while (spare < 63 && s->highest >> (63 - spare) == 0)
		spare++;
	s->shift = 64 - spare > log ? 64 - spare - log : 0;
	for (size_t i = 0; i < s->count; i++) {
		uint32_t *head = &s->heads[s->places[i].hash >> s->shift];
		if (!has_room(s, &s->places[i], *head))
			continue;
		s->places[i].next = *head;
		*head = (uint32_t)i;
	}
	return 0;
}

/* --- finding ------------------------------------------------------------------------------------
 */

/* What was found so far: an open hash table by file. */
struct scores {
	struct score {
		uint32_t file;
		uint64_t shared; /* 0: free */
	} * slots;
	size_t size, used; /* size is a power of two */
};

static struct score *find_slot(const struct scores *t, uint32_t file)
{
	size_t at = (size_t)mix(file) & (t->size - 1);

	while (t->slots[at].shared != 0 && t->slots[at].file != file)
		at = (at + 1) & (t->size - 1);
	return &t->slots[at];
}

static int grow(struct scores *t, struct err *e)
{
	struct scores more = {.size = t->size == 0 ? 64 : t->size * 2, .used = t->used};

	more.slots = calloc(more.size, sizeof *more.slots);
	if (more.slots == NULL) {
		(void)err_nomem(e);
		return -1;
	}
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].shared != 0)
			*find_slot(&more, t->slots[i].file) = t->slots[i];
	free(t->slots);
	*t = more;
	return 0;
}

static int count_feature(const struct similar *s, const struct feature *f, struct scores *t,
			 struct err *e)
{
	for (uint32_t at = s->heads[f->hash >> s->shift]; at != NONE; at = s->places[at].next) {
		if (s->places[at].hash != f->hash)
			continue;
		if (t->used >= t->size / 2 && grow(t, e) != 0)
			return -1;
		struct score *score = find_slot(t, s->places[at].file);
		t->used += score->shared == 0;
		score->file = s->places[at].file;
		score->shared += f->weight;
	}
	return 0;
}

static bool is_better(const struct similar_match *a, const struct similar_match *b)
{
	if (a->shared != b->shared)
		return a->shared > b->shared;
	if (a->size != b->size)
		return a->size < b->size;
	return a->number < b->number;
}

/* Puts a match where it belongs among the best ones. */
static void rank(const struct similar_match *match, size_t max, struct similar_match *ret,
		 size_t *count)
{
	size_t at = *count;

	while (at > 0 && is_better(match, &ret[at - 1]))
		at--;
	if (at == max)
		return;
	if (*count < max)
		++*count;
	memmove(&ret[at + 1], &ret[at], (*count - at - 1) * sizeof *ret);
	ret[at] = *match;
}

int similar_find(const struct similar *s, const uint8_t *bytes, size_t len, size_t max,
		 struct similar_match *ret, size_t *ret_count, struct err *e)
{
	struct features features = {0};
	struct scores scores = {0};
	int status = find_features(s, bytes, len, &features, e);

	*ret_count = 0;
	for (size_t i = 0; status == 0 && i < features.count; i++)
		status = count_feature(s, &features.list[i], &scores, e);
	for (size_t i = 0; status == 0 && i < scores.size; i++) {
		if (scores.slots[i].shared == 0)
			continue;
		const struct old_file *file = &s->files[scores.slots[i].file];
		struct similar_match match = {file->number, scores.slots[i].shared, file->size};
		rank(&match, max, ret, ret_count);
	}
	free(features.list);
	free(scores.slots);
	return status;
}
