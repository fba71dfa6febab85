/* filehash: everything that a manifest says of a file's content, from one pass over it. */
#ifndef SWARM_FILEHASH_H
#define SWARM_FILEHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/merkle.h"
#include "swarm/sha256.h"

/* The result. Life: FILEHASH_DIGESTS_INIT ... filehash_release(). */
struct filehash_digests {
	uint64_t size; /* bytes that came */
	bool has_sha256;
	uint8_t sha256[SHA256_SIZE];
	uint8_t root[SHA256_SIZE]; /* zeros for an empty file */
	struct buf layer;          /* 32 bytes a piece; empty for a file of at most one piece */
};

#define FILEHASH_DIGESTS_INIT     \
	{                         \
		.layer = BUF_INIT \
	}

void filehash_release(struct filehash_digests *d);

struct filehash_options {
	uint64_t piece_length;
	bool plain; /* the SHA-256 of the whole file too */
};

struct filehash;

struct filehash *filehash_new(const struct filehash_options *options, struct err *e);
void filehash_free(struct filehash *f);
void filehash_update(struct filehash *f, const void *bytes, size_t len);
/* Fills `ret` and starts over for the next file. */
ERR_CHECK int filehash_final(struct filehash *f, struct filehash_digests *ret, struct err *e);
/* Starts over, forgetting what came. */
void filehash_reset(struct filehash *f);

#endif
