/*
 * sri: the format of exporter.h for those who write `integrity` attributes (W3C Subresource
 * Integrity): one JSON object with a member a line, from the path of a URL, percent-encoded, to
 * "sha256-<base64>".
 */
#ifndef SWARM_SRI_H
#define SWARM_SRI_H

#include "swarm/exporter.h"

#define SRI_ALGORITHM "sha256-"

extern const struct exporter_format sri_format;

#endif
