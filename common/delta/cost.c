#include "swarm/cost.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/base64.h"
#include "swarm/hex.h"
#include "swarm/roll.h"

/* --- pieces that the old release has ------------------------------------------------------------
 */

/* A piece of a new file. */
struct wanted {
	const uint8_t *hash;
	bool found;
};

struct hunt {
	struct wanted *pieces; /* sorted by hash, each once */
	size_t count;
	struct buf layer; /* of an old file */
};

static int compare_hash(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return memcmp(x->hash, y->hash, SHA256_SIZE);
}

/* The hashes of a file's pieces; a file of one piece is known by its root. */
static const uint8_t *pieces_of(const struct entry *file, size_t *ret_count)
{
	*ret_count = file->piece_count > 0 ? file->piece_count : 1;
	return file->piece_count > 0 ? file->pieces : file->root;
}

static size_t drop_doubles(struct wanted *pieces, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare_hash(&pieces[kept - 1], &pieces[i]) != 0)
			pieces[kept++] = pieces[i];
	return kept;
}

static int list_wanted(struct hunt *h, const struct cost *c, struct err *e)
{
	h->pieces = calloc((size_t)c->pieces + 1, sizeof *h->pieces);
	if (h->pieces == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < c->changes->count; i++) {
		size_t count;
		if (!changes_is_fetched(&c->changes->items[i]))
			continue;
		const uint8_t *hash = pieces_of(&c->changes->items[i].file, &count);
		for (size_t k = 0; k < count; k++)
			h->pieces[h->count++].hash = hash + k * SHA256_SIZE;
	}
	if (h->count > 0)
		qsort(h->pieces, h->count, sizeof *h->pieces, compare_hash);
	h->count = drop_doubles(h->pieces, h->count);
	return 0;
}

static struct wanted *find(const struct hunt *h, const uint8_t *hash)
{
	struct wanted key = {.hash = hash};

	return bsearch(&key, h->pieces, h->count, sizeof *h->pieces, compare_hash);
}

static void tick_off(struct hunt *h, const uint8_t *hash)
{
	struct wanted *piece = find(h, hash);

	if (piece != NULL)
		piece->found = true;
}

/* Looks at a line of the old manifest. What cannot be read is nothing that a client has. */
static int look(struct hunt *h, const struct roll *roll, struct err *e)
{
	struct roll_content content;
	uint8_t root[SHA256_SIZE];

	if (!roll_content(roll, &content) || content.root == NULL)
		return 0;
	if (content.pieces == NULL) {
		if (hex_parse(root, sizeof root, content.root, 2 * SHA256_SIZE))
			tick_off(h, root);
		return 0;
	}
	size_t size = base64_size(content.pieces, content.pieces_len);
	buf_clear(&h->layer);
	char *room = buf_room(&h->layer, size);
	if (room == NULL)
		return err_nomem(e);
	if (!base64_parse((uint8_t *)room, content.pieces, content.pieces_len))
		return 0;
	for (size_t at = 0; at + SHA256_SIZE <= size; at += SHA256_SIZE)
		tick_off(h, (const uint8_t *)room + at);
	return 0;
}

static int search_old(struct hunt *h, struct document *from, struct err *e)
{
	struct roll *roll = roll_open(from, e);
	int got = -1;

	if (roll == NULL)
		return -1;
	while ((got = roll_next(roll, e)) > 0) {
		if (look(h, roll, e) == 0)
			continue;
		got = -1;
		break;
	}
	roll_close(roll);
	return got;
}

/* --- the sums -----------------------------------------------------------------------------------
 */

static void count_missing(struct cost *c, const struct hunt *h, size_t i)
{
	const struct entry *file = &c->changes->items[i].file;
	struct cost_file *f = &c->files[i];
	uint64_t piece_length = c->changes->to.piece_length;
	size_t count;
	const uint8_t *hash = pieces_of(file, &count);

	for (size_t k = 0; k < count; k++) {
		uint64_t left = file->size - k * piece_length;
		if (find(h, hash + k * SHA256_SIZE)->found)
			continue;
		f->missing++;
		f->missing_bytes += left < piece_length ? left : piece_length;
	}
	c->missing += f->missing;
	c->missing_bytes += f->missing_bytes;
}

static void count_whole(struct cost *c, size_t i)
{
	const struct entry *file = &c->changes->items[i].file;
	bool made = c->payloads != NULL && c->payloads[i].bare == PAYLOADS_MADE;
	size_t pieces;

	(void)pieces_of(file, &pieces);
	c->files[i].pieces = pieces;
	c->pieces += pieces;
	c->fetched++;
	c->whole_bytes += file->size;
	c->bare += !made;
	c->payload_bytes += made ? c->payloads[i].size : file->size;
}

static uint64_t bytes_of(const struct cost *c, size_t i)
{
	if (c->payloads == NULL)
		return c->files[i].missing_bytes;
	return c->payloads[i].bare == PAYLOADS_MADE ? c->payloads[i].size
						    : c->changes->items[i].file.size;
}

/* Puts a file among the most expensive ones, of equal ones behind those that came before. */
static void rank(struct cost *c, size_t item)
{
	uint64_t bytes = bytes_of(c, item);
	size_t at = c->top_count;

	while (at > 0 && c->top[at - 1].bytes < bytes)
		at--;
	if (at == COST_TOP || bytes == 0)
		return;
	if (c->top_count < COST_TOP)
		c->top_count++;
	memmove(&c->top[at + 1], &c->top[at], (c->top_count - at - 1) * sizeof c->top[0]);
	c->top[at] = (struct cost_top){.item = item, .bytes = bytes};
}

int cost_measure(const struct changes *changes, const struct payloads_item *payloads,
		 struct document *from, struct cost *ret, struct err *e)
{
	struct hunt h = {.layer = BUF_INIT};
	int status = -1;

	*ret = (struct cost){.changes = changes, .payloads = payloads};
	ret->files = calloc(changes->count + 1, sizeof *ret->files);
	if (ret->files == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < changes->count; i++)
		if (changes_is_fetched(&changes->items[i]))
			count_whole(ret, i);
	if (ret->fetched == 0)
		return 0;
	if (list_wanted(&h, ret, e) != 0 || search_old(&h, from, e) != 0)
		goto out;
	for (size_t i = 0; i < changes->count; i++) {
		if (!changes_is_fetched(&changes->items[i]))
			continue;
		count_missing(ret, &h, i);
		rank(ret, i);
	}
	status = 0;
out:
	free(h.pieces);
	buf_release(&h.layer);
	return status;
}

void cost_release(struct cost *c)
{
	free(c->files);
	*c = (struct cost){.changes = NULL};
}

/* --- why ----------------------------------------------------------------------------------------
 */

/* The old file that a client would make this one of; NULL: none. */
static const struct entry *base_of(const struct cost *c, size_t i)
{
	const struct changes_item *item = &c->changes->items[i];

	if (c->payloads != NULL && c->payloads[i].base != NULL)
		return c->payloads[i].base;
	return item->kind == CHANGES_CONTENT && item->old.size > 0 ? &item->old : NULL;
}

/* Of a new file some old one is the best base, which need not resemble it. */
static bool is_chance(const struct cost_top *top, const struct entry *file)
{
	return top->known && top->base != NULL && strcmp(top->base, file->path) != 0 &&
	       top->cause.kind == CAUSE_REWRITTEN && top->cause.shared < file->size / 5;
}

static int explain(struct cost_top *top, const struct entry *base, const struct entry *file,
		   const struct stock *old, const struct stock *fresh, uint64_t memory,
		   struct err *e)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	uint8_t sha256[SHA256_SIZE];
	uint64_t size = file->size + (base != NULL ? base->size : 0);
	int status = -1;

	if (size > memory)
		return 0;
	if ((base != NULL && stock_load(old, base, &before, sha256, e) != 0) ||
	    stock_load(fresh, file, &after, sha256, e) != 0)
		goto out;
	status = cause_find(base != NULL ? (const uint8_t *)before.data : NULL, before.len,
			    (const uint8_t *)after.data, after.len, memory - size, &top->cause, e);
	top->known = status == 0;
	top->base = base != NULL ? base->path : NULL;
	if (is_chance(top, file))
		*top = (struct cost_top){.item = top->item,
					 .bytes = top->bytes,
					 .known = true,
					 .cause = {.kind = CAUSE_NEW}};
out:
	buf_release(&before);
	buf_release(&after);
	return status;
}

int cost_explain(struct cost *c, const struct stock *old, const struct stock *fresh,
		 uint64_t memory, struct err *e)
{
	for (size_t i = 0; i < c->top_count; i++) {
		struct cost_top *top = &c->top[i];
		if (explain(top, base_of(c, top->item), &c->changes->items[top->item].file, old,
			    fresh, memory, e) != 0)
			return -1;
	}
	return 0;
}
