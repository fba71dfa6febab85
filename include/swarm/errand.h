/* errand: what a command line asks of diff.h: which words go together, and what they mean. */
#ifndef SWARM_ERRAND_H
#define SWARM_ERRAND_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/diff.h"
#include "swarm/err.h"
#include "swarm/opt.h"

/* As given; NULL or empty where not. */
struct errand_words {
	struct opt_list operands; /* OLD and NEW; only NEW with --from */
	struct opt_list from, old_trees;
	const char *new_tree, *output, *payloads, *solid;
	struct opt_number level, memory;
	bool has_strip, summary, json;
};

/*
 * Fills what the words say of `ret`, leaves the rest of it alone, and points into the words.
 * `ret_from` has room for errand_from_max() releases. ERR_USAGE says what does not go together.
 */
ERR_CHECK int errand_read(const struct errand_words *words, struct diff_options *ret,
			  struct diff_from *ret_from, struct err *e);
size_t errand_from_max(const struct errand_words *words);

#endif
