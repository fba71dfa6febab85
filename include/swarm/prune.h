/*
 * prune: the upload plan that deletes what only earlier releases need: pointers first, their
 * manifests and deltas, then payloads, then content. Never a head.
 *
 * Earlier releases that stay come after those that go. It takes some 70 bytes of memory and a key
 * for each object of those that go.
 */
#ifndef SWARM_PRUNE_H
#define SWARM_PRUNE_H

#include "swarm/format.h"

/* What upload.h chooses; it checks the options. */
extern const struct format prune_format;

#endif
