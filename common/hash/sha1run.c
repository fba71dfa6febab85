#include "swarm/sha1run.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/ipsecmb.h"
#include "swarm/lanes.h"

#define TRIAL_MESSAGES ((size_t)32)
#define TRIAL_LEN      ((size_t)1024)
/* Pieces that are put in order at a time. */
#define GROUP ((size_t)64)

struct sha1run {
	struct sha1 *one;
	struct ipsecmb *many; /* NULL: none */
	size_t width;
	bool failed;
};

/* Of all lengths around the ends of blocks, so that lanes end at different times. */
static bool is_right(const struct sha1run *r)
{
	uint8_t bytes[TRIAL_LEN], digests[TRIAL_MESSAGES][SHA1_SIZE], want[SHA1_SIZE];
	struct sha1_message messages[TRIAL_MESSAGES];
	struct err ignored;

	for (size_t i = 0; i < TRIAL_LEN; i++)
		bytes[i] = (uint8_t)(i * 131 + i / 251);
	for (size_t i = 0; i < TRIAL_MESSAGES; i++)
		messages[i] = (struct sha1_message){bytes, (i / 3) * 64 + 54 + i % 3, digests[i]};
	memset(digests, 0, sizeof digests);
	if (ipsecmb_sha1(r->many, messages, TRIAL_MESSAGES) != 0)
		return false;
	for (size_t i = 0; i < TRIAL_MESSAGES; i++) {
		sha1_once(r->one, bytes, messages[i].len, want);
		if (memcmp(want, digests[i], SHA1_SIZE) != 0)
			return false;
	}
	return sha1_check(r->one, &ignored) == 0;
}

struct sha1run *sha1run_new(struct err *e)
{
	struct sha1run *r = calloc(1, sizeof *r);

	if (r == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	r->one = sha1_new(e);
	if (r->one == NULL || lanes_manager(&r->many, &r->width, e) != 0) {
		sha1run_free(r);
		return NULL;
	}
	if (r->many == NULL || is_right(r))
		return r;
	ipsecmb_free(r->many);
	r->many = NULL;
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
