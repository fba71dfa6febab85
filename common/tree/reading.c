#include "swarm/reading.h"

int reading_open(const struct digest_job *job, size_t i, struct reading *ret, struct err *e)
{
	struct source_item room = {.path = NULL};
	struct err late;

	*ret = (struct reading){.i = i, .in = {.fd = -1}};
	if (!job->want(job->context, i, &ret->file, &room))
		return 1;
	int status = source_file_open(job->source, ret->file.path, ret->file.expected, &ret->in, e);
	ret->file.expected = NULL;
	if (status != 0)
		return reading_end(ret, -1, &late);
	ret->size = ret->in.size < ret->file.limit ? ret->in.size : ret->file.limit;
	return 0;
}

int reading_read(struct reading *r, uint64_t offset, uint8_t *to, size_t len, struct err *e)
{
	/* There are file systems that say 0 of what is not empty. */
	size_t want = r->in.size == 0 ? 1 : len;
	uint8_t surplus[1];
	ssize_t n = source_file_read_at(&r->in, offset, len > 0 ? to : surplus, want, e);

	if (n < 0)
		return -1;
	if ((size_t)n == len)
		return 0;
	return err_set(e, ERR_CHANGED, "'%s' changed while it was read", r->in.path);
}

int reading_look(const struct digest_job *job, struct reading *r, const uint8_t *first, size_t len,
		 struct err *e)
{
	return job->look != NULL ? job->look(job->context, r->i, &r->in, first, len, e) : 0;
}

int reading_close(struct reading *r, int status, struct err *e)
{
	struct err late;

	return source_file_close(&r->in, status == 0 ? e : &late) == 0 ? status : -1;
}

int reading_end(const struct reading *r, int status, struct err *e)
{
	struct onlooker *onlooker = r->file.onlooker;
	struct err late;

	if (onlooker == NULL)
		return status;
	return onlooker->end(onlooker, status == 0 ? e : &late) == 0 ? status : -1;
}
