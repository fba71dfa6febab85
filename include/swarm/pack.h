/*
 * pack: from a tree and its rules to an inventory and a bundle, in two steps.
 *
 * pack_plan() decides everything that names decide: labels, what is refused, what changes since an
 * earlier release, which files are asked for most. pack_run() reads the content. Every file is read
 * once: the plain digest, the BEP 52 root and layer, the look of the guards, and the copy in the
 * bundle come from the same bytes.
 */
#ifndef SWARM_PACK_H
#define SWARM_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/guards.h"
#include "swarm/outfile.h"
#include "swarm/part.h"
#include "swarm/pool.h"
#include "swarm/popularity.h"
#include "swarm/progress.h"
#include "swarm/review.h"
#include "swarm/rules.h"
#include "swarm/scan.h"
#include "swarm/scratch.h"
#include "swarm/source.h"

struct pack_list {
	const char *const *items;
	size_t count;
};

struct pack_options {
	const struct rules *rules;
	const struct guards *guards;
	unsigned strip;        /* leading components that names lose */
	uint64_t piece_length; /* 0: auto */
	const char *like;      /* where that is from, which no output may replace; NULL: none */
	const char *against;   /* an earlier release to compare with; NULL: none */
	bool no_new_public;    /* refuse what it had not as public */
	struct pack_list logs; /* access logs; none: no hot set */
	struct pack_list url_prefixes;
	double hot;              /* share of the bytes that the hot set carries */
	struct part_shard shard; /* of several machines; neither bundle nor report then */

	bool dry_run;              /* there will be no pack_run() */
	bool plain;                /* `sha256` in the inventory */
	const char *inventory;     /* or the part; where to; "-" is standard output */
	const char *bundle;        /* NULL: none */
	const char *report;        /* likewise; "-" is standard output */
	const char *cache;         /* digests of files that do not change; NULL: none */
	int64_t mtime;             /* of the files in the bundle */
	bool force;                /* may replace what stands there */
	unsigned threads;          /* 0: one a processor */
	struct progress *progress; /* NULL: none */
	struct scratch *scratch;
};

struct pack_plan {
	struct pool *pool;
	struct scan scan; /* its files are those of the shard alone */
	struct part part; /* likewise what is known of it before its lines; zeroed for the whole */
	struct review review;
	bool has_review;
	struct popularity *traffic;    /* NULL: none */
	struct popularity_file *asked; /* for each of scan.files; NULL likewise */
	uint64_t bytes;                /* of all of scan.files */
	uint64_t piece_length;
	struct outfile *report; /* open until it is written; NULL: none */
	struct cache *cache;    /* NULL: none */
	struct buf warnings;    /* lines: what went wrong and does not matter to the release */
};

/*
 * Neither step leaves an output behind that is not complete. ERR_REFUSED: plan->scan.problems says
 * why, if there are any. The report is written on success, by the step that is the last one, and
 * where problems are found.
 *
 * `plan` is released with pack_release(), also after a failure.
 */
ERR_CHECK int pack_plan(struct source *source, const struct pack_options *options,
			struct pack_plan *plan, struct err *e);
/*
 * A file that is not as it was listed is ERR_CHANGED. On failure neither output has appeared, but
 * for those that were written before: the report, then the bundle, then the inventory.
 */
ERR_CHECK int pack_run(struct source *source, const struct pack_options *options,
		       struct pack_plan *plan, struct err *e);
void pack_release(struct pack_plan *plan);

#endif
