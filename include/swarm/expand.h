/*
 * expand: a stream of bytes, expanded if it is compressed and handed through if it is not, which is
 * told by how it starts: gzip, bzip2, xz, lzma, lzip, lz4, zstd, compress. Check sums are checked,
 * as long as it is read to its end.
 */
#ifndef SWARM_EXPAND_H
#define SWARM_EXPAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "swarm/err.h"

/* How many bytes of a start are enough to tell. */
#define EXPAND_MAGIC ((size_t)8)

struct expand;

/* Whether what starts with these bytes is compressed. */
bool expand_knows(const void *start, size_t len);

/*
 * `fd`, `name` and `noun` are borrowed; messages are about "the <noun> '<name>'". `before` are
 * `len` (at most EXPAND_MAGIC) bytes that were read from `fd` before.
 */
struct expand *expand_new(int fd, const char *name, const char *noun, const void *before,
			  size_t len, struct err *e);
void expand_free(struct expand *x);
bool expand_is_compressed(const struct expand *x);
/*
 * The length of the next run of bytes, *ret, which is valid until the next call; 0 at the end, -1
 * on failure (ERR_MALFORMED: damaged or cut off). What stands before the damage comes first.
 */
ERR_CHECK ssize_t expand_next(struct expand *x, const void **ret, struct err *e);

/* What libarchive says of what it read, as an error about "the <noun> '<name>'". Returns -1. */
struct archive;
int expand_fail(struct archive *a, const char *noun, const char *name, struct err *e);

#endif
