/* Input: the statement of a head. What is accepted has one spelling and makes sense. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/head.h"
#include "swarm/utc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head h;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	if (head_parse((const char *)data, size, &h, &e) != 0) {
		check(e.code == ERR_MALFORMED);
		return 0;
	}
	check(header_is_name(h.id.product) && header_is_name(h.id.channel));
	check(header_is_version(h.id.version) && h.id.serial >= 1);
	check(h.issued >= 0 && h.issued < h.expires && h.expires <= UTC_MAX);
	check(h.bytes >= 1 && h.files >= 1);
	check(!h.has_previous ||
	      (h.previous.serial < h.id.serial && header_is_version(h.previous.version)));
	head_format(&b, &h);
	check(b.len == size && memcmp(b.data, data, size) == 0);
	buf_release(&b);
	return 0;
}
