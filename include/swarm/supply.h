/* supply: where an update finds content: the old files, and what was fetched for it. */
#ifndef SWARM_SUPPLY_H
#define SWARM_SUPPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/delta.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/stock.h"
#include "swarm/warrant.h"

struct supply_options {
	const char *old_tree; /* a directory or an archive */
	const char *payloads; /* a folder; NULL: none */
	const char *solid;    /* a file; NULL: none */
	const char *from;     /* a directory or an archive with whole files; NULL: none */
};

struct supply {
	const struct supply_options *options;
	struct stock *old;
	struct stock *from; /* NULL: none */
	int payloads;       /* the open folder; -1: none */
	int solid;          /* the open file; -1: none */
};

#define SUPPLY_INIT                         \
	{                                   \
		.payloads = -1, .solid = -1 \
	}

/*
 * Opens all of it; of archives, no more is kept than the update can use. `options` is borrowed;
 * `ret` (SUPPLY_INIT) is released by supply_release(), also after a failure.
 */
ERR_CHECK int supply_open(const struct supply_options *options, const struct warrant *w,
			  struct supply *ret, struct err *e);
void supply_release(struct supply *s);

/*
 * Appends the name of the payload that makes `file`, see payload.h; false if it has none, since
 * one of the manifests holds no plain digests. `base` NULL: plain zstd.
 */
bool supply_payload_name(const struct entry *file, const struct entry *base, struct buf *to);
/* Whether a payload of this name is there, right or not. */
bool supply_has_payload(const struct supply *s, const char *name);
/*
 * Appends the payload that `line` speaks of, as many bytes and with the SHA-256 that the delta
 * says: else ERR_UNTRUSTED, before anything of it is decoded.
 */
ERR_CHECK int supply_load_payload(const struct supply *s, const char *name,
				  const struct delta_line *line, struct buf *ret, struct err *e);
/* The same for the solid payload. */
ERR_CHECK int supply_load_solid(const struct supply *s, const struct delta_header *delta,
				struct buf *ret, struct err *e);
/* Whether a whole file of this name is there, right or not. */
bool supply_has_whole(const struct supply *s, const char *path);

#endif
