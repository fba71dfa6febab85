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

/* Says that `path` (a file, or a folder with all that is in it) is temporary. */
ERR_CHECK int scratch_add(struct scratch *s, const char *path, struct err *e);
/* It is temporary no more: it has got its final name, or is gone. */
void scratch_forget(struct scratch *s, const char *path);
/* Removes `path` and all below it, never following a symbolic link, and forgets it. */
void scratch_remove(struct scratch *s, const char *path);
/* Removes everything, while others may still be adding to it. Nothing can be added afterwards. */
void scratch_remove_all(struct scratch *s);

#endif
