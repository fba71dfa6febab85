/*
 * document: a file that somebody handed us, opened so that its signature can be looked at before
 * its content is read.
 *
 * What arrives through a pipe is first copied to a nameless temporary file.
 */
#ifndef SWARM_DOCUMENT_H
#define SWARM_DOCUMENT_H

#include <stdint.h>

#include "swarm/body.h"
#include "swarm/envelope.h"
#include "swarm/err.h"

enum document_kind {
	DOCUMENT_INVENTORY,
	DOCUMENT_MANIFEST,
	DOCUMENT_HEAD, /* an envelope on its own */
};

struct document;

/*
 * Opens `path` ("-" is standard input) and tells from its first line what it is. ERR_MALFORMED if
 * it is none of the above.
 */
struct document *document_open(const char *path, struct err *e);
void document_close(struct document *d);
enum document_kind document_kind(const struct document *d);
/* What messages call it. */
const char *document_name(const struct document *d);
/* The envelope of a manifest (its last line) or head. `ret` is initialised. */
ERR_CHECK int document_envelope(const struct document *d, struct envelope *ret, struct err *e);
/* How long the body is, in bytes; 0 for a head. */
uint64_t document_body_bytes(const struct document *d);
/* Reads the body from its start; the caller closes it before the document. Not for a head. */
struct body *document_body(struct document *d, struct err *e);

#endif
