/*
 * storekey: the names of a release's objects in a store, below a prefix:
 *
 *   <product>-<version>/<path>        content, layout `release`
 *   <sha256><.extension>              content, layout `hash`
 *   payloads/<name>                   see payload.h
 *   <from>-<to>.delta                 versions
 *   <product>-<version>.manifest
 *   <product>-<channel>.head
 */
#ifndef SWARM_STOREKEY_H
#define SWARM_STOREKEY_H

#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/header.h"
#include "swarm/offers.h"

/* In bytes: that of S3. */
#define STOREKEY_MAX 1024

enum storekey_layout {
	STOREKEY_RELEASE,
	STOREKEY_HASH,
};

/* Their names, in this order; NULL-terminated. */
extern const char *const storekey_layouts[];

/*
 * Appends what all keys begin with: "" or a path with a slash behind it, whatever slashes stand
 * around `prefix` (NULL: none). ERR_USAGE for one that is no portable path.
 */
ERR_CHECK int storekey_prefix(struct buf *to, const char *prefix, struct err *e);

/*
 * Appends the key of a file without the prefix; in layout `hash`, `entry` has a plain digest.
 */
void storekey_content(struct buf *to, enum storekey_layout layout, const struct release_id *id,
		      const struct entry *entry);
void storekey_payload(struct buf *to, const struct offer *offer);
void storekey_delta(struct buf *to, const char *from, const char *to_version);
void storekey_manifest(struct buf *to, const struct release_id *id);
void storekey_head(struct buf *to, const struct release_id *id);

#endif
