/* draft: a delta that is written and proven before anybody sees it. */
#ifndef SWARM_DRAFT_H
#define SWARM_DRAFT_H

#include <stdint.h>

#include "swarm/changes.h"
#include "swarm/document.h"
#include "swarm/err.h"
#include "swarm/outfile.h"
#include "swarm/payloads.h"
#include "swarm/sha256.h"

/* A solid payload: it holds all files of which changes_is_fetched(). */
struct draft_solid {
	uint64_t size; /* 0: there is none */
	uint8_t sha256[SHA256_SIZE];
};

struct draft {
	const struct changes *changes;
	const struct payloads_item *payloads; /* one for each of the changes; NULL: none */
	struct draft_solid solid;
};

/*
 * Writes the delta to a temporary file, makes the new manifest of it and of the old one (`from`),
 * which must be the one that the changes start from, and only then copies it to `out`, which stays
 * to be committed.
 */
ERR_CHECK int draft_write(const struct draft *d, struct document *from, struct outfile *out,
			  uint64_t *ret_bytes, struct err *e);

#endif
