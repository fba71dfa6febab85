/*
 * loglines: the lines of a log, which may be compressed (expand.h). Memory does not depend on the
 * log: of a line that is too long, nothing is kept but that it was there.
 */
#ifndef SWARM_LOGLINES_H
#define SWARM_LOGLINES_H

#include <stddef.h>

#include "swarm/err.h"

/* Longer lines than this are too long. */
#define LOGLINES_MAX ((size_t)64 * 1024)

struct loglines;

/* "-" is standard input. `log` is borrowed. */
struct loglines *loglines_open(const char *log, struct err *e);
void loglines_close(struct loglines *l);
/*
 * 1 with the next line, without its line feed (which the last one may lack), valid until the next
 * call, NULL for one that is too long; 0 at the end; -1 on failure.
 */
ERR_CHECK int loglines_next(struct loglines *l, const char **ret, size_t *ret_len, struct err *e);

#endif
