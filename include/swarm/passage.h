/*
 * passage: the content of a member of an archive on its way to somewhere else. There is no going
 * back in an archive, so what must be looked into is kept in a temporary file until it is whole.
 */
#ifndef SWARM_PASSAGE_H
#define SWARM_PASSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/lookout.h"
#include "swarm/spool.h"

struct passage {
	/* Filled by the caller, the rest zeroed: */
	struct lookout *lookout; /* NULL: nobody looks */
	const size_t *indices;   /* of the files in the scan that have this content */
	size_t count;
	uint64_t size; /* that the content should have */
	int (*tee)(void *context, const void *bytes, size_t len, struct err *e); /* NULL: none */
	void *context;
	/* The passage's own: */
	bool begun;
	struct spool *kept; /* NULL: nothing has to be looked into */
	uint64_t seen;
};

/* All bytes, in order; the first block holds WATCHER_START of them or all. */
ERR_CHECK int passage_see(void *passage, const void *bytes, size_t len, struct err *e);
/* After the last byte. */
ERR_CHECK int passage_end(struct passage *p, struct err *e);
void passage_release(struct passage *p);

#endif
