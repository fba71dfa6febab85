/*
 * staging: a folder beside a tree, in which a new one, or the new part of it, is built:
 *
 *   .NAME.swarm-patch/new/       files that are finished, or were when the run was interrupted
 *   .NAME.swarm-patch/old/       in place: old files that were moved out, see swap.h
 *   .NAME.swarm-patch/journal    in place: what is being moved, see journal.h
 *
 * Its name is fixed, so that an interrupted run is taken up by the next one: what it left is no
 * better than what anybody sends, and is proven like that. A lock keeps two runs apart.
 */
#ifndef SWARM_STAGING_H
#define SWARM_STAGING_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/err.h"
#include "swarm/scratch.h"

struct staging;

/* Where a file of an update in place may stand. */
enum staging_part { STAGING_TREE, STAGING_NEW, STAGING_OLD };

/*
 * Makes or takes up the folder beside `target`, a name or an existing directory. ERR_USAGE: another
 * run has it, it is not the caller's own and nobody else's to write to, or `target` is no name for
 * a tree.
 */
struct staging *staging_open(const char *target, struct scratch *scratch, struct err *e);
/*
 * The name of that folder, whether it is there or not; the caller frees it. Between this and
 * staging_open() anything may happen: what was seen in it has to be looked at again.
 */
char *staging_name(const char *target, struct err *e);
/*
 * Whether names can be moved between the folder and `target`, if that is there: ERR_USAGE where it
 * is a file system of its own, or none has a name like this.
 */
ERR_CHECK int staging_check(const char *target, struct err *e);
/* Keeps what is in it for the next run; a folder with nothing in it goes. */
void staging_close(struct staging *s);
/* The tree's own name, with links resolved where it exists, and the folder's. */
const char *staging_target(const struct staging *s);
const char *staging_path(const struct staging *s);
/* The directories `new` and `old`, open. Borrowed. */
int staging_new(const struct staging *s);
int staging_old(const struct staging *s);

/*
 * Goes through what an interrupted run left in `new`: `keep` tells of each regular file whether it
 * may be of use; the rest is removed.
 */
ERR_CHECK int staging_sift(struct staging *s, bool (*keep)(void *context, const char *path),
			   void *context, struct err *e);
/*
 * Makes an empty file at `path` in `new` in place of what may be there, and the directories above
 * it. Any thread. The caller closes the descriptor.
 */
ERR_CHECK int staging_create(const struct staging *s, const char *path, bool exec, struct err *e);
/* The same as another name of an open file; false, and nothing made, where that cannot be. */
bool staging_link(const struct staging *s, const char *path, int fd);
void staging_drop(const struct staging *s, const char *path);

/* Empties `old`: what an update left there that has been finished. */
ERR_CHECK int staging_forget_old(struct staging *s, struct err *e);

/* Flushes everything to disk: only names are left to be given. */
ERR_CHECK int staging_sync(const struct staging *s, struct err *e);
/*
 * Gives `new` the target's name, where nothing, an empty directory or, with `force`, any directory
 * may stand, which is removed once the name is on disk. What fails leaves the target as it was, but
 * for an empty directory, which may be gone.
 */
ERR_CHECK int staging_commit(struct staging *s, bool force, struct err *e);
/* Removes the folder and all that is in it. */
void staging_remove(struct staging *s);

#endif
