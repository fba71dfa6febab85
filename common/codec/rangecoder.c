#include "swarm/rangecoder.h"

/* How many bytes a reader is ahead of what it has used. */
#define AHEAD 8

void rangecoder_write(struct rangecoder *c, struct buf *to)
{
	*c = (struct rangecoder){.high = UINT64_MAX, .to = to};
}

void rangecoder_finish(struct rangecoder *c)
{
	/* Both ends differ in their first byte, so this one with zeros behind it lies between. */
	buf_addc(c->to, (char)(uint8_t)((c->low >> 56) + 1));
}

static uint8_t next_byte(struct rangecoder *c)
{
	if (c->from < c->end)
		return *c->from++;
	c->beyond++;
	return 0;
}

void rangecoder_read(struct rangecoder *c, const uint8_t *bytes, size_t len)
{
	*c = (struct rangecoder){
	    .high = UINT64_MAX, .from = bytes, .end = bytes + len, .reads = true};
	for (unsigned i = 0; i < AHEAD; i++)
		c->code = c->code << 8 | next_byte(c);
}

bool rangecoder_ended(const struct rangecoder *c)
{
	return c->beyond == AHEAD - 1 && c->from == c->end;
}

bool rangecoder_overrun(const struct rangecoder *c)
{
	return c->beyond >= AHEAD;
}

void rangecoder_shift(struct rangecoder *c)
{
	if (c->reads)
		c->code = c->code << 8 | next_byte(c);
	else
		buf_addc(c->to, (char)(uint8_t)(c->high >> 56));
	c->low <<= 8;
	c->high = c->high << 8 | 0xff;
}
