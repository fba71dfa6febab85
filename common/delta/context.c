#include "swarm/context.h"

/* Takes files while they fit; false once one has not. */
static bool take(struct context_file *files, size_t count, bool gone, uint64_t limit,
		 uint64_t *length)
{
	for (size_t i = 0; i < count; i++) {
		struct context_file *f = &files[i];
		if (f->gone != gone)
			continue;
		if (f->size > limit - *length)
			return false;
		f->chosen = true;
		*length += f->size;
	}
	return true;
}

uint64_t context_choose(struct context_file *files, size_t count, uint64_t limit)
{
	uint64_t length = 0;

	for (size_t i = 0; i < count; i++)
		files[i].chosen = false;
	if (take(files, count, true, limit, &length))
		(void)take(files, count, false, limit, &length);
	return length;
}

bool context_match(struct context_file *files, size_t count, uint64_t length)
{
	return context_choose(files, count, length) == length;
}
