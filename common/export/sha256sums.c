#include "swarm/sha256sums.h"

#include <stdlib.h>

#include "swarm/hex.h"
#include "swarm/plain.h"

struct sha256sums {
	struct outfile *out;
	struct buf text;
};

static void stop(void *self)
{
	struct sha256sums *s = self;

	buf_release(&s->text);
	free(s);
}

static void *start(const struct exporter_job *job, struct err *e)
{
	struct sha256sums *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	s->out = job->out;
	buf_init(&s->text);
	return s;
}

static int begin(void *self, const struct header *header, const struct head *head, struct err *e)
{
	(void)self;
	(void)header;
	(void)head;
	(void)e;
	return 0;
}

/* No path holds what GNU escapes: a backslash, a line feed or a carriage return. */
static int add(void *self, const struct entry *entry, struct err *e)
{
	struct sha256sums *s = self;
	char hex[2 * SHA256_SIZE + 1];

	if (plain_check(entry, "which is all that a list of checksums holds", e) != 0)
		return -1;
	hex_format(hex, entry->sha256, SHA256_SIZE);
	buf_add(&s->text, hex, sizeof hex - 1);
	buf_adds(&s->text, "  ");
	buf_adds(&s->text, entry->path);
	buf_addc(&s->text, '\n');
	return outfile_gather(s->out, &s->text, e);
}

static int end(void *self, struct err *e)
{
	struct sha256sums *s = self;

	return outfile_drain(s->out, &s->text, e);
}

static const char *const options[] = {NULL};

const struct exporter_format sha256sums_format = {
    .name = "sha256sums",
    .options = options,
    .start = start,
    .begin = begin,
    .add = add,
    .end = end,
    .stop = stop,
};
