/* magnet: links to torrents (BEP 9, BEP 52). What they hold is percent-encoded (RFC 3986). */
#ifndef SWARM_MAGNET_H
#define SWARM_MAGNET_H

#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

/*
 * ERR_USAGE unless it can be the address of a tracker: udp, http, https, ws or wss, and something
 * behind it in printable ASCII.
 */
ERR_CHECK int magnet_check_tracker(const char *url, struct err *e);

/* Appends the start of a link: 32 bytes of a v2 infohash, 20 of a v1; one of them may be NULL. */
void magnet_start(struct buf *to, const uint8_t *v2, const uint8_t *v1);
void magnet_add(struct buf *to, const char *key, const char *value);

#endif
