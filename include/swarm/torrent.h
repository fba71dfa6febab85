/*
 * torrent: the format (format.h) for BitTorrent: a torrent (metainfo.h), or the magnet link to
 * it. It agrees with the head, and holds no names that clients of its kind are known to fall over.
 */
#ifndef SWARM_TORRENT_H
#define SWARM_TORRENT_H

#include "swarm/format.h"

/* The words of --kind; NULL-terminated. */
extern const char *const torrent_kinds[];

extern const struct format torrent_format;

#endif
