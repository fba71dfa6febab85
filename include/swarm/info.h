/*
 * info: the `info` dictionary of a torrent, bencoded while files stream by in file-tree order,
 * which is bencode's order of keys.
 *
 *   v2      `file tree`, `meta version` 2, `name`, `piece length`                        BEP 52
 *   hybrid  the same with `files` and `pieces`                                           BEP 52
 *   v1      `files`, `name`, `piece length`, `pieces`                                    BEP 3
 *
 * and nothing else. `files` is written for a single file too: so its path is kept. In a hybrid each
 * file starts at a piece: a pad (`attr` p, see pads.h) stands in front of a file where the one
 * before it ends elsewhere. A v1 torrent has no pads.
 *
 * Nothing is kept but the path of the last file, and of a hybrid `files`, in a temporary file.
 */
#ifndef SWARM_INFO_H
#define SWARM_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/spool.h"

#define INFO_PIECE_SIZE ((size_t)20)

enum info_kind {
	INFO_V2,
	INFO_HYBRID,
	INFO_V1,
};

struct info_options {
	enum info_kind kind;
	const char *name; /* borrowed */
	uint64_t piece_length;
};

/* What has been added. */
struct info_tally {
	uint64_t bytes;  /* of the dictionary, without `pieces` before info_end() */
	uint64_t tokens; /* as in bencode.h */
	size_t depth;    /* most lists and dictionaries in each other, itself included */
	uint64_t length; /* of the content of a hybrid or v1 torrent, pads included */
	uint64_t pads, pad_bytes;
	uint64_t pieces; /* whatever the kind */
};

struct info;

/* Passes on each run of bytes as it is made; `put` returns 0, or -1 with `e` filled. */
struct info *info_new(const struct info_options *options,
		      int (*put)(void *context, const void *bytes, size_t len, struct err *e),
		      void *context, struct err *e);
void info_free(struct info *i);
ERR_CHECK int info_add(struct info *i, const struct entry *entry, struct err *e);
/* The path of the file that was added last; "" before the first. */
const char *info_last(const struct info *i);
/* How many bytes of padding stand in front of the file that was added last. */
uint64_t info_padding(const struct info *i);
/*
 * `pieces`: INFO_PIECE_SIZE bytes for each piece of the content, pads included, from its start;
 * NULL for v2.
 */
ERR_CHECK int info_end(struct info *i, const struct spool *pieces, struct err *e);
const struct info_tally *info_tally(const struct info *i);

#endif
