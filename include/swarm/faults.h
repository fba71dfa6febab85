/* faults: a list of files that are not what they should be, and what is wrong with each. */
#ifndef SWARM_FAULTS_H
#define SWARM_FAULTS_H

#include <stddef.h>

#include "swarm/arena.h"
#include "swarm/err.h"

/* Names of files on disk hold any byte but NUL: nothing may be made of lines or tabs in these. */
struct fault {
	const char *path;
	const char *what; /* a sentence that names the file */
};

struct faults {
	struct fault *items;
	size_t count, room;
	struct arena arena; /* what the items point to */
};

#define FAULTS_INIT                 \
	{                           \
		.arena = ARENA_INIT \
	}

void faults_release(struct faults *f);
/* Appends a copy of both texts. */
ERR_CHECK int faults_add(struct faults *f, const char *path, const char *what, struct err *e);

#endif
