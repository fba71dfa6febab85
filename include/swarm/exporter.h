/*
 * exporter: the formats in which a release is handed to others, behind one interface.
 *
 * A run goes: exporter_new() checks what is asked for; exporter_earlier() with each release that
 * came before and exporter_earlier_file() with its files; exporter_begin() with the release;
 * exporter_add() with its files in file-tree order, of which those that were chosen are passed on;
 * exporter_end(). The output is the caller's: it is complete only after exporter_end() and counts
 * only if the manifest has proven right by then.
 */
#ifndef SWARM_EXPORTER_H
#define SWARM_EXPORTER_H

#include <stdbool.h>

#include "swarm/buf.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/format.h"
#include "swarm/head.h"
#include "swarm/header.h"
#include "swarm/jsonl.h"
#include "swarm/opt.h"

/* NULL-terminated. */
extern const char *const exporter_names[];
extern const char *const exporter_labels[];

struct exporter;

/*
 * ERR_USAGE where an option of `table` was given (`values` is what opt_parse() filled) that is for
 * other formats.
 */
ERR_CHECK int exporter_check(const struct opt *table, const void *values, const char *format,
			     struct err *e);

/* ERR_USAGE for what cannot be asked for. `job` is copied. */
struct exporter *exporter_new(const struct format_job *job, struct err *e);
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
