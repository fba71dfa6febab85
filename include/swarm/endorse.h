/*
 * endorse: signs a delta, or adds signatures to one that is signed.
 *
 * All of it is read and checked on the way; a delta expires no more than a manifest's body does.
 */
#ifndef SWARM_ENDORSE_H
#define SWARM_ENDORSE_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/buf.h"
#include "swarm/delta.h"
#include "swarm/document.h"
#include "swarm/err.h"
#include "swarm/jsonl.h"
#include "swarm/key.h"
#include "swarm/pledge.h"
#include "swarm/scratch.h"
#include "swarm/tally.h"
#include "swarm/trust.h"

struct endorse_request {
	bool add_signature;
	struct key *const *keys; /* all sign */
	size_t key_count;
	const struct trust *trust; /* with add_signature: whose signature makes it genuine */
	const char *out;           /* "-" is standard output */
	bool force;                /* may replace what stands there */
};

/* What a signed delta says. */
struct endorse {
	struct pledge pledge;
	struct delta_header header;
	struct tally tally;
};

/*
 * Does it; `ret` is what was signed. ERR_USAGE for a delta that is signed already, unless a
 * signature is to be added. On failure no output has appeared.
 */
ERR_CHECK int endorse_run(struct document *in, const struct endorse_request *request,
			  struct scratch *scratch, struct endorse *ret, struct err *e);

/* Reads all lines of a delta into ret->header and ret->tally. */
ERR_CHECK int endorse_read(struct recipe *recipe, struct endorse *ret, struct err *e);

/* Appends "farm 1.0.1 -> 1.0.2 (stable, serial 41 -> 42)". */
void endorse_name(struct buf *to, const struct pledge *pledge);
/* Writes "product", "channel", "from", "to", "bytes" and "sha256". */
void endorse_put(struct jsonl_writer *w, const struct pledge *pledge);
/* Appends a line for people: what was signed; `only_signatures`: it was signed before. */
void endorse_describe(struct buf *to, const struct endorse *endorse, bool only_signatures);
/* Appends a JSON line of the same. */
void endorse_format(struct buf *to, const struct endorse *endorse);

#endif
