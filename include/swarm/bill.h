/* bill: what an update costs, for people and as JSON. */
#ifndef SWARM_BILL_H
#define SWARM_BILL_H

#include <stdbool.h>

#include "swarm/buf.h"
#include "swarm/diff.h"

/* Appends one line: what leads to what, and how much is to be fetched. */
void bill_brief(struct buf *to, const struct diff_result *result);
/* Appends several, of a result that was counted: names are printable (text.h). */
void bill_describe(struct buf *to, const struct diff_result *result);
/* Appends a JSON line for each file that is not kept, and one of totals; see swarmdiff(1). */
void bill_format(struct buf *to, const struct diff_result *result);

#endif
