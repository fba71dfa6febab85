#include "swarm/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/bale.h"
#include "swarm/document.h"
#include "swarm/draft.h"
#include "swarm/listing.h"
#include "swarm/outfile.h"
#include "swarm/payload.h"
#include "swarm/payloads.h"
#include "swarm/stock.h"

/* What is open for an older release. */
struct work {
	struct document *document;
	struct stock *stock; /* NULL: no tree */
	struct outfile *out;
	struct draft_solid solid;
};

struct run {
	const struct diff_options *options;
	struct scratch *scratch;
	struct diff *ret;
	struct document *to;
	struct stock *fresh; /* the new release's files; NULL: no tree */
	struct outfile *solid;
	struct work *works; /* one for each older release */
	bool made_folder;
};

/* --- documents ----------------------------------------------------------------------------------
 */

static int compare(struct run *r, size_t i, struct err *e)
{
	const char *path = r->options->from[i].manifest;

	r->works[i].document = document_open(path, e);
	if (r->works[i].document == NULL)
		return -1;
	return changes_read(r->works[i].document, r->to, &r->ret->results[i].changes, e);
}

static int compare_all(struct run *r, struct err *e)
{
	r->to = document_open(r->options->to.manifest, e);
	if (r->to == NULL)
		return -1;
	for (size_t i = 0; i < r->options->from_count; i++)
		if (compare(r, i, e) != 0)
			return -1;
	return 0;
}

/*
 * A client knows the name of a payload by what the two manifests say of the file and its base.
 * Where only one of them has plain digests, no lines are equal: the items tell of both.
 */
static int check_digests(const struct run *r, size_t i, struct err *e)
{
	const struct changes *c = &r->ret->results[i].changes;
	bool fetched = false;
	const char *without = NULL;

	for (size_t k = 0; k < c->count; k++) {
		const struct changes_item *item = &c->items[k];
		fetched = fetched || changes_is_fetched(item);
		if (item->text != NULL && !item->file.has_sha256)
			without = r->options->to.manifest;
		else if (item->old.path != NULL && !item->old.has_sha256)
			without = r->options->from[i].manifest;
	}
	if (!fetched || without == NULL)
		return 0;
	return err_set(e, ERR_USAGE,
		       "'%s' has no plain digests, by which payloads are named: pack the release "
		       "without --no-sha256, or give --solid instead of --payloads",
		       without);
}

static int check_all_digests(const struct run *r, struct err *e)
{
	for (size_t i = 0; i < r->options->from_count; i++)
		if (check_digests(r, i, e) != 0)
			return -1;
	return 0;
}

/* --- trees --------------------------------------------------------------------------------------
 */

static int read_listing(struct document *d, const struct changes *c, struct listing *ret,
			struct err *e)
{
	struct body *body = document_body(d, e);

	if (body == NULL)
		return -1;
	int status = listing_read(body, ret, e);
	body_close(body);
	if (status == 0 && memcmp(ret->digest, c->from_digest, SHA256_SIZE) != 0)
		status =
		    err_set(e, ERR_CHANGED, "'%s' changed while it was read", document_name(d));
	return status;
}

/* What is worth keeping of an archive of the new release: what any of the older ones has not. */
static bool want_new(const void *context, const char *path, uint64_t *ret_limit)
{
	const struct diff *d = context;

	for (size_t i = 0; i < d->count; i++) {
		const struct changes_item *item = changes_find(&d->results[i].changes, path);
		if (item != NULL && changes_is_fetched(item)) {
			*ret_limit = item->file.size;
			return true;
		}
	}
	return false;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Names in a directory are as they should be, if anything is to be stripped of an archive's. */
static unsigned strip_of(const struct diff_options *o, const char *tree)
{
	bool archive = !is_directory(o->to.tree);

	for (size_t i = 0; i < o->from_count; i++)
		archive = archive || !is_directory(o->from[i].tree);
	return archive && is_directory(tree) ? 0 : o->strip;
}

/* The rules that released its target are not at hand. */
static const char link_hint[] =
    " (where the rules say 'symlinks: follow', give what swarmpack --bundle wrote)";

static int open_trees(struct run *r, struct err *e)
{
	const struct diff_options *o = r->options;
	struct stock_options how = {.strip = strip_of(o, o->to.tree),
				    .want = want_new,
				    .context = r->ret,
				    .link_hint = link_hint};

	r->fresh = stock_open(o->to.tree, &how, e);
	if (r->fresh == NULL)
		return -1;
	for (size_t i = 0; i < o->from_count; i++) {
		struct diff_result *result = &r->ret->results[i];
		struct work *w = &r->works[i];
		if (read_listing(w->document, &result->changes, &result->listing, e) != 0)
			return -1;
		/* Any old file may be a base. */
		how = (struct stock_options){.strip = strip_of(o, o->from[i].tree),
					     .want = stock_want_listed,
					     .context = &result->listing,
					     .link_hint = link_hint};
		w->stock = stock_open(o->from[i].tree, &how, e);
		if (w->stock == NULL)
			return -1;
	}
	return 0;
}

/* --- outputs ------------------------------------------------------------------------------------
 */

static int make_folder(struct run *r, struct err *e)
{
	if (mkdir(r->options->out, 0777) == 0)
		r->made_folder = true;
	else if (errno != EEXIST)
		return err_sys(e, "cannot make the folder '%s'", r->options->out);
	return 0;
}

static int open_delta(struct run *r, size_t i, struct err *e)
{
	const struct diff_options *o = r->options;
	const struct outfile_options how = {.force = o->force};
	const struct changes *c = &r->ret->results[i].changes;
	struct buf path = BUF_INIT;
	size_t len = strlen(o->out);

	buf_adds(&path, o->out);
	if (o->out_is_folder)
		buf_addf(&path, "%s%s-%s.delta", len > 0 && o->out[len - 1] == '/' ? "" : "/",
			 c->from.id.version, c->to.id.version);
	if (buf_check(&path, e) == 0)
		r->works[i].out = outfile_open(path.data, &how, r->scratch, e);
	buf_release(&path);
	return r->works[i].out != NULL ? 0 : -1;
}

/* Two deltas of one name would replace each other. */
static int check_versions(const struct run *r, struct err *e)
{
	for (size_t i = 0; i < r->ret->count; i++)
		for (size_t k = 0; k < i; k++) {
			const char *version = r->ret->results[i].changes.from.id.version;
			if (strcmp(version, r->ret->results[k].changes.from.id.version) == 0)
				return err_set(e, ERR_USAGE,
					       "'%s' and '%s' are both of version %s: their deltas "
					       "would have one name",
					       r->options->from[k].manifest,
					       r->options->from[i].manifest, version);
		}
	return 0;
}

static int open_outputs(struct run *r, struct err *e)
{
	const struct diff_options *o = r->options;
	const struct outfile_options how = {.force = o->force};

	if (o->out_is_folder && (check_versions(r, e) != 0 || make_folder(r, e) != 0))
		return -1;
	for (size_t i = 0; i < o->from_count; i++)
		if (open_delta(r, i, e) != 0)
			return -1;
	if (o->solid == NULL)
		return 0;
	r->solid = outfile_open(o->solid, &how, r->scratch, e);
	return r->solid != NULL ? 0 : -1;
}

static int commit(struct run *r, struct err *e)
{
	bool has_solid = r->solid != NULL && r->ret->results[0].solid_bytes > 0;

	if (has_solid && outfile_sync(r->solid, e) != 0)
		return -1;
	for (size_t i = 0; i < r->ret->count; i++)
		if (outfile_sync(r->works[i].out, e) != 0)
			return -1;
	if (has_solid && outfile_commit(r->solid, e) != 0)
		return -1;
	for (size_t i = 0; i < r->ret->count; i++)
		if (outfile_commit(r->works[i].out, e) != 0)
			return -1;
	return 0;
}

/* --- content ------------------------------------------------------------------------------------
 */

static int make_payloads(struct run *r, struct err *e)
{
	const struct diff_options *o = r->options;
	struct payloads_options how = {.folder = o->payloads,
				       .level = o->level,
				       .threads = o->threads,
				       .memory = o->memory,
				       .progress = o->progress};
	struct payloads_from *from = calloc(o->from_count, sizeof *from);
	int status = 0;

	if (from == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < o->from_count && status == 0; i++) {
		struct diff_result *result = &r->ret->results[i];
		result->payloads = calloc(result->changes.count + 1, sizeof *result->payloads);
		if (result->payloads == NULL)
			status = err_nomem(e);
		from[i] = (struct payloads_from){.changes = &result->changes,
						 .listing = &result->listing,
						 .stock = r->works[i].stock,
						 .items = result->payloads};
	}
	if (status == 0)
		status = payloads_make(from, o->from_count, r->fresh, &how, r->scratch, e);
	free(from);
	return status;
}

/* Of the only older release. */
static int make_solid(struct run *r, struct err *e)
{
	const struct diff_options *o = r->options;
	struct diff_result *result = &r->ret->results[0];
	struct bale_from from = {.changes = &result->changes,
				 .listing = &result->listing,
				 .stock = r->works[0].stock,
				 .fresh = r->fresh};
	struct bale_options how = {.threads = o->threads, .memory = o->memory};
	struct draft_solid *solid = &r->works[0].solid;
	struct buf payload = BUF_INIT;
	int status = -1;

	if (bale_make(&from, &how, &payload, e) == 0 &&
	    payload_digest(payload.data, payload.len, solid->sha256, e) == 0 &&
	    outfile_write(r->solid, payload.data, payload.len, e) == 0)
		status = 0;
	result->solid_bytes = solid->size = payload.len;
	buf_release(&payload);
	return status;
}

static int write_delta(struct run *r, size_t i, struct err *e)
{
	struct diff_result *result = &r->ret->results[i];
	struct work *w = &r->works[i];
	const struct draft draft = {
	    .changes = &result->changes, .payloads = result->payloads, .solid = w->solid};

	return draft_write(&draft, w->document, w->out, &result->delta_bytes, e);
}

static int count_cost(struct run *r, size_t i, struct err *e)
{
	const struct diff_options *o = r->options;
	struct diff_result *result = &r->ret->results[i];
	const struct work *w = &r->works[i];

	if (cost_measure(&result->changes, result->payloads, w->document, &result->cost, e) != 0)
		return -1;
	result->cost.manifest_bytes = document_body_bytes(r->to);
	result->cost.delta_bytes = result->delta_bytes;
	result->cost.solid_bytes = result->solid_bytes;
	if (!o->explain || w->stock == NULL)
		return 0;
	return cost_explain(&result->cost, w->stock, r->fresh, o->memory, e);
}

/* --- the run ------------------------------------------------------------------------------------
 */

static int make_all(struct run *r, struct err *e)
{
	const struct diff_options *o = r->options;

	if (compare_all(r, e) != 0 || (o->payloads != NULL && check_all_digests(r, e) != 0) ||
	    open_outputs(r, e) != 0)
		return -1;
	if (o->to.tree != NULL && open_trees(r, e) != 0)
		return -1;
	if ((o->payloads != NULL && make_payloads(r, e) != 0) ||
	    (o->solid != NULL && make_solid(r, e) != 0))
		return -1;
	for (size_t i = 0; i < o->from_count; i++)
		if (write_delta(r, i, e) != 0 || (o->count && count_cost(r, i, e) != 0))
			return -1;
	return commit(r, e);
}

static void close_all(struct run *r)
{
	for (size_t i = 0; r->works != NULL && i < r->options->from_count; i++) {
		outfile_free(r->works[i].out);
		stock_close(r->works[i].stock);
		document_close(r->works[i].document);
	}
	free(r->works);
	outfile_free(r->solid);
	stock_close(r->fresh);
	document_close(r->to);
}

int diff_run(const struct diff_options *options, struct scratch *scratch, struct diff *ret,
	     struct err *e)
{
	struct run r = {.options = options, .scratch = scratch, .ret = ret};
	int status = -1;

	*ret = (struct diff){.count = options->from_count};
	ret->results = calloc(options->from_count, sizeof *ret->results);
	r.works = calloc(options->from_count, sizeof *r.works);
	if (ret->results == NULL || r.works == NULL)
		(void)err_nomem(e);
	else
		status = make_all(&r, e);
	close_all(&r);
	/* Only if nothing stands in it. */
	if (status != 0 && r.made_folder)
		(void)rmdir(options->out);
	return status;
}

void diff_release(struct diff *d)
{
	for (size_t i = 0; d->results != NULL && i < d->count; i++) {
		struct diff_result *result = &d->results[i];
		cost_release(&result->cost);
		changes_release(&result->changes);
		listing_release(&result->listing);
		free(result->payloads);
	}
	free(d->results);
	*d = (struct diff){.results = NULL};
}
