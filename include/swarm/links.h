/* links: symbolic and hard links, resolved among the items of a tree, for scan.h. */
#ifndef SWARM_LINKS_H
#define SWARM_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/source.h"

/* What a source said of one of its items, kept. */
struct links_item {
	const char *path;
	const char *target; /* of links */
	uint64_t size;
	uint64_t number; /* how many items stand before it in the source */
	struct source_stamp stamp;
	enum source_type type;
	bool exec;
};

/* All items of a source, sorted by path_compare(); of two with one path the later one counts. */
struct links_tree {
	const struct links_item *items;
	size_t count;
};

enum links_result {
	LINKS_FILE,      /* ret->file is the file it leads to */
	LINKS_DIRECTORY, /* items[first] and `count` in all lie below it; the first `prefix` bytes
			    of their paths are its own, with the slash */
	LINKS_NOWHERE,
	LINKS_OUTSIDE,
	LINKS_CIRCLE,
	LINKS_OTHER, /* something that is neither file nor directory */
	LINKS_NO_MEMORY,
};

/* As many links as Linux follows one after the other. */
#define LINKS_HOPS 40

struct links_found {
	const struct links_item *hops[LINKS_HOPS]; /* the links that were followed, in order */
	size_t hop_count;
	const struct links_item *file;
	size_t first, count;
	size_t prefix;
};

/* Whether it is a symbolic link, or a hard link that is one by another name. */
bool links_is_symbolic(const struct links_tree *tree, const struct links_item *link);
/* Where a link leads in the end. */
enum links_result links_resolve(const struct links_tree *tree, const struct links_item *link,
				struct links_found *ret);
/* Completes "'x': ..." for all but the first two. */
const char *links_why(enum links_result result);

#endif
