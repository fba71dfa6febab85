/*
 * review: what a release would change in what is published since an earlier one, for the person who
 * lets it out.
 */
#ifndef SWARM_REVIEW_H
#define SWARM_REVIEW_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/label.h"
#include "swarm/scan.h"

enum review_kind {
	REVIEW_PUBLISHED,  /* newly: `now` is its label */
	REVIEW_RELABELLED, /* `was` before, `now` */
	REVIEW_PRIVATE,    /* was published, and is in the tree still, where it is private now */
	REVIEW_GONE,       /* was published, and is no longer in the tree */
};

struct review_change {
	enum review_kind kind;
	const char *path;
	enum label was, now;
	const struct rule *rule; /* that decides now; NULL: the default does, or none */
};

struct review {
	/* Each kind by itself, in the order above, each in file-tree order. */
	struct review_change *changes;
	size_t count, room;
	size_t counts[REVIEW_GONE + 1]; /* by kind */
	size_t newly_public;            /* published or relabelled so */
	struct arena arena;
};

/*
 * Compares with an earlier inventory or manifest, of which no signature is looked at. `scan` has
 * kept its private files, and what it found problems with is told by these alone; it outlives the
 * review, which is released by review_release(), also after a failure.
 */
ERR_CHECK int review_run(struct review *ret, const char *against, const struct scan *scan,
			 struct err *e);
void review_release(struct review *r);
/* Makes a problem of each path that is newly public. */
ERR_CHECK int review_refuse_new(const struct review *r, struct scan *scan, struct err *e);

/* Append lines: a summary and the first `shown` changes; one JSON object a change. */
void review_describe(struct buf *to, const struct review *r, size_t shown);
void review_format(struct buf *to, const struct review *r);

#endif
