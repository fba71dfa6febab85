#include "swarm/pack.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/bundle.h"
#include "swarm/content.h"
#include "swarm/hits.h"
#include "swarm/inventory.h"
#include "swarm/io.h"
#include "swarm/ledger.h"
#include "swarm/num.h"
#include "swarm/outputs.h"
#include "swarm/pool.h"
#include "swarm/share.h"

/* --- the report ---------------------------------------------------------------------------------
 */

static int open_report(const struct pack_options *options, struct pack_plan *plan, struct err *e)
{
	/* It names what is private. */
	const struct outfile_options how = {.force = options->force, .mode = 0600};

	if (options->report == NULL)
		return 0;
	plan->report = outfile_open(options->report, &how, options->scratch, e);
	return plan->report != NULL ? 0 : -1;
}

/* Writes it, so that only the naming is left. */
static int fill_report(const struct pack_options *options, struct pack_plan *plan, bool content,
		       struct err *e)
{
	const struct ledger ledger = {&plan->scan, options->rules, options->guards, options->strip,
				      content};

	if (plan->report == NULL)
		return 0;
	return ledger_write(&ledger, plan->report, e) == 0 ? outfile_sync(plan->report, e) : -1;
}

static int commit_report(struct pack_plan *plan, struct err *e)
{
	return plan->report != NULL ? outfile_commit(plan->report, e) : 0;
}

/* Both, where there is no other output. */
static int write_report(const struct pack_options *options, struct pack_plan *plan, bool content,
			struct err *e)
{
	return fill_report(options, plan, content, e) == 0 ? commit_report(plan, e) : -1;
}

/* The answer where there are problems; the report tells of them too. */
static int refuse(const struct pack_options *options, struct pack_plan *plan, bool content,
		  struct err *e)
{
	size_t n = scan_count_refused(&plan->scan);

	if (write_report(options, plan, content, e) != 0)
		return -1;
	return err_set(e, ERR_REFUSED, "%zu %s cannot be released", n, n == 1 ? "path" : "paths");
}

/* --- planning -----------------------------------------------------------------------------------
 */

static int compare(const struct pack_options *options, struct pack_plan *plan, struct err *e)
{
	if (options->against == NULL)
		return 0;
	if (review_run(&plan->review, options->against, &plan->scan, e) != 0)
		return -1;
	plan->has_review = true;
	return options->no_new_public ? review_refuse_new(&plan->review, &plan->scan, e) : 0;
}

/* One in which nothing can be read, where no other tells anything, is no access log. */
static int read_logs(const struct pack_list *logs, struct popularity *traffic, struct err *e)
{
	const struct popularity_totals *totals = popularity_totals(traffic);
	const char *unread = NULL;

	for (size_t i = 0; i < logs->count; i++) {
		uint64_t before = totals->malformed;
		if (popularity_read(traffic, logs->items[i], e) != 0)
			return -1;
		if (totals->malformed > before)
			unread = io_name(logs->items[i]);
	}
	if (totals->lines > 0 || unread == NULL)
		return 0;
	return err_set(e, ERR_MALFORMED, "no line of '%s' can be read: is it an access log?",
		       unread);
}

/* Reads the logs and marks the hot set. */
static int find_hot(const struct pack_options *options, struct pack_plan *plan, struct err *e)
{
	struct scan *scan = &plan->scan;

	if (options->logs.count == 0)
		return 0;
	plan->asked = calloc(scan->count + 1, sizeof *plan->asked);
	if (plan->asked == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < scan->count; i++)
		plan->asked[i] =
		    (struct popularity_file){.path = scan->files[i].path,
					     .size = scan->files[i].size,
					     .is_public = scan->files[i].label == LABEL_PUBLIC};
	plan->traffic = popularity_new(plan->asked, scan->count, options->url_prefixes.items,
				       options->url_prefixes.count, e);
	if (plan->traffic == NULL)
		return -1;
	if (read_logs(&options->logs, plan->traffic, e) != 0)
		return -1;
	if (popularity_rank(plan->traffic, options->hot, e) != 0)
		return -1;
	for (size_t i = 0; i < scan->count; i++)
		scan->files[i].hot = plan->asked[i].hot;
	return 0;
}

static int count_bytes(struct pack_plan *plan, struct err *e)
{
	const struct scan *scan = &plan->scan;

	for (size_t i = 0; i < scan->count; i++)
		if (!num_add(plan->bytes, scan->files[i].size, &plan->bytes) ||
		    plan->bytes > NUM_MAX)
			return err_set(e, ERR_REFUSED,
				       "the files add up to more than 2^53-1 bytes");
	return 0;
}

static int check_outputs(const struct pack_options *o, const struct source *source, struct err *e)
{
	struct outputs_input *inputs = calloc(o->logs.count + 2, sizeof *inputs);
	const struct outputs outputs = {.inventory = o->dry_run ? NULL : o->inventory,
					.bundle = o->bundle,
					.report = o->report,
					.cache = o->cache,
					.inputs = inputs,
					.input_count = o->logs.count + 2};

	if (inputs == NULL)
		return err_nomem(e);
	inputs[0] = (struct outputs_input){o->like, "--like's release"};
	inputs[1] = (struct outputs_input){o->against, "--against's release"};
	for (size_t i = 0; i < o->logs.count; i++)
		inputs[i + 2] = (struct outputs_input){o->logs.items[i], "an access log"};
	int status = outputs_check(&outputs, source, o->rules, o->strip, e);
	free(inputs);
	return status;
}

/* Before any file is looked at: what changes from here on is not to be remembered. */
static int open_cache(const struct pack_options *options, const struct source *source,
		      struct pack_plan *plan, struct err *e)
{
	if (options->cache == NULL)
		return 0;
	if (!source_is_directory(source))
		return err_set(e, ERR_USAGE, "--cache is for a directory, and '%s' is an archive",
			       source_name(source));
	plan->cache = cache_open(options->cache, &plan->warnings, e);
	return plan->cache != NULL ? 0 : -1;
}

/* From here on, the plan is that of this machine alone. */
static int take_share(const struct pack_options *options, struct pack_plan *plan, struct err *e)
{
	if (options->shard.count == 0)
		return 0;
	plan->part = (struct part){
	    .shard = options->shard, .piece_length = plan->piece_length, .plain = options->plain};
	if (part_judges(rules_guards(options->rules), plan->part.guards, e) != 0 ||
	    share_take(&plan->scan, &plan->part, e) != 0)
		return -1;
	plan->bytes = plan->part.own_bytes;
	return 0;
}

int pack_plan(struct source *source, const struct pack_options *options, struct pack_plan *plan,
	      struct err *e)
{
	const struct scan_options how = {.rules = options->rules,
					 .guards = options->guards,
					 .strip = options->strip,
					 .keep_private =
					     options->report != NULL || options->against != NULL};

	*plan = (struct pack_plan){.piece_length = options->piece_length, .warnings = BUF_INIT};
	if (check_outputs(options, source, e) != 0 || open_cache(options, source, plan, e) != 0 ||
	    (plan->pool = pool_new(options->threads, e)) == NULL)
		return -1;
	source_read_ahead(source, plan->pool);
	/* With a cache, there may be nothing to look into. */
	if (options->guards != NULL && options->cache == NULL && !options->dry_run)
		guards_start(options->guards);
	/* Where it can be, is to be known early; where it needs a name, a scan must not find it. */
	if (open_report(options, plan, e) != 0)
		return -1;
	outfile_free(plan->report);
	plan->report = NULL;
	if (scan_run(source, &how, &plan->scan, e) != 0 || open_report(options, plan, e) != 0 ||
	    compare(options, plan, e) != 0)
		return -1;
	if (plan->scan.problem_count > 0)
		return refuse(options, plan, false, e);
	if (plan->scan.count == 0) {
		if (write_report(options, plan, false, e) != 0)
			return -1;
		return err_set(e, ERR_REFUSED, "nothing in '%s' is to be published",
			       source_name(source));
	}
	if (count_bytes(plan, e) != 0 || find_hot(options, plan, e) != 0)
		return -1;
	if (plan->piece_length == 0)
		plan->piece_length = scan_piece_length(&plan->scan);
	if (take_share(options, plan, e) != 0)
		return -1;
	return options->dry_run ? write_report(options, plan, false, e) : 0;
}

void pack_release(struct pack_plan *plan)
{
	pool_free(plan->pool);
	cache_free(plan->cache);
	buf_release(&plan->warnings);
	outfile_free(plan->report);
	popularity_free(plan->traffic);
	free(plan->asked);
	review_release(&plan->review);
	scan_release(&plan->scan);
	*plan = (struct pack_plan){.warnings = BUF_INIT};
}

/* --- the content --------------------------------------------------------------------------------
 */

static int take_hits(struct scan *scan, struct hits *hits, struct err *e)
{
	size_t n;
	const struct hits_hit *list = hits_list(hits, &n);

	for (size_t i = 0; i < n; i++) {
		const struct scan_problem problem = {.fault = SCAN_GUARD,
						     .path = scan->files[list[i].file].path,
						     .why = list[i].guard->description,
						     .guard = list[i].guard,
						     .line = list[i].line,
						     .offset = list[i].offset,
						     .count = list[i].count};
		if (scan_add_problem(scan, &problem, e) != 0)
			return -1;
	}
	scan_sort_problems(scan);
	return 0;
}

/* Opens the outputs, fills and commits them. */
static int produce(struct content *c, const struct pack_options *options, struct pack_plan *plan,
		   struct err *e)
{
	struct bundle_options how = {options->force, options->mtime, options->threads};
	struct outfile_options out = {.force = options->force};
	const struct inventory all = {.scan = &plan->scan,
				      .digests = c->digests,
				      .piece_length = plan->piece_length,
				      .bytes = plan->bytes,
				      .part = options->shard.count > 0 ? &plan->part : NULL};
	int status = -1;
	struct outfile *inventory = outfile_open(options->inventory, &out, options->scratch, e);

	if (inventory == NULL)
		goto out;
	if (options->bundle != NULL &&
	    (c->bundle = bundle_open(options->bundle, &how, options->scratch, e)) == NULL)
		goto out;
	if (plan->scan.count > 0 && content_read(c, e) != 0)
		goto out;
	if (take_hits(&plan->scan, c->hits, e) != 0)
		goto out;
	if (plan->scan.problem_count > 0) {
		(void)refuse(options, plan, true, e);
		goto out;
	}
	if (inventory_write(&all, inventory, e) != 0 || fill_report(options, plan, true, e) != 0)
		goto out;
	if (c->bundle != NULL && bundle_sync(c->bundle, e) != 0)
		goto out;
	if (outfile_sync(inventory, e) != 0)
		goto out;
	if (commit_report(plan, e) != 0)
		goto out;
	if (c->bundle != NULL && bundle_commit(c->bundle, e) != 0)
		goto out;
	status = outfile_commit(inventory, e);
out:
	bundle_free(c->bundle);
	c->bundle = NULL;
	outfile_free(inventory);
	return status;
}

/* A release does not fail for want of it. */
static void save_cache(const struct pack_options *options, struct pack_plan *plan)
{
	struct err e;

	if (plan->cache != NULL && cache_save(plan->cache, options->scratch, &e) != 0)
		buf_addf(&plan->warnings, "the cache is not saved: %s\n", e.msg);
}

int pack_run(struct source *source, const struct pack_options *options, struct pack_plan *plan,
	     struct err *e)
{
	struct scan *scan = &plan->scan;
	struct content c = {.source = source,
			    .scan = scan,
			    .pool = plan->pool,
			    .cache = plan->cache,
			    .hash = {plan->piece_length, options->plain},
			    .progress = options->progress,
			    .guards = options->guards};
	int status = -1;

	c.digests = calloc(scan->count + 1, sizeof *c.digests);
	if (c.digests == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < scan->count; i++)
		buf_init(&c.digests[i].layer);
	c.hits = hits_new(e);
	if (c.hits != NULL) {
		progress_begin(options->progress, "packing", plan->bytes);
		status = produce(&c, options, plan, e);
		save_cache(options, plan);
		progress_end(options->progress);
	}
	hits_free(c.hits);
	for (size_t i = 0; i < scan->count; i++)
		filehash_release(&c.digests[i]);
	free(c.digests);
	return status;
}
