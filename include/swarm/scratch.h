/*
 * scratch: the temporary files and folders that exist by name at the moment, so that they can be
 * removed when the program is told to stop. Any thread may call any of these.
 */
#ifndef SWARM_SCRATCH_H
#define SWARM_SCRATCH_H

#include "swarm/err.h"

struct scratch;

struct scratch *scratch_new(struct err *e);
/* Removes what is still there. */
void scratch_free(struct scratch *s);

/*
 * While a thread is between these two, nothing is removed by others: for making what is temporary,
 * and for giving it its final name. Fails once scratch_remove_all() has begun: then nothing is to
 * be made or named any more. Not to be nested; scratch_add() is the only call allowed in between.
 */
ERR_CHECK int scratch_enter(struct scratch *s, struct err *e);
void scratch_leave(struct scratch *s);

/*
 * Says that `path` (a file, or a folder with all that is in it) is temporary. Only between
 * scratch_enter() and scratch_leave().
 */
ERR_CHECK int scratch_add(struct scratch *s, const char *path, struct err *e);
/* It is temporary no more: it has got its final name, or is gone. */
void scratch_forget(struct scratch *s, const char *path);
/* Removes `path` and all below it, never following a symbolic link, and forgets it. */
void scratch_remove(struct scratch *s, const char *path);
/* Removes everything, while others may still be writing to it. Nothing can be added afterwards. */
void scratch_remove_all(struct scratch *s);

#endif
