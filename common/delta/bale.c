#include "swarm/bale.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/context.h"
#include "swarm/num.h"
#include "swarm/sha256.h"
#include "swarm/solid.h"
#include "swarm/text.h"

struct bale {
	const struct bale_from *from;
	const struct bale_options *options;
	struct context_file *files; /* one for each of the old ones */
	uint64_t old_len, new_len;
	size_t fetched;
	struct buf old, new;
};

/* --- what goes in -------------------------------------------------------------------------------
 */

static bool is_gone(const struct changes *c, const char *path)
{
	const struct changes_item *item = changes_find(c, path);

	return item != NULL && item->kind != CHANGES_ATTRIBUTES;
}

static int list_old(struct bale *b, struct err *e)
{
	const struct listing *l = b->from->listing;

	b->files = calloc(l->count + 1, sizeof *b->files);
	if (b->files == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < l->count; i++) {
		b->files[i].size = l->entries[i].size;
		b->files[i].gone = is_gone(b->from->changes, l->entries[i].path);
	}
	return 0;
}

/* What it takes with a context of this length; UINT64_MAX: more than can be counted. */
static uint64_t memory_for(const struct bale *b, uint64_t old_len)
{
	uint64_t memory;

	return num_add(old_len, b->new_len, &memory) &&
		       num_add(memory, solid_encode_memory(old_len, b->new_len), &memory)
		   ? memory
		   : UINT64_MAX;
}

static bool fits(const struct bale *b, uint64_t old_len)
{
	return memory_for(b, old_len) <= b->options->memory;
}

/* The longest context that fits. */
static int choose(struct bale *b, struct err *e)
{
	uint64_t low = 0, high = b->from->listing->header.bytes;

	if (!fits(b, 0)) {
		struct buf size = BUF_INIT;
		text_bytes(&size, b->new_len);
		(void)err_set(e, ERR_USAGE,
			      "%s of new files do not fit into one solid payload: give --memory "
			      "%lluM or more",
			      size.data, (unsigned long long)(memory_for(b, 0) >> 20) + 1);
		buf_release(&size);
		return -1;
	}
	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		if (fits(b, middle))
			low = middle;
		else
			high = middle - 1;
	}
	b->old_len = context_choose(b->files, b->from->listing->count, low);
	return 0;
}

/* --- loading ------------------------------------------------------------------------------------
 */

static int text_reserve(struct buf *t, uint64_t len, struct err *e)
{
	if (len > SIZE_MAX || buf_room(t, (size_t)len) == NULL)
		return err_nomem(e);
	return 0;
}

static int text_add(struct buf *t, const struct stock *stock, const struct entry *entry,
		    struct err *e)
{
	uint8_t sha256[SHA256_SIZE];

	return stock_load(stock, entry, t, sha256, e);
}

static int load_old(struct bale *b, struct err *e)
{
	const struct listing *l = b->from->listing;

	if (text_reserve(&b->old, b->old_len, e) != 0)
		return -1;
	for (size_t i = 0; i < l->count; i++)
		if (b->files[i].chosen && l->entries[i].size > 0 &&
		    text_add(&b->old, b->from->stock, &l->entries[i], e) != 0)
			return -1;
	return 0;
}

static int load_new(struct bale *b, struct err *e)
{
	const struct changes *c = b->from->changes;

	if (text_reserve(&b->new, b->new_len, e) != 0)
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (changes_is_fetched(&c->items[i]) &&
		    text_add(&b->new, b->from->fresh, &c->items[i].file, e) != 0)
			return -1;
	return 0;
}

/* --- the proof ----------------------------------------------------------------------------------
 */

struct comparison {
	const struct buf *old, *new;
	size_t at; /* in the new text */
};

static int read_old(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	const struct comparison *c = context;

	(void)e;
	memcpy(to, c->old->data + offset, len);
	return 0;
}

static int compare(void *context, const void *bytes, size_t len, struct err *e)
{
	struct comparison *c = context;

	if (len > c->new->len - c->at || memcmp(c->new->data + c->at, bytes, len) != 0)
		return err_set(e, ERR_MALFORMED, "it does not give the new files");
	c->at += len;
	return 0;
}

static int prove(const struct bale *b, const char *payload, size_t len, struct err *e)
{
	struct comparison c = {.old = &b->old, .new = &b->new};
	struct solid_io io = {.context = &c, .read_old = read_old, .put = compare};

	if (solid_decode((const uint8_t *)payload, len, b->old_len, b->new_len, b->options->memory,
			 &io, e) != 0) {
		/* Nobody handed it to us: the fault is ours. */
		e->code = ERR_SYSTEM;
		return err_prefix(e, "the solid payload failed its proof");
	}
	if (c.at != b->new.len)
		return err_set(e, ERR_SYSTEM, "the solid payload failed its proof: it ends early");
	return 0;
}

/* ------------------------------------------------------------------------------------------------
 */

static struct solid_text as_solid(const struct buf *t)
{
	return (struct solid_text){.bytes = (const uint8_t *)t->data, .len = t->len};
}

static int encode(struct bale *b, struct buf *ret, struct err *e)
{
	struct solid_text old = as_solid(&b->old), new = as_solid(&b->new);
	struct solid_options how = {.threads = b->options->threads,
				    .memory = b->options->memory - b->old_len - b->new_len};
	size_t before = ret->len;

	if (solid_encode(&old, &new, &how, ret, e) != 0)
		return -1;
	return prove(b, ret->data + before, ret->len - before, e);
}

int bale_make(const struct bale_from *from, const struct bale_options *options, struct buf *ret,
	      struct err *e)
{
	struct bale b = {.from = from, .options = options, .old = BUF_INIT, .new = BUF_INIT};
	const struct changes *c = from->changes;
	int status = -1;

	for (size_t i = 0; i < c->count; i++) {
		if (!changes_is_fetched(&c->items[i]))
			continue;
		b.fetched++;
		b.new_len += c->items[i].file.size;
	}
	if (b.fetched == 0)
		return 0;
	if (list_old(&b, e) == 0 && choose(&b, e) == 0 && load_old(&b, e) == 0 &&
	    load_new(&b, e) == 0)
		status = encode(&b, ret, e);
	free(b.files);
	buf_release(&b.old);
	buf_release(&b.new);
	return status;
}
