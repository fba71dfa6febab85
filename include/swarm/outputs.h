/* outputs: where the outputs of a run may stand: where they can neither be published nor do harm.
 */
#ifndef SWARM_OUTPUTS_H
#define SWARM_OUTPUTS_H

#include <stddef.h>

#include "swarm/err.h"
#include "swarm/rules.h"
#include "swarm/source.h"

/* A file that is read, and must not be written over. */
struct outputs_input {
	const char *path; /* NULL: none */
	const char *what; /* "an access log" */
};

struct outputs {
	/* Where to; "-" is standard output, NULL: none. */
	const char *inventory, *bundle, *report, *cache;
	const struct outputs_input *inputs; /* beside the tree and the rules */
	size_t input_count;
};

/*
 * ERR_USAGE for outputs that are each other or an input; that lie in the tree, where this run or
 * the next would publish them, unless their names there (less `strip` components) are private; and
 * for a bundle that is a folder and would replace the tree, the current directory, or a file of the
 * above.
 */
ERR_CHECK int outputs_check(const struct outputs *outputs, const struct source *source,
			    const struct rules *rules, unsigned strip, struct err *e);

#endif
