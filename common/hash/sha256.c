#include "swarm/sha256.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct sha256 {
	EVP_MD *algorithm; /* fetched once: EVP_sha256() would be looked up at every start */
	EVP_MD_CTX *context;
	bool failed;
};

struct sha256 *sha256_new(struct err *e)
{
	struct sha256 *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	s->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	s->context = EVP_MD_CTX_new();
	if (s->algorithm == NULL || s->context == NULL) {
		(void)err_set(e, ERR_SYSTEM, "libcrypto offers no SHA-256");
		sha256_free(s);
		return NULL;
	}
	sha256_reset(s);
	return s;
}

void sha256_free(struct sha256 *s)
{
	if (s == NULL)
		return;
	EVP_MD_CTX_free(s->context);
	EVP_MD_free(s->algorithm);
	free(s);
}

void sha256_reset(struct sha256 *s)
{
	if (EVP_DigestInit_ex2(s->context, s->algorithm, NULL) != 1)
		s->failed = true;
}

void sha256_update(struct sha256 *s, const void *bytes, size_t len)
{
	if (!s->failed && EVP_DigestUpdate(s->context, bytes, len) != 1)
		s->failed = true;
}

void sha256_final(struct sha256 *s, uint8_t ret[static SHA256_SIZE])
{
	if (!s->failed && EVP_DigestFinal_ex(s->context, ret, NULL) != 1)
		s->failed = true;
	if (s->failed)
		memset(ret, 0, SHA256_SIZE);
}

void sha256_once(struct sha256 *s, const void *bytes, size_t len, uint8_t ret[static SHA256_SIZE])
{
	sha256_reset(s);
	sha256_update(s, bytes, len);
	sha256_final(s, ret);
}

int sha256_check(const struct sha256 *s, struct err *e)
{
	return s->failed ? err_set(e, ERR_SYSTEM, "libcrypto failed to compute a SHA-256") : 0;
}
