/* cause: why an update of a file costs what it costs, from its old and its new content. */
#ifndef SWARM_CAUSE_H
#define SWARM_CAUSE_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

enum cause_kind {
	CAUSE_NEW,          /* nothing old resembles it */
	CAUSE_RECOMPRESSED, /* a compressed format: the same content, packed in another way */
	CAUSE_TINY_CHANGE,  /* a compressed format: most of the content inside is the same */
	CAUSE_COMPRESSED,   /* a compressed format: what is inside differs, or cannot be seen */
	CAUSE_REORDERED,    /* an archive with the same members in another order, or other times */
	CAUSE_SHIFTED,      /* the bytes are there, at other offsets: pieces do not match */
	CAUSE_SCATTERED,    /* small differences all over, such as addresses in a program */
	CAUSE_REWRITTEN,    /* most bytes are not in the old file */
	CAUSE_GROWN,        /* the old content, and more of it */
	CAUSE_SHORTENED,    /* the beginning of the old content, and no more */
	CAUSE_EDITED,       /* some places differ */
};

struct cause {
	enum cause_kind kind;
	uint64_t shared;  /* bytes of the new file that stand in the old one too, about */
	char detail[120]; /* completes it: "shifted: 97 % of its bytes stand in ...", or "" */
};

/* "new", "recompressed", "tiny-change", ... : as in JSON. */
const char *cause_name(enum cause_kind kind);

/*
 * Judges; old NULL: there is none. It looks into gzip and PNG, and at the directory of a zip file;
 * other compressed formats are known by their first bytes only, and Brotli has none to be known by.
 * Memory stays within `memory` bytes besides both, give or take a mebibyte.
 */
ERR_CHECK int cause_find(const uint8_t *old, size_t old_len, const uint8_t *new, size_t new_len,
			 uint64_t memory, struct cause *ret, struct err *e);

#endif
