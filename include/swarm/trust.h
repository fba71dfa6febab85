/*
 * trust: which keys a caller believes, and whether a head may be believed.
 *
 * Every trusted key is tried on every signature: a keyid is a hint and decides nothing; signatures
 * that are invalid or of unknown keys are ignored. The threshold counts distinct public keys.
 */
#ifndef SWARM_TRUST_H
#define SWARM_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/document.h"
#include "swarm/envelope.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/key.h"
#include "swarm/listing.h"
#include "swarm/opt.h"
#include "swarm/pledge.h"
#include "swarm/recipe.h"

struct trust;

struct trust *trust_new(struct err *e);
void trust_free(struct trust *t);
/*
 * Adds every public key of a PEM file; a key that is there already is not added twice. ERR_CONFIG
 * beyond 64 keys.
 */
ERR_CHECK int trust_add_file(struct trust *t, const char *path, struct err *e);
/* Adds the files of a list joined by ':' (as $SWARM_TRUST holds it); empty names are skipped. */
ERR_CHECK int trust_add_list(struct trust *t, const char *paths, struct err *e);
/* Adds the public half of `key`, which stays the caller's and must outlive `t`. */
ERR_CHECK int trust_add_key(struct trust *t, const struct key *key, struct err *e);
size_t trust_count(const struct trust *t);
/* ERR_USAGE for 0 or more than there are keys. 1 until set. Call it after the last key was added.
 */
ERR_CHECK int trust_set_threshold(struct trust *t, uint64_t threshold, struct err *e);

/*
 * What --trust and --threshold ask for: the keys of these files, or where there are none, of the
 * list (what $SWARM_TRUST holds; NULL: it is not set). ERR_USAGE if that is no key at all.
 */
struct trust *trust_load(const struct opt_list *files, const char *list,
			 const struct opt_number *threshold, struct err *e);

/* Whose valid signatures an envelope bears: each key once, and by each signature one key. */
struct trust_signers {
	size_t count;
	const char *keyids[ENVELOPE_SIGNATURES]; /* borrowed from the trust */
};

/*
 * Checks the signatures against keys and threshold, over the payload's exact bytes. ERR_UNTRUSTED
 * if there are too few valid ones; `name` is what messages call the document. *ret is filled either
 * way.
 */
ERR_CHECK int trust_check(const struct trust *t, const struct envelope *v, const char *name,
			  struct trust_signers *ret, struct err *e);

/* The usual beginning of everything: trust_check(), then head_parse() of the same bytes. */
ERR_CHECK int trust_head(const struct trust *t, const struct document *d, struct head *ret,
			 struct trust_signers *ret_signers, struct err *e);
/* The same of a delta: trust_check(), pledge_parse(), and the length of what was signed. */
ERR_CHECK int trust_delta(const struct trust *t, const struct document *d, struct pledge *ret,
			  struct trust_signers *ret_signers, struct err *e);

/*
 * Reads the body of a manifest and checks it against a trusted head, which need not be the one at
 * its end: first line, length, digest. ERR_UNTRUSTED if it is another body, or no manifest. `ret`
 * is released by listing_release(), also after a failure.
 */
ERR_CHECK int trust_listing(struct document *d, const struct head *head, struct listing *ret,
			    struct err *e);

/*
 * Whether a body that has been read to its end is the one that `head` is about: ERR_UNTRUSTED if
 * not. For those who read a body themselves instead of by trust_listing().
 */
ERR_CHECK int trust_body(const struct body *body, const char *name, const struct head *head,
			 struct err *e);
/* The same of a delta that has been read to its end, `p` being what trust_delta() returned. */
ERR_CHECK int trust_recipe(const struct recipe *r, const char *name, const struct pledge *p,
			   struct err *e);
/* As trust_body(), for those who know only the first line, digest and length. */
ERR_CHECK int trust_digest(const struct header *header, const uint8_t digest[static SHA256_SIZE],
			   uint64_t bytes, const char *name, const struct head *head,
			   struct err *e);

#endif
