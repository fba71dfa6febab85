#include "swarm/ipsecmb.h"

#include <stdint.h>
#include <stdlib.h>

size_t ipsecmb_lanes(enum ipsecmb_kind kind)
{
	static const size_t lanes[IPSECMB_KINDS] = {2, 8, 16};

	return lanes[kind];
}

const char *ipsecmb_kind_name(enum ipsecmb_kind kind)
{
	static const char *const names[IPSECMB_KINDS] = {"SHA extensions", "AVX2", "AVX-512"};

	return names[kind];
}

#ifdef SWARM_IPSECMB

#include <intel-ipsec-mb.h>

struct ipsecmb {
	IMB_MGR *manager;
};

/* The two of them are for different processors, so each is named, not left to the library. */
static const struct {
	uint64_t features;
	void (*init)(IMB_MGR *manager);
} kinds[IPSECMB_KINDS] = {{IMB_CPUFLAGS_SSE_T2, init_mb_mgr_sse},
			  {IMB_CPUFLAGS_AVX2, init_mb_mgr_avx2},
			  {IMB_CPUFLAGS_AVX512, init_mb_mgr_avx512}};

bool ipsecmb_has(enum ipsecmb_kind kind)
{
	return (imb_get_feature_flags() & kinds[kind].features) == kinds[kind].features;
}

const char *ipsecmb_version(void)
{
	return imb_get_version_str();
}

static int cannot_be_used(struct err *e)
{
	return err_set(e, ERR_SYSTEM, "libipsec-mb cannot be used on this processor");
}

struct ipsecmb *ipsecmb_new(enum ipsecmb_kind kind, struct err *e)
{
	/* To set up a manager that the processor is not fit for can crash. */
	if (!ipsecmb_has(kind)) {
		(void)cannot_be_used(e);
		return NULL;
	}
	struct ipsecmb *m = calloc(1, sizeof *m);
	if (m == NULL || (m->manager = alloc_mb_mgr(0)) == NULL) {
		free(m);
		(void)err_nomem(e);
		return NULL;
	}
	kinds[kind].init(m->manager);
	if (imb_get_errno(m->manager) == 0)
		return m;
	ipsecmb_free(m);
	(void)cannot_be_used(e);
	return NULL;
}

void ipsecmb_free(struct ipsecmb *m)
{
	if (m == NULL)
		return;
	free_mb_mgr(m->manager);
	free(m);
}

/* Whatever comes back, in whatever order, has its digest in its place. */
static int count_done(const IMB_JOB *job, size_t *done)
{
	if (job == NULL)
		return 0;
	++*done;
	return job->status == IMB_STATUS_COMPLETED ? 0 : -1;
}

struct message {
	const void *bytes;
	size_t len;
	uint8_t *digest;
};

static void fill_job(IMB_JOB *job, IMB_HASH_ALG algorithm, size_t size,
		     const struct message *message)
{
	static const uint8_t nothing;

	job->cipher_mode = IMB_CIPHER_NULL;
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_HASH_CIPHER;
	job->hash_alg = algorithm;
	job->src = message->bytes != NULL ? message->bytes : &nothing;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = message->len;
	job->auth_tag_output = message->digest;
	job->auth_tag_output_len_in_bytes = size;
}

/* Without the library's checks, which would refuse an empty message. */
static int submit(struct ipsecmb *m, size_t *done)
{
	return count_done(IMB_SUBMIT_JOB_NOCHECK(m->manager), done);
}

static int flush(struct ipsecmb *m, size_t *done)
{
	int status = 0;

	for (const IMB_JOB *job; (job = IMB_FLUSH_JOB(m->manager)) != NULL;)
		if (count_done(job, done) != 0)
			status = -1;
	return status;
}

int ipsecmb_hash(struct ipsecmb *m, const struct sha256_message *messages, size_t count)
{
	size_t done = 0;
	int status = 0;

	for (size_t i = 0; i < count; i++) {
		const struct message message = {messages[i].bytes, messages[i].len,
						messages[i].digest};
		fill_job(IMB_GET_NEXT_JOB(m->manager), IMB_AUTH_SHA_256, SHA256_SIZE, &message);
		if (submit(m, &done) != 0)
			status = -1;
	}
	return flush(m, &done) == 0 && done == count ? status : -1;
}

int ipsecmb_sha1(struct ipsecmb *m, const struct sha1_message *messages, size_t count)
{
	size_t done = 0;
	int status = 0;

	for (size_t i = 0; i < count; i++) {
		const struct message message = {messages[i].bytes, messages[i].len,
						messages[i].digest};
		fill_job(IMB_GET_NEXT_JOB(m->manager), IMB_AUTH_SHA_1, SHA1_SIZE, &message);
		if (submit(m, &done) != 0)
			status = -1;
	}
	return flush(m, &done) == 0 && done == count ? status : -1;
}

#else

bool ipsecmb_has(enum ipsecmb_kind kind)
{
	(void)kind;
	return false;
}

const char *ipsecmb_version(void)
{
	return "";
}

struct ipsecmb *ipsecmb_new(enum ipsecmb_kind kind, struct err *e)
{
	(void)kind;
	(void)err_set(e, ERR_SYSTEM, "libipsec-mb was not there when this was built");
	return NULL;
}

void ipsecmb_free(struct ipsecmb *m)
{
	(void)m;
}

int ipsecmb_hash(struct ipsecmb *m, const struct sha256_message *messages, size_t count)
{
	(void)m;
	(void)messages;
	(void)count;
	return -1;
}

int ipsecmb_sha1(struct ipsecmb *m, const struct sha1_message *messages, size_t count)
{
	(void)m;
	(void)messages;
	(void)count;
	return -1;
}

#endif
