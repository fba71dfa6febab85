/*
 * lanes: SHA-256 of many messages at once, as fast as the processor does it.
 *
 * The blocks of a hash tree, and the files of a release, are messages that do not depend on each
 * other, and a processor can hash several of them side by side. libipsec-mb does that, in the way
 * that proves fastest here (ipsecmb.h); where it is not there, or for a message that is alone or
 * very long, libcrypto hashes one after the other. The digests are the same. SWARM_HASH in the
 * environment forces one of the two: openssl or ipsec-mb.
 */
#ifndef SWARM_LANES_H
#define SWARM_LANES_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/sha256.h"

/* One thread at a time. */
struct lanes;

/*
 * libipsec-mb is set up once there is enough to hash. The first time in a process it has to give
 * libcrypto's digests of some messages, else it is not used, and its ways are timed. ERR_USAGE:
 * SWARM_HASH asks for what there is not.
 */
struct lanes *lanes_new(struct err *e);
void lanes_free(struct lanes *l);

/* Hashes all of them before it returns. */
void lanes_hash(struct lanes *l, const struct sha256_message *messages, size_t count);
/* -1 if a library ever refused: then no digest that came from `l` counts. */
ERR_CHECK int lanes_check(const struct lanes *l, struct err *e);

/* Whether libipsec-mb may be used for other hashes, too. -1 as in lanes_new(). */
ERR_CHECK int lanes_allow_ipsecmb(bool *ret, struct err *e);

/*
 * Appends a line that tells people what hashes in this process: "hashing: OpenSSL 3.0.17", or
 * "hashing: libipsec-mb 1.3.0 (AVX-512), OpenSSL 3.0.17". -1 as in lanes_new().
 */
ERR_CHECK int lanes_describe(struct buf *to, struct err *e);

#endif
