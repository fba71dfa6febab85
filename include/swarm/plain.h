/* plain: formats that are made of plain digests, which a release can do without. */
#ifndef SWARM_PLAIN_H
#define SWARM_PLAIN_H

#include "swarm/entry.h"
#include "swarm/err.h"

/* ERR_REFUSED for a file without a plain digest; `use` goes on "'x' has no plain digest, ". */
ERR_CHECK int plain_check(const struct entry *entry, const char *use, struct err *e);

#endif
