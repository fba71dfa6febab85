#include "swarm/passage.h"

static ssize_t read_kept_at(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	const struct passage *p = context;

	if (offset >= p->seen)
		return 0;
	if (len > p->seen - offset)
		len = (size_t)(p->seen - offset);
	return spool_read(p->kept, offset, to, len, e) == 0 ? (ssize_t)len : -1;
}

static bool must_keep(const struct passage *p, const void *first, size_t len)
{
	for (size_t i = 0; i < p->count; i++)
		if (lookout_knows(p->lookout, p->indices[i], first, len))
			return true;
	return false;
}

/* Most members come in one block. */
static int inspect_whole(const struct passage *p, const void *bytes, size_t len, struct err *e)
{
	for (size_t i = 0; i < p->count; i++) {
		struct probe probe = {.size = len, .first = bytes, .first_len = len};
		if (lookout_knows(p->lookout, p->indices[i], bytes, len) &&
		    lookout_inspect(p->lookout, p->indices[i], &probe, e) != 0)
			return -1;
	}
	return 0;
}

static int begin(struct passage *p, const void *bytes, size_t len, struct err *e)
{
	p->begun = true;
	if (p->lookout == NULL)
		return 0;
	if (len == p->size)
		return inspect_whole(p, bytes, len, e);
	if (!must_keep(p, bytes, len))
		return 0;
	p->kept = spool_new(e);
	return p->kept != NULL ? 0 : -1;
}

int passage_see(void *passage, const void *bytes, size_t len, struct err *e)
{
	struct passage *p = passage;

	if (!p->begun && begin(p, bytes, len, e) != 0)
		return -1;
	p->seen += len;
	if (p->kept != NULL && spool_write(p->kept, bytes, len, e) != 0)
		return -1;
	return p->tee != NULL ? p->tee(p->context, bytes, len, e) : 0;
}

int passage_end(struct passage *p, struct err *e)
{
	for (size_t i = 0; p->kept != NULL && i < p->count; i++) {
		struct probe probe = {.size = p->seen, .read_at = read_kept_at, .context = p};
		if (lookout_inspect(p->lookout, p->indices[i], &probe, e) != 0)
			return -1;
	}
	return 0;
}

void passage_release(struct passage *p)
{
	spool_free(p->kept);
	p->kept = NULL;
}
