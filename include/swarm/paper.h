/* paper: a document as an object of a store: the digests of its bytes, and what its envelope says.
 */
#ifndef SWARM_PAPER_H
#define SWARM_PAPER_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/pledge.h"
#include "swarm/sha256.h"

struct paper {
	uint64_t size;               /* bytes */
	uint8_t sha256[SHA256_SIZE]; /* of all of it */
	uint8_t body[SHA256_SIZE];   /* of what stands before the envelope */
	uint8_t last[SHA256_SIZE];   /* of the envelope, with its line feed if it has one */
	uint64_t last_size;
	struct buf payload; /* of the envelope */
};

#define PAPER_INIT                  \
	{                           \
		.payload = BUF_INIT \
	}

void paper_release(struct paper *p);
/*
 * Reads the file, of which the first `body` bytes are the body and the others an envelope on one
 * line. ERR_MALFORMED if they are not.
 */
ERR_CHECK int paper_read(const char *path, uint64_t body, struct paper *ret, struct err *e);
/* Whether the envelope says just what `head` does. */
ERR_CHECK int paper_check_head(const struct paper *p, const char *path, const struct head *head,
			       struct err *e);
/*
 * Reads a delta and checks it against what its own envelope says, whoever has signed that.
 * ERR_UNTRUSTED if it is another one, or not signed at all.
 */
ERR_CHECK int paper_read_delta(const char *path, struct paper *ret, struct pledge *ret_pledge,
			       struct err *e);

/* The digest of a whole file. */
ERR_CHECK int paper_digest(const char *path, uint8_t ret[static SHA256_SIZE], uint64_t *ret_size,
			   struct err *e);

#endif
