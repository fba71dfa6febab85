/* Input: the first line of a part of an inventory. What is accepted has one spelling. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/header.h"
#include "swarm/part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part p;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	if (part_parse((const char *)data, size, &p, &e) != 0) {
		check(e.code == ERR_MALFORMED);
		return 0;
	}
	check(p.shard.number >= 1 && p.shard.number <= p.shard.count);
	check(p.shard.count <= PART_SHARDS_MAX);
	check(header_is_piece_length(p.piece_length));
	check(p.files >= 1 && p.own_files <= p.files && p.own_bytes <= p.bytes);
	part_format(&b, &p);
	check(b.len == size && memcmp(b.data, data, size) == 0);
	buf_release(&b);
	return 0;
}
