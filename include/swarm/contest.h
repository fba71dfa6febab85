/*
 * contest: which way to make a new file costs the least: against one of several old files, or on
 * its own.
 *
 * What is weighed is bytes to fetch, and a little of what a base takes to be read; a payload that
 * may not be given to peers, although its file is public, counts as a tenth more. All rivals are
 * tried at a low level, the best ones encoded in full and proven.
 */
#ifndef SWARM_CONTEST_H
#define SWARM_CONTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/depot.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/orders.h"
#include "swarm/sha256.h"
#include "swarm/stock.h"

/* The same for all contests of a run. All is borrowed. */
struct contest_rules {
	const struct orders *orders;
	const struct depot *depot;
	int level;       /* of zstd; a lower one where memory does not allow it */
	uint64_t memory; /* that a contest stays within, with the new file */
};

struct contest_winner {
	bool any;                         /* memory allows one at least */
	const struct entry *base;         /* NULL: on its own */
	uint8_t base_sha256[SHA256_SIZE]; /* where there is a base */
	bool exists;                      /* the payload is in the depot already */
};

/*
 * How much memory the contest for an order takes, with its new file of `len` bytes; 0: none is
 * held, as there is no rival for which the rules allow enough.
 */
uint64_t contest_memory(const struct contest_rules *rules, const struct orders_order *order,
			uint64_t len);
/* Leaves the winner's payload in `best`; the old files are read from `old`. */
ERR_CHECK int contest_run(const struct contest_rules *rules, const struct orders_order *order,
			  const struct depot_content *content, const struct stock *old,
			  struct buf *best, struct contest_winner *ret, struct err *e);

#endif
