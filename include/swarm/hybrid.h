/*
 * hybrid: a hybrid torrent (BEP 52), by whomever it was made, held against the files of a release.
 *
 * Its `file tree` must be the public files and nothing else, its v1 `files` the same in that order,
 * with pads where a file does not end on a piece, whatever of that a client goes by (`path` or
 * `path.utf-8`). What else it says is not looked at.
 */
#ifndef SWARM_HYBRID_H
#define SWARM_HYBRID_H

#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/sha1.h"
#include "swarm/sha256.h"

struct hybrid;

/* Reads all of it; "-" is standard input. ERR_MALFORMED if it is no hybrid torrent. */
struct hybrid *hybrid_open(const char *path, struct err *e);
void hybrid_close(struct hybrid *h);

/* The release, then its public files in order. ERR_UNTRUSTED says what is not the same. */
ERR_CHECK int hybrid_begin(struct hybrid *h, const char *name, uint64_t piece_length,
			   struct err *e);
ERR_CHECK int hybrid_add(struct hybrid *h, const struct entry *entry, struct err *e);
ERR_CHECK int hybrid_end(struct hybrid *h, struct err *e);

/* Its infohashes. */
const uint8_t *hybrid_btmh(const struct hybrid *h); /* SHA256_SIZE bytes */
const uint8_t *hybrid_btih(const struct hybrid *h); /* SHA1_SIZE bytes */

#endif
