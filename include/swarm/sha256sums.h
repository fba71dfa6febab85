/* sha256sums: the format (format.h) that `sha256sum -c` reads: "<digest>  <path>" a line. */
#ifndef SWARM_SHA256SUMS_H
#define SWARM_SHA256SUMS_H

#include "swarm/format.h"

extern const struct format sha256sums_format;

#endif
