/* headers: the format of exporter.h that tells web servers what header fields to send. */
#ifndef SWARM_HEADERS_H
#define SWARM_HEADERS_H

#include "swarm/exporter.h"

/* NULL-terminated. */
extern const char *const headers_servers[];
extern const struct exporter_format headers_format;

#endif
