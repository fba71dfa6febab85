#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/changes.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/hex.h"
#include "swarm/num.h"
#include "swarm/path.h"
#include "swarm/roll.h"

/* One of the two manifests. */
struct side {
	struct roll *roll;
	int got;        /* of the last roll_next() */
	uint64_t bytes; /* of the files whose lines were parsed */
	bool parsed, has_sha256;
};

struct merge {
	struct side from, to;
	struct changes *changes;
};

/* --- the merge ----------------------------------------------------------------------------------
 */

static int check_releases(const struct header *from, const struct header *to, const char *name,
			  struct err *e)
{
	const struct release_id *old = &from->id, *new = &to->id;

	if (strcmp(old->product, new->product) != 0 || strcmp(old->channel, new->channel) != 0)
		return err_set(e, ERR_REFUSED,
			       "the old release, '%s', is of %s (%s), the new one of %s (%s): "
			       "there are deltas within a product and channel only",
			       name, old->product, old->channel, new->product, new->channel);
	if (new->serial <= old->serial)
		return err_set(e, ERR_REFUSED,
			       "the serial of the new release, %llu, is not above that of the old "
			       "one, %llu in '%s'",
			       (unsigned long long)new->serial, (unsigned long long)old->serial,
			       name);
	return 0;
}

static int open_side(struct side *s, struct document *d, struct header *ret, struct err *e)
{
	s->roll = roll_open(d, e);
	if (s->roll == NULL)
		return -1;
	*ret = *roll_header(s->roll);
	s->got = roll_next(s->roll, e);
	return s->got < 0 ? -1 : 0;
}

static int advance(struct side *s, struct err *e)
{
	s->got = roll_next(s->roll, e);
	return s->got < 0 ? -1 : 0;
}

static int parse(struct side *s, struct arena *arena, struct entry *ret, struct err *e)
{
	if (roll_parse(s->roll, arena, ret, e) != 0)
		return -1;
	int status = 0;
	if (s->parsed && ret->has_sha256 != s->has_sha256)
		status = err_set(e, ERR_MALFORMED, "'sha256' must stand in all lines or none");
	else if (!num_add(s->bytes, ret->size, &s->bytes))
		status = err_set(e, ERR_MALFORMED, "the sizes add up to more than can be counted");
	s->parsed = true;
	s->has_sha256 = ret->has_sha256;
	return status == 0 ? 0 : roll_locate(s->roll, e);
}

static struct changes_item *add_item(struct changes *c, struct err *e)
{
	if (c->count == c->room) {
		size_t room = c->room == 0 ? 64 : c->room * 2;
		struct changes_item *items = reallocarray(c->items, room, sizeof *items);
		if (items == NULL) {
			(void)err_nomem(e);
			return NULL;
		}
		c->items = items;
		c->room = room;
	}
	struct changes_item *item = &c->items[c->count++];
	*item = (struct changes_item){.kind = CHANGES_REMOVED};
	return item;
}

static int take_old(struct merge *m, struct changes_item *item, struct err *e)
{
	if (parse(&m->from, &m->changes->arena, &item->old, e) != 0)
		return -1;
	item->path = item->old.path;
	return advance(&m->from, e);
}

static int take_new(struct merge *m, struct changes_item *item, struct err *e)
{
	const char *line = roll_line(m->to.roll, &item->text_len);

	item->text = arena_copy(&m->changes->arena, line, item->text_len);
	if (item->text == NULL)
		return err_nomem(e);
	if (parse(&m->to, &m->changes->arena, &item->file, e) != 0)
		return -1;
	item->path = item->file.path;
	return advance(&m->to, e);
}

/* Takes a path that does not have the same line on both sides. */
static int take_difference(struct merge *m, struct err *e)
{
	int order = !m->from.got ? 1
		    : !m->to.got ? -1
				 : path_compare(roll_path(m->from.roll), roll_path(m->to.roll));
	struct changes_item *item = add_item(m->changes, e);

	if (item == NULL || (order <= 0 && take_old(m, item, e) != 0) ||
	    (order >= 0 && take_new(m, item, e) != 0))
		return -1;
	if (order > 0)
		item->kind = CHANGES_ADDED;
	else if (order == 0 && !entry_same_content(&item->old, &item->file))
		item->kind = CHANGES_CONTENT;
	else if (order == 0) {
		item->kind = CHANGES_ATTRIBUTES;
		item->copy = item->file.size > 0 ? item->path : NULL;
	}
	return 0;
}

static bool is_same_line(const struct merge *m)
{
	size_t old_len, new_len;

	if (!m->from.got || !m->to.got)
		return false;
	const char *old = roll_line(m->from.roll, &old_len);
	const char *new = roll_line(m->to.roll, &new_len);
	return old_len == new_len && memcmp(old, new, new_len) == 0;
}

/* Equal lines were not parsed, but they add the same to both sums. */
static int check_bytes(const struct merge *m, struct err *e)
{
	const struct changes *c = m->changes;

	if (c->from.bytes - m->from.bytes == c->to.bytes - m->to.bytes &&
	    c->from.bytes >= m->from.bytes)
		return 0;
	return err_set(e, ERR_MALFORMED,
		       "the sizes in '%s' and '%s' do not add up to the bytes that their first "
		       "lines say",
		       roll_name(m->from.roll), roll_name(m->to.roll));
}

static int merge(struct merge *m, struct err *e)
{
	struct changes *c = m->changes;
	uint64_t length;

	while (m->from.got || m->to.got) {
		if (!is_same_line(m)) {
			if (take_difference(m, e) != 0)
				return -1;
			continue;
		}
		c->kept++;
		if (advance(&m->from, e) != 0 || advance(&m->to, e) != 0)
			return -1;
	}
	if (check_bytes(m, e) != 0 || roll_check(m->from.roll, e) != 0 ||
	    roll_check(m->to.roll, e) != 0)
		return -1;
	roll_digest(m->from.roll, c->from_digest, &length);
	roll_digest(m->to.roll, c->to_digest, &length);
	return 0;
}

static int compare(struct document *from, struct document *to, struct changes *c, struct err *e)
{
	struct merge m = {.changes = c};
	int status = -1;

	if (open_side(&m.from, from, &c->from, e) == 0 && open_side(&m.to, to, &c->to, e) == 0 &&
	    check_releases(&c->from, &c->to, document_name(from), e) == 0)
		status = merge(&m, e);
	roll_close(m.from.roll);
	roll_close(m.to.roll);
	return status;
}

/* --- content that stands in the old release under another path ----------------------------------
 */

/* The items that look for content, by size and root. */
struct search {
	struct changes *changes;
	struct changes_item **wanted;
	size_t count;
};

static int compare_content(const struct entry *a, const struct entry *b)
{
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return memcmp(a->root, b->root, SHA256_SIZE);
}

static int compare_wanted(const void *a, const void *b)
{
	const struct changes_item *const *x = a, *const *y = b;

	return compare_content(&(*x)->file, &(*y)->file);
}

static int list_wanted(struct search *s, struct err *e)
{
	struct changes *c = s->changes;

	s->wanted = calloc(c->count + 1, sizeof(struct changes_item *));
	if (s->wanted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < c->count; i++)
		if (changes_is_fetched(&c->items[i]))
			s->wanted[s->count++] = &c->items[i];
	if (s->count > 0)
		qsort(s->wanted, s->count, sizeof *s->wanted, compare_wanted);
	return 0;
}

/* The first of those that want at least this content. */
static size_t lower_bound(const struct search *s, const struct entry *content)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_content(&s->wanted[middle]->file, content) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Gives the content of the old line to those who want it and have none yet. */
static int offer(struct search *s, const struct roll *roll, struct err *e)
{
	struct roll_content content;
	struct entry key = {.size = 0};
	const char *copy = NULL;

	if (!roll_content(roll, &content) || content.root == NULL)
		return 0;
	key.size = content.size;
	size_t i = lower_bound(s, &key);
	if (i == s->count || s->wanted[i]->file.size != key.size ||
	    !hex_parse(key.root, SHA256_SIZE, content.root, 2 * SHA256_SIZE))
		return 0;
	for (i = lower_bound(s, &key);
	     i < s->count && compare_content(&s->wanted[i]->file, &key) == 0; i++) {
		if (s->wanted[i]->copy != NULL)
			return 0;
		if (copy == NULL) {
			struct entry entry;
			/* The delta will name it: it has to be right in all. */
			if (roll_parse(roll, &s->changes->arena, &entry, e) != 0)
				return -1;
			copy = entry.path;
		}
		s->wanted[i]->copy = copy;
	}
	return 0;
}

static int search_old(struct search *s, struct document *from, struct err *e)
{
	uint8_t digest[SHA256_SIZE];
	uint64_t length;
	int got, status = -1;
	struct roll *roll = roll_open(from, e);

	if (roll == NULL)
		return -1;
	while ((got = roll_next(roll, e)) > 0)
		if (offer(s, roll, e) != 0)
			goto out;
	if (got < 0)
		goto out;
	roll_digest(roll, digest, &length);
	status = 0;
	if (memcmp(digest, s->changes->from_digest, SHA256_SIZE) != 0)
		status = err_set(e, ERR_CHANGED, "'%s' changed while it was read", roll_name(roll));
out:
	roll_close(roll);
	return status;
}

static bool is_removed(const struct changes *c, const char *path)
{
	const struct changes_item *item = changes_find(c, path);

	return item != NULL && item->kind == CHANGES_REMOVED;
}

static int find_copies(struct changes *c, struct document *from, struct err *e)
{
	struct search s = {.changes = c};
	int status = list_wanted(&s, e);

	if (status == 0 && s.count > 0)
		status = search_old(&s, from, e);
	free(s.wanted);
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].kind == CHANGES_ADDED && c->items[i].copy != NULL)
			c->items[i].kind =
			    is_removed(c, c->items[i].copy) ? CHANGES_RENAMED : CHANGES_DUPLICATED;
	return status;
}

/* --- the result ---------------------------------------------------------------------------------
 */

int changes_read(struct document *from, struct document *to, struct changes *ret, struct err *e)
{
	*ret = (struct changes){.arena = ARENA_INIT};
	if (compare(from, to, ret, e) != 0 || find_copies(ret, from, e) != 0)
		return -1;
	for (size_t i = 0; i < ret->count; i++)
		ret->kinds[ret->items[i].kind]++;
	return 0;
}

void changes_release(struct changes *c)
{
	free(c->items);
	arena_release(&c->arena);
	*c = (struct changes){.arena = ARENA_INIT};
}

static int compare_path(const void *path, const void *item)
{
	return path_compare(path, ((const struct changes_item *)item)->path);
}

const struct changes_item *changes_find(const struct changes *c, const char *path)
{
	if (c->count == 0)
		return NULL;
	return bsearch(path, c->items, c->count, sizeof *c->items, compare_path);
}

bool changes_is_fetched(const struct changes_item *item)
{
	return item->text != NULL && item->copy == NULL && item->file.size > 0;
}

static void set_end(struct delta_end *end, const struct header *h, const uint8_t *digest)
{
	memcpy(end->version, h->id.version, sizeof end->version);
	end->serial = h->id.serial;
	memcpy(end->digest, digest, SHA256_SIZE);
}

void changes_header(const struct changes *c, struct delta_header *ret)
{
	*ret = (struct delta_header){.header = c->to};
	memcpy(ret->product, c->to.id.product, sizeof ret->product);
	memcpy(ret->channel, c->to.id.channel, sizeof ret->channel);
	set_end(&ret->from, &c->from, c->from_digest);
	set_end(&ret->to, &c->to, c->to_digest);
	ret->removes = c->kinds[CHANGES_REMOVED];
	ret->files = c->count - ret->removes;
}

void changes_line(const struct changes_item *item, struct delta_line *ret)
{
	*ret = (struct delta_line){.path = item->path};
	if (item->kind == CHANGES_REMOVED) {
		ret->remove = true;
		return;
	}
	ret->file = item->file;
	ret->text = item->text;
	ret->text_len = item->text_len;
	ret->source = item->copy != NULL ? DELTA_COPY : DELTA_BARE;
	ret->from = item->copy;
}

const char *changes_kind_name(enum changes_kind kind)
{
	static const char *const names[] = {"added",   "duplicated", "renamed",
					    "content", "attributes", "removed"};

	return names[kind];
}
