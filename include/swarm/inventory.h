/* inventory: the files of a scan, once they are hashed, as an inventory or as a part of one. */
#ifndef SWARM_INVENTORY_H
#define SWARM_INVENTORY_H

#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/outfile.h"
#include "swarm/part.h"
#include "swarm/scan.h"

struct inventory {
	const struct scan *scan;
	const struct filehash_digests *digests; /* one for each of scan->files */
	uint64_t piece_length;
	uint64_t bytes;          /* of all of scan->files */
	const struct part *part; /* to be written, but for own_digest; NULL: all of it is here */
};

/* `ret` borrows from both. `digests` may be NULL: what was hashed is left out. */
void inventory_entry(const struct scan_file *file, const struct filehash_digests *digests,
		     struct entry *ret);
ERR_CHECK int inventory_write(const struct inventory *i, struct outfile *to, struct err *e);

#endif
