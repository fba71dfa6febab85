/*
 * solidcode: the new text of a solid payload, told byte by byte by a model that both sides keep.
 *
 * A byte is guessed by the source that it goes along; told is whether the guess is right. If it is
 * not, an operation follows: another byte here, literals, another source, or bytes that stand
 * outside of the model. swarm-solid(5) describes it.
 */
#ifndef SWARM_SOLIDCODE_H
#define SWARM_SOLIDCODE_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/solid.h"
#include "swarm/solidbulk.h"
#include "swarm/solidparse.h"

/* Appends the coded steps to `ret`. */
ERR_CHECK int solidcode_encode(const struct solidparse_text *text,
			       const struct solidparse_step *steps, size_t count, struct buf *ret,
			       struct err *e);

/* `reach` is a power of two. */
ERR_CHECK int solidcode_decode(const uint8_t *bytes, size_t len, struct solidbulk *bulk,
			       uint64_t old_len, uint64_t new_len, uint64_t reach,
			       const struct solid_io *io, struct err *e);
/* What this takes, in bytes. */
uint64_t solidcode_decode_memory(uint64_t new_len, uint64_t reach);

#endif
