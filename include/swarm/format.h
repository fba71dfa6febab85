/*
 * format: one of those in which swarmexport hands a release to others, as the exporter sees it.
 *
 * A format is a module with a `struct format` that is listed in exporter.c. In a run, its functions
 * are called in the order in which they stand here; the files come in file-tree order.
 */
#ifndef SWARM_FORMAT_H
#define SWARM_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/header.h"
#include "swarm/jsonl.h"
#include "swarm/opt.h"
#include "swarm/outfile.h"
#include "swarm/progress.h"

/* What is asked for; options that were not given are NULL, false or empty. */
struct format_options {
	/* Of all formats. */
	const char *format;   /* one of exporter_names */
	struct opt_list only; /* gitignore patterns: the files that these match, and no others */
	const char *label;    /* one of exporter_labels; NULL: as the format has it */

	/* Of some: what they mean stands in swarmexport(1). */
	const char *tree, *payloads, *url_prefix;
	const char *server; /* one of headers_servers */
	struct opt_list match;
	const char *kind;
	struct opt_list web_seed, tracker, previous;
	bool magnet, oversize;
	struct opt_list mirror;
	const char *layout; /* one of storekey_layouts; NULL: the first */
	const char *prefix;
	struct opt_list delta;
	struct opt_list keep;
	bool prune;
};

/* Where a format works; all is borrowed and outlives the run. */
struct format_job {
	const struct format_options *options;
	const char *manifest, *head; /* the names of the files; head may be NULL */
	struct outfile *out;
	struct progress *progress; /* NULL: none */
	unsigned threads;          /* as for pool_new() */
	int64_t now;
};

/*
 * What the state of each format begins with: the exporter makes it, and takes it away. All that
 * follows is zero at first.
 */
struct format_state {
	const struct format_job *job;
	struct buf text; /* on its way to job->out: what is left of it after the end is written */
};

struct format {
	const char *name;
	/* The options it takes beside --only and --label, by their long names; NULL-terminated. */
	const char *const *options;
	bool public_only; /* where --label does not say otherwise */
	bool all;         /* it speaks of a release as a whole: no --only, no --label */
	/*
	 * Of a name that stands for several: checks the options and says which one does the work,
	 * with what follows. NULL with `e` filled.
	 */
	const struct format *(*choose)(const struct format_job *job, struct err *e);

	/* Each of these but `size` and `add` may be NULL. `self` is the state. */
	size_t size; /* of the state, in bytes */
	/* Checks the options, of which only those that it takes are set. */
	int (*start)(void *self, struct err *e);
	/* An earlier release, one of --previous or of --keep, and its files: both or neither. */
	int (*earlier)(void *self, const char *manifest, bool keep, const struct head *head,
		       struct err *e);
	int (*earlier_file)(void *self, const struct entry *entry, struct err *e);
	int (*begin)(void *self, const struct header *header, const struct head *head,
		     struct err *e);
	/* Keeps nothing of `entry`. */
	int (*add)(void *self, const struct entry *entry, struct err *e);
	int (*end)(void *self, struct err *e);
	/* Append, after the end, lines for people and members of a result. */
	void (*describe)(const void *self, bool verbose, struct buf *text);
	void (*members)(const void *self, struct jsonl_writer *w);
	/* Releases what `self` holds, also after a start() that failed. */
	void (*stop)(void *self);
};

#endif
