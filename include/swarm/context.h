/*
 * context: which old files are the context of a solid payload. Of what the memory allows, those
 * that the delta removes or changes come first, since new files resemble them most; the chosen ones
 * stand in the context in file-tree order. The length of the context tells both sides which they
 * are.
 */
#ifndef SWARM_CONTEXT_H
#define SWARM_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file of the old manifest, in its order. */
struct context_file {
	uint64_t size;
	bool gone; /* the delta removes it, or names its path with other content */
	bool chosen;
};

/* Chooses as many as fit into `limit` bytes; returns their length. */
uint64_t context_choose(struct context_file *files, size_t count, uint64_t limit);
/* Chooses those of a context of `length` bytes; false if there is none of this length. */
bool context_match(struct context_file *files, size_t count, uint64_t length);

#endif
