/* limits: what real BitTorrent clients load. */
#ifndef SWARM_LIMITS_H
#define SWARM_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

/* libtorrent's, for what comes without a word from its user (load_torrent_limits). */
#define LIMITS_BYTES  UINT64_C(10000000)
#define LIMITS_PIECES UINT64_C(0x200000)
#define LIMITS_TOKENS UINT64_C(3000000)
#define LIMITS_DEPTH  ((size_t)99)

/* What a torrent has: bytes of metainfo, bencode tokens, lists and dictionaries in each other. */
struct limits {
	bool so_far; /* it will have more */
	uint64_t bytes, pieces, tokens;
	size_t depth;
};

/* ERR_REFUSED says what is too much, and what to do. */
ERR_CHECK int limits_check(const struct limits *is, struct err *e);

#endif
