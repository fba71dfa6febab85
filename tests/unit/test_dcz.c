#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_getFrameHeader() */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <cmocka.h>

#include "swarm/dcz.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MIB          ((size_t)1 << 20)

/* --- helpers ---------------------------------------------------------------------------------- */

/* The same on every machine. */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Bytes that do not compress. */
static uint8_t *noise(size_t len, uint64_t seed)
{
	uint8_t *bytes = malloc(len + 8);

	assert_non_null(bytes);
	seed = seed * 0x9E3779B97F4A7C15 + 1;
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = next(&seed);
		memcpy(bytes + i, &word, 8);
	}
	return bytes;
}

static const struct dcz_base plain = {.bytes = NULL};

static struct dcz_base base_of(const uint8_t *bytes, size_t len)
{
	struct dcz_base base = {.bytes = bytes, .len = len};
	struct err e;
	struct sha256 *sha = sha256_new(&e);

	assert_non_null(sha);
	sha256_once(sha, bytes, len, base.sha256);
	sha256_free(sha);
	return base;
}

static void encode(const struct dcz_base *base, const uint8_t *file, size_t len, int level,
		   struct buf *ret)
{
	struct err e = {.code = ERR_NONE};

	if (dcz_encode(base, file, len, level, ret, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(e.code, ERR_NONE);
}

struct sink {
	struct buf bytes;
	size_t limit; /* what may be put before it refuses */
};

static int put(void *context, const void *bytes, size_t len, struct err *e)
{
	struct sink *sink = context;

	assert_true(len > 0);
	if (sink->bytes.len + len > sink->limit)
		return err_set(e, ERR_SYSTEM, "the disk is full");
	buf_add(&sink->bytes, bytes, len);
	return 0;
}

/* From a block of just its size, so that a read behind it is seen. */
static enum err_code decode(const struct dcz_base *base, const void *payload, size_t payload_len,
			    uint64_t size, struct buf *ret, const char *message)
{
	struct sink sink = {.bytes = BUF_INIT, .limit = SIZE_MAX};
	struct err e = {.code = ERR_NONE};
	uint8_t *exact = malloc(payload_len + (payload_len == 0));

	assert_non_null(exact);
	memcpy(exact, payload, payload_len);
	int status = dcz_decode(base, exact, payload_len, size, put, &sink, &e);
	free(exact);
	assert_int_equal(status, e.code == ERR_NONE ? 0 : -1);
	assert_true(sink.bytes.len <= size);
	if (status == 0)
		assert_int_equal(sink.bytes.len, size);
	if (message != NULL)
		assert_string_equal(e.msg, message);
	if (ret != NULL)
		*ret = sink.bytes;
	else
		buf_release(&sink.bytes);
	return e.code;
}

static void gives(const struct dcz_base *base, const struct buf *payload, const uint8_t *file,
		  size_t len)
{
	struct buf got = BUF_INIT;

	assert_int_equal(decode(base, payload->data, payload->len, len, &got, NULL), ERR_NONE);
	assert_int_equal(got.len, len);
	assert_memory_equal(got.data, file, len);
	buf_release(&got);
}

static uint64_t window_of(const struct dcz_base *base, const struct buf *payload)
{
	size_t at = base->bytes != NULL ? DCZ_HEADER_SIZE : 0;
	ZSTD_frameHeader h;

	assert_int_equal(ZSTD_getFrameHeader(&h, payload->data + at, payload->len - at), 0);
	assert_int_equal(h.dictID, 0);
	assert_int_equal(h.checksumFlag, 1);
	return h.windowSize;
}

/* --- encoding --------------------------------------------------------------------------------- */

static void dcz_window_follows_the_dictionary(void **state)
{
	(void)state;
	assert_int_equal(dcz_window_limit(0), 8 * MIB);
	assert_int_equal(dcz_window_limit(6 * MIB), 8 * MIB);
	assert_int_equal(dcz_window_limit(8 * MIB), 10 * MIB);
	assert_int_equal(dcz_window_limit(100 * MIB), 125 * MIB);
	assert_int_equal(dcz_window_limit(102 * MIB), (uint64_t)(127.5 * (double)MIB));
	assert_int_equal(dcz_window_limit(103 * MIB), 128 * MIB);
	assert_int_equal(dcz_window_limit(UINT64_MAX), 128 * MIB);
}

static void dcz_gives_back_what_it_got(void **state)
{
	static const size_t sizes[] = {0, 1, 7, 255, 256, 257, 5000, 65536, 70000, 300000};
	static const int levels[] = {1, 3, 6, 12, 14, 17, 19, 22};
	uint8_t *old = noise(200000, 1), *new = noise(300000, 2);

	(void)state;
	memcpy(new + 100, old + 5, 180000);
	struct dcz_base bases[] = {plain, base_of(old, 200000), base_of(old, 0), base_of(old, 1),
				   base_of(new, 300000)};
	for (size_t b = 0; b < COUNT(bases); b++)
		for (size_t l = 0; l < COUNT(levels); l++)
			for (size_t s = 0; s < COUNT(sizes); s++) {
				struct buf payload = BUF_INIT;
				encode(&bases[b], new, sizes[s], levels[l], &payload);
				gives(&bases[b], &payload, new, sizes[s]);
				assert_true(window_of(&bases[b], &payload) <=
					    dcz_window_limit(bases[b].len));
				buf_release(&payload);
			}
	free(old);
	free(new);
}

static void dcz_begins_as_rfc_9842_says(void **state)
{
	uint8_t *old = noise(1000, 1), *new = noise(1000, 1);
	struct dcz_base base = base_of(old, 1000);
	struct buf payload = BUF_INIT;

	(void)state;
	buf_adds(&payload, "before");
	encode(&base, new, 1000, 19, &payload);
	assert_memory_equal(payload.data, "before\x5e\x2a\x4d\x18\x20\0\0\0", 14);
	assert_memory_equal(payload.data + 14, base.sha256, SHA256_SIZE);
	assert_memory_equal(payload.data + 6 + DCZ_HEADER_SIZE, "\x28\xb5\x2f\xfd", 4);
	/* All of it comes from the dictionary. */
	assert_true(payload.len < 6 + DCZ_HEADER_SIZE + 30);
	buf_release(&payload);
	free(old);
	free(new);
}

static void dcz_takes_a_dictionary_for_raw_bytes(void **state)
{
	/* As a dictionary of libzstd's own begins, but it is none. */
	static const uint8_t start[] = {0x37, 0xA4, 0x30, 0xEC, 1, 2, 3, 4};
	uint8_t *old = noise(5000, 3), *new = noise(5000, 3);
	struct buf payload = BUF_INIT;

	(void)state;
	memcpy(old, start, sizeof start);
	memcpy(new, start, sizeof start);
	struct dcz_base base = base_of(old, 5000);
	encode(&base, new, 5000, 19, &payload);
	assert_true(payload.len < DCZ_HEADER_SIZE + 40);
	gives(&base, &payload, new, 5000);
	buf_release(&payload);
	free(old);
	free(new);
}

static void dcz_is_the_same_each_time(void **state)
{
	uint8_t *old = noise(50000, 1), *new = noise(60000, 2);
	struct dcz_base base = base_of(old, 50000);

	(void)state;
	memcpy(new + 3, old, 40000);
	for (int level = 1; level <= DCZ_LEVEL_MAX; level += 3) {
		struct buf a = BUF_INIT, b = BUF_INIT;
		encode(&base, new, 60000, level, &a);
		encode(&base, new, 60000, level, &b);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		buf_release(&a);
		buf_release(&b);
	}
	free(old);
	free(new);
}

/* A window that covers the file keeps the dictionary's first byte within reach of its last. */
static void dcz_reaches_all_of_a_large_dictionary(void **state)
{
	const size_t len = 9 * MIB;
	uint8_t *old = noise(len, 4), *new = malloc(len);
	struct dcz_base base = base_of(old, len);
	struct buf payload = BUF_INIT;

	(void)state;
	assert_non_null(new);
	/* The halves change places. */
	memcpy(new, old + len / 2, len - len / 2);
	memcpy(new + len - len / 2, old, len / 2);
	for (int level = 1; level <= 12; level += 11) {
		buf_clear(&payload);
		encode(&base, new, len, level, &payload);
		assert_true(payload.len < 20000);
		assert_int_equal(window_of(&base, &payload), len);
		gives(&base, &payload, new, len);
	}
	buf_release(&payload);
	free(old);
	free(new);
}

static void dcz_keeps_to_the_window_with_a_larger_file(void **state)
{
	const size_t len = 9 * MIB;
	uint8_t *new = noise(len, 5);
	struct dcz_base bases[] = {plain, base_of(new, 1000), base_of(new + 4 * MIB, 5 * MIB)};

	(void)state;
	for (size_t i = 0; i < COUNT(bases); i++) {
		struct buf payload = BUF_INIT;
		encode(&bases[i], new, len, 1, &payload);
		assert_int_equal(window_of(&bases[i], &payload), 8 * MIB);
		gives(&bases[i], &payload, new, len);
		buf_release(&payload);
	}
	free(new);
}

static void dcz_says_how_much_memory_it_takes(void **state)
{
	(void)state;
	assert_true(dcz_encode_memory(16 * MIB, 15 * MIB, 19) < 330 * MIB);
	assert_true(dcz_encode_memory(128 * MIB, 128 * MIB, 19) < 800 * MIB);
	assert_true(dcz_encode_memory(128 * MIB, 128 * MIB, 18) < 480 * MIB);
	assert_true(dcz_encode_memory(128 * MIB, 128 * MIB, 12) < 100 * MIB);
	assert_true(dcz_encode_memory(128 * MIB, 128 * MIB, 1) < 32 * MIB);
	for (int level = 1; level <= DCZ_LEVEL_MAX; level++) {
		assert_true(dcz_encode_memory(0, 0, level) > 1000);
		assert_true(dcz_encode_memory(0, 1, level) < MIB);
		assert_true(dcz_encode_memory(1, 0, level) < MIB);
		assert_true(dcz_encode_memory(0, 1000, level) <=
			    dcz_encode_memory(MIB, 1000, level));
	}
	/* What a decoder holds is the file, or the window. */
	assert_true(dcz_decode_memory(MIB, 1000) < MIB);
	assert_true(dcz_decode_memory(MIB, UINT64_C(1) << 40) > 8 * MIB);
	assert_true(dcz_decode_memory(MIB, UINT64_C(1) << 40) < 10 * MIB);
	assert_true(dcz_decode_memory(200 * MIB, UINT64_C(1) << 40) > 128 * MIB);
}

/* --- hostile payloads ------------------------------------------------------------------------- */

/* A frame made by hand, of one raw block. */
struct frame {
	uint8_t descriptor; /* 0xA0: single segment, content size in 4 bytes */
	int window;         /* the window's descriptor; -1: none */
	int dictionary;     /* in one byte; -1: none */
	uint64_t content;   /* the content's size */
	unsigned content_bytes;
	size_t block; /* how long the block really is */
};

static void build(struct buf *to, const struct dcz_base *base, const struct frame *f)
{
	buf_clear(to);
	if (base->bytes != NULL) {
		buf_add(to, "\x5e\x2a\x4d\x18\x20\0\0\0", 8);
		buf_add(to, base->sha256, SHA256_SIZE);
	}
	buf_add(to, "\x28\xb5\x2f\xfd", 4);
	buf_addc(to, (char)f->descriptor);
	if (f->window >= 0)
		buf_addc(to, (char)f->window);
	if (f->dictionary >= 0)
		buf_addc(to, (char)f->dictionary);
	for (unsigned i = 0; i < f->content_bytes; i++)
		buf_addc(to, (char)(f->content >> 8 * i));
	size_t header = f->block << 3 | 1;
	for (unsigned i = 0; i < 3; i++)
		buf_addc(to, (char)(header >> 8 * i));
	for (size_t i = 0; i < f->block; i++)
		buf_addc(to, 'x');
	assert_false(to->failed);
}

static void answers(const struct dcz_base *base, const struct frame *f, uint64_t size,
		    const char *message)
{
	struct buf payload = BUF_INIT;

	build(&payload, base, f);
	assert_int_equal(decode(base, payload.data, payload.len, size, NULL, message),
			 message != NULL ? ERR_MALFORMED : ERR_NONE);
	buf_release(&payload);
}

static void dcz_decodes_a_frame_made_by_hand(void **state)
{
	struct dcz_base base = base_of((const uint8_t *)"old", 3);

	(void)state;
	answers(&plain, &(struct frame){0xA0, -1, -1, 10, 4, 10}, 10, NULL);
	answers(&base, &(struct frame){0xA0, -1, -1, 10, 4, 10}, 10, NULL);
	/* With a window of its own, and with a dictionary's number that stands for none. */
	answers(&base, &(struct frame){0x80, 0x00, -1, 10, 4, 10}, 10, NULL);
	answers(&base, &(struct frame){0xA1, -1, 0, 10, 4, 10}, 10, NULL);
}

static void dcz_rejects_lying_sizes(void **state)
{
	struct dcz_base base = base_of((const uint8_t *)"old", 3);

	(void)state;
	answers(&base, &(struct frame){0xA0, -1, -1, 10, 4, 10}, 11,
		"its frame holds 10 bytes, not 11");
	answers(&base, &(struct frame){0xA0, -1, -1, 10, 4, 10}, 9,
		"its frame holds 10 bytes, not 9");
	answers(&base, &(struct frame){0xA0, -1, -1, UINT32_MAX, 4, 10}, 10,
		"its frame holds 4294967295 bytes, not 10");
	answers(&base, &(struct frame){0x00, 0x00, -1, 0, 0, 10}, 10,
		"its frame does not say how long its content is");
	/* The frame says what it should, and holds something else. */
	answers(&base, &(struct frame){0xA0, -1, -1, 10, 4, 9}, 10,
		"it is damaged: Data corruption detected");
	answers(&base, &(struct frame){0xA0, -1, -1, 10, 4, 11}, 10,
		"it is damaged: Data corruption detected");
	answers(&base, &(struct frame){0x80, 0x00, -1, 10, 4, 1000}, 10,
		"it is damaged: Data corruption detected");
	answers(&base, &(struct frame){0xA0, -1, -1, 0, 4, 1}, 0,
		"it is damaged: Data corruption detected");
}

static void dcz_rejects_window_bombs(void **state)
{
	uint8_t *old = noise(120 * MIB, 1);
	struct dcz_base small = base_of(old, 3), large = base_of(old, 120 * MIB);
	/* Exponent and mantissa: 2 GiB, 144 MiB, 128 MiB, 9 MiB, 8 MiB. */
	struct frame gigantic = {0x80, 21 << 3, -1, 10, 4, 10},
		     huge = {0x80, 17 << 3 | 1, -1, 10, 4, 10},
		     most = {0x80, 17 << 3, -1, 10, 4, 10},
		     nine = {0x80, 13 << 3 | 1, -1, 10, 4, 10},
		     eight = {0x80, 13 << 3, -1, 10, 4, 10};

	(void)state;
	answers(&large, &gigantic, 10,
		"its frame asks for a window of 2147483648 bytes; 134217728 are allowed");
	answers(&large, &huge, 10,
		"its frame asks for a window of 150994944 bytes; 134217728 are allowed");
	answers(&large, &most, 10, NULL);
	answers(&small, &most, 10,
		"its frame asks for a window of 134217728 bytes; 8388608 are allowed");
	answers(&small, &nine, 10,
		"its frame asks for a window of 9437184 bytes; 8388608 are allowed");
	answers(&small, &eight, 10, NULL);
	answers(&plain, &nine, 10,
		"its frame asks for a window of 9437184 bytes; 8388608 are allowed");
	answers(&plain, &eight, 10, NULL);
	/* Of a single segment, the window is the content; 129 MiB even if the caller asks for it.
	 */
	answers(&large, &(struct frame){0xE0, -1, -1, 129 * MIB, 8, 10}, 129 * MIB,
		"its frame asks for a window of 135266304 bytes; 134217728 are allowed");
	answers(&plain, &(struct frame){0xE0, -1, -1, 8 * MIB + 1, 8, 10}, 8 * MIB + 1,
		"its frame asks for a window of 8388609 bytes; 8388608 are allowed");
	/* The largest window that the format knows: nothing of it is allocated. */
	answers(&large, &(struct frame){0xC0, 0xFF, -1, 10, 8, 10}, 10,
		"it holds no zstd frame: Frame requires too much memory for decoding");
	free(old);
}

static void dcz_rejects_other_dictionaries(void **state)
{
	uint8_t *old = noise(1000, 1), *other = noise(1000, 2);
	struct dcz_base right = base_of(old, 1000), wrong = base_of(other, 1000);
	struct buf payload = BUF_INIT;

	(void)state;
	encode(&right, old, 900, 19, &payload);
	gives(&right, &payload, old, 900);
	assert_int_equal(decode(&wrong, payload.data, payload.len, 900, NULL,
				"it is against another dictionary"),
			 ERR_MALFORMED);
	/* A payload with a dictionary is none without, and the other way round. */
	assert_int_equal(
	    decode(&plain, payload.data, payload.len, 900, NULL, "it holds a skippable frame"),
	    ERR_MALFORMED);
	buf_clear(&payload);
	encode(&plain, old, 900, 19, &payload);
	assert_int_equal(
	    decode(&right, payload.data, payload.len, 900, NULL, "it does not begin as dcz does"),
	    ERR_MALFORMED);
	/* By number, as libzstd's own dictionaries are called. */
	answers(&right, &(struct frame){0xA1, -1, 7, 10, 4, 10}, 10,
		"its frame names a dictionary by number");
	buf_release(&payload);
	free(old);
	free(other);
}

static void dcz_proves_what_a_payload_gives(void **state)
{
	static const uint8_t old[] = "an old text", new[] = "a new text";
	struct dcz_base base = base_of(old, sizeof old);
	struct buf payload = BUF_INIT;
	uint8_t other[sizeof new];
	struct err e = {.code = ERR_NONE};

	(void)state;
	encode(&base, new, sizeof new, 3, &payload);
	const uint8_t *bytes = (const uint8_t *)payload.data;
	assert_int_equal(dcz_prove(&base, bytes, payload.len, new, sizeof new, &e), 0);
	for (size_t i = 0; i < sizeof new; i++) {
		memcpy(other, new, sizeof new);
		other[i] ^= 1;
		assert_int_equal(dcz_prove(&base, bytes, payload.len, other, sizeof new, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED);
		assert_int_equal(dcz_prove(&base, bytes, payload.len, new, i, &e), -1);
	}
	assert_int_equal(dcz_prove(&plain, bytes, payload.len, new, sizeof new, &e), -1);
	buf_release(&payload);
}

static void dcz_is_known_by_its_first_bytes(void **state)
{
	static const uint8_t old[] = "an old text", new[] = "a new text";
	struct dcz_base base = base_of(old, sizeof old);
	struct buf payload = BUF_INIT;

	(void)state;
	encode(&base, new, sizeof new, 3, &payload);
	uint8_t *bytes = (uint8_t *)payload.data;
	assert_int_equal(dcz_start(base.sha256, bytes, DCZ_START_SIZE), DCZ_START_RIGHT);
	for (size_t i = 0; i < DCZ_START_SIZE; i++) {
		enum dcz_start wrong = i < 8                 ? DCZ_START_NO_DCZ
				       : i < DCZ_HEADER_SIZE ? DCZ_START_OTHER_BASE
							     : DCZ_START_NO_FRAME;
		bytes[i] ^= 1;
		assert_int_equal(dcz_start(base.sha256, bytes, DCZ_START_SIZE), wrong);
		bytes[i] ^= 1;
		assert_int_equal(dcz_start(base.sha256, bytes, i),
				 i < DCZ_HEADER_SIZE ? DCZ_START_NO_DCZ : DCZ_START_NO_FRAME);
	}
	assert_int_equal(dcz_start(NULL, bytes, DCZ_START_SIZE), DCZ_START_NO_FRAME);
	bytes += DCZ_HEADER_SIZE;
	assert_int_equal(dcz_start(NULL, bytes, 4), DCZ_START_RIGHT);
	assert_int_equal(dcz_start(NULL, bytes, 3), DCZ_START_NO_FRAME);
	assert_int_equal(dcz_start(base.sha256, bytes, 4), DCZ_START_NO_DCZ);
	buf_release(&payload);
}

static void dcz_rejects_a_payload_cut_anywhere(void **state)
{
	uint8_t *old = noise(3000, 1), *new = noise(3000, 2);
	struct dcz_base bases[] = {plain, base_of(old, 3000)};

	(void)state;
	memcpy(new + 500, old, 2000);
	for (size_t b = 0; b < COUNT(bases); b++) {
		struct buf payload = BUF_INIT;
		encode(&bases[b], new, 3000, 19, &payload);
		for (size_t len = 0; len < payload.len; len++)
			assert_int_equal(decode(&bases[b], payload.data, len, 3000, NULL, NULL),
					 ERR_MALFORMED);
		gives(&bases[b], &payload, new, 3000);
		buf_release(&payload);
	}
	free(old);
	free(new);
}

static void dcz_survives_every_flipped_bit(void **state)
{
	uint8_t *old = noise(2000, 1), *new = noise(2000, 2);
	struct dcz_base base = base_of(old, 2000);
	struct buf payload = BUF_INIT;
	size_t rejected = 0, flips = 0;

	(void)state;
	/* Something of everything: matches, literals that compress, literals that do not. */
	memcpy(new, old + 100, 800);
	memset(new + 1500, 'x', 300);
	for (size_t i = 900; i < 1500; i++)
		new[i] = (uint8_t)("abcdefgh"[new[i] % 8]);
	encode(&base, new, 2000, 19, &payload);
	for (size_t bit = 0; bit < payload.len * 8; bit++, flips++) {
		struct buf got = BUF_INIT;
		payload.data[bit / 8] ^= (char)(1 << bit % 8);
		enum err_code code = decode(&base, payload.data, payload.len, 2000, &got, NULL);
		/* There is no check sum: other content of the right size is for the caller. */
		assert_true(code == ERR_NONE || code == ERR_MALFORMED);
		if (bit / 8 < DCZ_HEADER_SIZE + 4)
			assert_int_equal(code, ERR_MALFORMED);
		rejected += code != ERR_NONE;
		payload.data[bit / 8] ^= (char)(1 << bit % 8);
		buf_release(&got);
	}
	assert_true(rejected > (DCZ_HEADER_SIZE + 4) * 8);
	gives(&base, &payload, new, 2000);
	buf_release(&payload);
	free(old);
	free(new);
}

static void dcz_is_exactly_one_frame(void **state)
{
	static const char skippable[] = "\x50\x2a\x4d\x18\x04\0\0\0abcd";
	uint8_t *old = noise(1000, 1);
	struct dcz_base bases[] = {plain, base_of(old, 1000)};

	(void)state;
	for (size_t b = 0; b < COUNT(bases); b++) {
		struct buf payload = BUF_INIT, changed = BUF_INIT;
		size_t head = b == 0 ? 0 : DCZ_HEADER_SIZE;
		encode(&bases[b], old, 900, 19, &payload);
		/* A byte behind it, the same frame again, a skippable one behind or before. */
		buf_add(&changed, payload.data, payload.len);
		buf_addc(&changed, '\0');
		assert_int_equal(decode(&bases[b], changed.data, changed.len, 900, NULL,
					"something stands behind its frame"),
				 ERR_MALFORMED);
		buf_truncate(&changed, payload.len);
		buf_add(&changed, payload.data + head, payload.len - head);
		for (size_t size = 900; size <= 1800; size += 900)
			assert_int_equal(
			    decode(&bases[b], changed.data, changed.len, size, NULL, NULL),
			    ERR_MALFORMED);
		buf_truncate(&changed, payload.len);
		buf_add(&changed, skippable, sizeof skippable - 1);
		assert_int_equal(decode(&bases[b], changed.data, changed.len, 900, NULL,
					"something stands behind its frame"),
				 ERR_MALFORMED);
		buf_truncate(&changed, head);
		buf_add(&changed, skippable, sizeof skippable - 1);
		buf_add(&changed, payload.data + head, payload.len - head);
		assert_int_equal(decode(&bases[b], changed.data, changed.len, 900, NULL,
					"it holds a skippable frame"),
				 ERR_MALFORMED);
		/* Nothing at all. */
		assert_int_equal(decode(&bases[b], "", 0, 900, NULL, NULL), ERR_MALFORMED);
		assert_int_equal(decode(&bases[b], "", 0, 0, NULL, NULL), ERR_MALFORMED);
		buf_release(&payload);
		buf_release(&changed);
	}
	free(old);
}

static void dcz_passes_on_what_the_caller_refuses(void **state)
{
	uint8_t *new = noise(MIB, 1);
	struct sink sink = {.bytes = BUF_INIT, .limit = 300000};
	struct buf payload = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	(void)state;
	encode(&plain, new, MIB, 1, &payload);
	assert_int_equal(
	    dcz_decode(&plain, (const uint8_t *)payload.data, payload.len, MIB, put, &sink, &e),
	    -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "the disk is full");
	/* What came before is right. */
	assert_true(sink.bytes.len > 0);
	assert_memory_equal(sink.bytes.data, new, sink.bytes.len);
	buf_release(&sink.bytes);
	buf_release(&payload);
	free(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dcz_window_follows_the_dictionary),
	    cmocka_unit_test(dcz_gives_back_what_it_got),
	    cmocka_unit_test(dcz_begins_as_rfc_9842_says),
	    cmocka_unit_test(dcz_takes_a_dictionary_for_raw_bytes),
	    cmocka_unit_test(dcz_is_the_same_each_time),
	    cmocka_unit_test(dcz_reaches_all_of_a_large_dictionary),
	    cmocka_unit_test(dcz_keeps_to_the_window_with_a_larger_file),
	    cmocka_unit_test(dcz_says_how_much_memory_it_takes),
	    cmocka_unit_test(dcz_decodes_a_frame_made_by_hand),
	    cmocka_unit_test(dcz_rejects_lying_sizes),
	    cmocka_unit_test(dcz_rejects_window_bombs),
	    cmocka_unit_test(dcz_rejects_other_dictionaries),
	    cmocka_unit_test(dcz_proves_what_a_payload_gives),
	    cmocka_unit_test(dcz_is_known_by_its_first_bytes),
	    cmocka_unit_test(dcz_rejects_a_payload_cut_anywhere),
	    cmocka_unit_test(dcz_survives_every_flipped_bit),
	    cmocka_unit_test(dcz_is_exactly_one_frame),
	    cmocka_unit_test(dcz_passes_on_what_the_caller_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
