/*
 * entry: one file of a release, and the line that stands for it in inventories, manifests and
 * deltas.
 *
 *   line = {"path":P,"size":N,"label":L,"sha256":HEX,"root":HEX,"pieces":B64,
 *           "exec":true,"type":T,"cache":C,"hot":N}        keys in this order, on one line
 *
 *   path     see path_unportable() for what it cannot be
 *   label    public | origin; a private file is never listed
 *   sha256   the plain digest; all lines of a document have it, or none
 *   root     where size > 0: BEP 52 `pieces root`
 *   pieces   where size > piece_length: the BEP 52 `piece layers` value, ceil(size / piece_length)
 *            hashes of 32 bytes that give the root
 *   exec, type, cache, hot   only where they apply; type and cache: 1-255 printable ASCII
 *            characters; hot: floor(log2(rank by bytes served)), at most 63
 */
#ifndef SWARM_ENTRY_H
#define SWARM_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/label.h"
#include "swarm/merkle.h"
#include "swarm/sha256.h"

#define ENTRY_NOT_HOT (-1)
#define ENTRY_HOT_MAX 63

struct entry {
	const char *path;
	uint64_t size; /* bytes */
	enum label label;
	bool has_sha256;
	uint8_t sha256[SHA256_SIZE];
	uint8_t root[SHA256_SIZE]; /* zeros where size is 0 */
	const uint8_t *pieces;     /* piece_count hashes, or NULL */
	size_t piece_count;
	bool exec;
	const char *type;  /* NULL if none */
	const char *cache; /* NULL if none */
	int hot;           /* ENTRY_NOT_HOT if not */
};

/*
 * Whether both files have the same bytes: size and root tell, whatever the path, the label or the
 * plain digest, which not every document has.
 */
bool entry_same_content(const struct entry *a, const struct entry *b);

/* Whether `text` can be a `type` or `cache`. */
bool entry_is_attribute(const char *text);

/* Appends the line without its line feed. */
void entry_format(struct buf *to, const struct entry *entry);
/* The same without what takes hashing: sha256, root and pieces. */
void entry_format_judged(struct buf *to, const struct entry *entry);

/*
 * Parses a line (without its line feed) and checks all that can be checked on it alone: the one
 * spelling, the path, and that the pieces give the root. What `ret` points to lives in `arena`.
 * ERR_MALFORMED says what is wrong; the caller puts the place in front.
 */
ERR_CHECK int entry_parse(const char *line, size_t len, uint64_t piece_length, struct arena *arena,
			  struct entry *ret, struct err *e);

#endif
