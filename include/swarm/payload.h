/*
 * payload: what all payloads have in common, however they are encoded: the name of the file that
 * one stands in, and the digest by which a delta knows it.
 *
 *   <sha256 of the new file>.<sha256 of the base>.dcz     against an old file, see dcz.h
 *   <sha256 of the new file>.zst                          plain zstd, on its own
 *
 * Digests are written in small hexadecimal digits.
 */
#ifndef SWARM_PAYLOAD_H
#define SWARM_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/sha256.h"

/* Appends the name; base_sha256 NULL: plain zstd. */
void payload_name(struct buf *to, const uint8_t file_sha256[static SHA256_SIZE],
		  const uint8_t *base_sha256);
/* What a name says; false if it is not that of a payload. Without a base, ret_base is left alone.
 */
bool payload_name_parse(const char *name, uint8_t ret_file[static SHA256_SIZE], bool *ret_has_base,
			uint8_t ret_base[static SHA256_SIZE]);

/* The SHA-256 of a payload's bytes. */
ERR_CHECK int payload_digest(const void *bytes, size_t len, uint8_t ret[static SHA256_SIZE],
			     struct err *e);

#endif
