/*
 * Input: a byte of flags, two bytes of the base's length, three of the file's, the base, and then a
 * payload; what is decoded never exceeds its length. Or a file to be encoded against the base: it
 * comes back as it was.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/dcz.h"

#define HEAD 6

enum {
	FLAG_BASE = 1,   /* else plain zstd */
	FLAG_HEADER = 2, /* the payload gets the right first 40 bytes */
	FLAG_ENCODE = 4,
	LEVEL_SHIFT = 3, /* the other bits are the level */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int put(void *context, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	buf_add(context, bytes, len);
	return 0;
}

static void decode(const struct dcz_base *base, const uint8_t *payload, size_t len, size_t size)
{
	struct buf got = BUF_INIT;
	struct err e = {.code = ERR_NONE};
	int status = dcz_decode(base, payload, len, size, put, &got, &e);

	if (got.len > size || (status == 0 && got.len != size))
		abort();
	if (status != 0 && e.code != ERR_MALFORMED)
		abort();
	buf_release(&got);
}

static void decode_with_header(const struct dcz_base *base, const uint8_t *frame, size_t len,
			       size_t size)
{
	struct buf payload = BUF_INIT;

	buf_add(&payload, "\x5e\x2a\x4d\x18\x20\0\0\0", 8);
	buf_add(&payload, base->sha256, SHA256_SIZE);
	buf_add(&payload, frame, len);
	decode(base, (const uint8_t *)payload.data, payload.len, size);
	buf_release(&payload);
}

static void round_trip(const struct dcz_base *base, const uint8_t *file, size_t len, int level)
{
	struct buf payload = BUF_INIT, got = BUF_INIT;
	struct err e;

	if (dcz_encode(base, file, len, level, &payload, &e) != 0 ||
	    dcz_decode(base, (const uint8_t *)payload.data, payload.len, len, put, &got, &e) != 0)
		abort();
	if (got.len != len || (len > 0 && memcmp(got.data, file, len) != 0))
		abort();
	buf_release(&payload);
	buf_release(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dcz_base base = {.bytes = NULL};
	struct err e;

	if (size < HEAD)
		return 0;
	unsigned flags = data[0];
	size_t base_len = (size_t)data[1] | (size_t)data[2] << 8;
	size_t file_size = (size_t)data[3] | (size_t)data[4] << 8 | (size_t)data[5] << 16;
	if (base_len > size - HEAD)
		base_len = size - HEAD;
	if ((flags & FLAG_BASE) != 0) {
		struct sha256 *sha = sha256_new(&e);
		if (sha == NULL)
			abort();
		base = (struct dcz_base){.bytes = data + HEAD, .len = base_len};
		sha256_once(sha, base.bytes, base_len, base.sha256);
		sha256_free(sha);
	}
	const uint8_t *rest = data + HEAD + base_len;
	size_t len = size - HEAD - base_len;
	if ((flags & FLAG_ENCODE) != 0)
		round_trip(&base, rest, len, (int)(flags >> LEVEL_SHIFT) % DCZ_LEVEL_MAX + 1);
	else if ((flags & FLAG_HEADER) != 0 && base.bytes != NULL)
		decode_with_header(&base, rest, len, file_size);
	else
		decode(&base, rest, len, file_size);
	return 0;
}
