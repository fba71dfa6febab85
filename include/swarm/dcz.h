/*
 * dcz: payloads: a file as dictionary-compressed zstd against another one (RFC 9842, section 5), or
 * as plain zstd (RFC 8878).
 *
 *   dcz = 5e 2a 4d 18 20 00 00 00  sha256-of-dictionary(32 bytes)  zstd-frame
 *
 * The dictionary is the raw old file. The frame declares its content size, and ends in a checksum,
 * so that a decoder which looks at no manifest notices damage, and a wrong base; its window is at
 * most min(128 MiB, max(8 MiB, 1.25 x dictionary)), of plain zstd at most 8 MiB: so browsers decode
 * both natively, and so does `zstd -d --patch-from=OLD` (the first 40 bytes are a skippable frame).
 */
#ifndef SWARM_DCZ_H
#define SWARM_DCZ_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/sha256.h"

#define DCZ_HEADER_SIZE ((size_t)40)
/* As many bytes of a payload as dcz_start() looks at. */
#define DCZ_START_SIZE    (DCZ_HEADER_SIZE + 4)
#define DCZ_WINDOW_MIN    (UINT64_C(8) << 20)
#define DCZ_WINDOW_MAX    (UINT64_C(128) << 20)
#define DCZ_LEVEL_DEFAULT 19
#define DCZ_LEVEL_MAX     22

/* A dictionary; bytes NULL: none, for plain zstd. */
struct dcz_base {
	const uint8_t *bytes;
	size_t len;
	uint8_t sha256[SHA256_SIZE]; /* of the bytes */
};

/* The largest window that a frame may ask for; base_len 0: plain zstd. */
uint64_t dcz_window_limit(uint64_t base_len);
/* How much memory dcz_encode() takes at most, in bytes, besides base, file and payload. */
uint64_t dcz_encode_memory(uint64_t base_len, uint64_t len, int level);
/* How much memory dcz_decode() takes at most, besides base and payload. */
uint64_t dcz_decode_memory(uint64_t base_len, uint64_t len);

/*
 * Appends the payload of `file` to `ret`. The same input gives the same bytes (of one libzstd).
 * The file must not lie in the memory of the base.
 */
ERR_CHECK int dcz_encode(const struct dcz_base *base, const uint8_t *file, size_t len, int level,
			 struct buf *ret, struct err *e);

enum dcz_start {
	DCZ_START_RIGHT,
	DCZ_START_NO_DCZ,     /* there should be a dictionary, but it does not begin so */
	DCZ_START_OTHER_BASE, /* it is against another dictionary */
	DCZ_START_NO_FRAME,   /* no frame of zstd stands where it should */
};
/*
 * What a payload seems to be by its first bytes, for those who only pass it on. base_sha256: of the
 * dictionary; NULL: it should be plain zstd.
 */
enum dcz_start dcz_start(const uint8_t *base_sha256, const uint8_t *bytes, size_t len);

/*
 * Decodes a payload, which nobody need have looked at before, to `put`, which returns 0, or -1 with
 * `e` filled. Never more than `size` bytes are put; ERR_MALFORMED: it is no such payload, of
 * another dictionary, asks for a larger window than allowed, or does not give exactly `size` bytes.
 */
ERR_CHECK int dcz_decode(const struct dcz_base *base, const uint8_t *payload, size_t payload_len,
			 uint64_t size,
			 int (*put)(void *context, const void *bytes, size_t len, struct err *e),
			 void *context, struct err *e);
/* Decodes a payload likewise; ERR_MALFORMED, too, if it does not give exactly `file`. */
ERR_CHECK int dcz_prove(const struct dcz_base *base, const uint8_t *payload, size_t payload_len,
			const uint8_t *file, size_t len, struct err *e);

#endif
