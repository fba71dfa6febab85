/*
 * fold: names as a file system sees them to which neither case nor the spelling of accents matters:
 * Unicode NFC after full case folding (C + F of CaseFolding.txt).
 */
#ifndef SWARM_FOLD_H
#define SWARM_FOLD_H

#include <stdbool.h>

#include "swarm/buf.h"
#include "swarm/err.h"

/*
 * Sets `to` to the folded form of `text`, well-formed UTF-8 (else ERR_MALFORMED). Folding again
 * changes nothing.
 */
ERR_CHECK int fold_text(struct buf *to, const char *text, struct err *e);
/* The same for a name of any bytes: of what is not UTF-8, only ASCII letters are folded. */
ERR_CHECK int fold_name(struct buf *to, const char *name, struct err *e);
/* Whether the text is ASCII, of which there is one spelling. */
bool fold_is_ascii(const char *text);
/* Sets `to` to the text in NFC; case stays. The same errors. */
ERR_CHECK int fold_spelling(struct buf *to, const char *text, struct err *e);

#endif
