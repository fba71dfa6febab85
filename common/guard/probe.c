#include "swarm/probe.h"

#include <string.h>

static size_t fetch(struct probe *p, uint64_t offset, void *to, size_t len)
{
	ssize_t n = p->read_at(p->context, offset, to, len, &p->err);

	p->failed = n < 0;
	return n < 0 ? 0 : (size_t)n;
}

/* The block that has all of it; NULL if the file is shorter than its size says. */
static const uint8_t *in_block(struct probe *p, uint64_t offset, size_t len)
{
	for (size_t i = 0; i < 2; i++) {
		const struct probe_block *b = &p->block[i];
		if (offset >= b->at && offset - b->at <= b->len && len <= b->len - (offset - b->at))
			return b->bytes + (offset - b->at);
	}
	struct probe_block *b = &p->block[p->oldest];
	uint64_t rest = p->size - offset;
	/* Two, in turn: tables and what they point to are read by turns. */
	p->oldest ^= 1;
	b->at = offset;
	b->len = fetch(p, offset, b->bytes, rest < PROBE_BLOCK ? (size_t)rest : PROBE_BLOCK);
	return len <= b->len ? b->bytes : NULL;
}

bool probe_read(struct probe *p, uint64_t offset, void *to, size_t len)
{
	if (p->failed || offset > p->size || len > p->size - offset)
		return false;
	if (len == 0)
		return true;
	if (offset < p->first_len && len <= p->first_len - offset) {
		memcpy(to, p->first + offset, len);
		return true;
	}
	if (p->read_at == NULL)
		return false;
	if (len > PROBE_BLOCK)
		return fetch(p, offset, to, len) == len;
	const uint8_t *bytes = in_block(p, offset, len);
	if (bytes != NULL)
		memcpy(to, bytes, len);
	return bytes != NULL;
}

uint16_t probe_be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t probe_be32(const uint8_t *at)
{
	return (uint32_t)probe_be16(at) << 16 | probe_be16(at + 2);
}

uint64_t probe_be64(const uint8_t *at)
{
	return (uint64_t)probe_be32(at) << 32 | probe_be32(at + 4);
}

uint16_t probe_le16(const uint8_t *at)
{
	return (uint16_t)(at[1] << 8 | at[0]);
}

uint32_t probe_le32(const uint8_t *at)
{
	return (uint32_t)probe_le16(at + 2) << 16 | probe_le16(at);
}

uint64_t probe_le64(const uint8_t *at)
{
	return (uint64_t)probe_le32(at + 4) << 32 | probe_le32(at);
}
