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
#include "swarm/hybrid.h"
#include "swarm/key.h"
#include "swarm/scratch.h"
#include "swarm/trust.h"

/* 4 hours: how long clients spread a switch over where nothing else is asked for. */
#define RELEASE_WINDOW UINT64_C(14400)
/* 30 days, in seconds. */
#define RELEASE_LIFE INT64_C(2592000)

enum release_task {
	RELEASE_MAKE,          /* a new release of the files of an inventory or a manifest */
	RELEASE_RESIGN,        /* the same release, issued again: new times, new signatures */
	RELEASE_ADD_SIGNATURE, /* the same head with more signatures */
};

struct release_request {
	enum release_task task;
	struct key *const *keys; /* all sign */
	size_t key_count;
	/* Whose signature makes an input genuine. Inventories have none. */
	const struct trust *trust;
	/* Of a new release; product and channel default to a manifest's own. */
	const char *product, *channel, *version;
	uint64_t serial;             /* 0: one above that of `previous` */
	const struct head *previous; /* the current head, or NULL */
	/* Of a new release and of a longer life. */
	int64_t issued, expires;
	bool has_rollout;
	int64_t rollout_start;
	uint64_t rollout_window;
	struct hybrid
	    *hybrid; /* a torrent of its files, to be recorded; NULL: none, or as before */
};

/* Where things go; "-" is standard output. */
struct release_files {
	const char *out;  /* the manifest, or the head where the input is one */
	const char *head; /* NULL, or where the head is to stand as well, written last */
	bool force;       /* may replace what stands there */
};

/*
 * Does it, with an inventory, a manifest or a head. `ret` is what the new head says. An input that
 * is not genuine is ERR_UNTRUSTED; a serial or time that clients would refuse is ERR_REFUSED. On
 * failure no output has appeared, but for one case: `out` stays if only `head` cannot be named.
 */
ERR_CHECK int release_run(struct document *in, const struct release_files *files,
			  const struct release_request *request, struct scratch *scratch,
			  struct head *ret, struct err *e);

/* Reads and checks the document that --previous names. Its expiry does not matter. */
ERR_CHECK int release_previous(const char *path, const struct trust *trust, struct head *ret,
			       struct err *e);

struct release_summary {
	bool only_signatures; /* the head was there before */
	bool verbose;         /* the infohash too */
	int64_t now;          /* to say so if it has expired already */
};

/* Appends lines for people: what was released, until when it is good. */
void release_describe(struct buf *to, const struct head *head,
		      const struct release_summary *summary);
/* Appends a JSON line of the same. */
void release_format(struct buf *to, const struct head *head);

#endif
