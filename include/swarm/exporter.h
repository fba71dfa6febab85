/*
 * exporter: the formats in which a release is handed to others, behind one interface.
 *
 * A run goes: exporter_new() checks what is asked for; exporter_earlier() with each release that
 * came before and exporter_earlier_file() with its files; exporter_begin() with the release;
 * exporter_add() with its files in file-tree order, of which those that were chosen are passed on;
 * exporter_end(). The output is the caller's: it is complete only after exporter_end() and counts
 * only if the manifest has proven right by then.
 *
 * A format is a module of its own with a `struct exporter_format`, listed in exporter.c.
 */
#ifndef SWARM_EXPORTER_H
#define SWARM_EXPORTER_H

#include <stdbool.h>
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
struct exporter_options {
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
	const char *layout; /* one of exporter_layouts; NULL: the first */
	const char *prefix;
	struct opt_list delta;
	struct opt_list keep;
	bool prune;
};

/* NULL-terminated. */
extern const char *const exporter_names[];
extern const char *const exporter_labels[];
extern const char *const exporter_layouts[];

/* Where a format works; all is borrowed and outlives the run. */
struct exporter_job {
	const struct exporter_options *options;
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
struct exporter_state {
	const struct exporter_job *job;
	struct buf text; /* on its way to job->out: what is left of it after the end is written */
};

struct exporter_format {
	const char *name;
	/* The options it takes beside --only and --label, by their long names; NULL-terminated. */
	const char *const *options;
	bool public_only; /* where --label does not say otherwise */
	bool all;         /* it speaks of a release as a whole: no --only, no --label */
	/*
	 * Of a name that stands for several: checks the options and says which one does the work,
	 * with what follows. NULL with `e` filled.
	 */
	const struct exporter_format *(*choose)(const struct exporter_job *job, struct err *e);

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

struct exporter;

/*
 * ERR_USAGE where an option of `table` was given (`values` is what opt_parse() filled) that is for
 * other formats.
 */
ERR_CHECK int exporter_check(const struct opt *table, const void *values, const char *format,
			     struct err *e);

/* ERR_USAGE for what cannot be asked for. `job` is copied. */
struct exporter *exporter_new(const struct exporter_job *job, struct err *e);
void exporter_free(struct exporter *x);
/* Whether the format wants to see earlier releases; a release that is one, and each of its files.
 */
bool exporter_looks_back(const struct exporter *x);
ERR_CHECK int exporter_earlier(struct exporter *x, const char *manifest, bool keep,
			       const struct head *head, struct err *e);
ERR_CHECK int exporter_earlier_file(struct exporter *x, const struct entry *entry, struct err *e);
ERR_CHECK int exporter_begin(struct exporter *x, const struct header *header,
			     const struct head *head, struct err *e);
ERR_CHECK int exporter_add(struct exporter *x, const struct entry *entry, struct err *e);
/* ERR_USAGE if --only matched nothing, ERR_REFUSED if no file has a label that is wanted. */
ERR_CHECK int exporter_end(struct exporter *x, struct err *e);

/* After the end: a summary for people, and the members of a result. */
void exporter_describe(const struct exporter *x, bool verbose, struct buf *text);
void exporter_members(const struct exporter *x, struct jsonl_writer *w);

#endif
