/*
 * document: a file that somebody handed us, opened so that its signature can be looked at before
 * its content is read.
 *
 * What arrives through a pipe is first copied to a nameless temporary file.
 */
#ifndef SWARM_DOCUMENT_H
#define SWARM_DOCUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/body.h"
#include "swarm/envelope.h"
#include "swarm/err.h"
#include "swarm/io.h"
#include "swarm/recipe.h"

enum document_kind {
	DOCUMENT_INVENTORY,
	DOCUMENT_MANIFEST,
	DOCUMENT_DELTA, /* from swarmdiff, unsigned, or from swarmsign */
	DOCUMENT_HEAD,  /* an envelope on its own */
};

struct document;

/*
 * Opens `path` ("-" is standard input) and tells from its first line what it is. ERR_MALFORMED if
 * it is none of the above, ERR_USAGE if it is a part of an inventory (part.h).
 */
struct document *document_open(const char *path, struct err *e);
void document_close(struct document *d);
enum document_kind document_kind(const struct document *d);
/* What messages call it. */
const char *document_name(const struct document *d);
/* Whether it has an envelope: an inventory never, a delta only after swarmsign. */
bool document_is_signed(const struct document *d);
/*
 * The envelope of a manifest or a delta (its last line) or head. `ret` is initialised.
 * ERR_UNTRUSTED for an inventory, and for a delta that is not signed.
 */
ERR_CHECK int document_envelope(const struct document *d, struct envelope *ret, struct err *e);
/* How long it is without its envelope, in bytes; 0 for a head. */
uint64_t document_body_bytes(const struct document *d);
/*
 * Reads the body of an inventory or a manifest, the lines of a delta, from the start; the caller
 * closes it before the document. ERR_USAGE for a document of another kind.
 */
struct body *document_body(struct document *d, struct err *e);
struct recipe *document_recipe(struct document *d, struct err *e);
/*
 * Reads the body from its start as lines that nobody has looked at; `ret` is released before the
 * document is closed, also after a failure.
 */
ERR_CHECK int document_lines(struct document *d, struct io_lines *ret, struct err *e);

#endif
