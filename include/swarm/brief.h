/*
 * brief: what is asked of pack.h, read from the words of a command line. Messages name the options
 * of swarmpack(1).
 */
#ifndef SWARM_BRIEF_H
#define SWARM_BRIEF_H

#include <stdbool.h>

#include "swarm/err.h"
#include "swarm/opt.h"
#include "swarm/pack.h"

struct brief_words {
	struct opt_list rules, explain, logs, url_prefixes;
	/* NULL where nothing is said. */
	const char *output, *bundle, *report; /* where to; "-" is standard output */
	const char *cache;
	const char *like, *against; /* earlier releases; "-" is standard input */
	const char *piece_length;   /* a number with a unit, or "auto" */
	const char *hot;            /* a share; else BRIEF_HOT */
	const char *shard;          /* "K/N" */
	bool dry_run, no_sha256, no_new_public, merge, strip;
};

#define BRIEF_HOT 0.95

/*
 * ERR_USAGE for words that contradict each other or miss their company. `json` says that results go
 * to standard output.
 */
ERR_CHECK int brief_check(const struct brief_words *words, const struct opt_list *operands,
			  bool json, struct err *e);
/*
 * Fills what words say of `ret`, which borrows them, and reads the piece length of `like`.
 * ERR_USAGE for what is no number; failures of `like` and `against`, if they cannot be read.
 */
ERR_CHECK int brief_read(const struct brief_words *words, struct pack_options *ret, struct err *e);

#endif
