/*
 * urls: finds the file of a release that the path of a URL names, as web servers do: the path is
 * percent-decoded (a bad escape stays as it is), empty and "." components are dropped, ".." takes
 * one back but never above the root, and a folder stands for the index.html in it.
 *
 * Finding allocates nothing. Not safe for use by two threads at once.
 */
#ifndef SWARM_URLS_H
#define SWARM_URLS_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/buf.h"
#include "swarm/err.h"

#define URLS_NONE ((size_t)-1)
/* Longer paths than this name nothing. */
#define URLS_PATH_MAX ((size_t)64 * 1024)

struct urls;

/*
 * `prefixes` (n of them; none stands for "/") are what URLs have in front of the paths of files,
 * with or without slashes around it, or as whole URLs, of which the path alone counts. Of several
 * that fit, the longest below which there is such a file is taken. `files` is how many there will
 * be.
 */
struct urls *urls_new(const char *const *prefixes, size_t n, size_t files, struct err *e);
void urls_free(struct urls *u);
/* Appends the decoded path that such a prefix stands for, with a slash at either end. */
ERR_CHECK int urls_prefix(struct buf *to, const char *prefix, struct err *e);
/* `path` is borrowed. At most as often as urls_new() was told. */
void urls_add(struct urls *u, const char *path, size_t number);
/*
 * The number of the file, or URLS_NONE. `path` is as accesslog.h gives it; of a `recoded` one, a
 * second round of percent-encoding is undone, and a '+' read as a blank, if nothing is found else.
 */
size_t urls_find(struct urls *u, const char *path, size_t len, bool recoded);

#endif
