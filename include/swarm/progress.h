/* progress: how far a long step has come, for whoever watches. Any thread may add. */
#ifndef SWARM_PROGRESS_H
#define SWARM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "swarm/err.h"

struct progress;

/*
 * Shows on `to` (borrowed). live: one line that is drawn over; else a line a second, for logs. All
 * functions do nothing for a NULL progress: a library caller who shows none passes NULL.
 */
struct progress *progress_new(FILE *to, bool live, struct err *e);
void progress_free(struct progress *p);

/* A step such as "hashing", of `total` bytes (0: not known). */
void progress_begin(struct progress *p, const char *step, uint64_t total);
void progress_add(struct progress *p, uint64_t bytes);
/* Wipes the line. */
void progress_end(struct progress *p);

#endif
