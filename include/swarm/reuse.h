/*
 * reuse: takes the digests of files that have not changed from a cache, and gives it those of files
 * that were read.
 *
 * A file is known if it is what it was (cache.h), and if the same guards would look at it in the
 * same way as they did when they found nothing: what they find is remembered of no file.
 */
#ifndef SWARM_REUSE_H
#define SWARM_REUSE_H

#include <stdbool.h>

#include "swarm/content.h"
#include "swarm/err.h"

/* Fills c->digests of what is known, and known[i] for each of c->scan->files. */
ERR_CHECK int reuse_find(const struct content *c, bool *known, struct err *e);
/* Remembers files whose done[i] says that they were read to their end and not changed meanwhile. */
ERR_CHECK int reuse_remember(const struct content *c, const bool *done, struct err *e);

#endif
