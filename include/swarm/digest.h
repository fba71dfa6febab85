/*
 * digest: reads and hashes files of a directory, in any order, on all threads of a pool.
 *
 * Small files are read whole, many at a time, and hashed together (batch.h). Large ones are read in
 * chunks, by several threads at once (chunked.h), the largest first; what has to see their bytes in
 * order, a plain digest or an onlooker, follows behind, on one thread at a time. Which thread does
 * what depends on timing, what comes out does not.
 */
#ifndef SWARM_DIGEST_H
#define SWARM_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/onlooker.h"
#include "swarm/pool.h"
#include "swarm/progress.h"
#include "swarm/source.h"

struct digest_file {
	const char *path;                   /* in the source */
	const struct source_item *expected; /* as in source_file_open() */
	uint64_t limit; /* how many bytes of it to hash; what is behind them is not read */
	struct onlooker *onlooker; /* NULL: none; its end() is called whatever happens */
};

#define DIGEST_FIRST ((size_t)64)
/* As a size: nothing is to be read. */
#define DIGEST_SKIP UINT64_MAX

struct digest_job {
	struct source *source;
	struct filehash_options hash;
	struct progress *progress; /* NULL: none */
	size_t count;
	void *context;
	/*
	 * How large i is going to be, as far as is known, or DIGEST_SKIP. Called at any time, from
	 * several threads; always the same.
	 */
	uint64_t (*size)(void *context, size_t i);
	/*
	 * What to read for i (`ret` is zeroed, and copied; so is `room`, which
	 * is there for `expected` to point to until the file is open); false: nothing
	 * after all. Called from several threads.
	 */
	bool (*want)(void *context, size_t i, struct digest_file *ret, struct source_item *room);
	/*
	 * NULL: nobody does. Looks once more at a file that has been read and is still open;
	 * `first` is what it starts with: DIGEST_FIRST bytes at least, or all that there are.
	 * -1 is a failure of the file. Called from several threads.
	 */
	int (*look)(void *context, size_t i, struct source_file *file, const uint8_t *first,
		    size_t first_len, struct err *e);
	/*
	 * The result for i: its digests, which may be moved out of *digests, and the size of the
	 * file; or why there are none (`e`, else NULL). -1 ends the job. Called from several
	 * threads.
	 */
	int (*done)(void *context, size_t i, struct filehash_digests *digests, uint64_t size,
		    const struct err *e);
};

/* -1 if done() ended it (`e` is left alone), or if it could not be started. */
ERR_CHECK int digest_files(const struct digest_job *job, struct pool *pool, struct err *e);

#endif
