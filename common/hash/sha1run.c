#include "swarm/sha1run.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "swarm/ipsecmb.h"
#include "swarm/lanes.h"

/* Pieces that are put in order at a time. */
#define GROUP ((size_t)64)
/* What the ways are timed and checked with. */
#define TRIAL_MESSAGES ((size_t)32)
#define TRIAL_LEN      ((size_t)4096)
#define TRIAL_ROUNDS   3
/* More lanes slow down the other cores, too: they have to be so much faster. */
#define GAIN_PERCENT 120

struct sha1run {
	struct sha1 *one;
	struct ipsecmb *many; /* NULL: none */
	size_t width;
	bool failed;
};

/* --- what this process uses ---------------------------------------------------------------------
 */

static struct {
	bool many; /* of this kind, and right */
	enum ipsecmb_kind kind;
} found;
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct trial {
	uint8_t bytes[TRIAL_LEN];
	uint8_t digests[TRIAL_MESSAGES][SHA1_SIZE], right[TRIAL_MESSAGES][SHA1_SIZE];
	struct sha1_message even[TRIAL_MESSAGES], uneven[TRIAL_MESSAGES];
};

static int prepare(struct trial *t, struct sha1 *one)
{
	struct err ignored;

	for (size_t i = 0; i < TRIAL_LEN; i++)
		t->bytes[i] = (uint8_t)(i * 131 + i / 251);
	for (size_t i = 0; i < TRIAL_MESSAGES; i++) {
		t->even[i] = (struct sha1_message){t->bytes, TRIAL_LEN, t->digests[i]};
		t->uneven[i] = t->even[i];
		/* Around the ends of the first blocks, so that lanes end at different times. */
		t->uneven[i].len = (i / 3) * 64 + 54 + i % 3;
		sha1_once(one, t->bytes, t->uneven[i].len, t->right[i]);
	}
	return sha1_check(one, &ignored);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The best of some rounds, in seconds. `m` NULL: libcrypto. */
static double time_it(struct trial *t, struct sha1 *one, struct ipsecmb *m)
{
	double best = 1e9;

	for (int i = 0; i < TRIAL_ROUNDS; i++) {
		double from = now();
		for (size_t k = 0; m == NULL && k < TRIAL_MESSAGES; k++)
			sha1_once(one, t->bytes, TRIAL_LEN, t->digests[k]);
		if (m != NULL && ipsecmb_sha1(m, t->even, TRIAL_MESSAGES) != 0)
			return 1e9;
		double took = now() - from;
		best = took < best ? took : best;
	}
	return best;
}

static bool is_right(struct trial *t, struct ipsecmb *m)
{
	memset(t->digests, 0, sizeof t->digests);
	return ipsecmb_sha1(m, t->uneven, TRIAL_MESSAGES) == 0 &&
	       memcmp(t->digests, t->right, sizeof t->right) == 0;
}

static void take_fastest(struct trial *t, struct sha1 *one)
{
	double best = time_it(t, one, NULL);

	for (enum ipsecmb_kind kind = IPSECMB_AVX2; kind <= IPSECMB_AVX512; kind++) {
		struct err ignored;
		struct ipsecmb *m = ipsecmb_has(kind) ? ipsecmb_new(kind, &ignored) : NULL;
		if (m == NULL)
			continue;
		double took = is_right(t, m) ? time_it(t, one, m) : 1e9;
		ipsecmb_free(m);
		if (took * GAIN_PERCENT / 100 > best)
			continue;
		best = took;
		found.many = true;
		found.kind = kind;
	}
}

static void find_out(void)
{
	struct err ignored;
	struct trial *t = malloc(sizeof *t);
	struct sha1 *one = sha1_new(&ignored);

	if (t != NULL && one != NULL && prepare(t, one) == 0)
		take_fastest(t, one);
	sha1_free(one);
	free(t);
}

/* --- life ---------------------------------------------------------------------------------------
 */

struct sha1run *sha1run_new(struct err *e)
{
	struct sha1run *r = calloc(1, sizeof *r);
	struct err ignored;
	bool allowed;

	if (r == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	r->one = sha1_new(e);
	if (r->one == NULL || lanes_allow_ipsecmb(&allowed, e) != 0) {
		sha1run_free(r);
		return NULL;
	}
	if (!allowed)
		return r;
	(void)pthread_once(&once, find_out);
	/* Without the memory for it, libcrypto does all the work. */
	if (found.many)
		r->many = ipsecmb_new(found.kind, &ignored);
	r->width = ipsecmb_lanes(found.kind);
	return r;
}

void sha1run_free(struct sha1run *r)
{
	if (r == NULL)
		return;
	sha1_free(r->one);
	ipsecmb_free(r->many);
	free(r);
}

size_t sha1run_width(const struct sha1run *r)
{
	return r->many != NULL ? r->width : 1;
}

/* --- hashing ------------------------------------------------------------------------------------
 */

/* Lanes that are mostly empty are slower than libcrypto. */
static void hash_group(struct sha1run *r, const struct sha1_message *messages, size_t count)
{
	size_t together = 0;

	if (r->many != NULL && messages[0].len <= IPSECMB_LEN_MAX)
		together = count % r->width > r->width / 2 ? count : count - count % r->width;
	if (together > 0 && ipsecmb_sha1(r->many, messages, together) != 0)
		r->failed = true;
	for (size_t i = together; i < count; i++)
		sha1_once(r->one, messages[i].bytes, messages[i].len, messages[i].digest);
}

size_t sha1run_hash(struct sha1run *r, const uint8_t *bytes, size_t len, size_t piece,
		    uint8_t *digests)
{
	struct sha1_message messages[GROUP];
	size_t total = 0, count = 0;

	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		messages[count++] =
		    (struct sha1_message){bytes + at, n, digests + total++ * SHA1_SIZE};
		if (count == GROUP || n == len - at) {
			hash_group(r, messages, count);
			count = 0;
		}
	}
	return total;
}

int sha1run_check(const struct sha1run *r, struct err *e)
{
	if (r->failed)
		return err_set(e, ERR_SYSTEM, "libipsec-mb failed to compute a SHA-1");
	return sha1_check(r->one, e);
}
