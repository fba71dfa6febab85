#include "swarm/unsealed.h"

#include "swarm/spool.h"

#define BLOCK ((size_t)64 * 1024)

struct unsealed {
	struct format_state state;
	struct header header;
	struct spool *spool;
};

static void stop(void *self)
{
	struct unsealed *u = self;

	spool_free(u->spool);
}

static int start(void *self, struct err *e)
{
	struct unsealed *u = self;

	u->spool = spool_new(e);
	return u->spool != NULL ? 0 : -1;
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
	struct buf *text = &u->state.text;

	if (buf_check(text, e) != 0 || spool_write(u->spool, text->data, text->len, e) != 0)
		return -1;
	buf_clear(text);
	return 0;
}

static int add(void *self, const struct entry *entry, struct err *e)
{
	struct unsealed *u = self;

	u->header.files++;
	u->header.bytes += entry->size;
	entry_format(&u->state.text, entry);
	buf_addc(&u->state.text, '\n');
	return u->state.text.len >= BLOCK ? flush(u, e) : 0;
}

static int end(void *self, struct err *e)
{
	struct unsealed *u = self;
	struct buf *text = &u->state.text;

	if (flush(u, e) != 0)
		return -1;
	header_format(text, &u->header);
	buf_addc(text, '\n');
	uint64_t size = spool_position(u->spool);
	for (uint64_t at = 0; at < size;) {
		if (outfile_drain(u->state.job->out, text, e) != 0)
			return -1;
		size_t n = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
		char *room = buf_room(text, n);
		if (room == NULL)
			return err_nomem(e);
		if (spool_read(u->spool, at, room, n, e) != 0)
			return -1;
		buf_grew(text, n);
		at += n;
	}
	return 0;
}

static const char *const options[] = {NULL};

const struct format unsealed_format = {
    .name = "inventory",
    .options = options,
    .size = sizeof(struct unsealed),
    .start = start,
    .begin = begin,
    .add = add,
    .end = end,
    .stop = stop,
};
