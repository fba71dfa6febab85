#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_getCParams(), ZSTD_getFrameHeader(), estimates */
#include "swarm/dcz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "swarm/num.h"

/* What is put at once. */
#define PUT_BLOCK ((size_t)128 * 1024)
/* Frames of foreign encoders are given this much room, too: what libzstd itself can read. */
#define WINDOW_LOG_MAX 27
/* The largest window that an encoder looks through by itself. */
#define WINDOW_LOG_OWN 30
/*
 * Of more bytes than these, base and file together, a tree of all positions is not always better:
 * where a JSON file of 49 MB hardly changed, it makes 90,047 bytes instead of 80,920. Both are
 * tried.
 */
#define DOUBT (UINT64_C(64) << 20)
/* From here on, time and memory count for nothing. */
#define LEVEL_ULTRA 20
/* From here on, libzstd weighs all ways to write what it found. */
#define LEVEL_OPTIMAL 16
/*
 * Trees of 512 MiB at level 19, half as much at each one below, 4 GiB from 20 on; and a quarter of
 * that to find their roots. So whoever lacks memory takes a lower level.
 */
#define TREE_LOG_MAX(level) ((unsigned)(level) + 8)
#define TREE_LOG_ULTRA      30
#define TARGET_LENGTH_ULTRA 4096
/* Matches at any distance. */
#define LONG_MATCH_MIN  64
#define LONG_BUCKET_LOG 3
#define LONG_RATE_LOG   7

static const uint8_t magic[] = {0x5E, 0x2A, 0x4D, 0x18, 0x20, 0x00, 0x00, 0x00};
static const uint8_t frame_magic[] = {0x28, 0xB5, 0x2F, 0xFD};

_Static_assert(sizeof magic + SHA256_SIZE == DCZ_HEADER_SIZE, "the header is these two");
_Static_assert(DCZ_HEADER_SIZE + sizeof frame_magic == DCZ_START_SIZE, "a frame follows it");

uint64_t dcz_window_limit(uint64_t base_len)
{
	uint64_t limit;

	if (!num_add(base_len, base_len / 4, &limit) || limit > DCZ_WINDOW_MAX)
		return DCZ_WINDOW_MAX;
	return limit < DCZ_WINDOW_MIN ? DCZ_WINDOW_MIN : limit;
}

/* --- encoding -----------------------------------------------------------------------------------
 */

/* floor(log2(n)) of n > 0 */
static unsigned log2_floor(uint64_t n)
{
	unsigned log = 0;

	while (n >>= 1)
		log++;
	return log;
}

static unsigned log2_ceiling(uint64_t n)
{
	return n < 2 ? 0 : log2_floor(n - 1) + 1;
}

static unsigned clamp(unsigned wanted, unsigned least, unsigned most)
{
	if (wanted > most)
		wanted = most;
	return wanted > least ? wanted : least;
}

/*
 * A file that fits into the window makes a frame of a single segment: its window is the content's
 * size to the byte, however large the encoder's own one is, and the dictionary stays within reach
 * to the last byte. So the encoder may as well see both at once.
 */
static unsigned window_log(uint64_t base_len, uint64_t len)
{
	uint64_t limit = dcz_window_limit(base_len);
	unsigned log = len <= limit ? log2_ceiling(base_len + len) : log2_floor(limit);

	if (log < ZSTD_WINDOWLOG_MIN)
		return ZSTD_WINDOWLOG_MIN;
	return log > WINDOW_LOG_OWN ? WINDOW_LOG_OWN : log;
}

/*
 * What libzstd would choose has tables too small for a large base: most of it would be forgotten
 * before the file begins. With a tree of all positions, payloads of 16 MB scripts become 18 %
 * smaller (69,761 to 56,696 bytes), in no more time; of a changed JSON file of 49 MB it is 28 %
 * (884,831 to 636,615 bytes).
 */
static ZSTD_compressionParameters choose(uint64_t base_len, uint64_t len, int level, bool tree)
{
	ZSTD_compressionParameters c = ZSTD_getCParams(level, len, (size_t)base_len);
	unsigned total = log2_ceiling(base_len + len);
	unsigned most = level < LEVEL_ULTRA ? TREE_LOG_MAX(level) : TREE_LOG_ULTRA;

	c.windowLog = window_log(base_len, len);
	if (!tree || level < LEVEL_OPTIMAL)
		return c;
	c.chainLog = clamp(total + 1, c.chainLog, most);
	c.hashLog = clamp(total, c.hashLog + 1, most - 1) - 1;
	/* Gains a thousandth, and takes half as long again. */
	if (level >= LEVEL_ULTRA)
		c.targetLength = TARGET_LENGTH_ULTRA;
	return c;
}

static bool set(ZSTD_CCtx_params *p, ZSTD_cParameter which, unsigned value)
{
	return !ZSTD_isError(ZSTD_CCtxParams_setParameter(p, which, (int)value));
}

/*
 * As libzstd would choose for itself; but the estimate of memory divides by what nobody has set.
 */
static bool set_long_distance(ZSTD_CCtx_params *p, unsigned window)
{
	unsigned hash =
	    window < LONG_RATE_LOG + ZSTD_HASHLOG_MIN ? ZSTD_HASHLOG_MIN : window - LONG_RATE_LOG;

	return set(p, ZSTD_c_enableLongDistanceMatching, ZSTD_ps_enable) &&
	       set(p, ZSTD_c_ldmMinMatch, LONG_MATCH_MIN) && set(p, ZSTD_c_ldmHashLog, hash) &&
	       set(p, ZSTD_c_ldmBucketSizeLog, LONG_BUCKET_LOG) &&
	       set(p, ZSTD_c_ldmHashRateLog, window - hash);
}

/* NULL: out of memory, or libzstd does not know one of them. */
static ZSTD_CCtx_params *make_parameters(uint64_t base_len, uint64_t len, int level, bool tree)
{
	ZSTD_compressionParameters c = choose(base_len, len, level, tree);
	ZSTD_CCtx_params *p = ZSTD_createCCtxParams();

	if (p != NULL && set(p, ZSTD_c_windowLog, c.windowLog) &&
	    set(p, ZSTD_c_hashLog, c.hashLog) && set(p, ZSTD_c_chainLog, c.chainLog) &&
	    set(p, ZSTD_c_searchLog, c.searchLog) && set(p, ZSTD_c_minMatch, c.minMatch) &&
	    set(p, ZSTD_c_targetLength, c.targetLength) && set(p, ZSTD_c_strategy, c.strategy) &&
	    set(p, ZSTD_c_contentSizeFlag, 1) && set(p, ZSTD_c_checksumFlag, 1) &&
	    set(p, ZSTD_c_dictIDFlag, 0) && set_long_distance(p, c.windowLog))
		return p;
	(void)ZSTD_freeCCtxParams(p);
	return NULL;
}

static bool is_in_doubt(uint64_t base_len, uint64_t len, int level)
{
	return level >= LEVEL_OPTIMAL && len > 0 && base_len + len > DOUBT;
}

uint64_t dcz_encode_memory(uint64_t base_len, uint64_t len, int level)
{
	ZSTD_CCtx_params *p = make_parameters(base_len, len, level, true);
	size_t size = p != NULL ? ZSTD_estimateCCtxSize_usingCCtxParams(p) : 0;
	bool known = p != NULL && !ZSTD_isError(size);

	(void)ZSTD_freeCCtxParams(p);
	if (!known)
		return UINT64_MAX;
	return is_in_doubt(base_len, len, level) ? size + ZSTD_COMPRESSBOUND(len) : size;
}

static int cannot_encode(size_t status, struct err *e)
{
	if (ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation)
		return err_nomem(e);
	return err_set(e, ERR_SYSTEM, "libzstd cannot encode: %s", ZSTD_getErrorName(status));
}

/* A frame that a decoder would refuse must not be made, whatever libzstd comes to do one day. */
static int check_window(const void *frame, size_t len, uint64_t base_len, struct err *e)
{
	ZSTD_frameHeader h;

	if (ZSTD_getFrameHeader(&h, frame, len) != 0)
		return err_set(e, ERR_SYSTEM, "libzstd made a frame that it cannot read");
	if (h.windowSize > dcz_window_limit(base_len))
		return err_set(e, ERR_SYSTEM,
			       "libzstd made a frame with a window of %llu bytes, which is more "
			       "than the %llu that it was given",
			       h.windowSize, (unsigned long long)dcz_window_limit(base_len));
	return 0;
}

/* The frame's length is in *ret_len; 0: there is not so much room. */
static int encode_frame(const struct dcz_base *base, const uint8_t *file, size_t len,
			const ZSTD_CCtx_params *parameters, void *to, size_t room, size_t *ret_len,
			struct err *e)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();

	*ret_len = 0;
	if (ctx == NULL || parameters == NULL) {
		(void)ZSTD_freeCCtx(ctx);
		return err_nomem(e);
	}
	size_t status = ZSTD_CCtx_setParametersUsingCCtxParams(ctx, parameters);
	if (!ZSTD_isError(status) && base->bytes != NULL)
		status = ZSTD_CCtx_refPrefix(ctx, base->bytes, base->len);
	if (!ZSTD_isError(status))
		status = ZSTD_compress2(ctx, to, room, file, len);
	(void)ZSTD_freeCCtx(ctx);
	if (ZSTD_getErrorCode(status) == ZSTD_error_dstSize_tooSmall)
		return 0;
	if (ZSTD_isError(status))
		return cannot_encode(status, e);
	*ret_len = status;
	return check_window(to, status, base->bytes != NULL ? base->len : 0, e);
}

static int encode_with(const struct dcz_base *base, const uint8_t *file, size_t len, int level,
		       bool tree, void *to, size_t room, size_t *ret_len, struct err *e)
{
	ZSTD_CCtx_params *parameters =
	    make_parameters(base->bytes != NULL ? base->len : 0, len, level, tree);
	int status = encode_frame(base, file, len, parameters, to, room, ret_len, e);

	(void)ZSTD_freeCCtxParams(parameters);
	return status;
}

/* Puts a smaller frame in place of the one of *len bytes at `to`, if the other way makes one. */
static int encode_otherwise(const struct dcz_base *base, const uint8_t *file, size_t file_len,
			    int level, void *to, size_t *len, struct err *e)
{
	void *other = malloc(*len);
	size_t other_len;

	if (other == NULL)
		return err_nomem(e);
	int status = encode_with(base, file, file_len, level, false, other, *len, &other_len, e);
	if (status == 0 && other_len > 0 && other_len < *len) {
		memcpy(to, other, other_len);
		*len = other_len;
	}
	free(other);
	return status;
}

int dcz_encode(const struct dcz_base *base, const uint8_t *file, size_t len, int level,
	       struct buf *ret, struct err *e)
{
	size_t room = ZSTD_compressBound(len), frame_len;

	if (base->bytes != NULL) {
		buf_add(ret, magic, sizeof magic);
		buf_add(ret, base->sha256, SHA256_SIZE);
	}
	char *to = ZSTD_isError(room) ? NULL : buf_room(ret, room);
	if (to == NULL)
		return err_nomem(e);
	if (encode_with(base, file, len, level, true, to, room, &frame_len, e) != 0)
		return -1;
	if (frame_len == 0)
		return err_set(e, ERR_SYSTEM, "libzstd makes more than it said it would");
	if (is_in_doubt(base->bytes != NULL ? base->len : 0, len, level) &&
	    encode_otherwise(base, file, len, level, to, &frame_len, e) != 0)
		return -1;
	buf_grew(ret, frame_len);
	return 0;
}

/* --- decoding -----------------------------------------------------------------------------------
 */

uint64_t dcz_decode_memory(uint64_t base_len, uint64_t len)
{
	size_t window = ZSTD_decodingBufferSize_min(dcz_window_limit(base_len), len);

	return (uint64_t)ZSTD_estimateDCtxSize() + window + ZSTD_BLOCKSIZE_MAX + PUT_BLOCK;
}

enum dcz_start dcz_start(const uint8_t *base_sha256, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	if (base_sha256 != NULL) {
		at = DCZ_HEADER_SIZE;
		if (len < at || memcmp(bytes, magic, sizeof magic) != 0)
			return DCZ_START_NO_DCZ;
		if (memcmp(bytes + sizeof magic, base_sha256, SHA256_SIZE) != 0)
			return DCZ_START_OTHER_BASE;
	}
	if (len < at + sizeof frame_magic ||
	    memcmp(bytes + at, frame_magic, sizeof frame_magic) != 0)
		return DCZ_START_NO_FRAME;
	return DCZ_START_RIGHT;
}

static int check_dictionary(const struct dcz_base *base, const uint8_t *payload, size_t len,
			    struct err *e)
{
	enum dcz_start start = dcz_start(base->sha256, payload, len);

	if (start == DCZ_START_NO_DCZ)
		return err_set(e, ERR_MALFORMED, "it does not begin as dcz does");
	if (start == DCZ_START_OTHER_BASE)
		return err_set(e, ERR_MALFORMED, "it is against another dictionary");
	/* What is wrong with the frame is told more precisely where it is parsed. */
	return 0;
}

/* Whatever the frame asks for is looked at before libzstd allocates it. */
static int check_frame(const uint8_t *frame, size_t len, uint64_t base_len, uint64_t size,
		       struct err *e)
{
	ZSTD_frameHeader h;
	size_t status = ZSTD_getFrameHeader(&h, frame, len);

	if (ZSTD_isError(status))
		return err_set(e, ERR_MALFORMED, "it holds no zstd frame: %s",
			       ZSTD_getErrorName(status));
	if (status != 0)
		return err_set(e, ERR_MALFORMED, "it is cut off in the frame's header");
	if (h.frameType != ZSTD_frame)
		return err_set(e, ERR_MALFORMED, "it holds a skippable frame");
	if (h.dictID != 0)
		return err_set(e, ERR_MALFORMED, "its frame names a dictionary by number");
	if (h.frameContentSize == ZSTD_CONTENTSIZE_UNKNOWN)
		return err_set(e, ERR_MALFORMED, "its frame does not say how long its content is");
	if (h.frameContentSize != size)
		return err_set(e, ERR_MALFORMED, "its frame holds %llu bytes, not %llu",
			       h.frameContentSize, (unsigned long long)size);
	if (h.windowSize > dcz_window_limit(base_len))
		return err_set(e, ERR_MALFORMED,
			       "its frame asks for a window of %llu bytes; %llu are allowed",
			       h.windowSize, (unsigned long long)dcz_window_limit(base_len));
	return 0;
}

struct sink {
	uint64_t left;
	int (*put)(void *context, const void *bytes, size_t len, struct err *e);
	void *context;
};

static int hand_on(struct sink *sink, const uint8_t *bytes, size_t len, struct err *e)
{
	if (len > sink->left)
		return err_set(e, ERR_MALFORMED, "it holds more bytes than it says");
	sink->left -= len;
	return len > 0 ? sink->put(sink->context, bytes, len, e) : 0;
}

static int decode_frame(ZSTD_DCtx *ctx, const uint8_t *frame, size_t len, uint8_t *block,
			struct sink *sink, struct err *e)
{
	ZSTD_inBuffer in = {frame, len, 0};
	size_t status;

	do {
		ZSTD_outBuffer out = {block, PUT_BLOCK, 0};
		status = ZSTD_decompressStream(ctx, &out, &in);
		if (ZSTD_isError(status) &&
		    ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation)
			return err_nomem(e);
		if (ZSTD_isError(status))
			return err_set(e, ERR_MALFORMED, "it is damaged: %s",
				       ZSTD_getErrorName(status));
		if (hand_on(sink, block, out.pos, e) != 0)
			return -1;
		if (status != 0 && in.pos == in.size && out.pos < out.size)
			return err_set(e, ERR_MALFORMED, "it is cut off");
	} while (status != 0);
	if (in.pos != in.size)
		return err_set(e, ERR_MALFORMED, "something stands behind its frame");
	if (sink->left != 0)
		return err_set(e, ERR_MALFORMED, "it holds fewer bytes than it says");
	return 0;
}

int dcz_decode(const struct dcz_base *base, const uint8_t *payload, size_t payload_len,
	       uint64_t size,
	       int (*put)(void *context, const void *bytes, size_t len, struct err *e),
	       void *context, struct err *e)
{
	struct sink sink = {size, put, context};
	ZSTD_DCtx *ctx = NULL;
	uint8_t *block = NULL;
	int status = -1;

	if (base->bytes != NULL) {
		if (check_dictionary(base, payload, payload_len, e) != 0)
			return -1;
		payload += DCZ_HEADER_SIZE;
		payload_len -= DCZ_HEADER_SIZE;
	}
	if (check_frame(payload, payload_len, base->bytes != NULL ? base->len : 0, size, e) != 0)
		return -1;
	ctx = ZSTD_createDCtx();
	block = malloc(PUT_BLOCK);
	if (ctx == NULL || block == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)) ||
	    (base->bytes != NULL &&
	     ZSTD_isError(ZSTD_DCtx_refPrefix(ctx, base->bytes, base->len)))) {
		status = err_nomem(e);
		goto out;
	}
	status = decode_frame(ctx, payload, payload_len, block, &sink, e);
out:
	(void)ZSTD_freeDCtx(ctx);
	free(block);
	return status;
}

/* --- proof --------------------------------------------------------------------------------------
 */

struct comparison {
	const uint8_t *at;
	size_t left;
};

static int compare(void *context, const void *bytes, size_t len, struct err *e)
{
	struct comparison *c = context;

	if (len > c->left || memcmp(c->at, bytes, len) != 0)
		return err_set(e, ERR_MALFORMED, "it gives other content");
	c->at += len;
	c->left -= len;
	return 0;
}

int dcz_prove(const struct dcz_base *base, const uint8_t *payload, size_t payload_len,
	      const uint8_t *file, size_t len, struct err *e)
{
	struct comparison c = {file, len};

	return dcz_decode(base, payload, payload_len, len, compare, &c, e);
}
