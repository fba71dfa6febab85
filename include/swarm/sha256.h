/* sha256: SHA-256 (FIPS 180-4), from libcrypto. */
#ifndef SWARM_SHA256_H
#define SWARM_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

#define SHA256_SIZE ((size_t)32)

/* A whole message, and where its digest is to be written: SHA256_SIZE bytes, no part of any. */
struct sha256_message {
	const void *bytes;
	size_t len;
	uint8_t *digest;
};

/* A running digest. One thread at a time. */
struct sha256;

struct sha256 *sha256_new(struct err *e);
void sha256_free(struct sha256 *s);
/* Starts over. A new one has been started already. */
void sha256_reset(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *bytes, size_t len);
/* The digest of all that came since the start; start over before the next update. */
void sha256_final(struct sha256 *s, uint8_t ret[static SHA256_SIZE]);
/* -1 if libcrypto ever refused (a broken provider): then no digest that came from `s` counts. */
ERR_CHECK int sha256_check(const struct sha256 *s, struct err *e);
/* The digest of one run of bytes; starts over by itself. */
void sha256_once(struct sha256 *s, const void *bytes, size_t len, uint8_t ret[static SHA256_SIZE]);

#endif
