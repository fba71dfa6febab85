/*
 * publish: the upload plan of a release: its content, then the payloads of its files, deltas that
 * lead to it, its manifest, and its head last.
 *
 * Content that the store has, from an earlier release or from a line before, under another key is
 * copied there; under the same key (layout hash) it is left out. That takes some 70 bytes of
 * memory and a key for each distinct object of all releases.
 */
#ifndef SWARM_PUBLISH_H
#define SWARM_PUBLISH_H

#include "swarm/format.h"

/* What upload.h chooses; it checks the options. */
extern const struct format publish_format;

#endif
