/*
 * beneath: what stands below a directory that is open, by paths as releases have them.
 *
 * Paths are entered component by component and no symbolic link is ever followed, so that nothing
 * which stands in a tree or is moved about in it meanwhile can lead out of it. All functions return
 * -1 with errno set; a path that cannot be because something above it is no directory is ENOENT.
 */
#ifndef SWARM_BENEATH_H
#define SWARM_BENEATH_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Opens the directory that `path` lies in; *ret_name is the last component of `path`. `make`:
 * directories that are not there are made, mode 0755. The caller closes it.
 */
int beneath_parent(int root, const char *path, bool make, const char **ret_name);
/* As lstat(). */
int beneath_stat(int root, const char *path, struct stat *ret);
/*
 * Opens what is there; `flags` as of openat(). Here a path that cannot be keeps the errno that
 * tells why: ENOTDIR or ELOOP.
 */
int beneath_open(int root, const char *path, int flags);
int beneath_unlink(int root, const char *path);
int beneath_rmdir(int root, const char *path);
/*
 * Moves the file at `path` below one root to the same path below another one, where nothing may
 * stand yet (EEXIST); directories that it needs there are made.
 */
int beneath_move(int from, int to, const char *path);
/* Removes the directories that `path` lies in, the innermost first, as far as they are empty. */
void beneath_prune(int root, const char *path);

#endif
