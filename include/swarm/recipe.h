/*
 * recipe: the lines of a delta, read one at a time, as body.h does for a manifest: spelling, order,
 * no path twice, at the end the counts, and the SHA-256 of every byte from the same pass.
 */
#ifndef SWARM_RECIPE_H
#define SWARM_RECIPE_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/delta.h"
#include "swarm/err.h"
#include "swarm/sha256.h"

struct recipe;

/*
 * Starts to read a delta at fd (borrowed, as is `name`, which messages call it), which is `length`
 * bytes long without its envelope, and reads the header.
 */
struct recipe *recipe_open(int fd, uint64_t length, const char *name, struct err *e);
void recipe_close(struct recipe *r);
const struct delta_header *recipe_header(const struct recipe *r);
/* 1 with the next line (in `arena`), 0 after the last one, -1 on failure. */
ERR_CHECK int recipe_next(struct recipe *r, struct arena *arena, struct delta_line *ret,
			  struct err *e);
/*
 * The raw bytes of the line that was read last, without its line feed: the header's after
 * recipe_open(), then those of recipe_next().
 */
const char *recipe_line(const struct recipe *r, size_t *ret_len);
/* After the last line: the digest and length of what was read. */
void recipe_digest(const struct recipe *r, uint8_t digest[static SHA256_SIZE], uint64_t *ret_bytes);

#endif
