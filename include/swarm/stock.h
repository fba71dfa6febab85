/*
 * stock: the files of a release at hand, to be read in any order and by several threads: those of a
 * directory where they are, those of an archive copied to a nameless temporary file in one pass.
 */
#ifndef SWARM_STOCK_H
#define SWARM_STOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "swarm/buf.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/listing.h"
#include "swarm/source.h"

struct stock;

/* Of an archive; a directory is read as it is. */
struct stock_options {
	unsigned strip; /* leading components that names lose */
	/*
	 * Which files are worth keeping, by the name that is left; NULL: all. Of a file with more
	 * than *ret_limit bytes (no limit unless set) only the beginning is kept: an
	 * archive of strangers can hold zeros without end.
	 */
	bool (*want)(const void *context, const char *path, uint64_t *ret_limit);
	const void *context;
	const char
	    *link_hint; /* what else to say where a symbolic link stands for a file; or NULL */
};
/* A `want` whose context is a struct listing: the files that it names, none longer than it says. */
bool stock_want_listed(const void *context, const char *path, uint64_t *ret_limit);

/*
 * `path` is a directory or an archive; "-" is an archive on standard input. No symbolic link is
 * followed; a hard link in an archive has the content that it points to; of several members with
 * one name the last one counts, as when an archive is unpacked. ERR_USAGE: `strip` for a directory.
 */
struct stock *stock_open(const char *path, const struct stock_options *options, struct err *e);
void stock_close(struct stock *s);
const char *stock_name(const struct stock *s);
bool stock_is_directory(const struct stock *s);

/* An open file. Any thread, one at a time. */
struct stock_file {
	const struct stock *stock;
	struct source_file file; /* of a directory */
	uint64_t at;             /* of an archive: where it begins */
	uint64_t size;
};

/*
 * Opens the regular file at `path` (which must stay as it is until the close); ERR_REFUSED if there
 * is none of this name, or something else stands there.
 */
ERR_CHECK int stock_file_open(const struct stock *s, const char *path, struct stock_file *ret,
			      struct err *e);
/* Up to `len` bytes from `offset`, fewer only at the end. */
ERR_CHECK ssize_t stock_file_read(struct stock_file *f, uint64_t offset, void *to, size_t len,
				  struct err *e);
/* ERR_CHANGED if it changed since it was opened. Closed in either case. */
ERR_CHECK int stock_file_close(struct stock_file *f, struct err *e);

/*
 * Appends the whole content of the file that `entry` is about to `ret`, after checking it against
 * the entry: size, root, plain digest if it has one. ERR_UNTRUSTED if it is not that content;
 * ERR_REFUSED if it is not there. `ret_sha256` is its plain digest in any case.
 */
ERR_CHECK int stock_load(const struct stock *s, const struct entry *entry, struct buf *ret,
			 uint8_t ret_sha256[static SHA256_SIZE], struct err *e);

#endif
