#include "swarm/stream.h"

static ssize_t fill(const struct stream *s, struct hasher_block *block, struct err *e)
{
	ssize_t n = s->file != NULL ? source_file_read(s->file, block->bytes, HASHER_BLOCK, e)
				    : source_read(s->source, block->bytes, HASHER_BLOCK, e);

	block->len = n > 0 ? (size_t)n : 0;
	return n;
}

int stream_read(const struct stream *s, struct filehash_digests *ret, uint64_t *ret_size,
		struct err *e)
{
	struct hasher_file *hashed = hasher_begin(s->hasher, s->onlooker, ret, e);
	uint64_t size = 0;
	ssize_t n;
	int status = 0;

	if (hashed == NULL) {
		struct err late;
		if (s->onlooker != NULL)
			(void)s->onlooker->end(s->onlooker, &late);
		return -1;
	}
	do {
		struct hasher_block *block = hasher_take(s->hasher);
		n = fill(s, block, e);
		if (n < 0)
			status = -1;
		else if (s->tee != NULL)
			status = s->tee(s->context, block->bytes, block->len, e);
		progress_add(s->progress, block->len);
		uint64_t room = s->limit > size ? s->limit - size : 0;
		size += block->len;
		if (block->len > room)
			block->len = (size_t)room;
		hasher_push(hashed, block);
	} while (status == 0 && n == (ssize_t)HASHER_BLOCK && size <= s->limit);
	hasher_end(hashed);
	*ret_size = size;
	return status;
}
