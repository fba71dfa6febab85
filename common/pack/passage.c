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

static int begin(struct passage *p, const void *bytes, size_t len, struct err *e)
{
	p->begun = true;
	if (p->lookout == NULL)
		return 0;
	if (!lookout_knows(p->lookout, p->indices, p->count, bytes, len))
		return 0;
	/* Most members come in one block. */
	struct probe probe = {.size = len, .first = bytes, .first_len = len};
	if (len == p->size)
		return lookout_inspect(p->lookout, p->indices, p->count, &probe, e);
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
	struct probe probe = {.size = p->seen, .read_at = read_kept_at, .context = p};

	if (p->kept == NULL)
		return 0;
	return lookout_inspect(p->lookout, p->indices, p->count, &probe, e);
}

void passage_release(struct passage *p)
{
	spool_free(p->kept);
	p->kept = NULL;
}
