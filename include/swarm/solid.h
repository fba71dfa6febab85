/*
 * solid: one payload for all changed files of a release at once, for programs that fetch a single
 * patch: denser than payloads file by file, not for browsers. swarm-solid(5) gives the format.
 *
 * The old files, one behind the other, are the context; the new files, one behind the other, are
 * what is made. Both sides know both lists from the manifests.
 */
#ifndef SWARM_SOLID_H
#define SWARM_SOLID_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

#define SOLID_VERSION 1

/* Files one behind the other. */
struct solid_text {
	const uint8_t *bytes;
	size_t len;
};

struct solid_options {
	unsigned threads; /* for what zstd packs, see solidbulk.h; 0: one */
	uint64_t memory;  /* bytes to stay within, besides both texts and the payload */
};

/* How much memory solid_encode() needs for these lengths, besides both texts and the payload. */
uint64_t solid_encode_memory(uint64_t old_len, uint64_t new_len);

/* Appends the payload to `ret`. The same input gives the same bytes, whatever the threads. */
ERR_CHECK int solid_encode(const struct solid_text *old, const struct solid_text *new,
			   const struct solid_options *options, struct buf *ret, struct err *e);

/* Where a decoder finds the old text, and leaves the new one. */
struct solid_io {
	void *context;
	/* Exactly `len` bytes of the old text from `offset`, which are there. */
	int (*read_old)(void *context, uint64_t offset, void *to, size_t len, struct err *e);
	/* The next bytes of the new text. */
	int (*put)(void *context, const void *bytes, size_t len, struct err *e);
};

/* How long the old text is that a payload is for, by its own word. ERR_MALFORMED: it is none. */
ERR_CHECK int solid_old_length(const uint8_t *payload, size_t payload_len, uint64_t *ret,
			       struct err *e);

/*
 * Decodes a payload, which nobody need have looked at before. ERR_MALFORMED: it is no such payload,
 * it is for an old text of another length, it reaches outside of it, or does not give exactly
 * new_len bytes; ERR_REFUSED: it needs more than `memory` bytes.
 */
ERR_CHECK int solid_decode(const uint8_t *payload, size_t payload_len, uint64_t old_len,
			   uint64_t new_len, uint64_t memory, const struct solid_io *io,
			   struct err *e);

#endif
