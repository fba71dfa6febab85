/*
 * solidbulk: long literals of a solid payload that are not worth a model, as frames of zstd.
 *
 * They resemble nothing that is there (new pictures and sounds), or there are so many that the
 * model would take too long.
 */
#ifndef SWARM_SOLIDBULK_H
#define SWARM_SOLIDBULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/solidparse.h"

/* Makes steps of literals that are bulk into steps of SOLIDPARSE_BULK. */
ERR_CHECK int solidbulk_choose(const struct solidparse_text *text, struct solidparse_step *steps,
			       size_t count, struct err *e);
/* Appends the frames of all such steps to `ret`: the same, however many the threads. */
ERR_CHECK int solidbulk_pack(const struct solidparse_text *text,
			     const struct solidparse_step *steps, size_t count, unsigned threads,
			     struct buf *ret, struct err *e);

struct solidbulk;

/* What a reader takes, in bytes. */
uint64_t solidbulk_memory(void);
/* The frames are borrowed. */
struct solidbulk *solidbulk_open(const uint8_t *frames, size_t len, struct err *e);
void solidbulk_close(struct solidbulk *b);
/* Exactly the next `len` bytes, or ERR_MALFORMED. */
ERR_CHECK int solidbulk_read(struct solidbulk *b, void *to, size_t len, struct err *e);
/* ERR_MALFORMED unless everything was read. */
ERR_CHECK int solidbulk_end(struct solidbulk *b, struct err *e);

#endif
