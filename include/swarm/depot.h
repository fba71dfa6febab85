/* depot: the folder that payloads are written to, each under its name, see payload.h. */
#ifndef SWARM_DEPOT_H
#define SWARM_DEPOT_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/dcz.h"
#include "swarm/err.h"
#include "swarm/scratch.h"
#include "swarm/sha256.h"

/* All is borrowed. */
struct depot {
	const char *folder;
	struct scratch *scratch;
};

/* A new file, which a payload has to give. */
struct depot_content {
	struct buf bytes;
	uint8_t sha256[SHA256_SIZE]; /* of the bytes */
};

/* Makes the folder, unless it is there. */
ERR_CHECK int depot_make(const struct depot *d, struct err *e);
/*
 * Whether the payload of this content against this base is in the folder already, and right: it
 * gives the content. Then it is in `ret`, whose old content is lost in either case.
 */
ERR_CHECK int depot_find(const struct depot *d, const struct depot_content *content,
			 const struct dcz_base *base, struct buf *ret, bool *ret_found,
			 struct err *e);
/* Writes a payload, in place of a wrong one; base_sha256 NULL: plain zstd. */
ERR_CHECK int depot_put(const struct depot *d, const struct depot_content *content,
			const uint8_t *base_sha256, const struct buf *payload, struct err *e);

#endif
