/* spool: runs of bytes kept in a nameless temporary file until they are wanted. */
#ifndef SWARM_SPOOL_H
#define SWARM_SPOOL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "swarm/err.h"

struct spool;

/* No file is made before the first byte is written. */
struct spool *spool_new(struct err *e);
void spool_free(struct spool *s);
/* Where the next byte will stand. */
uint64_t spool_position(const struct spool *s);
ERR_CHECK int spool_write(struct spool *s, const void *bytes, size_t len, struct err *e);
ERR_CHECK int spool_read(const struct spool *s, uint64_t at, void *to, size_t len, struct err *e);

#endif
