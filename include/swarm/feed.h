/*
 * feed: the content of files of a release, read once, passed on in file-tree order and checked
 * meanwhile against what the manifest says of them.
 *
 * The tree is a directory, or an archive whose members stand in file-tree order, as in a bundle.
 */
#ifndef SWARM_FEED_H
#define SWARM_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/pool.h"
#include "swarm/progress.h"

struct feed;

/* `tree` ("-" is an archive on standard input), `pool` and `progress` (NULL: none) are borrowed. */
struct feed *feed_new(const char *tree, struct pool *pool, struct progress *progress,
		      struct err *e);
void feed_free(struct feed *f);
/* Before the first file: for progress, about how many bytes there are. */
ERR_CHECK int feed_begin(struct feed *f, uint64_t piece_length, uint64_t bytes, struct err *e);
/*
 * Passes on all bytes of a file, to `see`, which returns 0, or -1 with `e` filled. They count only
 * once feed_end() has returned 0. ERR_REFUSED if there is no such file, ERR_UNTRUSTED if it has
 * another content than `entry` says, ERR_CHANGED if it changed meanwhile; also of an earlier file.
 */
ERR_CHECK int feed_file(struct feed *f, const struct entry *entry,
			int (*see)(void *context, const void *bytes, size_t len, struct err *e),
			void *context, struct err *e);
ERR_CHECK int feed_end(struct feed *f, struct err *e);

#endif
