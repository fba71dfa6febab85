#include "swarm/unsealed.h"

#include <stdlib.h>

#include "swarm/spool.h"

#define BLOCK ((size_t)64 * 1024)

struct unsealed {
	struct outfile *out;
	struct header header;
	struct spool *spool;
	struct buf text;
};

static void stop(void *self)
{
	struct unsealed *u = self;

	spool_free(u->spool);
	buf_release(&u->text);
	free(u);
}

static void *start(const struct exporter_job *job, struct err *e)
{
	struct unsealed *u = calloc(1, sizeof *u);

	if (u == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	u->out = job->out;
	buf_init(&u->text);
	u->spool = spool_new(e);
	if (u->spool != NULL)
		return u;
	stop(u);
	return NULL;
}

static int begin(void *self, const struct header *header, const struct head *head, struct err *e)
{
	struct unsealed *u = self;

	(void)head;
	(void)e;
	u->header.kind = HEADER_INVENTORY;
	u->header.piece_length = header->piece_length;
	return 0;
}

static int flush(struct unsealed *u, struct err *e)
{
	if (buf_check(&u->text, e) != 0 || spool_write(u->spool, u->text.data, u->text.len, e) != 0)
		return -1;
	buf_clear(&u->text);
	return 0;
}

static int add(void *self, const struct entry *entry, struct err *e)
{
	struct unsealed *u = self;

	u->header.files++;
	u->header.bytes += entry->size;
	entry_format(&u->text, entry);
	buf_addc(&u->text, '\n');
	return u->text.len >= BLOCK ? flush(u, e) : 0;
}

static int end(void *self, struct err *e)
{
	struct unsealed *u = self;

	if (flush(u, e) != 0)
		return -1;
	header_format(&u->text, &u->header);
	buf_addc(&u->text, '\n');
	uint64_t size = spool_position(u->spool);
	for (uint64_t at = 0; at < size;) {
		if (outfile_drain(u->out, &u->text, e) != 0)
			return -1;
		size_t n = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
		char *room = buf_room(&u->text, n);
		if (room == NULL)
			return err_nomem(e);
		if (spool_read(u->spool, at, room, n, e) != 0)
			return -1;
		buf_grew(&u->text, n);
		at += n;
	}
	return outfile_drain(u->out, &u->text, e);
}

static const char *const options[] = {NULL};

const struct exporter_format unsealed_format = {
    .name = "inventory",
    .options = options,
    .start = start,
    .begin = begin,
    .add = add,
    .end = end,
    .stop = stop,
};
