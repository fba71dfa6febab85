/*
 * hasher: hashes files whose content one thread reads in order, on the threads of a pool.
 *
 * The reader takes an empty block, fills it, uses the bytes for its own ends, and gives it to the
 * file it belongs to. The blocks of a file are hashed in order, those of several files at the same
 * time. There is a fixed number of blocks: a reader that is too far ahead waits.
 */
#ifndef SWARM_HASHER_H
#define SWARM_HASHER_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/onlooker.h"
#include "swarm/pool.h"

#define HASHER_BLOCK ((size_t)256 * 1024)

struct hasher;
struct hasher_file;

struct hasher_block {
	struct hasher_block *next; /* the hasher's */
	size_t len;                /* how much of it is filled */
	uint8_t bytes[];           /* HASHER_BLOCK of them */
};

/* `pool` is borrowed. */
struct hasher *hasher_new(struct pool *pool, const struct filehash_options *options, struct err *e);
/* Waits for what is being hashed. */
void hasher_free(struct hasher *h);

/* An empty block; it comes back by hasher_push(). */
struct hasher_block *hasher_take(struct hasher *h);

/*
 * Starts a file whose digests will be in *ret (initialised, the caller's) after hasher_wait().
 * `onlooker` (NULL: none) sees what is hashed of it. NULL: out of memory.
 */
struct hasher_file *hasher_begin(struct hasher *h, struct onlooker *onlooker,
				 struct filehash_digests *ret, struct err *e);
void hasher_push(struct hasher_file *f, struct hasher_block *block);
/*
 * No more blocks come; `f` is the hasher's from here on. Every file begun must be ended, after a
 * failure too.
 */
void hasher_end(struct hasher_file *f);

/* Waits until all files that were ended are hashed; -1 if any could not be. */
ERR_CHECK int hasher_wait(struct hasher *h, struct err *e);

#endif
