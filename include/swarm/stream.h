/*
 * stream: reads one file of a source after the other, in the only order in which they can be had or
 * are wanted, and has them hashed meanwhile.
 */
#ifndef SWARM_STREAM_H
#define SWARM_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/hasher.h"
#include "swarm/onlooker.h"
#include "swarm/progress.h"
#include "swarm/source.h"

struct stream {
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
ERR_CHECK int stream_read(const struct stream *stream, struct filehash_digests *ret,
			  uint64_t *ret_size, struct err *e);

#endif
