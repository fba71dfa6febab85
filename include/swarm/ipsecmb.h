/*
 * ipsecmb: SHA-256, or SHA-1, of many messages at once, from the multi-buffer managers of
 * libipsec-mb.
 *
 * A manager has lanes: it hashes so many messages side by side, and takes as long for one of them
 * as for a full set. Use it through lanes.h, which knows when that pays.
 */
#ifndef SWARM_IPSECMB_H
#define SWARM_IPSECMB_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/err.h"
#include "swarm/sha1.h"
#include "swarm/sha256.h"

enum ipsecmb_kind {
	IPSECMB_SHANI,  /* two lanes, with the SHA extensions of x86 */
	IPSECMB_AVX2,   /* eight */
	IPSECMB_AVX512, /* sixteen */
};
#define IPSECMB_KINDS 3

/* Whether it was built in, and this processor has what the kind needs. */
bool ipsecmb_has(enum ipsecmb_kind kind);
size_t ipsecmb_lanes(enum ipsecmb_kind kind);
/* "SHA extensions", "AVX2", "AVX-512". */
const char *ipsecmb_kind_name(enum ipsecmb_kind kind);
/* "1.3.0"; "" where it was not built in. */
const char *ipsecmb_version(void);

/*
 * Not a limit of the library's SHA-256 (of its HMACs it is: their lanes count blocks of 64 bytes in
 * 16 bits); but who has more than this in memory as one message gains little.
 */
#define IPSECMB_LEN_MAX ((size_t)65535 * 64 - 64)

/* A manager, for one thread at a time. */
struct ipsecmb;

struct ipsecmb *ipsecmb_new(enum ipsecmb_kind kind, struct err *e);
void ipsecmb_free(struct ipsecmb *m);
/*
 * Hashes all of them, each of at most IPSECMB_LEN_MAX bytes, before it returns. -1: the library
 * refused one, and none of the digests counts.
 */
ERR_CHECK int ipsecmb_hash(struct ipsecmb *m, const struct sha256_message *messages, size_t count);
ERR_CHECK int ipsecmb_sha1(struct ipsecmb *m, const struct sha1_message *messages, size_t count);

#endif
