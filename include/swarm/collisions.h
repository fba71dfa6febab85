/*
 * collisions: paths that are one and the same to a file system on which neither case nor the
 * spelling of accents matters (fold.h): of files, and of the folders that they lie in.
 */
#ifndef SWARM_COLLISIONS_H
#define SWARM_COLLISIONS_H

#include <stddef.h>

#include "swarm/err.h"

/*
 * `paths` are in file-tree order, none twice. found() gets two different paths that are one; a
 * folder's is cut out of a file's, so both have a length. Of folders that are one, the files in
 * them are not told as well. -1 from found() ends the search.
 */
ERR_CHECK int collisions_find(const char *const *paths, size_t count,
			      int (*found)(void *context, const char *first, size_t first_len,
					   const char *second, size_t second_len, struct err *e),
			      void *context, struct err *e);

#endif
