/* sha256sums: the format of exporter.h that `sha256sum -c` reads: "<digest>  <path>" a line. */
#ifndef SWARM_SHA256SUMS_H
#define SWARM_SHA256SUMS_H

#include "swarm/exporter.h"

extern const struct exporter_format sha256sums_format;

#endif
