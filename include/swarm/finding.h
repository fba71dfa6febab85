/* finding: one thing that an audit has to say of one path. */
#ifndef SWARM_FINDING_H
#define SWARM_FINDING_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"

enum finding_kind {
	FINDING_CORRUPT,     /* the content is not the manifest's */
	FINDING_MISSING,     /* nothing stands there */
	FINDING_WRONG_TYPE,  /* something else than a file stands there */
	FINDING_UNSAFE_PATH, /* a name that no release can have */
	FINDING_UNREADABLE,  /* it could not be read, so nothing is known of it */
	FINDING_MOVED,	     /* the content stands elsewhere instead */
	FINDING_EXTRA,	     /* the manifest does not name it */
	FINDING_WRONG_MODE,  /* executable or not, other than the manifest says */
	FINDING_OK,
};

#define FINDING_KINDS (FINDING_OK + 1)

/* A run of pieces, first and last counted from 0. */
struct finding_pieces {
	uint64_t first, last;
};

struct finding {
	enum finding_kind kind;
	const char *path;	 /* as the manifest names it, or as the bundle does */
	const char *found;	 /* moved: where; else NULL */
	const char *why;	 /* what stands there, the reason, ...; NULL if there is nothing to say */
	uint64_t size;		 /* that the manifest wants */
	uint64_t found_size;	 /* that it has */
	uint64_t piece_length;
	struct finding_pieces *pieces; /* corrupt: the bad ones; owned */
	size_t piece_count;
};

/* "corrupt", "missing", ...: as in JSON. */
const char *finding_name(enum finding_kind kind);

/*
 * One JSON object: {"path":P,"finding":KIND,...}. Corrupt: "size" and "found_size", "pieces"
 * [[first,last],...], "ranges" [[offset,length],...] of the wanted file's bytes that are bad or
 * missing. Moved: "found". Others: "reason" where there is one.
 */
void finding_format(struct buf *to, const struct finding *f);
/* The same for people, behind the path: "1 of 2 pieces is bad: bytes 262144-299999". */
void finding_describe(struct buf *to, const struct finding *f);

#endif
