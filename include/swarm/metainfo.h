/*
 * metainfo: a torrent (BEP 3, BEP 52), bencoded while files stream by in file-tree order.
 *
 *   metainfo = { `announce`, `announce-list` (BEP 12), `info` (info.h), `piece layers` (v2 and
 *                hybrid), `similar` (BEP 38), `url-list` (BEP 19) }
 *
 * Nothing of it depends on when, where or by whom it is made.
 */
#ifndef SWARM_METAINFO_H
#define SWARM_METAINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/info.h"
#include "swarm/opt.h"
#include "swarm/relatives.h"
#include "swarm/spool.h"

struct metainfo_options {
	struct info_options info;
	const struct opt_list *trackers;  /* as magnet_check_tracker() takes them */
	const struct opt_list *web_seeds; /* as weburl_check() takes bases */
	bool oversize;                    /* even if clients load no such thing, see limits.h */
};

struct metainfo;

/*
 * Passes on each run of bytes as it is made; `put` returns 0, or -1 with `e` filled. `options` is
 * copied, what it points to is borrowed.
 */
struct metainfo *metainfo_new(const struct metainfo_options *options,
			      int (*put)(void *context, const void *bytes, size_t len,
					 struct err *e),
			      void *context, struct err *e);
void metainfo_free(struct metainfo *m);
ERR_CHECK int metainfo_add(struct metainfo *m, const struct entry *entry, struct err *e);
/* The path of the file that was added last; "" before the first. */
const char *metainfo_last(const struct metainfo *m);
/* As info_padding(). */
uint64_t metainfo_padding(const struct metainfo *m);
/* ERR_REFUSED where what there is so far is too much for clients. */
ERR_CHECK int metainfo_check(const struct metainfo *m, struct err *e);
/*
 * `pieces` as for info_end(); `similar` is settled. ERR_REFUSED for a torrent without content, or
 * one that is too much for clients.
 */
ERR_CHECK int metainfo_end(struct metainfo *m, const struct spool *pieces,
			   struct relatives *similar, struct err *e);

/* --- after the end ------------------------------------------------------------------------------
 */

/* The infohashes, SHA256_SIZE and SHA1_SIZE bytes; NULL where the kind has none. */
const uint8_t *metainfo_v2(const struct metainfo *m);
const uint8_t *metainfo_v1(const struct metainfo *m);
uint64_t metainfo_size(const struct metainfo *m); /* bytes */
const struct info_tally *metainfo_tally(const struct metainfo *m);
/* Appends the link to it, which names the same trackers and web seeds. */
ERR_CHECK int metainfo_magnet(const struct metainfo *m, struct buf *to, struct err *e);

#endif
