#include "swarm/summary.h"

#include <string.h>

#include "swarm/jsonl.h"
#include "swarm/text.h"

void summary_describe(struct buf *to, const struct scan *scan)
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
}

void summary_problems(struct buf *to, const struct scan *scan, size_t shown)
{
	for (size_t i = 0; i < scan->problem_count && i < shown; i++) {
		const struct scan_problem *problem = &scan->problems[i];
		buf_addc(to, '\'');
		/* Made printable here: a line feed in a name is no end of a line. */
		text_printable(to, problem->path, strlen(problem->path));
		buf_addf(to, "': %s\n", problem->why);
	}
}

void summary_format(struct buf *to, const struct scan *scan, uint64_t piece_length, bool dry_run)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	for (enum label label = LABEL_PUBLIC; label <= LABEL_PRIVATE; label++) {
		jsonl_open(&w, label_name(label));
		jsonl_number(&w, "files", scan->totals[label].files);
		jsonl_number(&w, "bytes", scan->totals[label].bytes);
		jsonl_close(&w);
	}
	jsonl_number(&w, "piece_length", piece_length);
	jsonl_bool(&w, "dry_run", dry_run);
	jsonl_close(&w);
	buf_addc(to, '\n');
}

void summary_format_problems(struct buf *to, const struct scan *scan)
{
	for (size_t i = 0; i < scan->problem_count; i++) {
		struct jsonl_writer w = {.to = to};
		jsonl_open(&w, NULL);
		jsonl_path(&w, "path", scan->problems[i].path);
		jsonl_string(&w, "problem", scan_fault_name(scan->problems[i].fault));
		jsonl_string(&w, "reason", scan->problems[i].why);
		jsonl_close(&w);
		buf_addc(to, '\n');
	}
}
