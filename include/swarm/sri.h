/*
 * sri: the format (format.h) for those who write `integrity` attributes (W3C Subresource
 * Integrity): one JSON object with a member a line, from the path of a URL, percent-encoded, to
 * "sha256-<base64>".
 */
#ifndef SWARM_SRI_H
#define SWARM_SRI_H

#include "swarm/format.h"

#define SRI_ALGORITHM "sha256-"

extern const struct format sri_format;

#endif
