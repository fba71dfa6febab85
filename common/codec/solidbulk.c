#include "swarm/solidbulk.h"

#include <stdlib.h>
#include <zstd.h>

#define LONG        4096                /* literals that can be worth it */
#define MODELLED    (UINT64_C(8) << 20) /* literals that the model gets */
#define SAMPLE      65536
#define DENSE       97 /* percent of a sample that are left: it was compressed before */
#define LEVEL       19
#define LEVEL_DENSE 1
#define WINDOW_LOG  25
#define WORKERS     4 /* at most, each takes about 100 MiB */
#define JOB         (8 << 20)

struct solidbulk {
	ZSTD_DCtx *z;
	ZSTD_inBuffer in;
	size_t more; /* 0: at the end of a frame */
};

static uint64_t step_len(const struct solidparse_text *text, const struct solidparse_step *steps,
			 size_t count, size_t i)
{
	return (i + 1 < count ? steps[i + 1].at : text->new_len) - steps[i].at;
}

/* Whether samples from the beginning, the middle and the end hardly become smaller. */
static int is_dense(const uint8_t *bytes, uint64_t len, bool *ret, struct err *e)
{
	size_t room = ZSTD_compressBound(SAMPLE), sum = 0, packed = 0;
	void *to = malloc(room);

	if (to == NULL)
		return err_nomem(e);
	for (unsigned i = 0; i < 3; i++) {
		size_t n = len < SAMPLE ? (size_t)len : SAMPLE;
		size_t got = ZSTD_compress(to, room, bytes + (len - n) / 2 * i, n, LEVEL_DENSE);
		if (ZSTD_isError(got)) {
			free(to);
			return err_nomem(e);
		}
		sum += n;
		packed += got;
	}
	free(to);
	*ret = packed * 100 > sum * DENSE;
	return 0;
}

int solidbulk_choose(const struct solidparse_text *text, struct solidparse_step *steps,
		     size_t count, struct err *e)
{
	uint64_t modelled = 0;

	for (size_t i = 0; i < count; i++) {
		if (steps[i].source != SOLIDPARSE_LITERAL)
			continue;
		uint64_t len = step_len(text, steps, count, i);
		bool bulk = modelled + len > MODELLED && len >= LONG;
		if (!bulk && len >= LONG && is_dense(text->new + steps[i].at, len, &bulk, e) != 0)
			return -1;
		if (bulk)
			steps[i].source = SOLIDPARSE_BULK;
		else
			modelled += len;
	}
	return 0;
}

static int set(ZSTD_CCtx *z, ZSTD_cParameter parameter, int value)
{
	return ZSTD_isError(ZSTD_CCtx_setParameter(z, parameter, value)) ? -1 : 0;
}

/* One worker and many give the same bytes; none would not. A libzstd without threads has none. */
static int set_parameters(ZSTD_CCtx *z, bool dense, unsigned threads, struct err *e)
{
	unsigned workers = threads < 1 ? 1 : threads < WORKERS ? threads : WORKERS;

	if (set(z, ZSTD_c_compressionLevel, dense ? LEVEL_DENSE : LEVEL) != 0 ||
	    set(z, ZSTD_c_windowLog, WINDOW_LOG) != 0)
		return err_set(e, ERR_SYSTEM, "libzstd does not know its own parameters");
	if (set(z, ZSTD_c_nbWorkers, (int)workers) == 0)
		(void)set(z, ZSTD_c_jobSize, JOB);
	return 0;
}

/* More bytes of a frame, or all there is of one that ends. */
static int pack_some(ZSTD_CCtx *z, const uint8_t *bytes, uint64_t len, bool last, struct buf *ret,
		     struct err *e)
{
	ZSTD_inBuffer in = {bytes, (size_t)len, 0};
	size_t left;

	do {
		char *room = buf_room(ret, SAMPLE);
		if (room == NULL)
			return err_nomem(e);
		ZSTD_outBuffer out = {room, SAMPLE, 0};
		left = ZSTD_compressStream2(z, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return err_set(e, ERR_SYSTEM, "libzstd cannot encode: %s",
				       ZSTD_getErrorName(left));
		buf_grew(ret, out.pos);
	} while (in.pos < in.size || (last && left > 0));
	return 0;
}

/* All bulk of one kind in one frame would be out of order, so a frame ends where the kind does. */
int solidbulk_pack(const struct solidparse_text *text, const struct solidparse_step *steps,
		   size_t count, unsigned threads, struct buf *ret, struct err *e)
{
	ZSTD_CCtx *z = NULL;
	bool open = false, dense = false;
	int result = -1;

	for (size_t i = 0; i < count; i++) {
		if (steps[i].source != SOLIDPARSE_BULK)
			continue;
		const uint8_t *bytes = text->new + steps[i].at;
		uint64_t len = step_len(text, steps, count, i);
		bool now = false;
		if (is_dense(bytes, len, &now, e) != 0)
			goto out;
		if (z == NULL && (z = ZSTD_createCCtx()) == NULL) {
			(void)err_nomem(e);
			goto out;
		}
		if (open && now != dense) {
			if (pack_some(z, bytes, 0, true, ret, e) != 0)
				goto out;
			open = false;
		}
		dense = now;
		if (!open && set_parameters(z, now, threads, e) != 0)
			goto out;
		open = true;
		if (pack_some(z, bytes, len, false, ret, e) != 0)
			goto out;
	}
	if (open && pack_some(z, text->new, 0, true, ret, e) != 0)
		goto out;
	result = 0;
out:
	ZSTD_freeCCtx(z);
	return result;
}

uint64_t solidbulk_memory(void)
{
	return sizeof(struct solidbulk) + (UINT64_C(1) << WINDOW_LOG) + (1 << 20);
}

struct solidbulk *solidbulk_open(const uint8_t *frames, size_t len, struct err *e)
{
	struct solidbulk *b = calloc(1, sizeof *b);

	if (b != NULL)
		b->z = ZSTD_createDCtx();
	if (b == NULL || b->z == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(b->z, ZSTD_d_windowLogMax, WINDOW_LOG))) {
		solidbulk_close(b);
		(void)err_nomem(e);
		return NULL;
	}
	b->in = (ZSTD_inBuffer){frames, len, 0};
	return b;
}

void solidbulk_close(struct solidbulk *b)
{
	if (b == NULL)
		return;
	ZSTD_freeDCtx(b->z);
	free(b);
}

static int decode(struct solidbulk *b, ZSTD_outBuffer *out, struct err *e)
{
	b->more = ZSTD_decompressStream(b->z, out, &b->in);
	if (ZSTD_isError(b->more))
		return err_set(e, ERR_MALFORMED, "the bulk of the solid payload is damaged: %s",
			       ZSTD_getErrorName(b->more));
	return 0;
}

int solidbulk_read(struct solidbulk *b, void *to, size_t len, struct err *e)
{
	ZSTD_outBuffer out = {to, len, 0};

	while (out.pos < out.size) {
		size_t before = b->in.pos + out.pos;
		if (decode(b, &out, e) != 0)
			return -1;
		if (b->in.pos + out.pos == before)
			return err_set(e, ERR_MALFORMED,
				       "the bulk of the solid payload is cut off");
	}
	return 0;
}

int solidbulk_end(struct solidbulk *b, struct err *e)
{
	uint8_t none;
	ZSTD_outBuffer out = {&none, 1, 0};

	while (b->in.pos < b->in.size || b->more != 0) {
		size_t before = b->in.pos;
		if (decode(b, &out, e) != 0)
			return -1;
		if (out.pos > 0 || (b->in.pos == before && b->more != 0))
			return err_set(
			    e, ERR_MALFORMED,
			    "the bulk of the solid payload does not end where it should");
	}
	return 0;
}
