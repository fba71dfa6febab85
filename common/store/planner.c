#include "swarm/planner.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/grow.h"
#include "swarm/outfile.h"

int planner_init(struct planner *p, struct err *e)
{
	const struct format_options *o = p->state.job->options;
	bool by_hash = o->layout != NULL && strcmp(o->layout, storekey_layouts[STOREKEY_HASH]) == 0;

	p->layout = by_hash ? STOREKEY_HASH : STOREKEY_RELEASE;
	buf_init(&p->prefix);
	buf_init(&p->key);
	buf_init(&p->from);
	p->sha = sha256_new(e);
	return p->sha != NULL ? storekey_prefix(&p->prefix, o->prefix, e) : -1;
}

void planner_release(struct planner *p)
{
	free(p->earlier);
	buf_release(&p->prefix);
	buf_release(&p->key);
	buf_release(&p->from);
	sha256_free(p->sha);
}

/* --- releases -----------------------------------------------------------------------------------
 */

int planner_earlier(void *self, const char *manifest, bool keep, const struct head *head,
		    struct err *e)
{
	struct planner *p = self;
	struct planner_release *more =
	    grow_for_one(p->earlier, p->earlier_count, &p->earlier_room, sizeof *more, e);

	if (more == NULL)
		return -1;
	p->earlier = more;
	more += p->earlier_count++;
	*more = (struct planner_release){.manifest = manifest, .keep = keep, .id = head->id};
	memcpy(more->digest, head->digest, SHA256_SIZE);
	return 0;
}

const struct planner_release *planner_latest(const struct planner *p)
{
	return &p->earlier[p->earlier_count - 1];
}

int planner_begin(struct planner *p, const struct head *head, struct err *e)
{
	const struct release_id *id = &head->id;

	p->head = *head;
	for (size_t i = 0; i < p->earlier_count; i++)
		if (strcmp(p->earlier[i].id.product, id->product) != 0)
			return err_set(e, ERR_REFUSED, "'%s' is a release of %s, not of %s",
				       p->earlier[i].manifest, p->earlier[i].id.product,
				       id->product);
	return 0;
}

/* --- lines --------------------------------------------------------------------------------------
 */

int planner_content(struct planner *p, const struct release_id *id, const struct entry *entry,
		    struct err *e)
{
	if (p->layout == STOREKEY_HASH && !entry->has_sha256)
		return err_set(e, ERR_REFUSED,
			       "'%s' of %s %s has no plain digest, by which objects are named in "
			       "layout hash: pack the release without --no-sha256",
			       entry->path, id->product, id->version);
	buf_clear(&p->key);
	storekey_content(&p->key, p->layout, id, entry);
	return buf_check(&p->key, e);
}

void planner_digest(struct planner *p, const struct buf *bytes, uint8_t ret[static SHA256_SIZE])
{
	sha256_once(p->sha, bytes->data, bytes->len, ret);
}

/* Puts the prefix in front of a key. */
static int complete(const struct planner *p, struct buf *key, struct err *e)
{
	size_t len = key->len, front = p->prefix.len;
	char *room = buf_room(key, front);

	if (room == NULL)
		return err_nomem(e);
	buf_grew(key, front);
	memmove(key->data + front, key->data, len);
	memcpy(key->data, p->prefix.data, front);
	return 0;
}

int planner_put(struct planner *p, struct step step, struct err *e)
{
	if (complete(p, &p->key, e) != 0 || (step.op == STEP_COPY && complete(p, &p->from, e) != 0))
		return -1;
	if (p->key.len > STOREKEY_MAX)
		return err_set(e, ERR_REFUSED,
			       "the key '%s' has %zu bytes: stores take no more than %d",
			       p->key.data, p->key.len, STOREKEY_MAX);
	step.key = p->key.data;
	step.from = p->from.data;
	step_format(&p->state.text, &step);
	return outfile_gather(p->state.job->out, &p->state.text, e);
}
