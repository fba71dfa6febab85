/*
 * upload: what is to be put into an object store, or deleted from one, in an order in which nothing
 * that is published ever points at what is not there: JSON Lines, see step.h.
 */
#ifndef SWARM_UPLOAD_H
#define SWARM_UPLOAD_H

#include "swarm/format.h"

extern const struct format upload_format;

#endif
