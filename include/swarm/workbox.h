/*
 * workbox: the format (format.h) for service workers that use Workbox: the array that
 * precacheAndRoute() takes, an entry a line, in JSON:
 *
 *   entry = {"url":URL,"revision":R,"integrity":"sha256-<base64>"}
 *
 *   url        the path of a URL, percent-encoded
 *   revision   null for a file whose `cache` says `immutable`: what its URL gives never changes;
 *              of others the digest, in hex
 */
#ifndef SWARM_WORKBOX_H
#define SWARM_WORKBOX_H

#include "swarm/format.h"

extern const struct format workbox_format;

#endif
