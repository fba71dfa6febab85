/*
 * planner: what both kinds of upload plan need: the options that they share, the releases that they
 * are about, and the lines as they are written.
 */
#ifndef SWARM_PLANNER_H
#define SWARM_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/format.h"
#include "swarm/head.h"
#include "swarm/sha256.h"
#include "swarm/step.h"
#include "swarm/storekey.h"

/* A release of --previous, or of --keep. */
struct planner_release {
	const char *manifest; /* the name of the file */
	bool keep;
	struct release_id id;
	uint8_t digest[SHA256_SIZE]; /* of the body */
};

/* What the state of both begins with. */
struct planner {
	struct format_state state;
	enum storekey_layout layout;
	struct buf prefix;
	struct planner_release *earlier; /* in their order */
	size_t earlier_count, earlier_room;
	struct head head;     /* of the release, once it has begun */
	struct buf key, from; /* of the line that is being written */
	struct sha256 *sha;
};

/* Of a state as the exporter has made it; released by planner_release(), also after a failure. */
ERR_CHECK int planner_init(struct planner *p, struct err *e);
void planner_release(struct planner *p);
/* Notes an earlier release, as the format's earlier(); `self` begins with a struct planner. */
ERR_CHECK int planner_earlier(void *self, const char *manifest, bool keep, const struct head *head,
			      struct err *e);
/* The one that was noted last: files that come are its own. */
const struct planner_release *planner_latest(const struct planner *p);
/* Notes the release. ERR_REFUSED if an earlier one is of another product. */
ERR_CHECK int planner_begin(struct planner *p, const struct head *head, struct err *e);
/*
 * Puts a file's key into p->key, without the prefix. ERR_REFUSED for a file without the plain
 * digest that layout `hash` takes.
 */
ERR_CHECK int planner_content(struct planner *p, const struct release_id *id,
			      const struct entry *entry, struct err *e);
/* The digest of a run of bytes. */
void planner_digest(struct planner *p, const struct buf *bytes, uint8_t ret[static SHA256_SIZE]);
/*
 * Writes a line, whose keys are p->key and, of a copy, p->from, with the prefix in front of both.
 * ERR_REFUSED for a key that is too long for a store.
 */
ERR_CHECK int planner_put(struct planner *p, struct step step, struct err *e);

#endif
