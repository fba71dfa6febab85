/*
 * similar: finds the old files that a new one resembles, by content alone: bundlers name files by
 * their content's hash, so names say nothing.
 *
 * A file is known by windows of 48 bytes, at places that its content chooses (where a gear hash, as
 * in FastCDC, has zeros), so that shifted bytes are seen through the same windows, and small
 * changes close only those that they lie in. When there are too many windows, only those are kept
 * whose hash falls into an ever smaller part of all hashes, the same part for all files, so that
 * memory stays bounded and comparisons fair.
 */
#ifndef SWARM_SIMILAR_H
#define SWARM_SIMILAR_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

struct similar;

/* `memory`: bytes that the index may take, about. */
struct similar *similar_new(uint64_t memory, struct err *e);
void similar_free(struct similar *s);
/* Adds the old file that the caller calls `number`. Not for several threads. */
ERR_CHECK int similar_add(struct similar *s, size_t number, const uint8_t *bytes, size_t len,
			  struct err *e);
/* After the last similar_add(), before the first similar_find(). */
ERR_CHECK int similar_seal(struct similar *s, struct err *e);

struct similar_match {
	size_t number;
	/* Bytes of the new file that stand in the old one too, about; what repeats counts once. */
	uint64_t shared;
	/* Bytes of the old file, to tell apart what contains it and what is it. */
	uint64_t size;
};

/*
 * The best old files for these bytes, the best first (most shared; of equal ones the smaller file,
 * then the lower number), at most `max`. Any thread.
 */
ERR_CHECK int similar_find(const struct similar *s, const uint8_t *bytes, size_t len, size_t max,
			   struct similar_match *ret, size_t *ret_count, struct err *e);

#endif
