/*
 * outfile: an output that appears complete or not at all.
 *
 * The bytes go to a file without a name in the target's folder, so that not even SIGKILL leaves a
 * trace; outfile_commit() flushes it to disk and gives it its name. Replacing a file takes a
 * temporary name for a moment; what a killed run left of it is removed by the next one. Where the
 * file system has no nameless files, a temporary name is used, which `scratch` removes when the
 * program is told to stop. A target that is not a regular file (a pipe, a terminal, /dev/null) and
 * standard output get all of it at the commit, from a temporary file.
 */
#ifndef SWARM_OUTFILE_H
#define SWARM_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/scratch.h"

struct outfile;

struct outfile_options {
	bool force;  /* may replace an existing file; it stays as it was until the commit */
	mode_t mode; /* of a new file, before umask; 0 means 0666 */
};

/* "-" is standard output. ERR_REFUSED never; an existing target without force is ERR_USAGE. */
struct outfile *outfile_open(const char *path, const struct outfile_options *options,
			     struct scratch *scratch, struct err *e);
/* Drops what was not committed. */
void outfile_free(struct outfile *o);

ERR_CHECK int outfile_write(struct outfile *o, const void *bytes, size_t len, struct err *e);
/*
 * The same for text that a caller gathers: writes it and clears it as soon as it is worth a write;
 * outfile_drain() writes whatever there is. The text is checked when it is written.
 */
ERR_CHECK int outfile_gather(struct outfile *o, struct buf *text, struct err *e);
ERR_CHECK int outfile_drain(struct outfile *o, struct buf *text, struct err *e);
/*
 * Flushes to disk, so that only the naming is left to go wrong. A caller with several outputs does
 * this to all of them before it commits the first.
 */
ERR_CHECK int outfile_sync(struct outfile *o, struct err *e);
/*
 * Gives the output its name, which survives a crash from then on. Without force, a file that has
 * appeared there since is not replaced. Where it fails because the name cannot be flushed to disk,
 * the output stands nevertheless, complete.
 */
ERR_CHECK int outfile_commit(struct outfile *o, struct err *e);

/*
 * The folder that an output of this name is to stand in: "." for "x", "/" for "/x", "a" for "a/x"
 * and "a/x/". The caller frees it; NULL: out of memory.
 */
char *outfile_folder(const char *path);
/*
 * Flushes that folder to disk, so that a name that was given or taken in it survives a crash. No
 * failure: a folder that cannot be flushed, because its file system does not do that, or because
 * the caller may write to it but not read it.
 */
ERR_CHECK int outfile_sync_folder(const char *path, struct err *e);
/*
 * Whether both names are of one file, by whatever links and folders, also of one that does not
 * exist yet: for outputs that must not be each other, or an input. Two that are "-" are the same; a
 * device such as /dev/null is never.
 */
bool outfile_is_same(const char *a, const char *b);
/*
 * Whether `path` is the folder, or what is written there stands in it, at any depth and by whatever
 * links, also where it or folders above it do not exist yet: for outputs that must not become part
 * of a tree that is read. Never where `folder` is no directory, nor for "-" or a device.
 */
bool outfile_is_within(const char *path, const char *folder);

#endif
