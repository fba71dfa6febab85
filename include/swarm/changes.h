/*
 * changes: what differs between two manifests, from the manifests alone.
 *
 * The two bodies are merged as sorted streams; lines that are equal are compared as bytes and not
 * parsed, and nothing is kept of them, so that memory and most of the time go with what differs.
 */
#ifndef SWARM_CHANGES_H
#define SWARM_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/delta.h"
#include "swarm/document.h"
#include "swarm/entry.h"
#include "swarm/err.h"

enum changes_kind {
	CHANGES_ADDED,      /* a new path with new content */
	CHANGES_DUPLICATED, /* a new path; another path, which stays, has the content already */
	CHANGES_RENAMED,    /* a new path; a path that is removed has the content */
	CHANGES_CONTENT, /* another content at the same path (wherever that content comes from) */
	CHANGES_ATTRIBUTES, /* the same content at the same path, but another label, type, ... */
	CHANGES_REMOVED,
};
#define CHANGES_KINDS (CHANGES_REMOVED + 1)

struct changes_item {
	enum changes_kind kind;
	const char *path;
	struct entry old;  /* unless there was nothing at the path; else all zero */
	struct entry file; /* unless it is removed; else all zero */
	const char *text;  /* the new manifest's line, without its line feed; NULL: removed */
	size_t text_len;
	const char *copy; /* the old path that has the content, see delta.h; NULL: none */
};

struct changes {
	struct header from, to;                                   /* the manifests' first lines */
	uint8_t from_digest[SHA256_SIZE], to_digest[SHA256_SIZE]; /* of the bodies */
	struct changes_item *items;                               /* in file-tree order by path */
	size_t count, room;
	uint64_t kinds[CHANGES_KINDS]; /* how many of each */
	uint64_t kept;                 /* files that are equal in all */
	struct arena arena;            /* what the items point to */
};

/*
 * Compares. Neither signature is looked at, but a body must be the one that the manifest's own last
 * line is about. ERR_REFUSED: other products or channels, or a serial that does not rise.
 * `ret` is released by changes_release(), also after a failure.
 */
ERR_CHECK int changes_read(struct document *from, struct document *to, struct changes *ret,
			   struct err *e);
void changes_release(struct changes *c);

/* The item of this path; NULL: both releases have the same there, or nothing. */
const struct changes_item *changes_find(const struct changes *c, const char *path);
/* Whether its content has to come from somewhere: there is some, and the old release has it not. */
bool changes_is_fetched(const struct changes_item *item);
/* The first line of the delta; no solid payload. */
void changes_header(const struct changes *c, struct delta_header *ret);
/* The delta's line for an item: a removal, a copy, or a bare file, to which a patch may be added.
 */
void changes_line(const struct changes_item *item, struct delta_line *ret);
/* "added", "duplicated", "renamed", "content", "attributes", "removed". */
const char *changes_kind_name(enum changes_kind kind);

#endif
