/*
 * watcher: looks through the content of files for what guards refuse, while they are read for other
 * reasons.
 */
#ifndef SWARM_WATCHER_H
#define SWARM_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/guards.h"
#include "swarm/hits.h"
#include "swarm/label.h"
#include "swarm/probe.h"

/* A file that is to be published. */
struct watcher_file {
	size_t number;    /* for hits */
	const char *path; /* borrowed until the end of the file */
	enum label label;
	const char *type; /* the media type of its rule, or NULL: its name tells */
	uint64_t size;    /* in bytes; if more come, that is ERR_CHANGED */
};

/* Looks through one content after the other, for one thread at a time. `g` and `to` are borrowed.
 */
struct watcher;

struct watcher *watcher_new(const struct guards *g, struct hits *to, struct err *e);
void watcher_free(struct watcher *w);
/* `files` (at least one, borrowed until the end) are all that have the content that comes now. */
void watcher_begin(struct watcher *w, const struct watcher_file *files, size_t count);
/* All bytes, in order, in blocks of any size up to 1 GiB. */
ERR_CHECK int watcher_see(struct watcher *w, const void *bytes, size_t len, struct err *e);
/* After the last block; not needed where the file is given up. */
ERR_CHECK int watcher_end(struct watcher *w, struct err *e);

/*
 * Formats have to be read here and there, so beside the pass above: whether a file that starts like
 * this is of a format that a guard knows, and what is in it.
 */
#define WATCHER_START ((size_t)64)
bool watcher_knows_format(const struct guards *g, const struct watcher_file *file,
			  const void *first, size_t len);
/* `files` (n of them) all have this content. */
ERR_CHECK int watcher_inspect(const struct guards *g, struct hits *to,
			      const struct watcher_file *files, size_t n, struct probe *p,
			      struct err *e);

#endif
