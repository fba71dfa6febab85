/* summary: what a scan found, for people and for programs. */
#ifndef SWARM_SUMMARY_H
#define SWARM_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/jsonl.h"
#include "swarm/part.h"
#include "swarm/popularity.h"
#include "swarm/scan.h"

/* All append lines, each with its line feed. */

/* Files and bytes by label; of a part (NULL: the whole) what share of it is its own, too. */
void summary_describe(struct buf *to, const struct scan *scan, const struct part *part);
/* The first `shown` problems, "'x': no rule labels it". */
void summary_problems(struct buf *to, const struct scan *scan, size_t shown);
/* Where there are more: makes `e` say how many of them are not shown. */
void summary_refuse(const struct scan *scan, size_t shown, struct err *e);

/*
 * One JSON object: {"public":{"files":N,"bytes":N},"origin":{...},"private":{...},
 * "traffic":{...},"piece_length":N,"shard":{"number":N,"count":N,"files":N,"bytes":N},"dry_run":B};
 * `traffic` (popularity.h) and `shard` only where they are not NULL.
 */
void summary_format(struct buf *to, const struct scan *scan, const struct popularity *traffic,
		    uint64_t piece_length, const struct part *part, bool dry_run);
/* One JSON object a problem: {"path":P, and the members of summary_put_problem()}. */
void summary_format_problems(struct buf *to, const struct scan *scan);

/* "problem":KIND,"reason":S and, where they apply,
 * "other":P,"guard":ID,"line":N,"offset":N,"count":N. */
void summary_put_problem(struct jsonl_writer *w, const struct scan_problem *problem);
/* "public":{"files":N,"bytes":N},"origin":{...},"private":{...} */
void summary_put_totals(struct jsonl_writer *w, const struct scan *scan);

#endif
