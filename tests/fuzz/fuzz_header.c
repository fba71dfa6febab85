/* Input: the first line of an inventory or manifest. What is accepted has one spelling. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/header.h"
#include "swarm/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct header h;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	if (header_parse((const char *)data, size, &h, &e) != 0) {
		check(e.code == ERR_MALFORMED);
		return 0;
	}
	check(header_is_piece_length(h.piece_length));
	check(h.files >= 1 && h.files <= NUM_MAX && h.bytes <= NUM_MAX);
	if (h.kind == HEADER_MANIFEST)
		check(header_is_name(h.id.product) && header_is_name(h.id.channel) &&
		      header_is_version(h.id.version) && h.id.serial >= 1);
	header_format(&b, &h);
	check(b.len == size && memcmp(b.data, data, size) == 0);
	buf_release(&b);
	return 0;
}
