/*
 * bundle: the published files as one thing to ship: .tar, .tar.gz, .tar.zst, .zip, or a directory.
 *
 * The same files give the same bytes: no directory entries, file-tree order (the caller's duty),
 * every mtime set to one time, owner 0, modes 0644 or 0755, names in UTF-8 whatever the locale. The
 * bytes of compressed bundles also depend on the versions of zlib, libzstd and libarchive. A bundle
 * appears complete or not at all (outfile.h; a directory is built beside its final name).
 *
 * .zip keeps local times: the process must run in UTC (TZ=UTC0), or bundle_open() refuses.
 */
#ifndef SWARM_BUNDLE_H
#define SWARM_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/scratch.h"

/* 1980-02-01T00:00:00Z: late enough for the calendar of .zip in every time zone. */
#define BUNDLE_MTIME INT64_C(318211200)

struct bundle_options {
	bool force;    /* may replace what stands there */
	int64_t mtime; /* of every file */
	unsigned threads;
};

struct bundle;

/* Whether the name tells a format. A directory's ends in '/'. */
bool bundle_is_name(const char *path);

/* ERR_USAGE: no format is known by the name, or something stands there already. */
struct bundle *bundle_open(const char *path, const struct bundle_options *options,
			   struct scratch *scratch, struct err *e);
/* Drops what was not committed. */
void bundle_free(struct bundle *b);

/*
 * One file: begin, exactly `size` bytes, end. `path` is portable (path_unportable()) and
 * stays as it is until the end.
 */
ERR_CHECK int bundle_begin(struct bundle *b, const char *path, uint64_t size, bool exec,
			   struct err *e);
ERR_CHECK int bundle_write(struct bundle *b, const void *bytes, size_t len, struct err *e);
ERR_CHECK int bundle_end(struct bundle *b, struct err *e);

/* Finishes the format and flushes to disk; only the naming is left for bundle_commit(). */
ERR_CHECK int bundle_sync(struct bundle *b, struct err *e);
ERR_CHECK int bundle_commit(struct bundle *b, struct err *e);

#endif
