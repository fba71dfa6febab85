/*
 * journal: which files an update in place moves, written down before the first one is moved, so
 * that whoever comes next can finish it or undo it.
 *
 *   journal = "swarm-patch journal/1" LF "from " HEX LF "to " HEX " " serial " " version LF
 *             *move "end" LF
 *   move    = "out " path LF         from the tree to the staging folder's `old`
 *           | "in " path LF          from the staging folder's `new` to the tree
 *
 * HEX is the SHA-256 of a manifest's body. All moves out stand before the moves in, each of them in
 * the order of a manifest, and are made in that order.
 */
#ifndef SWARM_JOURNAL_H
#define SWARM_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/buf.h"
#include "swarm/delta.h"
#include "swarm/err.h"
#include "swarm/scratch.h"

struct journal_move {
	bool in; /* else out */
	const char *path;
};

struct journal {
	uint8_t from[SHA256_SIZE];
	struct delta_end to;
	struct journal_move *moves;
	size_t count, room;
	struct arena arena; /* what the paths of one that was parsed point to */
};

#define JOURNAL_INIT                \
	{                           \
		.arena = ARENA_INIT \
	}

void journal_release(struct journal *j);
/* `path` is borrowed until the release. */
ERR_CHECK int journal_add(struct journal *j, bool in, const char *path, struct err *e);

/* Whether a file of this path is to be moved in, or out. */
bool journal_has(const struct journal *j, bool in, const char *path);

void journal_format(struct buf *to, const struct journal *j);
/* ERR_CONFIG where the text is no journal. `ret` is released by the caller in any case. */
ERR_CHECK int journal_parse(const char *text, size_t len, struct journal *ret, struct err *e);

/* Writes it to `folder`: once it is there, it is there on disk. */
ERR_CHECK int journal_write(const struct journal *j, const char *folder, struct scratch *scratch,
			    struct err *e);
/* 1 with the journal in `folder`; 0: there is none; -1 on failure. */
ERR_CHECK int journal_read(const char *folder, struct journal *ret, struct err *e);
/* Removes it: what it is about is done, or undone. The caller flushes that to disk. */
ERR_CHECK int journal_remove(const char *folder, struct err *e);

#endif
