/*
 * entryline: the line of an entry in its one spelling, read without a JSON parser.
 *
 * A manifest has a line a file, up to millions, and a line that is as it has to be can be read from
 * left to right. What is not so, or has an escape in it, is left to entry_parse(), which knows what
 * is wrong with it.
 */
#ifndef SWARM_ENTRYLINE_H
#define SWARM_ENTRYLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/entry.h"

/*
 * Fills *ret as entry_parse() would, but for the check that `pieces` give `root`; false: nothing is
 * known about the line. Its spelling is the caller's to check, who formats *ret again.
 */
bool entryline_read(const char *line, size_t len, uint64_t piece_length, struct arena *arena,
		    struct entry *ret);

#endif
