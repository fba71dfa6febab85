/*
 * gunzip: a gzip stream (RFC 1952), read from a descriptor and checked to its last byte. libarchive
 * reads gzip as well, but passes over the check sums.
 */
#ifndef SWARM_GUNZIP_H
#define SWARM_GUNZIP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "swarm/err.h"

struct gunzip;

/*
 * `fd`, `name` and `noun` are borrowed; messages are about "the <noun> '<name>'". `before` are
 * `len` (at most 16) bytes that were read from `fd` before.
 */
struct gunzip *gunzip_new(int fd, const char *name, const char *noun, const void *before,
			  size_t len, struct err *e);
void gunzip_free(struct gunzip *g);
/*
 * Up to `len` bytes of what was compressed; 0 at the end of the last member. ERR_MALFORMED:
 * damaged, cut off, or followed by something that is neither a further member nor padding.
 */
ERR_CHECK ssize_t gunzip_read(struct gunzip *g, void *to, size_t len, struct err *e);

#endif
