/*
 * solidindex: where bytes of a new text stand in the old one, and in the new one before them.
 *
 * The old text is found by a suffix array: the longest occurrence of anything. Where that does not
 * fit into memory, every so many bytes a hash of some bytes is kept instead, which finds long
 * occurrences only.
 */
#ifndef SWARM_SOLIDINDEX_H
#define SWARM_SOLIDINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

/* What is found at most; longer occurrences are told no apart. */
#define SOLIDINDEX_LONGEST 1024

struct solidindex;

/* What the index takes where it may have as much as it wants. */
uint64_t solidindex_memory(uint64_t old_len, uint64_t new_len);
/* Both texts are borrowed. Takes no more than `memory` bytes, but a MiB at least. */
struct solidindex *solidindex_new(const uint8_t *old, size_t old_len, const uint8_t *new,
				  size_t new_len, uint64_t memory, struct err *e);
void solidindex_free(struct solidindex *ix);

/*
 * The longest occurrence in the old text of what stands in the new one at `at`; of several, one
 * near to `near`. Returns its length, 0 if there is none.
 */
size_t solidindex_old(const struct solidindex *ix, size_t at, size_t near, size_t *ret);
/* The same for the latest occurrence in the new text, of what solidindex_add() has told. */
size_t solidindex_new_text(const struct solidindex *ix, size_t at, size_t *ret);
/* The latest place in the new text, one or more up, that is behind the same bytes as `at`. */
bool solidindex_like(const struct solidindex *ix, size_t at, size_t *ret);
/* The new text before `at` may be found from now on. `at` never falls. */
void solidindex_add(struct solidindex *ix, size_t at);

#endif
