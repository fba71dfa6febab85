#include "swarm/layers.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/bencode.h"
#include "swarm/grow.h"
#include "swarm/spool.h"

#define BLOCK ((size_t)64 * 1024)

struct layer {
	uint8_t root[SHA256_SIZE];
	uint64_t at, len; /* in the spool */
};

struct layers {
	struct layer *list;
	size_t count, room;
	struct spool *spool;
};

struct layers *layers_new(struct err *e)
{
	struct layers *l = calloc(1, sizeof *l);

	if (l == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	l->spool = spool_new(e);
	if (l->spool != NULL)
		return l;
	layers_free(l);
	return NULL;
}

void layers_free(struct layers *l)
{
	if (l == NULL)
		return;
	spool_free(l->spool);
	free(l->list);
	free(l);
}

int layers_add(struct layers *l, const struct entry *entry, struct err *e)
{
	size_t len = entry->piece_count * SHA256_SIZE;

	if (entry->piece_count == 0)
		return 0;
	struct layer *more = grow_for_one(l->list, l->count, &l->room, sizeof *more, e);
	if (more == NULL)
		return -1;
	l->list = more;
	struct layer *new = &l->list[l->count++];
	memcpy(new->root, entry->root, SHA256_SIZE);
	new->at = spool_position(l->spool);
	new->len = len;
	return spool_write(l->spool, entry->pieces, len, e);
}

static int compare(const void *left, const void *right)
{
	const struct layer *a = left, *b = right;
	int order = memcmp(a->root, b->root, SHA256_SIZE);

	return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

/* Files of one root have one content, so one piece length makes one layer of them. */
static void drop_doubles(struct layers *l)
{
	size_t kept = 0;

	if (l->count > 0)
		qsort(l->list, l->count, sizeof *l->list, compare);
	for (size_t i = 0; i < l->count; i++)
		if (kept == 0 || memcmp(l->list[kept - 1].root, l->list[i].root, SHA256_SIZE) != 0)
			l->list[kept++] = l->list[i];
	l->count = kept;
}

static int copy_layer(const struct layers *l, const struct layer *layer, struct buf *text,
		      int (*put)(void *context, const void *bytes, size_t len, struct err *e),
		      void *context, struct err *e)
{
	for (uint64_t done = 0; done < layer->len;) {
		size_t n = layer->len - done < BLOCK ? (size_t)(layer->len - done) : BLOCK;
		char *room = buf_room(text, n);
		if (room == NULL)
			return err_nomem(e);
		if (spool_read(l->spool, layer->at + done, room, n, e) != 0)
			return -1;
		buf_grew(text, n);
		if (put(context, text->data, text->len, e) != 0)
			return -1;
		buf_clear(text);
		done += n;
	}
	return 0;
}

int layers_write(struct layers *l,
		 int (*put)(void *context, const void *bytes, size_t len, struct err *e),
		 void *context, uint64_t *tokens, struct err *e)
{
	struct buf text = BUF_INIT;
	struct bencode_writer w = {.to = &text};
	int status = -1;

	drop_doubles(l);
	bencode_open_dictionary(&w);
	for (size_t i = 0; i < l->count; i++) {
		bencode_string(&w, l->list[i].root, SHA256_SIZE);
		bencode_start_string(&w, l->list[i].len);
		if (buf_check(&text, e) != 0 ||
		    copy_layer(l, &l->list[i], &text, put, context, e) != 0)
			goto out;
	}
	bencode_close(&w);
	*tokens += w.tokens;
	if (buf_check(&text, e) == 0)
		status = put(context, text.data, text.len, e);
out:
	buf_release(&text);
	return status;
}
