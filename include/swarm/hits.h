/*
 * hits: what guards found, by all threads that look.
 *
 * A hit says which guard it was and where. What was found is in no message.
 */
#ifndef SWARM_HITS_H
#define SWARM_HITS_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/guards.h"

/* A guard that found something in a file, however often. */
struct hits_hit {
	size_t file; /* the caller's number for it */
	const struct guards_guard *guard;
	uint64_t line;   /* of the first, from 1; 0 where there are no lines */
	uint64_t offset; /* likewise, in bytes from the start of the file */
	uint64_t count;  /* how often */
};

struct hits;

struct hits *hits_new(struct err *e);
void hits_free(struct hits *h);
/* From any thread. */
ERR_CHECK int hits_add(struct hits *h, const struct hits_hit *hit, struct err *e);
/* Once no thread adds any more: sorted by file, then in the order of guards. */
const struct hits_hit *hits_list(struct hits *h, size_t *ret_count);

#endif
