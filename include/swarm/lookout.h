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
 * An onlooker for this file, NULL where memory runs out. `also` (NULL: none) was taken for another
 * file with the same content, and sees all with it; after a failure it has ended.
 */
struct onlooker *lookout_take(struct lookout *l, const struct watcher_file *file,
			      struct onlooker *also, struct err *e);

#endif
