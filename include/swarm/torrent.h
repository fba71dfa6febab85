/*
 * torrent: the format of exporter.h for BitTorrent: metainfo (BEP 3, BEP 52), or a magnet link.
 *
 *   metainfo = { `announce`, `announce-list` (BEP 12), `info` (info.h), `piece layers` (v2 and
 *                hybrid), `similar` (BEP 38), `url-list` (BEP 19) }
 *
 * Nothing of it depends on when, where or by whom it is made.
 */
#ifndef SWARM_TORRENT_H
#define SWARM_TORRENT_H

#include "swarm/exporter.h"

/* The words of --kind; NULL-terminated. */
extern const char *const torrent_kinds[];

extern const struct exporter_format torrent_format;

#endif
