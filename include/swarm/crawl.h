/*
 * crawl: lists the directories of a tree, on several threads, ahead of one who goes through them in
 * order.
 *
 * Each directory is a folder with its entries in order of their names. Whoever needs a folder that
 * no thread has begun lists it himself. What has been listed and not been entered is bounded, and
 * so is the depth (ENAMETOOLONG). Directories are opened from the top each time, without following
 * links (beneath.h).
 */
#ifndef SWARM_CRAWL_H
#define SWARM_CRAWL_H

#include <stddef.h>

#include "swarm/err.h"
#include "swarm/pool.h"
#include "swarm/source.h"

struct crawl;
struct crawl_folder;

struct crawl_entry {
	const char *name;
	enum source_type type; /* SOURCE_BROKEN: it could not be examined */
	bool exec;
	int error;                   /* errno of a broken one */
	char *target;                /* of a symbolic link; NULL: none */
	uint64_t size;               /* of a file */
	struct source_stamp stamp;   /* of a file */
	struct crawl_folder *folder; /* of a directory */
};

/*
 * `root` is the top directory's descriptor, borrowed. With a pool (NULL: none), borrowed too, its
 * threads list ahead.
 */
struct crawl *crawl_new(int root, struct pool *pool, struct err *e);
/* Waits for the threads. */
void crawl_free(struct crawl *c);

struct crawl_folder *crawl_top(struct crawl *c);
/*
 * Sees that the folder is listed; once for each. Its entries are valid until it is left. -1 with
 * errno: it cannot be read.
 */
int crawl_enter(struct crawl *c, struct crawl_folder *f);
size_t crawl_count(const struct crawl_folder *f);
const struct crawl_entry *crawl_entry(const struct crawl_folder *f, size_t i);
/* The path from the top, with a slash behind it; "" for the top. */
const char *crawl_path(const struct crawl_folder *f);
/* Frees the folder of entry i, which was entered; those below it have been left already. */
void crawl_leave(struct crawl_folder *parent, size_t i);

#endif
