#include "swarm/summary.h"

#include <string.h>

#include "swarm/jsonl.h"
#include "swarm/text.h"

void summary_describe(struct buf *to, const struct scan *scan, const struct part *part)
{
	for (enum label label = LABEL_PUBLIC; label <= LABEL_PRIVATE; label++) {
		buf_addf(to, "%-8s ", label_name(label));
		text_plural(to, scan->totals[label].files, "file");
		buf_adds(to, ", ");
		text_bytes(to, scan->totals[label].bytes);
		buf_addc(to, '\n');
	}
	if (scan->skipped_links > 0) {
		buf_adds(to, "skipped  ");
		text_plural(to, scan->skipped_links, "symbolic link");
		buf_addc(to, '\n');
	}
	if (part != NULL) {
		buf_addf(to, "part     %u/%u: ", part->shard.number, part->shard.count);
		text_plural(to, part->own_files, "file");
		buf_adds(to, ", ");
		text_bytes(to, part->own_bytes);
		buf_addc(to, '\n');
	}
}

static void describe_problem(struct buf *to, const struct scan_problem *problem)
{
	buf_addc(to, '\'');
	/* Made printable here: a line feed in a name is no end of a line. */
	text_printable(to, problem->path, strlen(problem->path));
	buf_adds(to, "': ");
	if (problem->line > 0)
		buf_addf(to, "line %llu: ", (unsigned long long)problem->line);
	text_printable(to, problem->why, strlen(problem->why));
	if (problem->guard != NULL)
		buf_addf(to, " (guard %s)", problem->guard->id);
	if (problem->count > 1) {
		buf_adds(to, ", ");
		text_count(to, problem->count);
		buf_adds(to, " times");
	}
	buf_addc(to, '\n');
}

void summary_problems(struct buf *to, const struct scan *scan, size_t shown)
{
	for (size_t i = 0; i < scan->problem_count && i < shown; i++)
		describe_problem(to, &scan->problems[i]);
}

void summary_refuse(const struct scan *scan, size_t shown, struct err *e)
{
	if (scan->problem_count <= shown)
		return;
	(void)err_set(e, ERR_REFUSED,
		      "%zu paths cannot be released (%zu more lines than shown: -v shows all)",
		      scan_count_refused(scan), scan->problem_count - shown);
}

void summary_put_totals(struct jsonl_writer *w, const struct scan *scan)
{
	for (enum label label = LABEL_PUBLIC; label <= LABEL_PRIVATE; label++) {
		jsonl_open(w, label_name(label));
		jsonl_number(w, "files", scan->totals[label].files);
		jsonl_number(w, "bytes", scan->totals[label].bytes);
		jsonl_close(w);
	}
}

void summary_format(struct buf *to, const struct scan *scan, const struct popularity *traffic,
		    uint64_t piece_length, const struct part *part, bool dry_run)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	summary_put_totals(&w, scan);
	if (traffic != NULL)
		popularity_format(&w, "traffic", traffic);
	jsonl_number(&w, "piece_length", piece_length);
	if (part != NULL) {
		jsonl_open(&w, "shard");
		jsonl_number(&w, "number", part->shard.number);
		jsonl_number(&w, "count", part->shard.count);
		jsonl_number(&w, "files", part->own_files);
		jsonl_number(&w, "bytes", part->own_bytes);
		jsonl_close(&w);
	}
	jsonl_bool(&w, "dry_run", dry_run);
	jsonl_close(&w);
	buf_addc(to, '\n');
}

void summary_put_problem(struct jsonl_writer *w, const struct scan_problem *problem)
{
	jsonl_string(w, "problem", scan_fault_name(problem->fault));
	jsonl_any_string(w, "reason", problem->why);
	if (problem->other != NULL)
		jsonl_path(w, "other", problem->other);
	if (problem->guard != NULL)
		jsonl_string(w, "guard", problem->guard->id);
	if (problem->line > 0) {
		jsonl_number(w, "line", problem->line);
		jsonl_number(w, "offset", problem->offset);
	}
	if (problem->count > 0)
		jsonl_number(w, "count", problem->count);
}

void summary_format_problems(struct buf *to, const struct scan *scan)
{
	for (size_t i = 0; i < scan->problem_count; i++) {
		struct jsonl_writer w = {.to = to};
		jsonl_open(&w, NULL);
		jsonl_path(&w, "path", scan->problems[i].path);
		summary_put_problem(&w, &scan->problems[i]);
		jsonl_close(&w);
		buf_addc(to, '\n');
	}
}
