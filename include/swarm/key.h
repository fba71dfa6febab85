/*
 * key: keys that sign and verify: Ed25519 (RFC 8032) and ECDSA over P-256 with SHA-256, signatures
 * in DER. Files are PEM: PKCS#8 (also encrypted) or SEC 1 for private keys, SubjectPublicKeyInfo
 * for public ones.
 *
 * A curve must be named; one that is spelt out is refused even where it is P-256. A PEM file is at
 * most 64 KiB; text between its blocks is ignored, a block of another kind is an error.
 *
 * The keyid is the hex SHA-256 of the DER SubjectPublicKeyInfo (named curve, uncompressed point),
 * so a key has one keyid whatever file it came from.
 */
#ifndef SWARM_KEY_H
#define SWARM_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

#define KEY_ID_SIZE (2 * 32 + 1)
#define KEY_SIG_MAX ((size_t)128)

struct key;

/*
 * Loads a private key from a file, or from the environment variable NAME if spec is "env:NAME".
 * `passphrase` may be NULL; it is used only if the key is encrypted, and nothing ever prompts.
 * *ret_exposed: the file can be read by group or others. All failures are ERR_CONFIG or ERR_SYSTEM
 * and never quote the key or the passphrase.
 */
struct key *key_load_private(const char *spec, const char *passphrase, bool *ret_exposed,
			     struct err *e);
/*
 * Loads every public key of a PEM file into a new array, *ret_count of them (at least one). The
 * caller frees each with key_free() and the array with free(). A private key in the file is
 * ERR_CONFIG: whoever hands one out by mistake should hear of it.
 */
struct key **key_load_public(const char *path, size_t *ret_count, struct err *e);
/* The same from memory, `name` standing for the file in messages. */
struct key **key_parse_public(const char *name, const char *text, size_t len, size_t *ret_count,
			      struct err *e);
/* A new Ed25519 key. */
struct key *key_generate(struct err *e);
/* Wipes it. */
void key_free(struct key *k);

/* 64 hex digits. Borrowed. */
const char *key_id(const struct key *k);
/* "Ed25519" or "ECDSA P-256". */
const char *key_algorithm(const struct key *k);

/* Appends PEM. The private one is encrypted (PKCS#8, PBES2, AES-256) if there is a passphrase. */
ERR_CHECK int key_format_private(const struct key *k, const char *passphrase, struct buf *to,
				 struct err *e);
ERR_CHECK int key_format_public(const struct key *k, struct buf *to, struct err *e);

/* Signs `len` bytes; at most KEY_SIG_MAX bytes to `sig`. */
ERR_CHECK int key_sign(const struct key *k, const void *bytes, size_t len, uint8_t *sig,
		       size_t *ret_len, struct err *e);
/* Whether `sig` is k's signature of these bytes. A malformed signature is simply none. */
bool key_verify(const struct key *k, const void *bytes, size_t len, const uint8_t *sig,
		size_t sig_len);

/*
 * Whether two valid signatures share their random part R (RFC 8032; r of ECDSA), so that one may
 * have been made from the other: an ECDSA signature (r, s) gives (r, n-s), and fits a second key
 * that can be computed from it. Two signers never share it.
 */
bool key_shares_nonce(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/*
 * Reads a passphrase: a file descriptor up to its first line feed or end and no byte further, or an
 * environment variable, appended to `to` (wipe it with buf_wipe()). It is taken as it is: a
 * carriage return or a space at its end belongs to it, as for openssl. ERR_CONFIG: an empty
 * one, a NUL byte in it, more than 1024 bytes.
 */
ERR_CHECK int key_passphrase_fd(int fd, struct buf *to, struct err *e);
ERR_CHECK int key_passphrase_env(const char *name, struct buf *to, struct err *e);

#endif
