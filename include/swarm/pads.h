/*
 * pads: names for the padding of a hybrid torrent (BEP 47): `.pad/N` for N bytes, and as clients
 * refuse two files of one name, `.pad/N.1`, `.pad/N.2`, ... for further ones of that size.
 */
#ifndef SWARM_PADS_H
#define SWARM_PADS_H

#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

struct pads;

struct pads *pads_new(struct err *e);
void pads_free(struct pads *p);
/* Appends the next name for `size` bytes, what stands behind ".pad/". */
ERR_CHECK int pads_name(struct pads *p, uint64_t size, struct buf *to, struct err *e);

#endif
