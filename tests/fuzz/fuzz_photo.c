/* Input: a picture. The answer is the same whether it is in memory or read. */
#include <stdlib.h>
#include <string.h>

#include "swarm/photo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
	const uint8_t *data;
	size_t size;
};

static ssize_t read_at(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	const struct file *f = context;

	(void)e;
	if (offset > f->size || len > f->size - offset)
		abort();
	memcpy(to, f->data + offset, len);
	return (ssize_t)len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file = {data, size};
	struct probe memory = {.size = size, .first = data, .first_len = size};
	struct probe disk = {.size = size,
			     .first = data,
			     .first_len = size < 16 ? size : 16,
			     .read_at = read_at,
			     .context = &file};
	/* Its size is said to be more than there is. */
	struct probe cut = {.size = size + 1000, .first = data, .first_len = size};
	bool found = photo_has_position(&memory);

	if (photo_has_position(&disk) != found)
		abort();
	(void)photo_has_position(&cut);
	if (memory.failed || disk.failed || cut.failed)
		abort();
	if (found && !photo_is_known(data, size < 16 ? size : 16))
		abort();
	return 0;
}
