/*
 * pieces: plain SHA-256 digests of the pieces of files, which a manifest does not hold: its layers
 * are of hash trees. The content is read from a directory, on all threads, and in the same pass
 * checked to be that of the manifest.
 */
#ifndef SWARM_PIECES_H
#define SWARM_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/progress.h"
#include "swarm/sha256.h"

/* A file with the content that it should have. */
struct pieces_file {
	const char *path;
	uint64_t size; /* bytes */
	uint8_t sha256[SHA256_SIZE];
	const uint8_t *digests; /* one of SHA256_SIZE a piece; the last piece may be shorter */
	size_t count;           /* 0 for a file of at most one piece, which `sha256` is of */
};

struct pieces_options {
	const char *tree;
	uint64_t piece_length; /* of the manifest */
	unsigned threads;      /* as for pool_new() */
	struct progress *progress;
	/* Gets all files, in the order in which they were added; keeps nothing of them. */
	int (*put)(void *context, const struct pieces_file *file, struct err *e);
	void *context;
};

struct pieces;

/* ERR_USAGE if `tree` is not a directory. `options` is copied. */
struct pieces *pieces_new(const struct pieces_options *options, struct err *e);
void pieces_free(struct pieces *p);
/*
 * Files wait until there are enough for all threads, or for the end. Of those that are not what the
 * manifest says, the first one that was added is told: ERR_UNTRUSTED where the content is another,
 * ERR_REFUSED where there is no such file.
 */
ERR_CHECK int pieces_add(struct pieces *p, const struct entry *entry, struct err *e);
ERR_CHECK int pieces_end(struct pieces *p, struct err *e);

#endif
