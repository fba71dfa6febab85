/*
 * payloads: for each file with new content the cheapest payload that a client of an older release
 * can fetch instead of it, written to a folder under its name, see payload.h.
 *
 * Every payload is decoded again and compared before it is written. A payload that is there already
 * under its name is proven like a new one, and kept if it is right.
 */
#ifndef SWARM_PAYLOADS_H
#define SWARM_PAYLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/changes.h"
#include "swarm/delta.h"
#include "swarm/err.h"
#include "swarm/label.h"
#include "swarm/listing.h"
#include "swarm/progress.h"
#include "swarm/scratch.h"
#include "swarm/stock.h"

/* A file of at most this many bytes always gets its payload; a larger one only if that pays off. */
#define PAYLOADS_SMALL UINT64_C(65536)
/* Per cent of the file that a payload may cost. */
#define PAYLOADS_WORTH 95
/* Old files whose payloads are compared for each new one, besides that of the same path. */
#define PAYLOADS_CANDIDATES 3

/* Why a file has no payload. */
enum payloads_bare {
	PAYLOADS_MADE,       /* it has one */
	PAYLOADS_NOT_NEEDED, /* empty, removed, or the content is there already */
	PAYLOADS_TOO_LARGE,  /* for any window that browsers allow */
	PAYLOADS_NO_MEMORY,  /* more than --memory */
	PAYLOADS_NO_GAIN,    /* it would cost over 95 % of the file */
};

/* What became of an item of the changes. */
struct payloads_item {
	enum payloads_bare bare;
	enum delta_source source; /* DELTA_DCZ or DELTA_ZSTD where one was made */
	const struct entry *base; /* of DELTA_DCZ, in the old listing; else NULL */
	uint64_t size; /* of the payload, also of one that was dropped for PAYLOADS_NO_GAIN */
	uint8_t sha256[SHA256_SIZE]; /* of the payload */
	/*
	 * Origin if the file or its base is: it may not be given to peers then. For a public file
	 * such a base is taken only if any other way costs over 10 % more.
	 */
	enum label label;
};

/* An older release to update from. */
struct payloads_from {
	const struct changes *changes;
	const struct listing *listing; /* the old manifest */
	const struct stock *stock;     /* its files */
	struct payloads_item *items;   /* one for each of the changes; filled in */
};

struct payloads_options {
	const char *folder;        /* made if it is not there */
	int level;                 /* of zstd, 1 to DCZ_LEVEL_MAX */
	unsigned threads;          /* 0: one a processor */
	uint64_t memory;           /* bytes to stay within */
	struct progress *progress; /* NULL: none */
};

/*
 * Makes them for all older releases at once, so that the new tree is read no more often for many of
 * them than for one. What is made depends on neither threads nor order. A tree that
 * does not hold what its manifest says is ERR_UNTRUSTED or ERR_REFUSED. On failure, payloads that
 * were written before stay: each is right in itself.
 */
ERR_CHECK int payloads_make(struct payloads_from *from, size_t from_count, const struct stock *new,
			    const struct payloads_options *options, struct scratch *scratch,
			    struct err *e);

#endif
