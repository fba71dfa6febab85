/* share: what one of several machines hashes of a tree that all of them have listed. */
#ifndef SWARM_SHARE_H
#define SWARM_SHARE_H

#include "swarm/err.h"
#include "swarm/part.h"
#include "swarm/scan.h"

/*
 * Leaves in scan->files those of the share that part->shard says; totals and problems stay those of
 * the whole. Fills what of `part` tells of the listing and of the share: files, bytes, listing,
 * own_files and own_bytes.
 */
ERR_CHECK int share_take(struct scan *scan, struct part *part, struct err *e);

#endif
