/*
 * prune: the upload plan that deletes what only earlier releases need: pointers first, their
 * manifests and deltas, then payloads, then content. Never a head.
 *
 * It takes some 150 bytes of memory for each file of the earlier releases.
 */
#ifndef SWARM_PRUNE_H
#define SWARM_PRUNE_H

#include "swarm/exporter.h"

/* As a format, whose options upload.h checks. */
extern const struct exporter_format prune_format;

#endif
