#include "swarm/solid.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/solidbulk.h"
#include "swarm/solidcode.h"
#include "swarm/solidindex.h"
#include "swarm/solidparse.h"

/*
 *   payload = magic version reach old-length new-length bulk-length bulk stream
 *   magic   = "SWSOLID" NUL          version = one byte, 1       reach = one byte, 16 to 28
 *   lengths = eight bytes each, the lowest first                 bulk: solidbulk.h
 *   stream: solidcode.h
 */
static const uint8_t magic[8] = "SWSOLID";

#define HEAD      34
#define REACH_MIN 16
#define REACH_MAX 28
/* What stands a little before a source must be within reach too. */
#define REACH_SPARE 64

static unsigned reach_for(uint64_t new_len)
{
	unsigned bits = REACH_MIN;

	while (bits < REACH_MAX && new_len >> bits > 0)
		bits++;
	return bits;
}

/* Besides the index: the ways that are weighed, and the model. */
static uint64_t other_memory(uint64_t new_len)
{
	return (UINT64_C(32) << 20) + solidcode_decode_memory(new_len, 0);
}

uint64_t solid_encode_memory(uint64_t old_len, uint64_t new_len)
{
	return solidindex_memory(old_len, new_len) + other_memory(new_len);
}

static void add_number(struct buf *to, uint64_t n)
{
	for (unsigned i = 0; i < 8; i++)
		buf_addc(to, (char)(uint8_t)(n >> (8 * i)));
}

static uint64_t get_number(const uint8_t *from)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		n |= (uint64_t)from[i] << (8 * i);
	return n;
}

int solid_encode(const struct solid_text *old, const struct solid_text *new,
		 const struct solid_options *options, struct buf *ret, struct err *e)
{
	unsigned reach = reach_for(new->len);
	struct solidparse_text text = {.old = old->bytes,
				       .old_len = old->len,
				       .new = new->bytes,
				       .new_len = new->len,
				       .reach = (UINT64_C(1) << reach) - REACH_SPARE};
	struct solidparse_step *steps = NULL;
	struct buf bulk = BUF_INIT;
	size_t count = 0;
	int result = -1;

	uint64_t other = other_memory(new->len);
	uint64_t memory = options->memory > other ? options->memory - other : 0;
	struct solidindex *index =
	    solidindex_new(old->bytes, old->len, new->bytes, new->len, memory, e);
	if (index == NULL || solidparse_run(&text, index, &steps, &count, e) != 0)
		goto out;
	solidindex_free(index);
	index = NULL;
	if (solidbulk_choose(&text, steps, count, e) != 0 ||
	    solidbulk_pack(&text, steps, count, options->threads, &bulk, e) != 0)
		goto out;
	buf_add(ret, magic, sizeof magic);
	buf_addc(ret, SOLID_VERSION);
	buf_addc(ret, (char)reach);
	add_number(ret, old->len);
	add_number(ret, new->len);
	add_number(ret, bulk.len);
	buf_add(ret, bulk.data, bulk.len);
	text.reach = UINT64_C(1) << reach;
	result = solidcode_encode(&text, steps, count, ret, e);
out:
	solidindex_free(index);
	free(steps);
	buf_release(&bulk);
	return result;
}

static int check_start(const uint8_t *payload, size_t payload_len, struct err *e)
{
	if (payload_len < HEAD || memcmp(payload, magic, sizeof magic) != 0)
		return err_set(e, ERR_MALFORMED, "this is no solid payload");
	if (payload[8] != SOLID_VERSION)
		return err_set(e, ERR_MALFORMED, "the solid payload has the unknown version %u",
			       payload[8]);
	return 0;
}

int solid_old_length(const uint8_t *payload, size_t payload_len, uint64_t *ret, struct err *e)
{
	if (check_start(payload, payload_len, e) != 0)
		return -1;
	*ret = get_number(payload + 10);
	return 0;
}

int solid_decode(const uint8_t *payload, size_t payload_len, uint64_t old_len, uint64_t new_len,
		 uint64_t memory, const struct solid_io *io, struct err *e)
{
	if (check_start(payload, payload_len, e) != 0)
		return -1;
	unsigned reach = payload[9];
	if (reach < REACH_MIN || reach > REACH_MAX)
		return err_set(e, ERR_MALFORMED, "the solid payload has the reach %u", reach);
	if (get_number(payload + 10) != old_len || get_number(payload + 18) != new_len)
		return err_set(e, ERR_MALFORMED, "the solid payload is for other files");
	uint64_t bulk_len = get_number(payload + 26);
	if (bulk_len > payload_len - HEAD)
		return err_set(e, ERR_MALFORMED, "the solid payload is cut off");
	uint64_t need = solidcode_decode_memory(new_len, UINT64_C(1) << reach) + solidbulk_memory();
	if (need > memory)
		return err_set(e, ERR_REFUSED,
			       "the solid payload needs %llu bytes of memory, allowed are %llu",
			       (unsigned long long)need, (unsigned long long)memory);
	struct solidbulk *bulk = solidbulk_open(payload + HEAD, (size_t)bulk_len, e);
	if (bulk == NULL)
		return -1;
	size_t head = HEAD + (size_t)bulk_len;
	int result = solidcode_decode(payload + head, payload_len - head, bulk, old_len, new_len,
				      UINT64_C(1) << reach, io, e);
	if (result == 0)
		result = solidbulk_end(bulk, e);
	solidbulk_close(bulk);
	return result;
}
