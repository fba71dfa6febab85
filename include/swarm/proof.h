/*
 * proof: whether the bytes that pass are those of the file that a manifest speaks of: as many, with
 * its root, and with its plain digest if it has one.
 */
#ifndef SWARM_PROOF_H
#define SWARM_PROOF_H

#include <stddef.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/stock.h"

struct proof;

struct proof *proof_new(struct err *e);
void proof_free(struct proof *p);
/* Starts with a file (borrowed until the end), forgetting what came before. */
void proof_begin(struct proof *p, const struct entry *entry);
/* The next bytes; ERR_UNTRUSTED as soon as there are more than the file has. */
ERR_CHECK int proof_update(struct proof *p, const void *bytes, size_t len, struct err *e);
/* After the last ones: ERR_UNTRUSTED where they are not the file's. Messages do not name it. */
ERR_CHECK int proof_end(struct proof *p, struct err *e);

/* How many bytes the next two read at a time, to `block`. */
#define PROOF_BLOCK ((size_t)256 * 1024)

/* Reads an open descriptor from its start and proves it; `name` is what messages call it. */
ERR_CHECK int proof_read(struct proof *p, int fd, const struct entry *entry, char *block,
			 const char *name, struct err *e);
/*
 * Reads the file that stands at entry's path in `stock` and proves it. ERR_REFUSED: it is not
 * there; ERR_UNTRUSTED: it is another one. Messages name it.
 */
ERR_CHECK int proof_stock(struct proof *p, const struct stock *stock, const struct entry *entry,
			  char *block, struct err *e);

#endif
