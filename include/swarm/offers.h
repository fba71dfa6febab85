/*
 * offers: the payloads in a folder that are of files of a release, under their names, see
 * payload.h. Whatever else stands in the folder is ignored.
 */
#ifndef SWARM_OFFERS_H
#define SWARM_OFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/sha256.h"

struct offer {
	uint8_t file[SHA256_SIZE];
	bool has_base; /* it is dcz, else plain zstd */
	uint8_t base[SHA256_SIZE];
	uint64_t size; /* bytes; known once it was claimed */
	bool claimed;  /* a file of the release has this content */
	bool useful;   /* and is larger than the payload */
};

struct offers {
	struct offer *list; /* ordered by file; of one file by base, plain zstd last */
	size_t count;
	char *folder;
};

/* Lists the folder. `ret` is released by offers_release(), also after a failure. */
ERR_CHECK int offers_read(const char *folder, struct offers *ret, struct err *e);
void offers_release(struct offers *o);
/*
 * Claims the payloads of a file of this content and size; there may be none. ERR_MALFORMED for one
 * that does not begin as its name says: with the dictionary's digest, or as a frame of zstd.
 */
ERR_CHECK int offers_claim(struct offers *o, const uint8_t file[static SHA256_SIZE], uint64_t size,
			   struct err *e);
/* Appends its name. */
void offers_name(struct buf *to, const struct offer *offer);

#endif
