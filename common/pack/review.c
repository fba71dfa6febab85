#include "swarm/review.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/body.h"
#include "swarm/document.h"
#include "swarm/grow.h"
#include "swarm/jsonl.h"
#include "swarm/path.h"
#include "swarm/text.h"

static int add(struct review *r, const struct review_change *change, struct err *e)
{
	struct review_change *more = grow_for_one(r->changes, r->count, &r->room, sizeof *more, e);

	if (more == NULL)
		return -1;
	r->changes = more;
	more[r->count++] = *change;
	r->counts[change->kind]++;
	r->newly_public += change->kind <= REVIEW_RELABELLED && change->now == LABEL_PUBLIC;
	return 0;
}

static int compare_path(const void *path, const void *file)
{
	return path_compare(path, ((const struct scan_file *)file)->path);
}

static int compare_problem_path(const void *path, const void *problem)
{
	return path_compare(path, ((const struct scan_problem *)problem)->path);
}

/* What was published and is no more. */
static int add_withdrawn(struct review *r, const struct scan *scan, const struct entry *old,
			 struct err *e)
{
	struct review_change change = {.kind = REVIEW_GONE, .was = old->label};
	const struct scan_file *kept = NULL;

	/* It is there, and stops the release: whether it will be published is not known. */
	if (scan->problem_count > 0 &&
	    bsearch(old->path, scan->problems, scan->problem_count, sizeof *scan->problems,
		    compare_problem_path) != NULL)
		return 0;
	if (scan->kept_count > 0)
		kept = bsearch(old->path, scan->kept, scan->kept_count, sizeof *kept, compare_path);
	change.path = arena_copy(&r->arena, old->path, strlen(old->path));
	if (change.path == NULL)
		return err_nomem(e);
	if (kept != NULL) {
		change.kind = REVIEW_PRIVATE;
		change.now = LABEL_PRIVATE;
		change.rule = kept->rule;
	}
	return add(r, &change, e);
}

static int add_new(struct review *r, const struct scan_file *file, struct err *e)
{
	return add(r,
		   &(struct review_change){.kind = REVIEW_PUBLISHED,
					   .path = file->path,
					   .now = file->label,
					   .rule = file->rule},
		   e);
}

static int compare_label(struct review *r, const struct scan_file *file, const struct entry *old,
			 struct err *e)
{
	if (file->label == old->label)
		return 0;
	return add(r,
		   &(struct review_change){.kind = REVIEW_RELABELLED,
					   .path = file->path,
					   .was = old->label,
					   .now = file->label,
					   .rule = file->rule},
		   e);
}

/* Both are in file-tree order. */
static int merge(struct review *r, struct body *body, const struct scan *scan, struct err *e)
{
	size_t at = 0;
	int got = 1;

	while (got > 0) {
		struct arena arena = ARENA_INIT;
		struct entry old;
		int order = -1, status = 0;
		got = body_next(body, &arena, &old, e);
		while (got > 0 && status == 0 && at < scan->count &&
		       (order = path_compare(scan->files[at].path, old.path)) < 0)
			status = add_new(r, &scan->files[at++], e);
		if (got > 0 && status == 0)
			status = at < scan->count && order == 0
				     ? compare_label(r, &scan->files[at++], &old, e)
				     : add_withdrawn(r, scan, &old, e);
		arena_release(&arena);
		if (status != 0)
			return -1;
	}
	for (; got == 0 && at < scan->count; at++)
		if (add_new(r, &scan->files[at], e) != 0)
			return -1;
	return got;
}

static int compare_change(const void *a, const void *b)
{
	const struct review_change *left = a, *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return path_compare(left->path, right->path);
}

int review_run(struct review *ret, const char *against, const struct scan *scan, struct err *e)
{
	struct body *body = NULL;
	int status = -1;

	*ret = (struct review){.arena = ARENA_INIT};
	struct document *d = document_open(against, e);
	if (d == NULL)
		return -1;
	body = document_body(d, e);
	if (body != NULL)
		status = merge(ret, body, scan, e);
	body_close(body);
	document_close(d);
	if (ret->count > 0)
		qsort(ret->changes, ret->count, sizeof *ret->changes, compare_change);
	return status;
}

void review_release(struct review *r)
{
	free(r->changes);
	arena_release(&r->arena);
	*r = (struct review){.arena = ARENA_INIT};
}

int review_refuse_new(const struct review *r, struct scan *scan, struct err *e)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct review_change *change = &r->changes[i];
		struct scan_problem problem = {
		    .fault = SCAN_NEW, .path = change->path, .why = "it is newly public"};
		if (change->kind <= REVIEW_RELABELLED && change->now == LABEL_PUBLIC &&
		    scan_add_problem(scan, &problem, e) != 0)
			return -1;
	}
	scan_sort_problems(scan);
	return 0;
}

/* --- in words -----------------------------------------------------------------------------------
 */

static void describe_change(struct buf *to, const struct review_change *change)
{
	switch (change->kind) {
	case REVIEW_PUBLISHED: buf_addf(to, "  + %s ", label_name(change->now)); break;
	case REVIEW_RELABELLED:
		buf_addf(to, "  * %s, was %s ", label_name(change->now), label_name(change->was));
		break;
	case REVIEW_PRIVATE:
	case REVIEW_GONE: buf_addf(to, "  - %s ", label_name(change->was)); break;
	}
	buf_addc(to, '\'');
	text_printable(to, change->path, strlen(change->path));
	buf_adds(to, "' (");
	if (change->kind == REVIEW_GONE)
		buf_adds(to, "not in the tree");
	else {
		buf_adds(to, change->kind == REVIEW_PRIVATE ? "private by " : "by ");
		buf_adds(to, change->rule == NULL ? "the " : "");
		rules_describe_place(to, change->rule);
	}
	buf_adds(to, ")\n");
}

void review_describe(struct buf *to, const struct review *r, size_t shown)
{
	if (r->count == 0) {
		buf_adds(to, "changes  none: the same paths are published, with the same labels\n");
		return;
	}
	buf_adds(to, "changes  ");
	text_plural(to, r->counts[REVIEW_PUBLISHED], "path");
	buf_adds(to, " newly published, ");
	text_count(to, r->counts[REVIEW_PRIVATE] + r->counts[REVIEW_GONE]);
	buf_adds(to, " no longer, ");
	text_count(to, r->counts[REVIEW_RELABELLED]);
	buf_adds(to, " with another label; newly public: ");
	text_count(to, r->newly_public);
	buf_addc(to, '\n');
	for (size_t i = 0; i < r->count && i < shown; i++)
		describe_change(to, &r->changes[i]);
	if (r->count > shown) {
		buf_adds(to, "  ... and ");
		text_count(to, r->count - shown);
		buf_adds(to, " more (-v shows all)\n");
	}
}

void review_format(struct buf *to, const struct review *r)
{
	static const char *const names[] = {"published", "relabelled", "private", "gone"};

	for (size_t i = 0; i < r->count; i++) {
		const struct review_change *change = &r->changes[i];
		struct jsonl_writer w = {.to = to};
		struct buf place = BUF_INIT;
		jsonl_open(&w, NULL);
		jsonl_path(&w, "path", change->path);
		jsonl_string(&w, "change", names[change->kind]);
		if (change->kind != REVIEW_PUBLISHED)
			jsonl_string(&w, "was", label_name(change->was));
		if (change->kind != REVIEW_GONE) {
			rules_format_place(&place, change->rule);
			jsonl_string(&w, "label", label_name(change->now));
			jsonl_any_string(&w, "rule", place.data);
		}
		jsonl_close(&w);
		buf_addc(to, '\n');
		buf_release(&place);
	}
}
