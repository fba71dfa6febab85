/* finding: one thing that an audit has to say of one path. */
#ifndef SWARM_FINDING_H
#define SWARM_FINDING_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/buf.h"
#include "swarm/err.h"

enum finding_kind {
	FINDING_CORRUPT,     /* the content is not the manifest's */
	FINDING_MISSING,     /* nothing stands there */
	FINDING_WRONG_TYPE,  /* something else than a file stands there */
	FINDING_UNSAFE_PATH, /* a name that no release can have */
	FINDING_UNREADABLE,  /* it could not be read, so nothing is known of it */
	FINDING_MOVED,       /* the content stands elsewhere instead */
	FINDING_EXTRA,       /* the manifest does not name it */
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
	const char *path;  /* as the manifest names it, or as the bundle does */
	const char *found; /* moved: where; else NULL */
	const char *why;   /* what stands there, the reason, ...; NULL if there is nothing to say */
	uint64_t size;     /* that the manifest wants */
	uint64_t found_size; /* that it has */
	uint64_t piece_length;
	struct finding_pieces *pieces; /* corrupt: the bad ones; owned */
	size_t piece_count;
};

/* Findings being collected. Life: FINDING_LIST_INIT ... finding_list_release(). */
struct finding_list {
	struct finding *items;
	size_t count, cap;
	uint64_t counts[FINDING_KINDS];
	struct arena arena; /* for what findings point to */
};

#define FINDING_LIST_INIT           \
	{                           \
		.arena = ARENA_INIT \
	}

void finding_list_release(struct finding_list *l);
/* Takes f's pieces, also on failure. */
ERR_CHECK int finding_add(struct finding_list *l, const struct finding *f, struct err *e);
/* One with a reason (NULL: none) and no more; both texts are copied. */
ERR_CHECK int finding_add_reason(struct finding_list *l, enum finding_kind kind, const char *path,
				 const char *why, struct err *e);
/* Sorts by path, then by kind. */
void finding_sort(struct finding_list *l);

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
