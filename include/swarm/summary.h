/* summary: what a scan found, for people and for programs. */
#ifndef SWARM_SUMMARY_H
#define SWARM_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/scan.h"

/* All append lines, each with its line feed. */

/* Files and bytes by label. */
void summary_describe(struct buf *to, const struct scan *scan);
/* The first `shown` problems, "'x': no rule labels it". */
void summary_problems(struct buf *to, const struct scan *scan, size_t shown);

/*
 * One JSON object: {"public":{"files":N,"bytes":N},"origin":{...},"private":{...},
 * "piece_length":N,"dry_run":B}.
 */
void summary_format(struct buf *to, const struct scan *scan, uint64_t piece_length, bool dry_run);
/* One JSON object a problem: {"path":P,"problem":KIND,"reason":S}. */
void summary_format_problems(struct buf *to, const struct scan *scan);

#endif
