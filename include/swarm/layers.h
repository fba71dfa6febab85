/*
 * layers: the `piece layers` of a torrent (BEP 52): by root, each once, the piece hashes of the
 * files that are longer than a piece. They wait in a temporary file; 48 bytes a file are kept.
 */
#ifndef SWARM_LAYERS_H
#define SWARM_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"

struct layers;

struct layers *layers_new(struct err *e);
void layers_free(struct layers *l);
/* Files that have no layer are ignored. */
ERR_CHECK int layers_add(struct layers *l, const struct entry *entry, struct err *e);
/*
 * Passes on the dictionary, bencoded, piece by piece; adds to *tokens what bencode.h counts. `put`
 * returns 0, or -1 with `e` filled. Nothing is to be added afterwards.
 */
ERR_CHECK int layers_write(struct layers *l,
			   int (*put)(void *context, const void *bytes, size_t len, struct err *e),
			   void *context, uint64_t *tokens, struct err *e);

#endif
