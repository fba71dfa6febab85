/* digest: reads files of a source and hashes them, in the two ways in which that can be done. */
#ifndef SWARM_DIGEST_H
#define SWARM_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/hasher.h"
#include "swarm/onlooker.h"
#include "swarm/pool.h"
#include "swarm/progress.h"
#include "swarm/source.h"

/* --- files of a directory, in any order, each thread reading files of its own -------------------
 */

struct digest_file {
	const char *path;                   /* in the source */
	const struct source_item *expected; /* as in source_file_open() */
	uint64_t limit; /* how many bytes of it to hash; what is behind them is not read */
	struct onlooker *onlooker; /* NULL: none; its end() is called whatever happens */
};

#define DIGEST_FIRST ((size_t)64)

struct digest_job {
	struct source *source;
	struct filehash_options hash;
	struct progress *progress; /* NULL: none */
	size_t count;
	void *context;
	/* What to read for i (`ret` is zeroed); false: nothing. Called from several threads. */
	bool (*want)(void *context, size_t i, struct digest_file *ret, struct source_item *room);
	/*
	 * NULL: nobody does. Looks once more at a file that has been hashed and is still open;
	 * `first` is what it starts with: all of a small file, at least DIGEST_FIRST bytes of a
	 * larger one. -1 is a failure of the file. Called from several threads.
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

/* --- one file after the other, by one reader ----------------------------------------------------
 */

struct digest_stream {
	struct source *source;    /* the item that it stands at is read, unless there is: */
	struct source_file *file; /* an open file; NULL if not */
	struct hasher *hasher;
	struct progress *progress; /* NULL: none */
	uint64_t limit;            /* how many bytes to hash; what is behind them is not read */
	/* Sees all bytes as they pass, in order; NULL: nobody does. */
	int (*tee)(void *context, const void *bytes, size_t len, struct err *e);
	void *context;
	struct onlooker *onlooker; /* NULL: none; its end() is called whatever happens */
};

/*
 * Reads to the end, or to where it is clear that there is more than the limit: an archive can hold
 * zeros without end in little space. The digests are in *ret after hasher_wait(); *ret_size is what
 * was read.
 */
ERR_CHECK int digest_read(const struct digest_stream *stream, struct filehash_digests *ret,
			  uint64_t *ret_size, struct err *e);

#endif
