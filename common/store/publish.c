#include "swarm/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/holdings.h"
#include "swarm/offers.h"
#include "swarm/paper.h"
#include "swarm/planner.h"
#include "swarm/text.h"

#define FOR_EVER     "public, max-age=31536000, immutable"
#define NOT_AT_ALL   "no-cache"
#define TYPE_UNKNOWN "application/octet-stream"
#define TYPE_LINES   "application/jsonl"
#define TYPE_HEAD    "application/json"

struct counts {
	uint64_t puts, copies;
	uint64_t there; /* what the store has under the very key */
	uint64_t put_bytes, saved_bytes;
	uint64_t payloads;
};

struct publish {
	struct planner planner;
	bool again; /* an earlier release is this very one */
	int tree;
	struct buf folder; /* the tree's name, with a slash behind it */
	struct offers offers;
	struct paper *deltas; /* of each --delta */
	struct pledge *pledges;
	struct holdings store;
	struct buf source; /* of one line */
	struct counts counts;
};

/* --- what is asked for --------------------------------------------------------------------------
 */

static const struct format_options *options_of(const struct publish *p)
{
	return p->planner.state.job->options;
}

static void stop(void *self)
{
	struct publish *p = self;
	size_t deltas = p->deltas != NULL ? options_of(p)->delta.count : 0;

	for (size_t i = 0; i < deltas; i++)
		paper_release(&p->deltas[i]);
	free(p->deltas);
	free(p->pledges);
	if (p->tree >= 0)
		(void)close(p->tree);
	offers_release(&p->offers);
	holdings_release(&p->store);
	buf_release(&p->folder);
	buf_release(&p->source);
	planner_release(&p->planner);
}

/* The name of a folder, as it stands in front of what is in it. */
static int name_folder(struct buf *to, const char *folder, struct err *e)
{
	buf_clear(to);
	buf_adds(to, folder);
	if (to->len == 0 || to->data[to->len - 1] != '/')
		buf_addc(to, '/');
	return buf_check(to, e);
}

static int start(void *self, struct err *e)
{
	struct publish *p = self;
	const struct format_options *o = options_of(p);

	p->tree = -1;
	p->store = (struct holdings)HOLDINGS_INIT;
	buf_init(&p->folder);
	buf_init(&p->source);
	if (planner_init(&p->planner, e) != 0 || name_folder(&p->folder, o->tree, e) != 0)
		return -1;
	p->deltas = calloc(o->delta.count + 1, sizeof *p->deltas);
	p->pledges = calloc(o->delta.count + 1, sizeof *p->pledges);
	if (p->deltas == NULL || p->pledges == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < o->delta.count; i++)
		p->deltas[i] = (struct paper)PAPER_INIT;
	p->tree = open(o->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->tree < 0)
		return err_sys(e, "cannot open the folder '%s'", o->tree);
	return o->payloads != NULL ? offers_read(o->payloads, &p->offers, e) : 0;
}

/* --- content ------------------------------------------------------------------------------------
 */

static int put(struct publish *p, const struct step *step, struct err *e)
{
	if (step->op == STEP_COPY) {
		p->counts.copies++;
		p->counts.saved_bytes += step->size;
	} else {
		p->counts.puts++;
		p->counts.put_bytes += step->size;
	}
	return planner_put(&p->planner, *step, e);
}

static int check_source(const struct publish *p, const struct entry *entry, struct err *e)
{
	const char *tree = options_of(p)->tree;
	struct stat st;

	if (fstatat(p->tree, entry->path, &st, 0) != 0)
		return errno == ENOENT || errno == ENOTDIR
			   ? err_set(e, ERR_REFUSED, "'%s' is not in '%s'", entry->path, tree)
			   : err_sys(e, "cannot look at '%s' in '%s'", entry->path, tree);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_REFUSED, "'%s' in '%s' is no regular file", entry->path,
			       tree);
	if ((uint64_t)st.st_size != entry->size)
		return err_set(e, ERR_REFUSED, "'%s' in '%s' has %llu bytes, not %llu", entry->path,
			       tree, (unsigned long long)st.st_size,
			       (unsigned long long)entry->size);
	return 0;
}

/* From where it is put, or copied: one is NULL. */
static int send_content(struct publish *p, const struct entry *entry, const char *source,
			struct err *e)
{
	const struct step step = {.op = source != NULL ? STEP_PUT : STEP_COPY,
				  .class = STEP_CONTENT,
				  .source = source,
				  .size = entry->size,
				  .sha256 = entry->sha256,
				  .type = holdings_type(entry),
				  .cache = entry->cache};

	return put(p, &step, e);
}

static int put_content(struct publish *p, const struct entry *entry, struct err *e)
{
	buf_clear(&p->source);
	buf_addf(&p->source, "%s%s", p->folder.data, entry->path);
	if (buf_check(&p->source, e) != 0 || check_source(p, entry, e) != 0)
		return -1;
	return send_content(p, entry, p->source.data, e);
}

static int earlier_file(void *self, const struct entry *entry, struct err *e)
{
	struct publish *p = self;

	return holdings_note(&p->store, &p->planner, entry, e);
}

static int add(void *self, const struct entry *entry, struct err *e)
{
	struct publish *p = self;
	enum holdings_answer answer = HOLDINGS_THERE;

	if (!entry->has_sha256)
		return err_set(e, ERR_REFUSED,
			       "'%s' has no plain digest, by which uploads are checked: pack the "
			       "release without --no-sha256",
			       entry->path);
	if (offers_claim(&p->offers, entry->sha256, entry->size, e) != 0)
		return -1;
	bool all_there = p->again && p->planner.layout == STOREKEY_RELEASE;
	if (!all_there && holdings_ask(&p->store, &p->planner, entry, &answer, e) != 0)
		return -1;
	switch (answer) {
	case HOLDINGS_NONE: return put_content(p, entry, e);
	case HOLDINGS_COPY: return send_content(p, entry, NULL, e);
	case HOLDINGS_THERE: break;
	}
	p->counts.there++;
	p->counts.saved_bytes += entry->size;
	return 0;
}

/* --- what goes with the content -----------------------------------------------------------------
 */

static int put_payloads(struct publish *p, struct err *e)
{
	struct step step = {.class = STEP_PAYLOAD, .type = TYPE_UNKNOWN, .cache = FOR_EVER};
	uint8_t sha256[SHA256_SIZE];
	struct buf folder = BUF_INIT;
	int status = -1;

	if (p->offers.count > 0 && name_folder(&folder, p->offers.folder, e) != 0)
		goto out;
	for (size_t i = 0; i < p->offers.count; i++) {
		const struct offer *offer = &p->offers.list[i];
		if (!offer->claimed)
			continue;
		buf_clear(&p->source);
		buf_add(&p->source, folder.data, folder.len);
		offers_name(&p->source, offer);
		buf_clear(&p->planner.key);
		storekey_payload(&p->planner.key, offer);
		if (buf_check(&p->source, e) != 0 ||
		    paper_digest(p->source.data, sha256, &step.size, e) != 0)
			goto out;
		step.source = p->source.data;
		step.sha256 = sha256;
		if (put(p, &step, e) != 0)
			goto out;
		p->counts.payloads++;
	}
	status = 0;
out:
	buf_release(&folder);
	return status;
}

static int put_deltas(struct publish *p, struct err *e)
{
	const struct opt_list *list = &options_of(p)->delta;

	for (size_t i = 0; i < list->count; i++) {
		const struct step step = {.class = STEP_DELTA,
					  .source = list->items[i],
					  .size = p->deltas[i].size,
					  .sha256 = p->deltas[i].sha256,
					  .type = TYPE_LINES,
					  .cache = FOR_EVER};
		buf_clear(&p->planner.key);
		storekey_delta(&p->planner.key, p->pledges[i].from.version,
			       p->pledges[i].to.version);
		if (put(p, &step, e) != 0)
			return -1;
	}
	return 0;
}

/* The manifest, and the head: a file of its own, or the manifest's last line. */
static int put_pointers(struct publish *p, const struct paper *manifest, const struct paper *head,
			struct err *e)
{
	const char *apart = p->planner.state.job->head;
	const struct step first = {.class = STEP_MANIFEST,
				   .source = p->planner.state.job->manifest,
				   .size = manifest->size,
				   .sha256 = manifest->sha256,
				   .type = TYPE_LINES,
				   .cache = FOR_EVER};
	const struct step last = {.class = STEP_HEAD,
				  .source = apart != NULL ? apart : p->planner.state.job->manifest,
				  .size = head->last_size,
				  .sha256 = head->last,
				  .type = TYPE_HEAD,
				  .cache = NOT_AT_ALL,
				  .head = apart == NULL};

	buf_clear(&p->planner.key);
	storekey_manifest(&p->planner.key, &p->planner.head.id);
	if (put(p, &first, e) != 0)
		return -1;
	buf_clear(&p->planner.key);
	storekey_head(&p->planner.key, &p->planner.head.id);
	return put(p, &last, e);
}

/* They are read again, so they must still be what was checked. */
static int read_pointers(const struct publish *p, struct paper *manifest, struct paper *head,
			 struct err *e)
{
	const char *name = p->planner.state.job->manifest, *apart = p->planner.state.job->head;

	if (paper_read(name, p->planner.head.bytes, manifest, e) != 0)
		return -1;
	if (memcmp(manifest->body, p->planner.head.digest, SHA256_SIZE) != 0)
		return err_set(e, ERR_CHANGED, "'%s' changed while it was read", name);
	if (apart == NULL)
		return paper_check_head(manifest, name, &p->planner.head, e);
	return paper_read(apart, 0, head, e) != 0
		   ? -1
		   : paper_check_head(head, apart, &p->planner.head, e);
}

static int end(void *self, struct err *e)
{
	struct publish *p = self;
	struct paper manifest = PAPER_INIT, head = PAPER_INIT;
	int status = -1;

	if (read_pointers(p, &manifest, &head, e) == 0 && put_payloads(p, e) == 0 &&
	    put_deltas(p, e) == 0)
		status = put_pointers(p, &manifest,
				      p->planner.state.job->head != NULL ? &head : &manifest, e);
	paper_release(&manifest);
	paper_release(&head);
	return status;
}

/* --- what goes with what ------------------------------------------------------------------------
 */

static int check_delta(const struct publish *p, size_t i, struct err *e)
{
	const char *name = options_of(p)->delta.items[i];
	const struct pledge *d = &p->pledges[i];

	if (strcmp(d->product, p->planner.head.id.product) != 0 ||
	    strcmp(d->to.version, p->planner.head.id.version) != 0 ||
	    d->to.serial != p->planner.head.id.serial ||
	    memcmp(d->to.digest, p->planner.head.digest, SHA256_SIZE) != 0)
		return err_set(e, ERR_REFUSED, "'%s' does not lead to this release of %s %s", name,
			       p->planner.head.id.product, p->planner.head.id.version);
	for (size_t k = 0; k < i; k++)
		if (strcmp(d->from.version, p->pledges[k].from.version) == 0)
			return err_set(e, ERR_REFUSED, "'%s' and '%s' both lead from %s",
				       options_of(p)->delta.items[k], name, d->from.version);
	return 0;
}

/* Two releases of one version would be under the same keys. */
static int check_versions(struct publish *p, struct err *e)
{
	for (size_t i = 0; i < p->planner.earlier_count; i++) {
		const struct planner_release *r = &p->planner.earlier[i];
		if (strcmp(r->id.version, p->planner.head.id.version) != 0)
			continue;
		if (memcmp(r->digest, p->planner.head.digest, SHA256_SIZE) != 0)
			return err_set(
			    e, ERR_REFUSED,
			    "'%s' is another release of version %s: its objects would be "
			    "overwritten",
			    r->manifest, r->id.version);
		p->again = true;
	}
	return 0;
}

static int begin(void *self, const struct header *header, const struct head *head, struct err *e)
{
	struct publish *p = self;

	(void)header;
	if (planner_begin(&p->planner, head, e) != 0 || check_versions(p, e) != 0)
		return -1;
	for (size_t i = 0; i < options_of(p)->delta.count; i++)
		if (paper_read_delta(options_of(p)->delta.items[i], &p->deltas[i], &p->pledges[i],
				     e) != 0 ||
		    check_delta(p, i, e) != 0)
			return -1;
	return 0;
}

/* --- the result ---------------------------------------------------------------------------------
 */

static void describe(const void *self, bool verbose, struct buf *text)
{
	const struct publish *p = self;
	const struct counts *c = &p->counts;

	buf_adds(text, "to upload: ");
	text_plural(text, c->puts, "object");
	buf_adds(text, ", ");
	text_bytes(text, c->put_bytes);
	buf_adds(text, "\nin the store: ");
	text_count(text, c->copies);
	buf_adds(text, " to copy, ");
	text_count(text, c->there);
	buf_adds(text, " to leave, ");
	text_bytes(text, c->saved_bytes);
	buf_addc(text, '\n');
	if (!verbose)
		return;
	buf_adds(text, "among them: ");
	text_plural(text, c->payloads, "payload");
	buf_adds(text, ", ");
	text_plural(text, options_of(p)->delta.count, "delta");
	buf_adds(text, "\nleft out: ");
	text_plural(text, p->offers.count - c->payloads, "payload");
	buf_adds(text, " of no file here\n");
}

static void members(const void *self, struct jsonl_writer *w)
{
	const struct publish *p = self;
	const struct counts *c = &p->counts;

	jsonl_number(w, "puts", c->puts);
	jsonl_number(w, "put_bytes", c->put_bytes);
	jsonl_number(w, "copies", c->copies);
	jsonl_number(w, "there", c->there);
	jsonl_number(w, "saved_bytes", c->saved_bytes);
	jsonl_number(w, "payloads", c->payloads);
	jsonl_number(w, "deltas", options_of(p)->delta.count);
	jsonl_number(w, "strangers", p->offers.count - c->payloads);
}

const struct format publish_format = {
    .name = "publish",
    .size = sizeof(struct publish),
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
