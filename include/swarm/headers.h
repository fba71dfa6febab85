/* headers: the format (format.h) that tells web servers what header fields to send. */
#ifndef SWARM_HEADERS_H
#define SWARM_HEADERS_H

#include "swarm/format.h"

/* NULL-terminated. */
extern const char *const headers_servers[];
extern const struct format headers_format;

#endif
