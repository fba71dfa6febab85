/*
 * hashspeed [ROUNDS [MILLISECONDS]]: how fast one thread hashes bytes in memory.
 *
 * Libraries called directly, and what is built on them, take turns of so many milliseconds (200) in
 * so many rounds (5). Prints a line of JSON for each: what, the bytes of a message, and GB/s of the
 * thread's own time as median, min and max.
 */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef SWARM_IPSECMB
#include <intel-ipsec-mb.h>
#endif

#include "swarm/batch.h"
#include "swarm/filehash.h"
#include "swarm/ipsecmb.h"
#include "swarm/lanes.h"

#define BYTES      ((size_t)1 << 20)
#define SMALL      ((size_t)2048)
#define COUNT_MAX  (BYTES / SMALL)
#define ROUNDS_MAX 100

/* --- what all of them hash ----------------------------------------------------------------------
 */

struct load {
	uint8_t bytes[BYTES];
	size_t len; /* of a message */
	size_t count;
	struct sha256_message messages[COUNT_MAX];
	uint8_t digests[COUNT_MAX][SHA256_SIZE];
	struct batch_item items[COUNT_MAX];
	struct filehash_digests results[COUNT_MAX];
};

static struct load *load_new(size_t len)
{
	struct load *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	for (size_t i = 0; i < BYTES; i++)
		l->bytes[i] = (uint8_t)(i * 131 + i / 251);
	l->len = len;
	l->count = BYTES / len;
	for (size_t i = 0; i < l->count; i++) {
		const uint8_t *at = l->bytes + i * len;
		l->messages[i] = (struct sha256_message){at, len, l->digests[i]};
		l->items[i] = (struct batch_item){at, len, &l->results[i]};
	}
	return l;
}

static void load_free(struct load *l)
{
	for (size_t i = 0; l != NULL && i < l->count; i++)
		filehash_release(&l->results[i]);
	free(l);
}

/* --- the ways: each hashes the load once --------------------------------------------------------
 */

static void hash_libcrypto(void *context, struct load *l)
{
	for (size_t i = 0; i < l->count; i++)
		if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
		    EVP_DigestUpdate(context, l->messages[i].bytes, l->len) != 1 ||
		    EVP_DigestFinal_ex(context, l->digests[i], NULL) != 1)
			abort();
}

#ifdef SWARM_IPSECMB
/* Jobs of the load before may come back: lanes are full all the time. */
static void hash_ipsecmb(void *context, struct load *l)
{
	IMB_MGR *manager = context;

	for (size_t i = 0; i < l->count; i++) {
		IMB_JOB *job = IMB_GET_NEXT_JOB(manager);
		job->cipher_mode = IMB_CIPHER_NULL;
		job->cipher_direction = IMB_DIR_ENCRYPT;
		job->chain_order = IMB_ORDER_HASH_CIPHER;
		job->hash_alg = IMB_AUTH_SHA_256;
		job->src = l->messages[i].bytes;
		job->hash_start_src_offset_in_bytes = 0;
		job->msg_len_to_hash_in_bytes = l->len;
		job->auth_tag_output = l->digests[i];
		job->auth_tag_output_len_in_bytes = SHA256_SIZE;
		job = IMB_SUBMIT_JOB_NOCHECK(manager);
		if (job != NULL && job->status != IMB_STATUS_COMPLETED)
			abort();
	}
}

static IMB_MGR *open_ipsecmb(enum ipsecmb_kind kind)
{
	IMB_MGR *manager = ipsecmb_has(kind) ? alloc_mb_mgr(0) : NULL;

	if (manager != NULL && kind == IPSECMB_SHANI)
		init_mb_mgr_sse(manager);
	else if (manager != NULL && kind == IPSECMB_AVX2)
		init_mb_mgr_avx2(manager);
	else if (manager != NULL)
		init_mb_mgr_avx512(manager);
	return manager;
}

static void close_ipsecmb(void *context)
{
	IMB_MGR *manager = context;

	while (manager != NULL && IMB_FLUSH_JOB(manager) != NULL)
		;
	free_mb_mgr(manager);
}
#endif

static void hash_lanes(void *context, struct load *l)
{
	lanes_hash(context, l->messages, l->count);
}

static void hash_batch(void *context, struct load *l)
{
	struct err e;

	if (batch_hash(context, l->items, l->count, &e) != 0)
		abort();
}

/* As one file that does not end. */
static void hash_file(void *context, struct load *l)
{
	filehash_update(context, l->bytes, BYTES);
}

/* --- turns --------------------------------------------------------------------------------------
 */

struct contender {
	const char *what;
	void (*hash)(void *context, struct load *l);
	void *context;
	struct load *load;
	double speed[ROUNDS_MAX]; /* in GB/s */
};

static double thread_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double take_turn(const struct contender *c, double seconds)
{
	double from, now;
	size_t loads = 0;

	/* Caches, clock frequency, and what sets itself up at the first use. */
	for (int i = 0; i < 4; i++)
		c->hash(c->context, c->load);
	from = thread_seconds();
	do {
		c->hash(c->context, c->load);
		loads++;
		now = thread_seconds();
	} while (now - from < seconds);
	return (double)(loads * BYTES) / (now - from) / 1e9;
}

static int compare_double(const void *left, const void *right)
{
	double x = *(const double *)left, y = *(const double *)right;

	return (x > y) - (x < y);
}

static void report(struct contender *c, size_t rounds)
{
	qsort(c->speed, rounds, sizeof *c->speed, compare_double);
	double median = (c->speed[(rounds - 1) / 2] + c->speed[rounds / 2]) / 2;
	printf("{\"what\":\"%s\",\"message_bytes\":%zu,\"gb_per_second\":%.4f,"
	       "\"min\":%.4f,\"max\":%.4f}\n",
	       c->what, c->hash == hash_file ? BYTES : c->load->len, median, c->speed[0],
	       c->speed[rounds - 1]);
}

/* --- who takes part -----------------------------------------------------------------------------
 */

struct team {
	struct contender list[32];
	size_t count;
};

static void add(struct team *t, const char *what, void (*hash)(void *, struct load *),
		void *context, struct load *load)
{
	t->list[t->count++] = (struct contender){what, hash, context, load, {0}};
}

/* What is built on a backend, for one value of SWARM_HASH. */
struct ours {
	struct lanes *lanes;
	struct merkle_pads pads;
	struct filehash *roots, *both;
	struct batch *batch, *batch_both;
};

static int ours_open(struct ours *o, const char *backend, struct err *e)
{
	struct filehash_options how = {.piece_length = 256 * 1024};

	if (setenv("SWARM_HASH", backend, 1) != 0)
		return err_nomem(e);
	if ((o->lanes = lanes_new(e)) == NULL || (o->roots = filehash_new(&how, e)) == NULL)
		return -1;
	merkle_fill_pads(&o->pads, o->lanes);
	o->batch = batch_new(&how, o->lanes, &o->pads, e);
	how.plain = true;
	if (o->batch == NULL || (o->both = filehash_new(&how, e)) == NULL)
		return -1;
	o->batch_both = batch_new(&how, o->lanes, &o->pads, e);
	return o->batch_both != NULL ? 0 : -1;
}

static void ours_close(struct ours *o)
{
	batch_free(o->batch_both);
	batch_free(o->batch);
	filehash_free(o->both);
	filehash_free(o->roots);
	lanes_free(o->lanes);
}

static void run(struct team *t, size_t rounds, double seconds)
{
	for (size_t round = 0; round < rounds; round++)
		for (size_t i = 0; i < t->count; i++)
			t->list[i].speed[round] = take_turn(&t->list[i], seconds);
	for (size_t i = 0; i < t->count; i++)
		report(&t->list[i], rounds);
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 5;
	unsigned long milliseconds = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
	struct load *blocks = load_new(MERKLE_BLOCK), *small = load_new(SMALL);
	EVP_MD_CTX *libcrypto = EVP_MD_CTX_new();
	struct ours fastest = {0}, openssl = {0};
	struct team team = {.count = 0};
	struct err e = {.code = ERR_NONE};
	int status = 2;

	if (argc > 3 || rounds == 0 || rounds > ROUNDS_MAX || milliseconds == 0) {
		fputs("usage: hashspeed [ROUNDS [MILLISECONDS]]\n", stderr);
		goto out;
	}
	if (blocks == NULL || small == NULL || libcrypto == NULL ||
	    ours_open(&fastest, "", &e) != 0 || ours_open(&openssl, "openssl", &e) != 0) {
		fprintf(stderr, "hashspeed: %s\n", e.code != ERR_NONE ? e.msg : "out of memory");
		goto out;
	}
	add(&team, "libcrypto", hash_libcrypto, libcrypto, blocks);
	add(&team, "libcrypto", hash_libcrypto, libcrypto, small);
#ifdef SWARM_IPSECMB
	static const char *const names[IPSECMB_KINDS] = {
	    "libipsec-mb, SHA extensions", "libipsec-mb, AVX2", "libipsec-mb, AVX-512"};
	void *managers[IPSECMB_KINDS] = {NULL};
	for (enum ipsecmb_kind kind = IPSECMB_SHANI; kind <= IPSECMB_AVX512; kind++) {
		managers[kind] = open_ipsecmb(kind);
		if (managers[kind] == NULL)
			continue;
		add(&team, names[kind], hash_ipsecmb, managers[kind], blocks);
		add(&team, names[kind], hash_ipsecmb, managers[kind], small);
	}
#endif
	add(&team, "lanes", hash_lanes, fastest.lanes, blocks);
	add(&team, "lanes", hash_lanes, fastest.lanes, small);
	add(&team, "filehash", hash_file, fastest.roots, blocks);
	add(&team, "filehash, plain", hash_file, fastest.both, blocks);
	add(&team, "batch", hash_batch, fastest.batch, blocks);
	add(&team, "batch", hash_batch, fastest.batch, small);
	add(&team, "batch, plain", hash_batch, fastest.batch_both, small);
	add(&team, "lanes, openssl", hash_lanes, openssl.lanes, blocks);
	add(&team, "filehash, openssl", hash_file, openssl.roots, blocks);
	add(&team, "batch, openssl", hash_batch, openssl.batch, small);
	run(&team, rounds, (double)milliseconds / 1000);
#ifdef SWARM_IPSECMB
	for (size_t i = 0; i < IPSECMB_KINDS; i++)
		close_ipsecmb(managers[i]);
#endif
	status = fflush(stdout) == 0 ? 0 : 2;
out:
	ours_close(&openssl);
	ours_close(&fastest);
	EVP_MD_CTX_free(libcrypto);
	load_free(small);
	load_free(blocks);
	return status;
}
