/*
 * statement: what all envelopes hold, an in-toto Statement v1 about one document, on one line, keys
 * in this order:
 *
 *   {"_type":"https://in-toto.io/Statement/v1",
 *    "subject":[{"name":S,"digest":{"sha256":HEX}}],
 *    "predicateType":S,"predicate":{...}}
 */
#ifndef SWARM_STATEMENT_H
#define SWARM_STATEMENT_H

#include <stdint.h>

#include "swarm/jsonl.h"
#include "swarm/sha256.h"

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"

/* Starts the statement and its predicate, whose members and two ends are the caller's to write. */
void statement_open(struct jsonl_writer *w, const char *subject,
		    const uint8_t digest[static SHA256_SIZE], const char *predicate_type);

/* Takes both types out of `o` and returns the predicate. */
struct jsonl_object *statement_get_predicate(struct jsonl_object *o, const char *predicate_type);
/* Takes the one subject out of `o`, which must have this name. */
void statement_get_subject(struct jsonl_object *o, const char *name,
			   uint8_t ret_digest[static SHA256_SIZE]);

#endif
