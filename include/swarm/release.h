/*
 * release: turns an inventory into a signed manifest, and a signed manifest into another release, a
 * longer life, or one with more signatures.
 */
#ifndef SWARM_RELEASE_H
#define SWARM_RELEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/document.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/key.h"
#include "swarm/outfile.h"
#include "swarm/trust.h"

/* 4 hours: how long clients spread a switch over where nothing else is asked for. */
#define RELEASE_WINDOW UINT64_C(14400)
/* 30 days, in seconds. */
#define RELEASE_LIFE INT64_C(2592000)

struct release_request {
	struct key *const *keys; /* all sign */
	size_t key_count;
	/* Whose signature makes an input genuine. Inventories have none. */
	const struct trust *trust;
	/* Of a new release; product and channel default to a manifest's own. */
	const char *product, *channel, *version;
	uint64_t serial;	     /* 0: one above that of `previous` */
	const struct head *previous; /* the current head, or NULL */
	/* Of a new release and of a longer life. */
	int64_t issued, expires;
	bool has_rollout;
	int64_t rollout_start;
	uint64_t rollout_window;
};

/*
 * In all three, `out` gets the manifest (or, where `in` is a head, the head), `ret_line` the
 * envelope's line without its line feed, `ret` what it says. Nothing is committed. What is not
 * genuine is ERR_UNTRUSTED; a serial or time that clients would refuse is ERR_REFUSED.
 */

/* A new release of the files of an inventory or a manifest. */
ERR_CHECK int release_make(struct document *in, const struct release_request *request,
			   struct outfile *out, struct buf *ret_line, struct head *ret,
			   struct err *e);
/* The same release, issued again: new times, new signatures. */
ERR_CHECK int release_resign(struct document *in, const struct release_request *request,
			     struct outfile *out, struct buf *ret_line, struct head *ret,
			     struct err *e);
/* The same head with more signatures. */
ERR_CHECK int release_add_signature(struct document *in, const struct release_request *request,
				    struct outfile *out, struct buf *ret_line, struct head *ret,
				    struct err *e);

/* Reads and checks the document that --previous names. Its expiry does not matter. */
ERR_CHECK int release_previous(const char *path, const struct trust *trust, struct head *ret,
			       struct err *e);

#endif
