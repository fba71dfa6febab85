/* unwrap: what is inside of compressed files, as far as that helps to compare two of them. */
#ifndef SWARM_UNWRAP_H
#define SWARM_UNWRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

enum unwrap_format {
	UNWRAP_PLAIN, /* none that is known here */
	UNWRAP_GZIP,
	UNWRAP_PNG,
	UNWRAP_ZIP,
	UNWRAP_TAR,   /* not compressed */
	UNWRAP_OTHER, /* compressed, and not looked into: zstd, xz, JPEG, WebP, WOFF2, ... */
};

/* By the first bytes; *ret_name is what people call it ("" for a plain one). */
enum unwrap_format unwrap_format(const uint8_t *bytes, size_t len, const char **ret_name);

/*
 * Appends what a gzip file holds, or the scanlines of a PNG (its zlib stream), at most `limit`
 * bytes of it. *ret_whole: all of it came, undamaged.
 */
ERR_CHECK int unwrap_inflate(enum unwrap_format format, const uint8_t *bytes, size_t len,
			     uint64_t limit, struct buf *ret, bool *ret_whole, struct err *e);

/* A member of a zip file, as its directory says. */
struct unwrap_member {
	const uint8_t *name; /* not terminated */
	size_t name_len;
	uint32_t crc, size, packed; /* bytes */
	uint32_t at;                /* where it stands */
};

struct unwrap_members {
	struct unwrap_member *items; /* by where they stand; owned */
	size_t count;
};

/*
 * Reads the directory. *ret_known is false, and nothing to be freed, if there is none, it is
 * damaged or large (zip64), or has over `max` members.
 */
ERR_CHECK int unwrap_zip(const uint8_t *bytes, size_t len, size_t max, struct unwrap_members *ret,
			 bool *ret_known, struct err *e);

#endif
