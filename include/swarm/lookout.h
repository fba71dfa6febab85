/*
 * lookout: guards that look at the files of a scan while they are read: at the bytes as they are
 * hashed, with as many watchers as are needed at once, and into formats.
 */
#ifndef SWARM_LOOKOUT_H
#define SWARM_LOOKOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/err.h"
#include "swarm/guards.h"
#include "swarm/hits.h"
#include "swarm/onlooker.h"
#include "swarm/probe.h"
#include "swarm/scan.h"

struct lookout;

/* All are borrowed. Hits have the indices of scan->files. */
struct lookout *lookout_new(const struct guards *guards, const struct scan *scan, struct hits *hits,
			    struct err *e);
/* Once all that was taken has ended. */
void lookout_free(struct lookout *l);

/*
 * An onlooker for content that is that of all of these files, by their indices (at least one; a
 * hard link in an archive has the content of another file). NULL: out of memory.
 */
struct onlooker *lookout_take(struct lookout *l, const size_t *indices, size_t count,
			      struct err *e);

/*
 * Whether content that starts like this must be looked into for one of these files; `len` is
 * WATCHER_START, or all of it.
 */
bool lookout_knows(const struct lookout *l, const size_t *indices, size_t count, const void *first,
		   size_t len);
/* Looks into content of these files, whatever it is. */
ERR_CHECK int lookout_inspect(struct lookout *l, const size_t *indices, size_t count,
			      struct probe *p, struct err *e);

#endif
