/*
 * unsealed: the format "inventory" (format.h), the inventory that a manifest was made of. With
 * all files it is that byte for byte; of some of them, it is what packing just these would give,
 * but for the piece length. What was chosen waits in a temporary file, since its count and its sum
 * stand in the first line.
 */
#ifndef SWARM_UNSEALED_H
#define SWARM_UNSEALED_H

#include "swarm/format.h"

extern const struct format unsealed_format;

#endif
