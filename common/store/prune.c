#include "swarm/prune.h"

#include <string.h>

#include "swarm/offers.h"
#include "swarm/paper.h"
#include "swarm/planner.h"
#include "swarm/shelf.h"
#include "swarm/text.h"
#include "swarm/utc.h"

struct prune {
	struct planner planner;
	struct shelf store; /* content of the releases that go; marked: another one needs it */
	struct offers old, needed; /* payloads of files that go, and of files that stay */
	uint64_t deletes[STEP_HEAD];
};

static void stop(void *self)
{
	struct prune *p = self;

	offers_release(&p->old);
	offers_release(&p->needed);
	shelf_release(&p->store);
	planner_release(&p->planner);
}

static int start(void *self, struct err *e)
{
	struct prune *p = self;
	const char *payloads = p->planner.state.job->options->payloads;

	if (planner_init(&p->planner, e) != 0)
		return -1;
	if (payloads == NULL)
		return 0;
	return offers_read(payloads, &p->old, e) != 0 ? -1 : offers_read(payloads, &p->needed, e);
}

/* --- what there is, and what is needed ----------------------------------------------------------
 */

static int note(struct prune *p, const struct release_id *id, const struct entry *entry,
		bool needed, struct err *e)
{
	uint8_t digest[SHA256_SIZE];
	struct offers *payloads = needed ? &p->needed : &p->old;

	if (planner_content(&p->planner, id, entry, e) != 0)
		return -1;
	if (entry->has_sha256 && offers_claim(payloads, entry->sha256, entry->size, e) != 0)
		return -1;
	planner_digest(&p->planner, &p->planner.key, digest);
	if (!needed)
		return shelf_put(&p->store, digest, p->planner.key.data, "", e);
	struct shelf_item *item = shelf_find(&p->store, digest);
	if (item != NULL)
		item->mark = 1;
	return 0;
}

static int earlier_file(void *self, const struct entry *entry, struct err *e)
{
	struct prune *p = self;
	const struct planner_release *r = planner_latest(&p->planner);

	return note(p, &r->id, entry, r->keep, e);
}

static int add(void *self, const struct entry *entry, struct err *e)
{
	struct prune *p = self;

	return note(p, &p->planner.head.id, entry, true, e);
}

/* --- whether anything may go --------------------------------------------------------------------
 */

/* Until then, clients may still fetch the release before. */
static int64_t end_of_rollout(const struct head *head)
{
	if (!head->has_rollout)
		return head->issued;
	return head->rollout_window > (uint64_t)(UTC_MAX - head->rollout_start)
		   ? UTC_MAX
		   : head->rollout_start + (int64_t)head->rollout_window;
}

static int check_time(const struct prune *p, struct err *e)
{
	char when[UTC_SIZE];
	int64_t from = end_of_rollout(&p->planner.head);

	if (p->planner.state.job->now >= from)
		return 0;
	utc_format(when, from);
	return err_set(e, ERR_REFUSED,
		       "clients are still moving to %s %s: nothing may be deleted before %s",
		       p->planner.head.id.product, p->planner.head.id.version, when);
}

/* What goes must have been followed by this release, on its own channel. */
static int check_order(const struct prune *p, struct err *e)
{
	const struct release_id *id = &p->planner.head.id;

	for (size_t i = 0; i < p->planner.earlier_count; i++) {
		const struct planner_release *r = &p->planner.earlier[i];
		if (r->keep)
			continue;
		if (strcmp(r->id.channel, id->channel) != 0)
			return err_set(
			    e, ERR_REFUSED,
			    "'%s' is a release of channel %s, which may be current there",
			    r->manifest, r->id.channel);
		if (r->id.serial >= id->serial)
			return err_set(e, ERR_REFUSED,
				       "'%s' has serial %llu: it did not come before %s %s, which "
				       "has %llu",
				       r->manifest, (unsigned long long)r->id.serial, id->product,
				       id->version, (unsigned long long)id->serial);
	}
	return 0;
}

static int begin(void *self, const struct header *header, const struct head *head, struct err *e)
{
	struct prune *p = self;

	(void)header;
	if (planner_begin(&p->planner, head, e) != 0 || check_order(p, e) != 0)
		return -1;
	return check_time(p, e);
}

/* --- the lines ----------------------------------------------------------------------------------
 */

/* Deletes what p->planner.key says. */
static int drop(struct prune *p, enum step_class class, struct err *e)
{
	const struct step step = {.op = STEP_DELETE, .class = class};

	p->deletes[class]++;
	return planner_put(&p->planner, step, e);
}

/* Whether a release that stays has this version, and so this manifest's key. */
static bool stays(const struct prune *p, const char *version)
{
	if (strcmp(version, p->planner.head.id.version) == 0)
		return true;
	for (size_t i = 0; i < p->planner.earlier_count; i++)
		if (p->planner.earlier[i].keep &&
		    strcmp(version, p->planner.earlier[i].id.version) == 0)
			return true;
	return false;
}

/* Whether one before it in the list has its version too. */
static bool is_repeated(const struct prune *p, size_t i)
{
	const struct planner_release *list = p->planner.earlier;

	for (size_t k = 0; k < i; k++)
		if (!list[k].keep && strcmp(list[k].id.version, list[i].id.version) == 0)
			return true;
	return false;
}

static int drop_manifests(struct prune *p, struct err *e)
{
	for (size_t i = 0; i < p->planner.earlier_count; i++) {
		const struct planner_release *r = &p->planner.earlier[i];
		if (r->keep || stays(p, r->id.version) || is_repeated(p, i))
			continue;
		buf_clear(&p->planner.key);
		storekey_manifest(&p->planner.key, &r->id);
		if (drop(p, STEP_MANIFEST, e) != 0)
			return -1;
	}
	return 0;
}

/* Only of releases that go: to where nobody needs to get any more. */
static int drop_delta(struct prune *p, const char *name, struct err *e)
{
	struct paper paper = PAPER_INIT;
	struct pledge pledge;
	int status = paper_read_delta(name, &paper, &pledge, e);

	paper_release(&paper);
	if (status != 0)
		return -1;
	if (strcmp(pledge.product, p->planner.head.id.product) != 0)
		return err_set(e, ERR_REFUSED, "'%s' is a delta of %s, not of %s", name,
			       pledge.product, p->planner.head.id.product);
	for (size_t i = 0; i < p->planner.earlier_count; i++) {
		const struct planner_release *r = &p->planner.earlier[i];
		if (r->keep || stays(p, pledge.to.version) ||
		    memcmp(r->digest, pledge.to.digest, SHA256_SIZE) != 0)
			continue;
		buf_clear(&p->planner.key);
		storekey_delta(&p->planner.key, pledge.from.version, pledge.to.version);
		return drop(p, STEP_DELTA, e);
	}
	return 0;
}

static int drop_deltas(struct prune *p, struct err *e)
{
	const struct opt_list *list = &p->planner.state.job->options->delta;

	for (size_t i = 0; i < list->count; i++)
		if (drop_delta(p, list->items[i], e) != 0)
			return -1;
	return 0;
}

/* Both lists are of one folder and in one order; all payloads of a file are claimed, or none. */
static int drop_payloads(struct prune *p, struct err *e)
{
	const struct offers *needed = &p->needed;
	size_t k = 0;

	for (size_t i = 0; i < p->old.count; i++) {
		const struct offer *offer = &p->old.list[i];
		int order = 1;
		while (k < needed->count &&
		       (order = memcmp(needed->list[k].file, offer->file, SHA256_SIZE)) < 0)
			k++;
		if (!offer->claimed || (k < needed->count && order == 0 && needed->list[k].claimed))
			continue;
		buf_clear(&p->planner.key);
		storekey_payload(&p->planner.key, offer);
		if (drop(p, STEP_PAYLOAD, e) != 0)
			return -1;
	}
	return 0;
}

static int drop_content(struct prune *p, struct err *e)
{
	for (size_t i = 0; i < p->store.count; i++) {
		if (p->store.items[i].mark)
			continue;
		buf_clear(&p->planner.key);
		buf_adds(&p->planner.key, p->store.items[i].key);
		if (drop(p, STEP_CONTENT, e) != 0)
			return -1;
	}
	return 0;
}

static int end(void *self, struct err *e)
{
	struct prune *p = self;

	if (drop_manifests(p, e) != 0 || drop_deltas(p, e) != 0 || drop_payloads(p, e) != 0)
		return -1;
	return drop_content(p, e);
}

/* --- the result ---------------------------------------------------------------------------------
 */

static void describe(const void *self, bool verbose, struct buf *text)
{
	const struct prune *p = self;
	const uint64_t *n = p->deletes;

	(void)verbose;
	buf_adds(text, "to delete: ");
	text_plural(text, n[STEP_MANIFEST], "manifest");
	buf_adds(text, ", ");
	text_plural(text, n[STEP_DELTA], "delta");
	buf_adds(text, ", ");
	text_plural(text, n[STEP_PAYLOAD], "payload");
	buf_adds(text, ", ");
	text_plural(text, n[STEP_CONTENT], "object");
	buf_adds(text, " of content\n");
}

static void members(const void *self, struct jsonl_writer *w)
{
	const struct prune *p = self;
	uint64_t deletes = 0;

	for (size_t i = 0; i < STEP_HEAD; i++)
		deletes += p->deletes[i];
	jsonl_number(w, "deletes", deletes);
	jsonl_number(w, "manifests", p->deletes[STEP_MANIFEST]);
	jsonl_number(w, "deltas", p->deletes[STEP_DELTA]);
	jsonl_number(w, "payloads", p->deletes[STEP_PAYLOAD]);
	jsonl_number(w, "content", p->deletes[STEP_CONTENT]);
}

const struct format prune_format = {
    .name = "prune",
    .size = sizeof(struct prune),
    .start = start,
    .earlier = planner_earlier,
    .earlier_file = earlier_file,
    .begin = begin,
    .add = add,
    .end = end,
    .describe = describe,
    .members = members,
    .stop = stop,
};
