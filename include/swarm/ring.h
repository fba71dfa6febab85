/* ring: the private keys that sign, and the public ones that make an input genuine. */
#ifndef SWARM_RING_H
#define SWARM_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/key.h"
#include "swarm/opt.h"
#include "swarm/scratch.h"
#include "swarm/trust.h"

struct ring_options {
	const char *const *keys; /* files or env:NAME, as in key_load_private() */
	size_t key_count;
	const char *const *trust; /* files of public keys; those of `keys` are trusted as well */
	size_t trust_count;
	const char *passphrase; /* NULL: none */
};

struct ring {
	struct key **keys;
	size_t count;
	struct trust *trust;
	/* Files of private keys that others can read; names borrowed from the options. */
	const char **exposed;
	size_t exposed_count;
};

/*
 * Appends the passphrase that stands in the environment variable `env` (NULL: none is named) or
 * comes through the file descriptor `fd`; nothing where neither is given, ERR_USAGE where both are.
 */
ERR_CHECK int ring_passphrase(const char *env, const struct opt_number *fd, struct buf *ret,
			      struct err *e);
/* ERR_USAGE if `output` (NULL: there is none) is one of the keys' files. */
ERR_CHECK int ring_check_output(const struct ring_options *options, const char *output,
				struct err *e);
/* `ret` is released with ring_release(), also after a failure. */
ERR_CHECK int ring_load(const struct ring_options *options, struct ring *ret, struct err *e);
void ring_release(struct ring *r);

/*
 * Makes an Ed25519 key: PREFIX.key (mode 0600, encrypted if there is a passphrase) and PREFIX.pub.
 * ret_keyid has room for KEY_ID_SIZE.
 */
ERR_CHECK int ring_generate(const char *prefix, const char *passphrase, bool force,
			    struct scratch *scratch, char *ret_keyid, struct err *e);
/* Appends a JSON line of it: {"key":FILE,"public":FILE,"encrypted":B,"keyid":HEX}. */
void ring_format_key(struct buf *to, const char *prefix, bool encrypted, const char *keyid);

#endif
