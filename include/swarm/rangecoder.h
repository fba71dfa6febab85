/*
 * rangecoder: binary arithmetic coding: each bit costs what its probability says.
 *
 * Both directions go through one call, so that a model is written once and cannot differ between
 * them: a coder that writes returns the bit it was given, one that reads ignores it and returns the
 * one it found. Bytes leave an interval of 64 bits as soon as both of its ends agree on them.
 */
#ifndef SWARM_RANGECODER_H
#define SWARM_RANGECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"

struct rangecoder {
	uint64_t low, high; /* the interval, both ends in it */
	uint64_t code;      /* of a reader: where in it the stream points */
	struct buf *to;     /* of a writer */
	const uint8_t *from, *end;
	uint64_t beyond; /* of a reader: bytes asked for behind the end, which read as zero */
	bool reads;
};

/* Appends to `to`, which stays the caller's. A failure is found in `to`. */
void rangecoder_write(struct rangecoder *c, struct buf *to);
/* Ends the stream: what follows in `to` is no part of it. */
void rangecoder_finish(struct rangecoder *c);

/* Reads a stream of exactly `len` bytes, which must stay where they are. */
void rangecoder_read(struct rangecoder *c, const uint8_t *bytes, size_t len);
/* After the last bit: whether the stream ends just there. */
bool rangecoder_ended(const struct rangecoder *c);
/* Whether bits were read that no stream of this length can hold. Such bits mean nothing. */
bool rangecoder_overrun(const struct rangecoder *c);

/* Takes the byte on which both ends of the interval agree out of it. */
void rangecoder_shift(struct rangecoder *c);

/* The next bit, which is 1 with probability p / 65536; 0 < p < 65536. */
static inline unsigned rangecoder_bit(struct rangecoder *c, unsigned bit, uint32_t p)
{
	uint64_t width = c->high - c->low;
	uint64_t middle = c->low + (width >> 16) * p + (((width & 0xffff) * p) >> 16);

	if (c->reads)
		bit = c->code <= middle;
	if (bit)
		c->high = middle;
	else
		c->low = middle + 1;
	while (((c->low ^ c->high) >> 56) == 0)
		rangecoder_shift(c);
	return bit;
}

#endif
