#include "swarm/patch.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "swarm/apply.h"
#include "swarm/envelope.h"
#include "swarm/io.h"
#include "swarm/journal.h"
#include "swarm/outfile.h"
#include "swarm/recover.h"
#include "swarm/staging.h"
#include "swarm/swap.h"
#include "swarm/text.h"

struct patch {
	const struct patch_options *options;
	struct scratch *scratch;
	struct outcome *result;
	struct policy_file *state; /* NULL: none */
	struct outfile *manifest;  /* the new one; NULL: it is not wanted */
	struct staging *staging;
	struct apply *apply;
	bool interrupted; /* in place, a journal lay there at the start */
};

static bool in_place(const struct patch *p)
{
	return p->options->out == NULL && !p->options->manifest_only;
}

/* --- before anything is made --------------------------------------------------------------------
 */

/* Whether `path` is `tree` or lies in it. */
/* What is to be replaced must not be what the update lives on. */
static int check_replaced(const struct patch_options *o, struct err *e)
{
	const char *const inputs[] = {
	    o->delta,           o->old_manifest, o->head,        o->supply.old_tree,
	    o->supply.payloads, o->supply.solid, o->supply.from, o->state};

	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		if (inputs[i] != NULL && outfile_is_within(inputs[i], o->out))
			return err_set(e, ERR_USAGE,
				       "'%s' is needed for the update, and would be replaced with "
				       "'%s'",
				       inputs[i], o->out);
	return 0;
}

static bool is_full_directory(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	while (dir != NULL && count <= 2 && readdir(dir) != NULL)
		count++;
	if (dir != NULL)
		(void)closedir(dir);
	return count > 2;
}

static int check_out(const struct patch_options *o, struct err *e)
{
	struct stat st;

	if (o->out == NULL) {
		if (stat(o->supply.old_tree, &st) == 0 && !S_ISDIR(st.st_mode))
			return err_set(e, ERR_USAGE,
				       "'%s' is not a directory: it cannot be updated in place",
				       o->supply.old_tree);
		return staging_check(o->supply.old_tree, e);
	}
	/* The last step looks again: this one saves the work before it. */
	if (!o->force && is_full_directory(o->out))
		return err_set(e, ERR_USAGE, "'%s' exists: give --force to replace all of it",
			       o->out);
	return check_replaced(o, e) == 0 ? staging_check(o->out, e) : -1;
}

static int open_manifest(struct patch *p, struct err *e)
{
	const struct patch_options *o = p->options;
	struct outfile_options how = {.force = o->force};

	if (o->new_manifest == NULL || o->dry_run)
		return 0;
	const char *const inputs[] = {o->delta, o->head, o->supply.solid};
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		if (inputs[i] != NULL && strcmp(inputs[i], "-") != 0 &&
		    outfile_is_same(inputs[i], o->new_manifest))
			return err_set(e, ERR_USAGE, "'%s' is an input and cannot be an output",
				       o->new_manifest);
	const char *tree = o->out != NULL ? o->out : o->supply.old_tree;
	if (tree != NULL && outfile_is_within(o->new_manifest, tree))
		return err_set(e, ERR_USAGE,
			       "'%s' lies in '%s', and would become part of the new tree",
			       o->new_manifest, tree);
	p->manifest = outfile_open(o->new_manifest, &how, p->scratch, e);
	return p->manifest != NULL ? 0 : -1;
}

/* A head that has expired, or that a newer one has followed, is no reason to begin an update. */
static int check_current(const struct patch *p, struct err *e)
{
	const struct err *objection = &p->result->warrant.objection;

	if (objection->code == ERR_NONE)
		return 0;
	*e = *objection;
	return err_prefix(e, "'%s'", p->options->head);
}

/* Whether there may be half an update to finish. Nothing is locked yet: build() looks again. */
static int look_for_journal(struct patch *p, struct err *e)
{
	struct journal journal = JOURNAL_INIT;
	char *name = in_place(p) ? staging_name(p->options->supply.old_tree, e) : NULL;

	if (name == NULL)
		return in_place(p) ? -1 : 0;
	int got = journal_read(name, &journal, e);
	p->interrupted = got > 0;
	journal_release(&journal);
	free(name);
	return got < 0 ? -1 : 0;
}

static int check_warrant(struct patch *p, struct err *e)
{
	const struct patch_options *o = p->options;
	struct warrant_options how = {
	    .trust = o->trust,
	    .delta = o->delta,
	    .old_manifest = o->old_manifest,
	    .head = o->head,
	    .policy = o->policy,
	    .state = p->state != NULL ? policy_file_state(p->state) : NULL,
	    .lenient = p->interrupted,
	};

	p->result->trusted_keys = trust_count(o->trust);
	if (warrant_check(&how, &p->result->warrant, e) != 0)
		return -1;
	p->result->genuine = true;
	return p->interrupted ? 0 : check_current(p, e);
}

static int make_plan(struct patch *p, struct err *e)
{
	struct outcome *r = p->result;

	if (supply_open(&p->options->supply, &r->warrant, &r->supply, e) != 0)
		return -1;
	if (p->options->link && !stock_is_directory(r->supply.old))
		return err_set(e, ERR_USAGE, "'%s' is an archive: nothing can be linked to it",
			       p->options->supply.old_tree);
	if (plan_make(&r->warrant, &r->supply, in_place(p), &r->plan, e) != 0)
		return -1;
	r->planned = true;
	return 0;
}

/* Whether something is needed whose payload may well have been given, but has no name to go by. */
static bool lacks_names(const struct patch *p)
{
	struct buf name = BUF_INIT;
	bool lacks = false;

	for (size_t i = 0; p->options->supply.payloads != NULL && i < p->result->plan.count; i++) {
		const struct plan_item *item = &p->result->plan.items[i];
		if (item->way != PLAN_NOWHERE || item->made != PLAN_NOT_YET)
			continue;
		enum delta_source source = item->line->source;
		if ((source == DELTA_DCZ || source == DELTA_ZSTD) &&
		    !supply_payload_name(item->file, item->base, &name))
			lacks = true;
	}
	buf_release(&name);
	return lacks;
}

static int check_needed(const struct patch *p, struct err *e)
{
	uint64_t bytes;
	size_t count = outcome_needed(p->result, &bytes);
	struct buf text = BUF_INIT;

	if (count == 0)
		return 0;
	text_plural(&text, count, "file");
	buf_adds(&text, " (");
	text_bytes(&text, bytes);
	buf_addf(&text, ") cannot be made of what was given: %s",
		 lacks_names(p) ? "payloads in --payloads are found by SHA-256, which these "
				  "manifests do not have: give --solid or --from"
				: "fetch what is needed, and give --payloads, --solid or --from");
	(void)err_set(e, ERR_USAGE, "%s", text.data);
	buf_release(&text);
	return -1;
}

/* --- making -------------------------------------------------------------------------------------
 */

/* `what` completes the sentence "'TREE' cannot be updated in place: 3 files ...". */
static int refuse_wrong(const struct patch *p, const char *what, struct err *e)
{
	struct buf text = BUF_INIT;

	text_plural(&text, p->result->wrong.count, "file");
	(void)err_set(e, ERR_UNTRUSTED, "'%s' cannot be updated in place: %s %s",
		      p->options->supply.old_tree, text.data, what);
	buf_release(&text);
	return -1;
}

static bool keep_staged(void *context, const char *path)
{
	struct plan *plan = context;
	const struct listing *new = &plan->warrant->new;
	const struct entry *entry = listing_find(new, path);

	if (entry == NULL || plan->items[entry - new->entries].way == PLAN_STAYS)
		return false;
	plan->items[entry - new->entries].staged = true;
	return true;
}

static int make_files(struct patch *p, struct err *e)
{
	struct plan *plan = &p->result->plan;

	if (staging_sift(p->staging, keep_staged, plan, e) != 0 || apply_resume(p->apply, e) != 0 ||
	    check_needed(p, e) != 0 || apply_run(p->apply, e) != 0)
		return -1;
	return staging_sync(p->staging, e);
}

static int build_beside(struct patch *p, struct err *e)
{
	if (make_files(p, e) != 0 || staging_commit(p->staging, p->options->force, e) != 0)
		return -1;
	p->result->end = OUTCOME_DONE;
	return 0;
}

/* 1: it is the new release already, which an earlier run may have made without cleaning up. */
static int check_tree(struct patch *p, struct err *e)
{
	struct outcome *r = p->result;
	struct faults differs = FAULTS_INIT;
	int status = -1;

	if (apply_check_tree(p->apply, &r->warrant.old, NULL, &r->wrong, e) != 0)
		goto out;
	status = r->wrong.count > 0 ? -1 : 0;
	if (status == 0)
		goto out;
	if (apply_check_tree(p->apply, &r->warrant.new, NULL, &differs, e) != 0)
		goto out;
	if (differs.count == 0) {
		faults_release(&r->wrong);
		status = 1;
	} else {
		status = refuse_wrong(p, "not as the old manifest says", e);
	}
out:
	faults_release(&differs);
	return status;
}

/* The tree stands without this run having made anything: nothing is needed, whatever was given. */
static void stand(struct patch *p, enum outcome_end end)
{
	struct plan *plan = &p->result->plan;

	p->result->end = end;
	for (size_t i = 0; i < plan->count; i++) {
		struct plan_item *item = &plan->items[i];
		if (end == OUTCOME_ALREADY)
			item->way = PLAN_STAYS;
		item->made = item->way == PLAN_STAYS ? PLAN_UNTOUCHED : PLAN_RESUMED;
	}
	staging_remove(p->staging);
}

static int start_in_place(struct patch *p, struct err *e)
{
	struct outcome *r = p->result;
	struct journal journal = JOURNAL_INIT;
	int status = check_tree(p, e);

	if (status > 0) {
		stand(p, OUTCOME_ALREADY);
		return 0;
	}
	if (status != 0 || staging_forget_old(p->staging, e) != 0 ||
	    swap_obstacles(p->staging, &r->plan, &r->wrong, e) != 0)
		return -1;
	if (r->wrong.count > 0)
		return refuse_wrong(p, "in the way", e);
	if (make_files(p, e) == 0 && swap_plan(&r->plan, &journal, e) == 0 &&
	    swap_run(p->staging, &journal, false, p->scratch, e) == 0) {
		r->end = OUTCOME_DONE;
		staging_remove(p->staging);
	}
	journal_release(&journal);
	return r->end == OUTCOME_DONE ? 0 : -1;
}

static int refuse_journal(const char *tree, const struct journal *journal, struct err *e)
{
	return err_set(e, ERR_USAGE,
		       "an update of '%s' to %s (serial %llu) was interrupted: finish it first, by "
		       "the command that began it, or by an update in place from the same release",
		       tree, journal->to.version, (unsigned long long)journal->to.serial);
}

/* Whether the journal's update starts from the release that this one starts from. */
static bool is_related(const struct patch *p, const struct journal *journal)
{
	return in_place(p) &&
	       memcmp(journal->from, p->result->warrant.delta.from.digest, SHA256_SIZE) == 0;
}

static bool is_ours(const struct patch *p, const struct journal *journal)
{
	return is_related(p, journal) &&
	       memcmp(journal->to.digest, p->result->warrant.delta.to.digest, SHA256_SIZE) == 0;
}

/*
 * What our own journal speaks of was judged when it was written, and half of it has been done: that
 * the head has expired since, or that a newer release was seen, is no reason to leave the tree like
 * that. Whatever is begun anew is judged anew.
 */
static int recover(struct patch *p, const struct journal *journal, struct err *e)
{
	struct outcome *r = p->result;
	const struct recover how = {.warrant = &r->warrant,
				    .journal = journal,
				    .ours = is_ours(p, journal),
				    .staging = p->staging,
				    .apply = p->apply,
				    .scratch = p->scratch};

	if (!is_related(p, journal))
		return refuse_journal(staging_target(p->staging), journal, e);
	if (!how.ours && check_current(p, e) != 0)
		return -1;
	int got = recover_run(&how, &r->wrong, e);
	if (got > 0)
		stand(p, OUTCOME_FINISHED);
	if (got != 0)
		return got > 0 ? 0 : -1;
	return check_current(p, e) == 0 ? start_in_place(p, e) : -1;
}

static int build(struct patch *p, struct err *e)
{
	struct journal journal = JOURNAL_INIT;
	int got = journal_read(staging_path(p->staging), &journal, e);
	int status = -1;

	if (got > 0)
		status = recover(p, &journal, e);
	else if (got == 0 && check_current(p, e) == 0)
		status = in_place(p) ? start_in_place(p, e) : build_beside(p, e);
	journal_release(&journal);
	return status;
}

/* What a run would do with a journal that lies there. */
static int foresee(struct patch *p, struct err *e)
{
	struct journal journal = JOURNAL_INIT;
	const char *tree = p->options->supply.old_tree;
	char *name = staging_name(tree, e);
	int got = name != NULL ? journal_read(name, &journal, e) : -1;
	int status = got < 0 ? -1 : 0;

	if (got > 0 && !is_related(p, &journal))
		status = refuse_journal(tree, &journal, e);
	else if (got > 0)
		p->result->waiting = is_ours(p, &journal);
	if (status == 0 && !p->result->waiting && check_current(p, e) != 0)
		status = -1;
	journal_release(&journal);
	free(name);
	return status;
}

static int dry_run(struct patch *p, struct err *e)
{
	if (p->interrupted && foresee(p, e) != 0)
		return -1;
	if (!p->result->waiting && check_needed(p, e) != 0)
		return -1;
	for (size_t i = 0; p->result->waiting && i < p->result->plan.count; i++)
		if (p->result->plan.items[i].made == PLAN_NOT_YET)
			p->result->plan.items[i].made = PLAN_RESUMED;
	p->result->end = OUTCOME_POSSIBLE;
	return 0;
}

static int make_tree(struct patch *p, struct err *e)
{
	const struct patch_options *o = p->options;
	struct apply_options how = {
	    .link = o->link, .memory = o->memory, .threads = o->threads, .progress = o->progress};

	p->staging = staging_open(in_place(p) ? o->supply.old_tree : o->out, p->scratch, e);
	if (p->staging == NULL)
		return -1;
	p->apply = apply_new(&p->result->plan, p->staging, &how, e);
	return p->apply != NULL ? build(p, e) : -1;
}

/* --- after it -----------------------------------------------------------------------------------
 */

static int put_manifest(struct patch *p, struct err *e)
{
	const struct warrant *w = &p->result->warrant;
	int status = -1;
	struct buf text = BUF_INIT;
	uint64_t at = 0;
	ssize_t n;

	do {
		buf_clear(&text);
		char *room = buf_room(&text, 65536);
		if (room == NULL) {
			(void)err_nomem(e);
			goto out;
		}
		n = io_read_at(w->body, room, 65536, at, "a temporary file", e);
		if (n < 0 || outfile_write(p->manifest, room, (size_t)n, e) != 0)
			goto out;
		at += (uint64_t)n;
	} while (n == 65536);
	envelope_format(&text, &w->envelope);
	buf_addc(&text, '\n');
	if (buf_check(&text, e) != 0 || outfile_write(p->manifest, text.data, text.len, e) != 0)
		goto out;
	status = 0;
out:
	buf_release(&text);
	return status;
}

/* What was finished although a newer release had been seen does not take its place there. */
static int note_state(struct patch *p, struct err *e)
{
	const struct head *head = &p->result->warrant.head;
	struct err stale;

	if (p->state == NULL || p->options->keep_state)
		return 0;
	if (p->result->end == OUTCOME_FINISHED &&
	    policy_check_state(policy_file_state(p->state), head, &stale) != 0)
		return 0;
	return policy_file_update(p->state, head, p->scratch, e);
}

static int make_manifest(struct patch *p, struct err *e)
{
	if (put_manifest(p, e) != 0 || outfile_commit(p->manifest, e) != 0)
		return -1;
	p->result->end = OUTCOME_MANIFEST;
	return 0;
}

static int update(struct patch *p, struct err *e)
{
	const struct patch_options *o = p->options;

	if (o->state != NULL && (p->state = policy_file_open(o->state, e)) == NULL)
		return -1;
	if (open_manifest(p, e) != 0 || look_for_journal(p, e) != 0 || check_warrant(p, e) != 0)
		return -1;
	if (o->manifest_only)
		return make_manifest(p, e);
	if (make_plan(p, e) != 0)
		return -1;
	if (o->dry_run)
		return dry_run(p, e);
	/* Only names are left to be given once the tree stands. */
	if (p->manifest != NULL && (put_manifest(p, e) != 0 || outfile_sync(p->manifest, e) != 0))
		return -1;
	if (make_tree(p, e) != 0)
		return -1;
	if (p->manifest != NULL && outfile_commit(p->manifest, e) != 0)
		return -1;
	return note_state(p, e);
}

static void note_leftover(struct patch *p)
{
	struct stat st;
	char *path = p->staging != NULL && staging_path(p->staging) != NULL
			 ? strdup(staging_path(p->staging))
			 : NULL;

	staging_close(p->staging);
	if (path != NULL && lstat(path, &st) == 0)
		buf_adds(&p->result->leftover, path);
	free(path);
}

int patch_run(const struct patch_options *options, struct scratch *scratch, struct outcome *ret,
	      struct err *e)
{
	struct patch p = {.options = options, .scratch = scratch, .result = ret};
	int status = -1;

	ret->tree = options->out != NULL ? options->out : options->supply.old_tree;
	if (options->manifest_only || check_out(options, e) == 0)
		status = update(&p, e);
	if (status != 0 && e->code == ERR_NONE)
		(void)err_set(e, ERR_SYSTEM, "it failed for an unknown reason");
	apply_free(p.apply);
	note_leftover(&p);
	outfile_free(p.manifest);
	policy_file_close(p.state);
	return status;
}
