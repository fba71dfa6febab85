/* sha1: SHA-1 (FIPS 180-4), from libcrypto: what BitTorrent v1 is made of, and nothing else here.
 */
#ifndef SWARM_SHA1_H
#define SWARM_SHA1_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

#define SHA1_SIZE ((size_t)20)

/* A whole message, and where its digest is to be written: SHA1_SIZE bytes, no part of any. */
struct sha1_message {
	const void *bytes;
	size_t len;
	uint8_t *digest;
};

/* A running digest. One thread at a time. */
struct sha1;

struct sha1 *sha1_new(struct err *e);
void sha1_free(struct sha1 *s);
/* Starts over. A new one has been started already. */
void sha1_reset(struct sha1 *s);
void sha1_update(struct sha1 *s, const void *bytes, size_t len);
/* The digest of all that came since the start; start over before the next update. */
void sha1_final(struct sha1 *s, uint8_t ret[static SHA1_SIZE]);
/* The digest of one run of bytes; starts over by itself. */
void sha1_once(struct sha1 *s, const void *bytes, size_t len, uint8_t ret[static SHA1_SIZE]);
/* -1 if libcrypto ever refused (a broken provider): then no digest that came from `s` counts. */
ERR_CHECK int sha1_check(const struct sha1 *s, struct err *e);

#endif
