/* io: reads and writes that finish what they begin, on file descriptors. */
#ifndef SWARM_IO_H
#define SWARM_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "swarm/buf.h"
#include "swarm/err.h"

/* `name` is what messages call the file. */

/* Opens for reading; "-" is standard input (a duplicate: close it all the same). -1 on failure. */
ERR_CHECK int io_open(const char *path, struct err *e);
/* What messages should call `path`: itself, or "standard input" for "-". */
const char *io_name(const char *path);
/* Up to len bytes, fewer only at the end; -1 on failure. */
ERR_CHECK ssize_t io_read(int fd, void *to, size_t len, const char *name, struct err *e);
/* The same at an offset. */
ERR_CHECK ssize_t io_read_at(int fd, void *to, size_t len, uint64_t offset, const char *name,
			     struct err *e);
ERR_CHECK int io_write(int fd, const void *from, size_t len, const char *name, struct err *e);
/* All that is left, appended; ERR_MALFORMED if it is more than `limit` bytes. */
ERR_CHECK int io_read_all(int fd, struct buf *to, size_t limit, const char *name, struct err *e);
/* A new file without a name in $TMPDIR (else /tmp): it is gone once closed. -1 on failure. */
ERR_CHECK int io_temporary(struct err *e);
/*
 * Makes *fd seekable: what is no regular file, or not at its start, is copied to a temporary file,
 * which takes its place, behind `len` bytes that were read from it before. ERR_MALFORMED if that
 * would be more than `limit` bytes.
 */
ERR_CHECK int io_make_seekable(int *fd, const void *before, size_t len, uint64_t limit,
			       const char *name, struct err *e);
/* Copies from the start of `from` to the end. */
ERR_CHECK int io_copy(int to, const char *to_name, int from, struct err *e);

/* --- lines --------------------------------------------------------------------------------------
 */

/* Reads a descriptor line by line. Each line must end in a line feed, unless lax. */
struct io_lines {
	int fd;           /* borrowed */
	const char *name; /* borrowed */
	uint64_t number;  /* of the line returned last, from 1 */
	size_t limit;     /* longest line allowed, without its line feed */
	uint64_t left;    /* bytes to read before the end; unlimited unless the caller sets it */
	bool lax; /* the last line may lack its line feed; false unless the caller sets it */
	struct buf data;
	size_t at;
};

void io_lines_init(struct io_lines *l, int fd, const char *name, size_t limit);
void io_lines_release(struct io_lines *l);
/*
 * 1 with the next line, without its line feed, valid until the next call; 0 at the end; -1 on
 * failure (ERR_MALFORMED: too long, or the last one has no line feed).
 */
ERR_CHECK int io_lines_next(struct io_lines *l, const char **ret, size_t *ret_len, struct err *e);

#endif
