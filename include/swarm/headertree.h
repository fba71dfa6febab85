/*
 * headertree: the files and folders of a release as a host of web pages sees them: where files are
 * found, and what a rule for all that is in a folder would match.
 */
#ifndef SWARM_HEADERTREE_H
#define SWARM_HEADERTREE_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/arena.h"
#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/headervalues.h"
#include "swarm/path.h"

/* The folders around a file at most, the release among them. */
#define HEADERTREE_DEPTH_MAX (PATH_LENGTH_MAX / 2 + 2)

enum headertree_host { HEADERTREE_NETLIFY, HEADERTREE_CLOUDFLARE };
enum headertree_field { HEADERTREE_CACHE, HEADERTREE_TYPE, HEADERTREE_FIELDS };

/* A file or a folder; a folder stands before all that is in it. */
struct headertree_node {
	const char *path; /* "" of the whole release */
	size_t end;       /* the first node that is not in it */
	bool is_folder;
	bool has_alias; /* a page that has a second URL */
	/* Of a file, the value that it is to have, or none; of a folder, the caller's. */
	struct headervalues_set best[HEADERTREE_FIELDS];
	bool is_mixed; /* the caller's */
};

/* Starts as {.host = ...}. */
struct headertree {
	enum headertree_host host;
	struct headertree_node *nodes;
	size_t count, room;
	size_t open[HEADERTREE_DEPTH_MAX]; /* the folders around the last file */
	size_t depth;
	const struct headertree_node **sorted; /* by path, as the host compares */
	struct arena arena;
};

void headertree_release(struct headertree *t);
/*
 * Appends a file, and the folders that it is the first one of. Files come in file-tree order; the
 * path is copied. *ret is the new node until the next call.
 */
ERR_CHECK int headertree_add(struct headertree *t, const char *path, struct headertree_node **ret,
			     struct err *e);
/*
 * To be called once all files are there, before what stands below. ERR_REFUSED where the host
 * cannot tell two apart.
 */
ERR_CHECK int headertree_finish(struct headertree *t, struct err *e);
/*
 * Whether a rule for all that is in the folder, by its number, would match that, and nothing else.
 * The release is at the root of the host, or in a folder of its own.
 */
bool headertree_can_have_rule(const struct headertree *t, size_t folder, bool at_root);
/* Puts the other path that a page is found at into *to, if there is one. */
bool headertree_alias(const char *path, struct buf *to);

#endif
