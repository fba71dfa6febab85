/* lookout: guards that look on while files are hashed, with as many watchers as are needed at once.
 */
#ifndef SWARM_LOOKOUT_H
#define SWARM_LOOKOUT_H

#include "swarm/err.h"
#include "swarm/guards.h"
#include "swarm/hits.h"
#include "swarm/onlooker.h"
#include "swarm/watcher.h"

struct lookout;

/* Both are borrowed. */
struct lookout *lookout_new(const struct guards *guards, struct hits *hits, struct err *e);
/* Once all that was taken has ended. */
void lookout_free(struct lookout *l);

/*
 * An onlooker for content that is that of all of these files (at least one; a hard link in an
 * archive has the content of another file). They are copied, but for the texts that they point to.
 * NULL: out of memory.
 */
struct onlooker *lookout_take(struct lookout *l, const struct watcher_file *files, size_t count,
			      struct err *e);

#endif
