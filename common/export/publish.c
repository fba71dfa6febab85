#include "swarm/publish.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/mime.h"
#include "swarm/offers.h"
#include "swarm/paper.h"
#include "swarm/planner.h"
#include "swarm/shelf.h"
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
	struct exporter_state state;
	const struct exporter_job *job;
	struct planner planner;
	struct head head;
	bool again; /* an earlier release is this very one */
	int tree;
	struct buf folder; /* the tree's name, with a slash behind it */
	struct offers offers;
	struct paper *deltas; /* of each --delta */
	struct pledge *pledges;
	struct shelf store;
	struct buf source, what; /* of one line */
	struct counts counts;
};

/* --- what is asked for --------------------------------------------------------------------------
 */

static void stop(void *self)
{
	struct publish *p = self;
	size_t deltas = p->deltas != NULL ? p->job->options->delta.count : 0;

	for (size_t i = 0; i < deltas; i++)
		paper_release(&p->deltas[i]);
	free(p->deltas);
	free(p->pledges);
	if (p->tree >= 0)
		(void)close(p->tree);
	offers_release(&p->offers);
	shelf_release(&p->store);
	buf_release(&p->folder);
	buf_release(&p->source);
	buf_release(&p->what);
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

static int prepare(struct publish *p, struct err *e)
{
	const struct exporter_options *o = p->job->options;

	if (planner_init(&p->planner, p->job, e) != 0 || name_folder(&p->folder, o->tree, e) != 0)
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

static int start(void *self, struct err *e)
{
	struct publish *p = self;

	*p = (struct publish){.state = p->state,
			      .job = p->state.job,
			      .tree = -1,
			      .folder = BUF_INIT,
			      .source = BUF_INIT,
			      .what = BUF_INIT,
			      .store = SHELF_INIT};
	return prepare(p, e);
}

/* --- what the store has -------------------------------------------------------------------------
 */

static const char *type_of(const struct entry *entry)
{
	const char *type = entry->type != NULL ? entry->type : mime_of(entry->path);

	return type != NULL ? type : TYPE_UNKNOWN;
}

/* What else a file's object is served with, as text. */
static void add_headers(struct buf *to, const struct entry *entry)
{
	buf_addf(to, "%s\n%s", type_of(entry), entry->cache != NULL ? entry->cache : "");
}

/*
 * The headers, and the digest of all that makes an object of layout `release` what it is; with a
 * path, of that one alone.
 */
static int identify(struct publish *p, const struct entry *entry, bool with_path,
		    uint8_t ret[static SHA256_SIZE], struct err *e)
{
	buf_clear(&p->what);
	buf_add(&p->what, entry->root, sizeof entry->root);
	buf_addf(&p->what, "%llu\n", (unsigned long long)entry->size);
	add_headers(&p->what, entry);
	if (with_path)
		buf_addf(&p->what, "\n%s", entry->path);
	planner_digest(&p->planner, &p->what, ret);
	return buf_check(&p->what, e);
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
static int keep_by_content(struct publish *p, const struct release_id *id,
			   const struct entry *entry, struct err *e)
{
	uint8_t digest[SHA256_SIZE];

	if (identify(p, entry, false, digest, e) != 0)
		return -1;
	const struct shelf_item *first = shelf_find(&p->store, digest);
	if (first != NULL && is_at(first, entry->path))
		return 0;
	if (first != NULL && identify(p, entry, true, digest, e) != 0)
		return -1;
	if (planner_content(&p->planner, id, entry, e) != 0)
		return -1;
	return shelf_put(&p->store, digest, p->planner.key.data, "", e);
}

static int keep_by_key(struct publish *p, const struct release_id *id, const struct entry *entry,
		       struct err *e)
{
	uint8_t digest[SHA256_SIZE];

	if (planner_content(&p->planner, id, entry, e) != 0)
		return -1;
	planner_digest(&p->planner, &p->planner.key, digest);
	buf_clear(&p->what);
	add_headers(&p->what, entry);
	if (buf_check(&p->what, e) != 0)
		return -1;
	return shelf_put(&p->store, digest, p->planner.key.data, p->what.data, e);
}

static int earlier(void *self, const char *manifest, bool keep, const struct head *head,
		   struct err *e)
{
	struct publish *p = self;

	return planner_earlier(&p->planner, manifest, keep, head, e);
}

static int earlier_file(void *self, const struct entry *entry, struct err *e)
{
	struct publish *p = self;
	const struct release_id *id = &p->planner.earlier[p->planner.earlier_count - 1].id;

	return p->planner.layout == STOREKEY_HASH ? keep_by_key(p, id, entry, e)
						  : keep_by_content(p, id, entry, e);
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

static void leave_out(struct publish *p, const struct entry *entry)
{
	p->counts.there++;
	p->counts.saved_bytes += entry->size;
}

static int check_source(const struct publish *p, const struct entry *entry, struct err *e)
{
	const char *tree = p->job->options->tree;
	struct stat st;

	if (fstatat(p->tree, entry->path, &st, 0) != 0)
		return err_sys(e, "cannot look at '%s' in '%s'", entry->path, tree);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_REFUSED, "'%s' in '%s' is no regular file", entry->path,
			       tree);
	if ((uint64_t)st.st_size != entry->size)
		return err_set(e, ERR_REFUSED, "'%s' in '%s' has %llu bytes, not %llu", entry->path,
			       tree, (unsigned long long)st.st_size,
			       (unsigned long long)entry->size);
	return 0;
}

static int put_content(struct publish *p, const struct entry *entry, const char *from,
		       struct err *e)
{
	struct step step = {.op = STEP_COPY,
			    .class = STEP_CONTENT,
			    .size = entry->size,
			    .sha256 = entry->sha256,
			    .type = type_of(entry),
			    .cache = entry->cache};

	buf_clear(&p->planner.from);
	if (from != NULL) {
		buf_adds(&p->planner.from, from);
		return put(p, &step, e);
	}
	buf_clear(&p->source);
	buf_addf(&p->source, "%s%s", p->folder.data, entry->path);
	if (buf_check(&p->source, e) != 0 || check_source(p, entry, e) != 0)
		return -1;
	step.op = STEP_PUT;
	step.source = p->source.data;
	return put(p, &step, e);
}

static int add_by_content(struct publish *p, const struct entry *entry, struct err *e)
{
	uint8_t content[SHA256_SIZE], with_path[SHA256_SIZE];

	if (identify(p, entry, true, with_path, e) != 0 ||
	    identify(p, entry, false, content, e) != 0)
		return -1;
	const struct shelf_item *item = shelf_find(&p->store, with_path);
	if (item == NULL)
		item = shelf_find(&p->store, content);
	if (item != NULL)
		return put_content(p, entry, item->key, e);
	if (shelf_put(&p->store, content, p->planner.key.data, "", e) != 0)
		return -1;
	return put_content(p, entry, NULL, e);
}

/*
 * A key is marked once a file of this release has it. The first one says how it is cached: under a
 * name made of its content, nothing ever changes.
 */
static int add_by_key(struct publish *p, const struct entry *entry, struct err *e)
{
	uint8_t digest[SHA256_SIZE];

	planner_digest(&p->planner, &p->planner.key, digest);
	buf_clear(&p->what);
	add_headers(&p->what, entry);
	if (buf_check(&p->what, e) != 0)
		return -1;
	struct shelf_item *item = shelf_find(&p->store, digest);
	size_t type = strcspn(p->what.data, "\n") + 1;
	if (item != NULL && item->mark && strncmp(item->headers, p->what.data, type) != 0)
		return err_set(e, ERR_REFUSED,
			       "'%s' would be one object with another file of the same content, "
			       "which is of another type",
			       entry->path);
	if (item != NULL && (item->mark || strcmp(item->headers, p->what.data) == 0)) {
		leave_out(p, entry);
		item->mark = true;
		return 0;
	}
	if (item != NULL ? shelf_rewrite(&p->store, item, p->what.data, e) != 0
			 : shelf_put(&p->store, digest, p->planner.key.data, p->what.data, e) != 0)
		return -1;
	shelf_find(&p->store, digest)->mark = true;
	return put_content(p, entry, NULL, e);
}

static int add(void *self, const struct entry *entry, struct err *e)
{
	struct publish *p = self;

	if (!entry->has_sha256)
		return err_set(e, ERR_REFUSED,
			       "'%s' has no plain digest, by which uploads are checked: pack the "
			       "release without --no-sha256",
			       entry->path);
	if (offers_claim(&p->offers, entry->sha256, entry->size, e) != 0 ||
	    planner_content(&p->planner, &p->head.id, entry, e) != 0)
		return -1;
	if (p->planner.layout == STOREKEY_HASH)
		return add_by_key(p, entry, e);
	if (!p->again)
		return add_by_content(p, entry, e);
	leave_out(p, entry);
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
	const struct opt_list *list = &p->job->options->delta;

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
	const char *apart = p->job->head;
	const struct step first = {.class = STEP_MANIFEST,
				   .source = p->job->manifest,
				   .size = manifest->size,
				   .sha256 = manifest->sha256,
				   .type = TYPE_LINES,
				   .cache = FOR_EVER};
	const struct step last = {.class = STEP_HEAD,
				  .source = apart != NULL ? apart : p->job->manifest,
				  .size = head->last_size,
				  .sha256 = head->last,
				  .type = TYPE_HEAD,
				  .cache = NOT_AT_ALL,
				  .head = apart == NULL};

	buf_clear(&p->planner.key);
	storekey_manifest(&p->planner.key, &p->head.id);
	if (put(p, &first, e) != 0)
		return -1;
	buf_clear(&p->planner.key);
	storekey_head(&p->planner.key, &p->head.id);
	return put(p, &last, e);
}

/* They are read again, so they must still be what was checked. */
static int read_pointers(const struct publish *p, struct paper *manifest, struct paper *head,
			 struct err *e)
{
	const char *name = p->job->manifest, *apart = p->job->head;

	if (paper_read(name, p->head.bytes, manifest, e) != 0)
		return -1;
	if (memcmp(manifest->body, p->head.digest, SHA256_SIZE) != 0)
		return err_set(e, ERR_CHANGED, "'%s' changed while it was read", name);
	if (apart == NULL)
		return paper_check_head(manifest, name, &p->head, e);
	return paper_read(apart, 0, head, e) != 0 ? -1 : paper_check_head(head, apart, &p->head, e);
}

static int end(void *self, struct err *e)
{
	struct publish *p = self;
	struct paper manifest = PAPER_INIT, head = PAPER_INIT;
	int status = -1;

	if (read_pointers(p, &manifest, &head, e) == 0 && put_payloads(p, e) == 0 &&
	    put_deltas(p, e) == 0 &&
	    put_pointers(p, &manifest, p->job->head != NULL ? &head : &manifest, e) == 0)
		status = outfile_drain(p->planner.out, &p->planner.text, e);
	paper_release(&manifest);
	paper_release(&head);
	return status;
}

/* --- what goes with what ------------------------------------------------------------------------
 */

static int check_delta(const struct publish *p, size_t i, struct err *e)
{
	const char *name = p->job->options->delta.items[i];
	const struct pledge *d = &p->pledges[i];

	if (strcmp(d->product, p->head.id.product) != 0 ||
	    strcmp(d->to.version, p->head.id.version) != 0 || d->to.serial != p->head.id.serial ||
	    memcmp(d->to.digest, p->head.digest, SHA256_SIZE) != 0)
		return err_set(e, ERR_REFUSED, "'%s' does not lead to this release of %s %s", name,
			       p->head.id.product, p->head.id.version);
	for (size_t k = 0; k < i; k++)
		if (strcmp(d->from.version, p->pledges[k].from.version) == 0)
			return err_set(e, ERR_REFUSED, "'%s' and '%s' both lead from %s",
				       p->job->options->delta.items[k], name, d->from.version);
	return 0;
}

/* Two releases of one version would be under the same keys. */
static int check_versions(struct publish *p, struct err *e)
{
	for (size_t i = 0; i < p->planner.earlier_count; i++) {
		const struct planner_release *r = &p->planner.earlier[i];
		if (strcmp(r->id.version, p->head.id.version) != 0)
			continue;
		if (memcmp(r->digest, p->head.digest, SHA256_SIZE) != 0)
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
	p->head = *head;
	if (planner_check_product(&p->planner, &head->id, e) != 0 || check_versions(p, e) != 0)
		return -1;
	for (size_t i = 0; i < p->job->options->delta.count; i++)
		if (paper_read_delta(p->job->options->delta.items[i], &p->deltas[i], &p->pledges[i],
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
	text_plural(text, p->job->options->delta.count, "delta");
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
	jsonl_number(w, "deltas", p->job->options->delta.count);
	jsonl_number(w, "strangers", p->offers.count - c->payloads);
}

const struct exporter_format publish_format = {
    .name = "publish",
    .size = sizeof(struct publish),
    .start = start,
    .earlier = earlier,
    .earlier_file = earlier_file,
    .begin = begin,
    .add = add,
    .end = end,
    .describe = describe,
    .members = members,
    .stop = stop,
};
