/*
 * popularity: how much each file of a release was asked for, from access logs, and the hot set: the
 * fewest public files that carry a share of the bytes.
 *
 * Memory grows with the files of the release, not with the logs. Traffic follows a power law, so a
 * small set carries most of it: M. Arlitt and C. Williamson, "Web Server Workload
 * Characterization", 1996.
 */
#ifndef SWARM_POPULARITY_H
#define SWARM_POPULARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

/* A file of the release. */
struct popularity_file {
	const char *path; /* borrowed */
	uint64_t size;
	bool is_public;
	/* Filled by popularity_read(): */
	uint64_t requests, bytes;
	/* Filled by popularity_rank(): floor(log2(rank by bytes)) for the hot set, else -1. */
	int hot;
};

#define POPULARITY_CURVE 4 /* 1, 5, 10 and 20 % of the public files */

struct popularity_totals {
	/* Of the logs: */
	uint64_t lines;      /* that are requests */
	uint64_t malformed;  /* that could not be read, or are over 64 KiB long */
	uint64_t requests;   /* of those, GETs that were answered by 200, 206 or 304 */
	uint64_t bytes;      /* that those were answered with, none by a 304 */
	int64_t first, last; /* times of those, INT64_MIN if the logs do not tell */
	/* Of those the ones for files of the release, by label: */
	uint64_t public_requests, public_bytes;
	uint64_t origin_requests, origin_bytes;
	/* By popularity_rank(): */
	uint64_t public_files, requested_files; /* requested: of the public ones */
	double curve[POPULARITY_CURVE];         /* share of public_bytes, 0 to 1 */
	double zipf; /* exponent of requests by rank; NAN if there is too little to tell (zipf.h) */
	uint64_t hot_files, hot_file_bytes; /* the hot set: how many, their sizes */
	uint64_t hot_bytes;                 /* that they were answered with */
};

/* Percents of the public files, in `curve`. */
extern const unsigned popularity_curve[POPULARITY_CURVE];

struct popularity;

/*
 * `files` are in file-tree order and borrowed until the end. `prefixes` (n of them; none stands for
 * "/") are what the paths of URLs have in front of those of the release: "/farm-1.0.2/" or
 * "https://cdn.example/farm-1.0.2", of which only the path counts (urls.h).
 */
struct popularity *popularity_new(struct popularity_file *files, size_t count,
				  const char *const *prefixes, size_t n, struct err *e);
void popularity_free(struct popularity *p);
/*
 * Reads a log, plain or compressed; "-" is standard input. Lines that cannot be read are counted
 * and passed over. Sums stop at NUM_MAX, the largest number that JSON can hold.
 */
ERR_CHECK int popularity_read(struct popularity *p, const char *log, struct err *e);
/*
 * After all logs: the rest of the totals, and the hot set that carries `fraction` of public_bytes,
 * which is taken to nine decimal places; ERR_USAGE if it is not above 0 and at most 1. The hot set
 * is the first files of the public ones in order of bytes, then requests, then `files`; a file of
 * which no bytes were served is never in it. May be called again with another fraction.
 */
ERR_CHECK int popularity_rank(struct popularity *p, double fraction, struct err *e);
const struct popularity_totals *popularity_totals(const struct popularity *p);

/* Appends lines for people. */
void popularity_describe(struct buf *to, const struct popularity *p);
/*
 * Appends the member `key`, an object:
 *   {"lines":N,"malformed":N,"requests":N,"bytes":N,"first":TIME,"last":TIME,
 *    "public":{"requests":N,"bytes":N},"origin":{"requests":N,"bytes":N},
 *    "public_files":N,"requested_files":N,"curve_percent":[1,5,10,20],"curve_ppm":[N,N,N,N],
 *    "zipf_milli":N,"hot":{"files":N,"size":N,"bytes":N}}
 * TIME is as in utc.h; `first` and `last` are left out if the logs do not tell, `zipf_milli` (the
 * exponent by a thousand) if there is none. `curve_ppm` are shares in parts per million, rounded.
 * `size` is that of the files, `bytes` what they were answered with.
 */
struct jsonl_writer;
void popularity_format(struct jsonl_writer *w, const char *key, const struct popularity *p);

#endif
