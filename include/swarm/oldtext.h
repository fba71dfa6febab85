/*
 * oldtext: the files of an old release as one text, one behind the other in the manifest's order,
 * of which any part can be read: what a solid payload refers to. Not for several threads.
 */
#ifndef SWARM_OLDTEXT_H
#define SWARM_OLDTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/context.h"
#include "swarm/err.h"
#include "swarm/listing.h"
#include "swarm/stock.h"

struct oldtext;

/*
 * Those of the listing's files that are chosen. All is borrowed. Whether the files are what the
 * listing says is for others to check.
 */
struct oldtext *oldtext_new(const struct stock *stock, const struct listing *listing,
			    const struct context_file *files, struct err *e);
void oldtext_free(struct oldtext *o);
/* Exactly `len` bytes from `offset`, which must be there. */
ERR_CHECK int oldtext_read(struct oldtext *o, uint64_t offset, void *to, size_t len, struct err *e);

#endif
