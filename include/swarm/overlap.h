/* overlap: how much of one run of bytes stands in another, and in which manner. */
#ifndef SWARM_OVERLAP_H
#define SWARM_OVERLAP_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

/* All but `edits` are bytes of the new run. */
struct overlap {
	uint64_t shared;     /* in runs that stand in the old one too */
	uint64_t in_place;   /* of these: at the same offset */
	uint64_t disordered; /* of these: they stand before what was shared before them */
	uint64_t near;  /* not in such runs, but equal within a short gap between two of them */
	uint64_t same;  /* equal to the byte at the same offset, whatever stands around it */
	uint64_t edits; /* places where a run ends and the next one does not follow on */
};

/*
 * Measures, about: short runs go unseen, and of old bytes that are there more than once only the
 * first are known. Takes at most `memory` bytes besides both, and sees shorter runs the more it
 * has.
 */
ERR_CHECK int overlap_measure(const uint8_t *old, size_t old_len, const uint8_t *new,
			      size_t new_len, uint64_t memory, struct overlap *ret, struct err *e);

#endif
