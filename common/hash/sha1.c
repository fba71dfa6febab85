#include "swarm/sha1.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct sha1 {
	EVP_MD *algorithm; /* fetched once, not at every start */
	EVP_MD_CTX *context;
	bool failed;
};

struct sha1 *sha1_new(struct err *e)
{
	struct sha1 *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	s->algorithm = EVP_MD_fetch(NULL, "SHA1", NULL);
	s->context = EVP_MD_CTX_new();
	if (s->algorithm == NULL || s->context == NULL) {
		(void)err_set(e, ERR_SYSTEM, "libcrypto offers no SHA-1");
		sha1_free(s);
		return NULL;
	}
	sha1_reset(s);
	return s;
}

void sha1_free(struct sha1 *s)
{
	if (s == NULL)
		return;
	EVP_MD_CTX_free(s->context);
	EVP_MD_free(s->algorithm);
	free(s);
}

void sha1_reset(struct sha1 *s)
{
	if (EVP_DigestInit_ex2(s->context, s->algorithm, NULL) != 1)
		s->failed = true;
}

void sha1_update(struct sha1 *s, const void *bytes, size_t len)
{
	if (!s->failed && EVP_DigestUpdate(s->context, bytes, len) != 1)
		s->failed = true;
}

void sha1_final(struct sha1 *s, uint8_t ret[static SHA1_SIZE])
{
	if (!s->failed && EVP_DigestFinal_ex(s->context, ret, NULL) != 1)
		s->failed = true;
	if (s->failed)
		memset(ret, 0, SHA1_SIZE);
}

void sha1_once(struct sha1 *s, const void *bytes, size_t len, uint8_t ret[static SHA1_SIZE])
{
	sha1_reset(s);
	sha1_update(s, bytes, len);
	sha1_final(s, ret);
}

int sha1_check(const struct sha1 *s, struct err *e)
{
	return s->failed ? err_set(e, ERR_SYSTEM, "libcrypto failed to compute a SHA-1") : 0;
}
