/*
 * solidparse: which bytes of a new text are best taken from where.
 *
 * The answer is a list of steps. From `at` to the next step, bytes are literals, or they go along a
 * source: most of them equal it, each other one is replaced.
 */
#ifndef SWARM_SOLIDPARSE_H
#define SWARM_SOLIDPARSE_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/solidindex.h"

/* A source is a place in the old text, or with this bit one in the new text before. */
#define SOLIDPARSE_NEW     (UINT64_C(1) << 63)
#define SOLIDPARSE_LITERAL UINT64_MAX
/* Literals that solidbulk.h has taken on. */
#define SOLIDPARSE_BULK (UINT64_MAX - 1)

/* A source in the new text lies at least so far back. */
#define SOLIDPARSE_APART 16

struct solidparse_step {
	uint64_t at, source;
};

struct solidparse_text {
	const uint8_t *old, *new;
	size_t old_len, new_len;
	uint64_t reach; /* how far back a source in the new text may lie */
};

/*
 * The steps, in order, the first at 0 unless the text is empty. The first byte that is not a
 * literal equals its source. The caller frees *ret with free().
 */
ERR_CHECK int solidparse_run(const struct solidparse_text *text, struct solidindex *index,
			     struct solidparse_step **ret, size_t *ret_count, struct err *e);

#endif
