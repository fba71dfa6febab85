#include "swarm/ledger.h"

#include <string.h>

#include "swarm/entry.h"
#include "swarm/jsonl.h"
#include "swarm/path.h"
#include "swarm/summary.h"

/* Where in the three lists of a scan, each in file-tree order, the next path is. */
struct place {
	size_t file, kept, problem;
};

static void put_rule(struct jsonl_writer *w, const char *key, const struct rule *rule)
{
	struct buf place = BUF_INIT;

	rules_format_place(&place, rule);
	jsonl_any_string(w, key, place.data);
	buf_release(&place);
}

/* The guards that the rules excuse this file from. */
static void put_allowed(struct jsonl_writer *w, const struct guards *guards, const char *path)
{
	bool any = false;

	for (size_t i = 0; i < guards_count(guards); i++) {
		if (guards_is_disabled(guards, i) || !guards_allows(guards, i, path))
			continue;
		if (!any)
			jsonl_open_array(w, "allowed");
		any = true;
		jsonl_open(w, NULL);
		jsonl_string(w, "guard", guards_get(guards, i)->id);
		jsonl_close(w);
	}
	if (any)
		jsonl_close_array(w);
}

/* Where a link leads, and the rule of that if it is what makes the label stricter. */
static void put_content(struct jsonl_writer *w, const struct ledger *l,
			const struct scan_file *file)
{
	const char *name = path_strip(file->content, l->strip);
	struct rules_verdict verdict = {.labelled = false};

	jsonl_path(w, "content", file->content);
	if (name != NULL && (file->rule == NULL || file->rule->label != file->label))
		rules_decide(l->rules, name, false, &verdict);
	if (verdict.labelled && verdict.label == file->label)
		put_rule(w, "content_rule", verdict.rule);
}

static void put_file(struct jsonl_writer *w, const struct ledger *l, const struct scan_file *file)
{
	struct rules_verdict verdict;

	jsonl_string(w, "label", label_name(file->label));
	put_rule(w, "rule", file->rule);
	if (file->rule != NULL &&
	    rules_match(l->rules, file->rule->index, file->path, false, &verdict))
		jsonl_any_string(w, "pattern", verdict.pattern);
	jsonl_number(w, "size", file->size);
	/* A name of its own is the end of that in the source: --strip-components drops the rest.
	 * One that a link lends only looks so. */
	size_t len = strlen(file->path), full = strlen(file->content);
	if (full < len || file->content + full - len != file->path)
		put_content(w, l, file);
	if (file->hot != ENTRY_NOT_HOT)
		jsonl_number(w, "hot", (uint64_t)file->hot);
	if (file->label != LABEL_PRIVATE)
		put_allowed(w, l->guards, file->path);
}

static void put_problems(struct jsonl_writer *w, const struct scan *scan, size_t *at,
			 const char *path)
{
	jsonl_open_array(w, "problems");
	for (; *at < scan->problem_count && strcmp(scan->problems[*at].path, path) == 0; ++*at) {
		jsonl_open(w, NULL);
		summary_put_problem(w, &scan->problems[*at]);
		jsonl_close(w);
	}
	jsonl_close_array(w);
}

static const char *earlier(const char *a, const char *b)
{
	return a == NULL || (b != NULL && path_compare(b, a) < 0) ? b : a;
}

/* Appends the line of the next path; false after the last one. */
static bool put_next(struct buf *to, const struct ledger *l, struct place *at)
{
	const struct scan *s = l->scan;
	const struct scan_file *file = at->file < s->count ? &s->files[at->file] : NULL;
	const struct scan_file *kept = at->kept < s->kept_count ? &s->kept[at->kept] : NULL;
	const struct scan_problem *problem =
	    at->problem < s->problem_count ? &s->problems[at->problem] : NULL;
	struct jsonl_writer w = {.to = to};
	const char *path =
	    earlier(file != NULL ? file->path : NULL, kept != NULL ? kept->path : NULL);

	path = earlier(path, problem != NULL ? problem->path : NULL);
	if (path == NULL)
		return false;
	jsonl_open(&w, NULL);
	jsonl_path(&w, "path", path);
	if (file != NULL && strcmp(file->path, path) == 0) {
		put_file(&w, l, file);
		at->file++;
	} else if (kept != NULL && strcmp(kept->path, path) == 0) {
		put_file(&w, l, kept);
		at->kept++;
	} else if (problem->fault == SCAN_UNLABELLED)
		jsonl_string(&w, "label", "unlabelled");
	if (problem != NULL && strcmp(problem->path, path) == 0)
		put_problems(&w, s, &at->problem, path);
	jsonl_close(&w);
	buf_addc(to, '\n');
	return true;
}

static void put_guards(struct jsonl_writer *w, const struct ledger *l)
{
	jsonl_open(w, "guards");
	jsonl_string(w, "engine", guards_engine(l->guards));
	jsonl_open_array(w, "disabled");
	for (size_t i = 0; i < guards_count(l->guards); i++) {
		if (!guards_is_disabled(l->guards, i))
			continue;
		jsonl_open(w, NULL);
		jsonl_string(w, "guard", guards_get(l->guards, i)->id);
		jsonl_close(w);
	}
	jsonl_close_array(w);
	jsonl_bool(w, "content", l->content);
	jsonl_close(w);
}

static void put_totals(struct buf *to, const struct ledger *l)
{
	const struct scan *s = l->scan;
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_open(&w, "totals");
	summary_put_totals(&w, s);
	jsonl_close(&w);
	jsonl_open_array(&w, "rules");
	for (size_t i = 0; i < s->usage.count; i++) {
		const struct usage_rule *r = &s->usage.rules[i];
		jsonl_open(&w, NULL);
		put_rule(&w, "rule", r->rule);
		jsonl_string(&w, "label", label_name(r->rule->label));
		jsonl_number(&w, "decided", r->decided);
		jsonl_bool(&w, "matched", r->matched);
		jsonl_close(&w);
	}
	jsonl_close_array(&w);
	put_guards(&w, l);
	jsonl_number(&w, "problem_count", s->problem_count);
	jsonl_close(&w);
	buf_addc(to, '\n');
}

int ledger_write(const struct ledger *l, struct outfile *to, struct err *e)
{
	struct place at = {.file = 0};
	struct buf text = BUF_INIT;
	int status = 0;

	while (status == 0 && put_next(&text, l, &at))
		status = outfile_gather(to, &text, e);
	put_totals(&text, l);
	if (status == 0)
		status = outfile_drain(to, &text, e);
	buf_release(&text);
	return status;
}
