#include "swarm/holdings.h"

#include <string.h>

#include "swarm/mime.h"

#define TYPE_UNKNOWN "application/octet-stream"

void holdings_release(struct holdings *h)
{
	shelf_release(&h->shelf);
	buf_release(&h->what);
}

const char *holdings_type(const struct entry *entry)
{
	const char *type = entry->type != NULL ? entry->type : mime_of(entry->path);

	return type != NULL ? type : TYPE_UNKNOWN;
}

/* What else a file's object is served with, as text. */
static void add_headers(struct buf *to, const struct entry *entry)
{
	buf_addf(to, "%s\n%s", holdings_type(entry), entry->cache != NULL ? entry->cache : "");
}

/* --- layout `release`: by content
 * -----------------------------------------------------------------
 */

/* The digest of all that makes an object what it is; with a path, of that one alone. */
static int identify(struct holdings *h, struct planner *p, const struct entry *entry,
		    bool with_path, uint8_t ret[static SHA256_SIZE], struct err *e)
{
	buf_clear(&h->what);
	buf_add(&h->what, entry->root, sizeof entry->root);
	buf_addf(&h->what, "%llu\n", (unsigned long long)entry->size);
	add_headers(&h->what, entry);
	if (with_path)
		buf_addf(&h->what, "\n%s", entry->path);
	planner_digest(p, &h->what, ret);
	return buf_check(&h->what, e);
}

static bool is_at(const struct shelf_item *item, const char *path)
{
	const char *slash = strchr(item->key, '/');

	return slash != NULL && strcmp(slash + 1, path) == 0;
}

/*
 * Of objects that are the same, the one at the same path is wanted, else the first. So those after
 * the first are kept by their paths too.
 */
static int note_content(struct holdings *h, struct planner *p, const struct entry *entry,
			struct err *e)
{
	uint8_t digest[SHA256_SIZE];

	if (identify(h, p, entry, false, digest, e) != 0)
		return -1;
	const struct shelf_item *first = shelf_find(&h->shelf, digest);
	if (first != NULL && is_at(first, entry->path))
		return 0;
	if (first != NULL && identify(h, p, entry, true, digest, e) != 0)
		return -1;
	return shelf_put(&h->shelf, digest, p->key.data, "", e);
}

static int ask_content(struct holdings *h, struct planner *p, const struct entry *entry,
		       enum holdings_answer *ret, struct err *e)
{
	uint8_t content[SHA256_SIZE], with_path[SHA256_SIZE];

	if (identify(h, p, entry, true, with_path, e) != 0 ||
	    identify(h, p, entry, false, content, e) != 0)
		return -1;
	const struct shelf_item *item = shelf_find(&h->shelf, with_path);
	if (item == NULL)
		item = shelf_find(&h->shelf, content);
	*ret = item != NULL ? HOLDINGS_COPY : HOLDINGS_NONE;
	if (item == NULL)
		return shelf_put(&h->shelf, content, p->key.data, "", e);
	buf_clear(&p->from);
	buf_adds(&p->from, item->key);
	return buf_check(&p->from, e);
}

/* --- layout `hash`: by key
 * ------------------------------------------------------------------------
 */

/* Finds the object, and what it would be served with. */
static int find_key(struct holdings *h, struct planner *p, const struct entry *entry,
		    uint8_t digest[static SHA256_SIZE], struct shelf_item **ret, struct err *e)
{
	planner_digest(p, &p->key, digest);
	buf_clear(&h->what);
	add_headers(&h->what, entry);
	*ret = shelf_find(&h->shelf, digest);
	return buf_check(&h->what, e);
}

/* What a release has brought is marked with its number; the first file of a key has the say. */
static int mark_key(struct holdings *h, const uint8_t digest[static SHA256_SIZE],
		    const struct planner *p, uint32_t mark, const char *headers, struct err *e)
{
	struct shelf_item *item = shelf_find(&h->shelf, digest);

	if (item != NULL ? shelf_rewrite(&h->shelf, item, headers, e) != 0
			 : shelf_put(&h->shelf, digest, p->key.data, headers, e) != 0)
		return -1;
	shelf_find(&h->shelf, digest)->mark = mark;
	return 0;
}

/* Nobody knows what two releases that differ have made of an object: "" is none of its headers. */
static int note_key(struct holdings *h, struct planner *p, const struct entry *entry, struct err *e)
{
	uint8_t digest[SHA256_SIZE];
	struct shelf_item *item;
	uint32_t release = (uint32_t)p->earlier_count;

	if (find_key(h, p, entry, digest, &item, e) != 0)
		return -1;
	if (item != NULL && item->mark == release)
		return 0;
	bool differs = item != NULL && strcmp(item->headers, h->what.data) != 0;
	return mark_key(h, digest, p, release, differs ? "" : h->what.data, e);
}

/* Under a name made of its content, nothing ever changes: how it is cached, the first one says. */
static int ask_key(struct holdings *h, struct planner *p, const struct entry *entry,
		   enum holdings_answer *ret, struct err *e)
{
	uint8_t digest[SHA256_SIZE];
	struct shelf_item *item;
	uint32_t release = (uint32_t)p->earlier_count + 1;

	if (find_key(h, p, entry, digest, &item, e) != 0)
		return -1;
	bool mine = item != NULL && item->mark == release;
	size_t type = strcspn(h->what.data, "\n") + 1;
	if (mine && strncmp(item->headers, h->what.data, type) != 0)
		return err_set(e, ERR_REFUSED,
			       "'%s' would be one object with another file of the same content, "
			       "which is of another type",
			       entry->path);
	*ret = mine || (item != NULL && strcmp(item->headers, h->what.data) == 0) ? HOLDINGS_THERE
										  : HOLDINGS_NONE;
	return mine ? 0 : mark_key(h, digest, p, release, h->what.data, e);
}

/* --- either
 * ---------------------------------------------------------------------------------------
 */

int holdings_note(struct holdings *h, struct planner *p, const struct entry *entry, struct err *e)
{
	if (planner_content(p, &planner_latest(p)->id, entry, e) != 0)
		return -1;
	return p->layout == STOREKEY_HASH ? note_key(h, p, entry, e) : note_content(h, p, entry, e);
}

int holdings_ask(struct holdings *h, struct planner *p, const struct entry *entry,
		 enum holdings_answer *ret, struct err *e)
{
	if (planner_content(p, &p->head.id, entry, e) != 0)
		return -1;
	return p->layout == STOREKEY_HASH ? ask_key(h, p, entry, ret, e)
					  : ask_content(h, p, entry, ret, e);
}
