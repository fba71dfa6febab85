/*
 * pledge: what the envelope of a delta says, an in-toto Statement v1 on one line, keys in this
 * order:
 *
 *   {"_type":"https://in-toto.io/Statement/v1",
 *    "subject":[{"name":"<product>-<from.version>-<to.version>.delta","digest":{"sha256":HEX}}],
 *    "predicateType":"tag:swarm.invalid,2026:delta/v1",
 *    "predicate":{"product":S,"channel":S,"from":{"version":S,"serial":N,"sha256":HEX},
 *      "to":{"version":S,"serial":N,"sha256":HEX},"delta":{"bytes":N}}}
 *
 * digest and delta.bytes are of every byte before the envelope's line.
 */
#ifndef SWARM_PLEDGE_H
#define SWARM_PLEDGE_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/delta.h"
#include "swarm/err.h"
#include "swarm/sha256.h"

#define PLEDGE_PREDICATE "tag:swarm.invalid,2026:delta/v1"

struct pledge {
	char product[HEADER_PRODUCT_MAX + 1];
	char channel[HEADER_PRODUCT_MAX + 1];
	struct delta_end from, to;
	uint8_t digest[SHA256_SIZE];
	uint64_t bytes;
};

/* Appends the statement. */
void pledge_format(struct buf *to, const struct pledge *pledge);
/* Parses a statement in that one spelling. ERR_MALFORMED says what is wrong. */
ERR_CHECK int pledge_parse(const char *text, size_t len, struct pledge *ret, struct err *e);
/* What is to be signed of a delta with this first line. */
void pledge_of(const struct delta_header *header, const uint8_t digest[static SHA256_SIZE],
	       uint64_t bytes, struct pledge *ret);

#endif
