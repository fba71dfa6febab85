/*
 * probe: reads here and there in a file, for those who look into its format.
 *
 * A file that is wholly in memory needs no read_at(). What cannot be read, because the file ends
 * before or the system refuses, reads as "no": the readers of formats are straight-line code, and
 * whoever made the probe asks once, at the end, whether something went wrong.
 */
#ifndef SWARM_PROBE_H
#define SWARM_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "swarm/err.h"

#define PROBE_BLOCK ((size_t)4096)

struct probe_block {
	uint64_t at;
	size_t len;
	uint8_t bytes[PROBE_BLOCK];
};

struct probe {
	uint64_t size;        /* of the file, in bytes */
	const uint8_t *first; /* its first bytes, borrowed */
	size_t first_len;
	/* As pread(): up to `len` bytes, fewer only at the end; NULL if `first` is all of it. */
	ssize_t (*read_at)(void *context, uint64_t offset, void *to, size_t len, struct err *e);
	void *context;
	bool
	    failed; /* read_at() did, or memory ran out, with `err`; nothing is read from then on */
	struct err err;
	/* What read_at() gave last, so that fields cost no call each. Begins as zeros. */
	struct probe_block block[2];
	unsigned oldest;
};

/* Exactly `len` bytes from `offset`; false if there are not so many. */
bool probe_read(struct probe *p, uint64_t offset, void *to, size_t len);

uint16_t probe_be16(const uint8_t *at);
uint32_t probe_be32(const uint8_t *at);
uint64_t probe_be64(const uint8_t *at);
uint16_t probe_le16(const uint8_t *at);
uint32_t probe_le32(const uint8_t *at);
uint64_t probe_le64(const uint8_t *at);

#endif
