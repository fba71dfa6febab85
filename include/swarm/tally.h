/* tally: what a delta brings, in numbers. */
#ifndef SWARM_TALLY_H
#define SWARM_TALLY_H

#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/delta.h"
#include "swarm/jsonl.h"

struct tally_part {
	uint64_t files, bytes;
};

/* Starts as zeros. */
struct tally {
	uint64_t removes, files;
	uint64_t empty; /* of the files: they are in no part */
	/* By source. Bytes are those of payloads; of files for DELTA_BARE and DELTA_COPY. */
	struct tally_part parts[DELTA_SOURCES];
	uint64_t solid; /* files in the solid payload, whatever their source */
};

/* Counts a line of a delta; the sums are those that recipe.h has checked. */
void tally_add(struct tally *t, const struct delta_line *line);
/* Appends lines for people. */
void tally_describe(struct buf *to, const struct tally *t, const struct delta_header *header);
/* Writes "files", "removes" and "content":{"empty":N,"bare":{"files":N,"bytes":N},...}. */
void tally_format(struct jsonl_writer *w, const struct tally *t, const struct delta_header *header);

#endif
