/*
 * cache: digests of files that have not changed since they were last read, in a file.
 *
 * A file is known by what the kernel tells of it: device, inode, size, and the times of its last
 * change (mtime and ctime) in nanoseconds. ctime cannot be set: whatever is written to a file moves
 * it. The exception are pages that a program keeps mapped: of each, only the first change since it
 * last went to disk does (in a tmpfs, the first ever), so a tree that is written to in that way
 * needs its writers to be done before it is packed.
 *
 * Two things make the times unsafe, and such files are never remembered: a file that changed so
 * shortly before it was read that a later change could bear the same time (the racy timestamp that
 * git's index is careful of, too), and one whose times are coarse, as on file systems that keep
 * seconds or hundredths of them only, or that are images made to have the same times in every
 * version.
 *
 * What else the digests depend on, such as the guards that looked at the content, is the caller's
 * `seal`.
 *
 * The file is private to its owner: who can write to it decides what is published under a digest.
 * It is little-endian:
 *
 *   64 bytes   "swarm: cache/1\n", a NUL, then as 64-bit numbers the count of records, the bytes
 *              of layers, and zeros
 *   records    of 152 bytes, see cache.c, sorted by device, inode and seal
 *   layers     of the records, one after the other
 *   32 bytes   the SHA-256 of all that
 *
 * A file that is not so, as a whole, is ignored. One that does not even begin as some version of it
 * does, and what is no regular file, is not replaced either.
 */
#ifndef SWARM_CACHE_H
#define SWARM_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/scratch.h"
#include "swarm/source.h"

#define CACHE_SEAL ((size_t)16)
/* Who was not asked for in so many days is forgotten. */
#define CACHE_DAYS 30

struct cache;

/* What is asked for, or remembered. */
struct cache_key {
	struct source_stamp stamp;
	uint64_t size;
	uint8_t seal[CACHE_SEAL];
};

/*
 * One whose file is not there yet is empty. So is one that cannot be used; then a line that says
 * why is appended to `ret_why`. NULL: out of memory.
 */
struct cache *cache_open(const char *path, struct buf *ret_why, struct err *e);
void cache_free(struct cache *c);

/*
 * 1 with the digests as `options` wants them, in *ret (initialised, the caller's); 0: not known;
 * -1: out of memory. Not for several threads at a time.
 */
ERR_CHECK int cache_find(struct cache *c, const struct cache_key *key,
			 const struct filehash_options *options, struct filehash_digests *ret,
			 struct err *e);
/*
 * Remembers what was read after cache_open(), unless it is unsafe. The digests are those of
 * `options`.
 */
ERR_CHECK int cache_add(struct cache *c, const struct cache_key *key,
			const struct filehash_options *options,
			const struct filehash_digests *digests, struct err *e);
/* Writes it, if there is anything new. The file appears complete or stays as it was. */
ERR_CHECK int cache_save(struct cache *c, struct scratch *scratch, struct err *e);

#endif
