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

static void fill_job(IMB_JOB *job, const struct sha256_message *message)
{
	job->cipher_mode = IMB_CIPHER_NULL;
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_HASH_CIPHER;
	job->hash_alg = IMB_AUTH_SHA_256;
	job->src = message->bytes;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = message->len;
	job->auth_tag_output = message->digest;
	job->auth_tag_output_len_in_bytes = SHA256_SIZE;
}

int ipsecmb_hash(struct ipsecmb *m, const struct sha256_message *messages, size_t count)
{
	static const uint8_t nothing;
	size_t done = 0;
	int status = 0;

	for (size_t i = 0; i < count; i++) {
		struct sha256_message message = messages[i];
		IMB_JOB *job = IMB_GET_NEXT_JOB(m->manager);
		if (message.bytes == NULL)
			message.bytes = &nothing;
		fill_job(job, &message);
		/* Without its checks, which would refuse an empty message. */
		if (count_done(IMB_SUBMIT_JOB_NOCHECK(m->manager), &done) != 0)
			status = -1;
	}
	for (const IMB_JOB *job; (job = IMB_FLUSH_JOB(m->manager)) != NULL;)
		if (count_done(job, &done) != 0)
			status = -1;
	return done == count ? status : -1;
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

#endif
