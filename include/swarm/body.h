/*
 * body: the header line and the file lines of an inventory or a manifest, read one at a time; those
 * of a part likewise.
 *
 *   inventory = body
 *   manifest  = body envelope-line
 *   body      = header-line 1*file-line
 *
 * Each line is checked as it comes: spelling (header.h, entry.h), file-tree order, no path twice,
 * none the parent of another; at the end the counts. The SHA-256 of every byte comes from the same
 * pass, so that what was hashed is what was parsed.
 */
#ifndef SWARM_BODY_H
#define SWARM_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/header.h"
#include "swarm/part.h"
#include "swarm/sha256.h"

/* Longest line of a document. */
#define BODY_LINE_MAX ((size_t)64 * 1024 * 1024)

struct body;

/*
 * Starts to read a body at fd (borrowed, as is `name`, which messages call it), which is `length`
 * bytes long or ends before, and reads the header. A manifest's envelope is not part of it.
 */
struct body *body_open(int fd, uint64_t length, const char *name, struct err *e);
/*
 * The same for a part (part.h), whose first line is put into `ret`. Its header counts what is its
 * own, and its digest leaves out the first line.
 */
struct body *body_open_part(int fd, const char *name, struct part *ret, struct err *e);
void body_close(struct body *b);
const struct header *body_header(const struct body *b);
/* 1 with the next file (in `arena`), 0 after the last one, -1 on failure. */
ERR_CHECK int body_next(struct body *b, struct arena *arena, struct entry *ret, struct err *e);
/* The raw bytes of the line that body_next() returned last, without its line feed. */
const char *body_line(const struct body *b, size_t *ret_len);
/* After the last file: the digest and length of the body. */
void body_digest(const struct body *b, uint8_t digest[static SHA256_SIZE], uint64_t *ret_bytes);

#endif
