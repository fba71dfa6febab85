/*
 * info: the `info` dictionary of a BitTorrent v2 torrent (BEP 52), bencoded while files stream by.
 *
 * It holds exactly `file tree`, `meta version` 2, `name` and `piece length`. Files come in
 * file-tree order, which is bencode's order of keys, so that nothing is kept but the path of the
 * last file.
 */
#ifndef SWARM_INFO_H
#define SWARM_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"

struct info;

/* Passes on each run of bytes as it is made; `put` returns 0, or -1 with `e` filled. */
struct info *info_new(int (*put)(void *context, const void *bytes, size_t len, struct err *e),
		      void *context, struct err *e);
void info_free(struct info *i);
ERR_CHECK int info_add(struct info *i, const struct entry *entry, struct err *e);
ERR_CHECK int info_end(struct info *i, const char *name, uint64_t piece_length, struct err *e);

#endif
