/*
 * content: reads every published file once: the plain digest, the BEP 52 root and layer, and the
 * copy in the bundle come from the same bytes, and guards look at them as they pass.
 *
 * An archive is read in its own order. What comes before its turn in the bundle is kept in a
 * nameless temporary file until then.
 */
#ifndef SWARM_CONTENT_H
#define SWARM_CONTENT_H

#include "swarm/bundle.h"
#include "swarm/cache.h"
#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/guards.h"
#include "swarm/hits.h"
#include "swarm/pool.h"
#include "swarm/progress.h"
#include "swarm/scan.h"
#include "swarm/source.h"

struct content {
	struct source *source;
	const struct scan *scan;
	struct bundle *bundle; /* NULL: none */
	struct pool *pool;
	struct filehash_options hash;
	struct progress *progress; /* NULL: none */
	struct filehash_digests
	    *digests;                /* to be filled: one for each of scan->files, initialised */
	const struct guards *guards; /* look at all of it; NULL: none */
	struct hits *hits;           /* what they find, by index of scan->files */
	struct cache *cache;         /* what is known of a directory's files; NULL: nothing */
};

/*
 * A file that is not as it was listed is ERR_CHANGED. What the cache knows is not read, and what it
 * does not know, it gets to know, also of a read that failed; with a bundle, which needs all
 * content, it is neither asked nor told.
 */
ERR_CHECK int content_read(const struct content *c, struct err *e);

#endif
