/*
 * source: a tree of files to read: a directory, or an archive that libarchive reads (tar, also
 * compressed, zip, 7z), which is never unpacked to disk.
 *
 * source_next() goes through its items: of a directory in file-tree order (path.h), of an archive
 * as they are stored. source_rewind() starts again. What comes through a pipe is first copied to a
 * nameless temporary file where it is to be read twice, or sought in (zip, 7z).
 *
 * Directories are walked by descriptor and no symbolic link is ever followed, so that nothing which
 * moves things about meanwhile can lead a reader out of the tree.
 */
#ifndef SWARM_SOURCE_H
#define SWARM_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "swarm/err.h"
#include "swarm/pool.h"

enum source_type {
	SOURCE_FILE,
	SOURCE_DIRECTORY,
	SOURCE_SYMLINK,
	SOURCE_HARDLINK, /* in an archive: the content is that of another member */
	SOURCE_SPECIAL,  /* FIFO, socket, device */
	SOURCE_BROKEN,   /* could not be examined; `error` says why (ENOENT: it has just gone) */
};

/* What a stat's st_mode says; never SOURCE_HARDLINK. */
enum source_type source_type_of(mode_t mode);
/* "a directory", "a symbolic link", ... */
const char *source_type_name(enum source_type type);

/* Identity and age of a file in a directory, to notice that it changed. Zeros for an archive. */
struct source_stamp {
	uint64_t device, inode;
	int64_t mtime_s, mtime_ns, ctime_s, ctime_ns;
};

struct stat;
void source_fill_stamp(struct source_stamp *stamp, const struct stat *st);

struct source_item {
	/* Relative, any bytes but NUL. Of an archive: as stored where `unsafe`, else normalised. */
	const char *path;
	enum source_type type;
	bool unsafe;        /* the archive says an absolute path, or one with '..' */
	const char *target; /* of links: as stored; else NULL */
	uint64_t size;      /* of a file, in bytes */
	bool size_known;    /* false in archives that do not tell before the content is read */
	bool exec;          /* the owner may execute it */
	int error;          /* errno of a broken one */
	struct source_stamp stamp; /* of a file */
};

struct source;

/*
 * "-" is an archive on standard input. `passes` is how often it will be read from start to end: 1
 * or 2; with 1 there is no source_rewind().
 */
struct source *source_open(const char *path, int passes, struct err *e);
void source_close(struct source *s);
/*
 * Lets the threads of a pool, which must outlive the last source_next(), read a directory's items
 * ahead of source_next(). Before the first of them.
 */
void source_read_ahead(struct source *s, struct pool *pool);
bool source_is_directory(const struct source *s);
const char *source_name(const struct source *s);

/* 1 with the next item, which is valid until the next call; 0 at the end; -1 on failure. */
ERR_CHECK int source_next(struct source *s, struct source_item *ret, struct err *e);
ERR_CHECK int source_rewind(struct source *s, struct err *e);

/*
 * Reads on in the content of the item that source_next() returned last: up to `len` bytes, fewer
 * only at the end. Archives only: files of a directory are opened with source_file_open().
 */
ERR_CHECK ssize_t source_read(struct source *s, void *to, size_t len, struct err *e);

/*
 * What stands at `path` in a directory: its type, SOURCE_BROKEN if nothing does or it cannot be
 * told. Always SOURCE_BROKEN for an archive.
 */
enum source_type source_type_at(const struct source *s, const char *path);

/* --- files of a directory, any of them, from several threads ------------------------------------
 */

struct source_file {
	int fd;
	const char *path; /* borrowed */
	uint64_t size;
	struct source_stamp stamp;
};

/*
 * Opens the regular file at `path`. `expected` (NULL: none) is the item as it was listed:
 * ERR_CHANGED if it is another file by now, or a changed one. ERR_SYSTEM if it is gone or cannot be
 * opened.
 */
ERR_CHECK int source_file_open(const struct source *s, const char *path,
			       const struct source_item *expected, struct source_file *ret,
			       struct err *e);
/*
 * Judges why it could not be opened, for those to whom a tree without the file is the wrong one:
 * where nothing stands at `path`, or what is no file, `e` becomes ERR_REFUSED and says so; else it
 * stays. `link_hint` (NULL: none) is what else to say of a symbolic link. Both return -1.
 */
int source_judge(const struct source *s, const char *path, const char *link_hint, struct err *e);
/* The same of what is known to stand at `path`, also in an archive; SOURCE_BROKEN: nothing does. */
int source_refuse(const struct source *s, const char *path, enum source_type type,
		  const char *link_hint, struct err *e);
/* Up to `len` bytes, fewer only at the end. */
ERR_CHECK ssize_t source_file_read(struct source_file *f, void *to, size_t len, struct err *e);
/* Up to `len` bytes from `offset`, fewer only at the end; where it is read on stays as it was. */
ERR_CHECK ssize_t source_file_read_at(struct source_file *f, uint64_t offset, void *to, size_t len,
				      struct err *e);
/* Closes it; ERR_CHANGED if it changed since it was opened. `f` is closed in either case. */
ERR_CHECK int source_file_close(struct source_file *f, struct err *e);

#endif
