/*
 * envelope: a DSSE envelope (github.com/secure-systems-lab/dsse, protocol 1.0.2).
 *
 *   {"payloadType":"application/vnd.in-toto+json","payload":B64,
 *    "signatures":[{"keyid":HEX,"sig":B64}, ...]}
 *
 * What is signed is the pre-authentication encoding of type and payload, so nothing is ever
 * canonicalised to verify: check the signatures over the exact bytes, then parse those bytes.
 * Other tools write envelopes too: white space and the order of keys are free, but all of it stands
 * on one line of at most 16 KiB, with at most 16 signatures.
 */
#ifndef SWARM_ENVELOPE_H
#define SWARM_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

#define ENVELOPE_MAX        ((size_t)16 * 1024)
#define ENVELOPE_SIGNATURES 16
#define ENVELOPE_TYPE       "application/vnd.in-toto+json"
#define ENVELOPE_KEYID_MAX  128
#define ENVELOPE_SIG_MAX    512

struct envelope_signature {
	char keyid[ENVELOPE_KEYID_MAX + 1]; /* a hint, never trusted; "" if the writer gave none */
	uint8_t sig[ENVELOPE_SIG_MAX];
	size_t sig_len;
};

struct envelope {
	struct buf payload;
	struct envelope_signature signatures[ENVELOPE_SIGNATURES];
	size_t signature_count;
};

void envelope_init(struct envelope *v);
void envelope_release(struct envelope *v);

/* Parses one line without its line feed into `ret` (initialised). No signature at all is an error.
 */
ERR_CHECK int envelope_parse(const char *line, size_t len, struct envelope *ret, struct err *e);
/* Appends the line without its line feed, signatures sorted by keyid. */
void envelope_format(struct buf *to, const struct envelope *v);
/* Adds a signature, in place of one with the same keyid; ERR_USAGE beyond 16. */
ERR_CHECK int envelope_add(struct envelope *v, const char *keyid, const uint8_t *sig,
			   size_t sig_len, struct err *e);
/* Appends what is signed: "DSSEv1" SP len(type) SP type SP len(payload) SP payload. */
void envelope_preauth(struct buf *to, const void *payload, size_t len);

#endif
