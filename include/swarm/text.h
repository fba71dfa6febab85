/* text: what people read and write: hostile bytes made printable, UTF-8, near misses. */
#ifndef SWARM_TEXT_H
#define SWARM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/buf.h"

/*
 * Appends `text` so that it stays on one line and cannot steer a terminal: control characters
 * (U+0000-1F, U+007F-9F), the marks that reorder or hide text (U+061C, U+200B-200F,
 * U+2028-202E, U+2060-2069, U+FEFF, U+E0000-E007F) and bytes that are not UTF-8 become \xNN.
 * Everything else is left alone, a backslash too: this is for eyes, not for a parser.
 */
void text_printable(struct buf *to, const char *text, size_t len);

/*
 * Length in bytes (1-4) of the well-formed UTF-8 sequence at `text`, and its code point in
 * *ret_point; 0 where there is none (RFC 3629: no surrogates, no overlong forms).
 */
size_t text_utf8(const char *text, size_t len, unsigned long *ret_point);

/*
 * The word that was probably meant: of the NULL-terminated list `words` the nearest to `word`, or
 * NULL if none is near (edit distance over a third of the longer one's length).
 */
const char *text_nearest(const char *word, const char *const *words);

/* Appends 1234567 as "1,234,567". */
void text_count(struct buf *to, unsigned long long n);
/* Appends bytes for people: "123 bytes", "41.3 MB" (powers of 1000). */
void text_bytes(struct buf *to, unsigned long long n);
/* Appends "1 file" or "2,000 files": `noun` takes an s. */
void text_plural(struct buf *to, unsigned long long n, const char *noun);

#endif
