/*
 * metalink: the format (format.h) that download programs read (RFC 5854, Metalink 4).
 *
 * The plain digests are the manifest's; with --tree the content is read, and files of more than one
 * piece have digests of their pieces too. What stands in it depends on nothing else: no clock, and
 * not the version of this program.
 */
#ifndef SWARM_METALINK_H
#define SWARM_METALINK_H

#include "swarm/format.h"

extern const struct format metalink_format;

#endif
