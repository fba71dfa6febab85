#include "swarm/lanes.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "swarm/ipsecmb.h"

/* A message that takes this share of all the work would run alone in its lane at the end. */
#define SHARE_MAX(total, lanes) ((total) / (lanes) + (total) / (2 * (lanes)))
/* Messages that are put in order at a time. */
#define GROUP ((size_t)512)
/* More lanes are worth having if they are so much faster: they slow down the other cores, too. */
#define GAIN_PERCENT 120
/* What the ways are timed and checked with. */
#define TRIAL_MESSAGES ((size_t)32)
#define TRIAL_LEN      ((size_t)2048)
#define TRIAL_ROUNDS   3

/*
 * A manager takes as long to set up as it takes to hash some mebibytes: it is not worth it for less
 * than this many bytes, of which a message counts as some more.
 */
#define WORTHWHILE    ((size_t)1 << 20)
#define MESSAGE_COUNT ((size_t)128)

/* --- what this process uses ---------------------------------------------------------------------
 */

/* What there is to choose from, found out once. */
static struct {
	bool few;               /* two lanes */
	bool many;              /* more, and faster */
	enum ipsecmb_kind kind; /* of the many */
	bool wrong;             /* libipsec-mb gave another digest than libcrypto, and is out */
	bool faster;            /* than libcrypto */
} found;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct trial {
	uint8_t bytes[TRIAL_MESSAGES * TRIAL_LEN];
	struct sha256_message messages[TRIAL_MESSAGES], uneven[TRIAL_MESSAGES];
	uint8_t digests[TRIAL_MESSAGES][SHA256_SIZE];
	uint8_t right[TRIAL_MESSAGES][SHA256_SIZE]; /* of the uneven */
};

static int prepare(struct trial *t, struct sha256 *one)
{
	struct err ignored;

	for (size_t i = 0; i < sizeof t->bytes; i++)
		t->bytes[i] = (uint8_t)(i * 131 + i / 251);
	for (size_t i = 0; i < TRIAL_MESSAGES; i++) {
		t->messages[i] =
		    (struct sha256_message){t->bytes + i * TRIAL_LEN, TRIAL_LEN, t->digests[i]};
		t->uneven[i] = t->messages[i];
		/* Around the ends of the first blocks, and where the padding needs one more. */
		t->uneven[i].len = i < 2 ? i * TRIAL_LEN : (i / 3) * 64 + 54 + i % 3;
		sha256_once(one, t->uneven[i].bytes, t->uneven[i].len, t->right[i]);
	}
	return sha256_check(one, &ignored);
}

static bool is_right(struct trial *t, struct ipsecmb *m)
{
	memset(t->digests, 0, sizeof t->digests);
	return ipsecmb_hash(m, t->uneven, TRIAL_MESSAGES) == 0 &&
	       memcmp(t->digests, t->right, sizeof t->right) == 0;
}

/* The best of some rounds, in seconds. */
static double time_many(struct trial *t, struct ipsecmb *m)
{
	double best = 1e9;

	for (int i = 0; i < TRIAL_ROUNDS; i++) {
		double from = now();
		if (ipsecmb_hash(m, t->messages, TRIAL_MESSAGES) != 0)
			return 1e9;
		double took = now() - from;
		best = took < best ? took : best;
	}
	return best;
}

static double time_one(struct trial *t, struct sha256 *one)
{
	double best = 1e9;

	for (int i = 0; i < TRIAL_ROUNDS; i++) {
		double from = now();
		for (size_t k = 0; k < TRIAL_MESSAGES; k++)
			sha256_once(one, t->messages[k].bytes, TRIAL_LEN, t->digests[k]);
		double took = now() - from;
		best = took < best ? took : best;
	}
	return best;
}

/* The fastest, where fewer lanes are preferred; of several with one speed the first. */
static void take_fastest(struct trial *t, struct sha256 *one)
{
	double libcrypto = time_one(t, one), best = 1e8;

	for (enum ipsecmb_kind kind = IPSECMB_SHANI; kind <= IPSECMB_AVX512; kind++) {
		struct err ignored;
		struct ipsecmb *m = ipsecmb_has(kind) ? ipsecmb_new(kind, &ignored) : NULL;
		if (m == NULL)
			continue;
		bool right = is_right(t, m);
		double took = right ? time_many(t, m) : 1e9;
		ipsecmb_free(m);
		found.wrong = found.wrong || !right;
		if (took * GAIN_PERCENT / 100 > best)
			continue;
		best = took;
		found.few = found.few || kind == IPSECMB_SHANI;
		found.many = kind != IPSECMB_SHANI;
		found.kind = kind;
	}
	found.faster = best * GAIN_PERCENT / 100 < libcrypto;
	/* One wrong digest, and nothing of it is trusted. */
	if (found.wrong)
		found.few = found.many = false;
}

static void find_out(void)
{
	struct err ignored;
	struct trial *t = malloc(sizeof *t);
	struct sha256 *one = sha256_new(&ignored);

	if (t != NULL && one != NULL && prepare(t, one) == 0)
		take_fastest(t, one);
	sha256_free(one);
	free(t);
}

enum wish { WISH_FASTEST, WISH_OPENSSL, WISH_IPSECMB };

/* -1: nonsense. */
static int read_wish(enum wish *ret, struct err *e)
{
	const char *wish = getenv("SWARM_HASH");

	*ret = WISH_FASTEST;
	if (wish == NULL || *wish == '\0')
		return 0;
	if (strcmp(wish, "openssl") == 0)
		*ret = WISH_OPENSSL;
	else if (strcmp(wish, "ipsec-mb") == 0)
		*ret = WISH_IPSECMB;
	else
		return err_set(e, ERR_USAGE, "SWARM_HASH can be openssl or ipsec-mb, not '%.100s'",
			       wish);
	return 0;
}

/* Whether libipsec-mb is to be used. */
static bool is_chosen(enum wish wish)
{
	if (wish == WISH_OPENSSL)
		return false;
	(void)pthread_once(&once, find_out);
	return (found.few || found.many) && (found.faster || wish == WISH_IPSECMB);
}

/* -1: SWARM_HASH asks for what there is not. */
static int take_wish(enum wish *ret, struct err *e)
{
	if (read_wish(ret, e) != 0)
		return -1;
	if (*ret == WISH_IPSECMB && !is_chosen(*ret))
		return err_set(e, ERR_USAGE,
			       "SWARM_HASH asks for ipsec-mb, which is not to be had here");
	return 0;
}

int lanes_allow_ipsecmb(bool *ret, struct err *e)
{
	enum wish wish;

	*ret = false;
	if (take_wish(&wish, e) != 0)
		return -1;
	*ret = wish != WISH_OPENSSL;
	return 0;
}

int lanes_describe(struct buf *to, struct err *e)
{
	enum wish wish;

	if (take_wish(&wish, e) != 0)
		return -1;
	buf_adds(to, "hashing: ");
	if (is_chosen(wish))
		buf_addf(to, "libipsec-mb %s (%s), ", ipsecmb_version(),
			 ipsecmb_kind_name(found.kind));
	buf_addf(to, "OpenSSL %s", OpenSSL_version(OPENSSL_FULL_VERSION_STRING));
	if (wish != WISH_OPENSSL && found.wrong)
		buf_adds(to, " (libipsec-mb failed its test)");
	buf_addc(to, '\n');
	return buf_check(to, e);
}

/* --- hashing ------------------------------------------------------------------------------------
 */

struct lanes {
	enum wish wish;
	struct sha256 *one;
	struct ipsecmb *few;  /* two lanes, or NULL */
	struct ipsecmb *many; /* more, or NULL */
	size_t width;         /* how many */
	bool started;         /* few and many are set up, where there are any */
	size_t work;          /* done before */
	bool failed;
};

struct lanes *lanes_new(struct err *e)
{
	enum wish wish;

	if (take_wish(&wish, e) != 0)
		return NULL;
	struct lanes *l = calloc(1, sizeof *l);
	if (l == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	l->one = sha256_new(e);
	if (l->one == NULL) {
		lanes_free(l);
		return NULL;
	}
	l->wish = wish;
	if (wish == WISH_OPENSSL)
		l->started = true;
	else if (wish == WISH_IPSECMB)
		l->work = WORTHWHILE;
	return l;
}

void lanes_free(struct lanes *l)
{
	if (l == NULL)
		return;
	sha256_free(l->one);
	ipsecmb_free(l->few);
	ipsecmb_free(l->many);
	free(l);
}

/* Without the memory for it, libcrypto does all the work. */
static void start(struct lanes *l)
{
	struct err ignored;

	l->started = true;
	if (!is_chosen(l->wish))
		return;
	if (found.few)
		l->few = ipsecmb_new(IPSECMB_SHANI, &ignored);
	if (found.many)
		l->many = ipsecmb_new(found.kind, &ignored);
	l->width = ipsecmb_lanes(found.kind);
}

static void count_work(struct lanes *l, const struct sha256_message *messages, size_t count)
{
	for (size_t i = 0; i < count && l->work < WORTHWHILE; i++)
		l->work +=
		    MESSAGE_COUNT + (messages[i].len < WORTHWHILE ? messages[i].len : WORTHWHILE);
	if (l->work >= WORTHWHILE)
		start(l);
}

static void hash_each(struct lanes *l, const struct sha256_message *messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sha256_once(l->one, messages[i].bytes, messages[i].len, messages[i].digest);
}

static void hash_few(struct lanes *l, const struct sha256_message *messages, size_t count)
{
	if (l->few == NULL || count < 2)
		hash_each(l, messages, count);
	else if (ipsecmb_hash(l->few, messages, count) != 0)
		l->failed = true;
}

static int compare_length(const void *left, const void *right)
{
	const struct sha256_message *x = left, *y = right;

	return (x->len < y->len) - (x->len > y->len);
}

/*
 * Many lanes are of use while all are full. The longest messages, which would go on alone, and a
 * rest that fills less than half of them, are left to the few.
 */
static void hash_many(struct lanes *l, const struct sha256_message *messages, size_t count)
{
	struct sha256_message sorted[GROUP];
	size_t total = 0, longest = 0;

	for (size_t i = 0; i < count; i++) {
		sorted[i] = messages[i];
		total += messages[i].len;
	}
	qsort(sorted, count, sizeof *sorted, compare_length);
	for (; longest < count && sorted[longest].len > SHARE_MAX(total, l->width); longest++)
		total -= sorted[longest].len;
	size_t fit = count - longest, rest = fit % l->width;
	if (fit < 4 * l->width && rest <= l->width / 2)
		fit -= rest;
	hash_few(l, sorted, longest);
	if (fit > 0 && ipsecmb_hash(l->many, sorted + longest, fit) != 0)
		l->failed = true;
	hash_few(l, sorted + longest + fit, count - longest - fit);
}

/* None of them is too long for a lane. */
static void hash_group(struct lanes *l, const struct sha256_message *messages, size_t count)
{
	if (l->many != NULL && count > l->width / 2)
		hash_many(l, messages, count);
	else
		hash_few(l, messages, count);
}

void lanes_hash(struct lanes *l, const struct sha256_message *messages, size_t count)
{
	size_t from = 0;

	if (!l->started)
		count_work(l, messages, count);
	for (size_t i = 0; i <= count; i++) {
		bool is_long = i < count && messages[i].len > IPSECMB_LEN_MAX;
		if (i < count && !is_long && i - from < GROUP)
			continue;
		hash_group(l, messages + from, i - from);
		from = i;
		if (is_long) {
			hash_each(l, &messages[i], 1);
			from = i + 1;
		}
	}
}

int lanes_check(const struct lanes *l, struct err *e)
{
	if (l->failed)
		return err_set(e, ERR_SYSTEM, "libipsec-mb failed to compute a SHA-256");
	return sha256_check(l->one, e);
}
