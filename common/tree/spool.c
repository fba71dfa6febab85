#include "swarm/spool.h"

#include <stdlib.h>
#include <unistd.h>

#include "swarm/io.h"

#define NAME "a temporary file"

struct spool {
	int fd; /* -1 until there is something to keep */
	uint64_t size;
};

struct spool *spool_new(struct err *e)
{
	struct spool *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	s->fd = -1;
	return s;
}

void spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s);
}

uint64_t spool_position(const struct spool *s)
{
	return s->size;
}

int spool_write(struct spool *s, const void *bytes, size_t len, struct err *e)
{
	if (s->fd < 0 && (s->fd = io_temporary(e)) < 0)
		return -1;
	if (io_write(s->fd, bytes, len, NAME, e) != 0)
		return -1;
	s->size += len;
	return 0;
}

int spool_read(const struct spool *s, uint64_t at, void *to, size_t len, struct err *e)
{
	ssize_t n = len == 0 ? 0 : io_read_at(s->fd, to, len, at, NAME, e);

	if (n < 0)
		return -1;
	if ((size_t)n != len)
		return err_set(e, ERR_SYSTEM, "%s became shorter", NAME);
	return 0;
}
