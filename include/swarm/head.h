/*
 * head: what a release's envelope says, an in-toto Statement v1 on one line, keys in this order:
 *
 *   {"_type":"https://in-toto.io/Statement/v1",
 *    "subject":[{"name":"<product>-<version>.manifest","digest":{"sha256":HEX}}],
 *    "predicateType":"tag:swarm.invalid,2026:release/v1",
 *    "predicate":{"product":S,"channel":S,"version":S,"serial":N,
 *      "manifest":{"bytes":N,"files":N},"issued":TIME,"expires":TIME,
 *      "rollout":{"start":TIME,"window":N},                         optional
 *      "previous":{"version":S,"serial":N,"sha256":HEX},            optional
 *      "btmh":HEX,                     unless no non-empty file is public
 *      "hybrid":{"btmh":HEX,"btih":HEX}}}                           optional
 *
 * digest and manifest.bytes are of the manifest's body. Times are `YYYY-MM-DDTHH:MM:SSZ`; expires
 * is after issued. rollout.window is in seconds: each client waits a random part of it after
 * `start` before it switches. btmh is the BEP 52 infohash of the public files, see info.h.
 */
#ifndef SWARM_HEAD_H
#define SWARM_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/header.h"
#include "swarm/sha256.h"

#define HEAD_PREDICATE "tag:swarm.invalid,2026:release/v1"
#define HEAD_BTIH_SIZE 20

struct head {
	struct release_id id;
	uint8_t digest[SHA256_SIZE]; /* of the manifest's body */
	uint64_t bytes;              /* length of the manifest's body */
	uint64_t files;
	int64_t issued, expires;
	bool has_rollout;
	int64_t rollout_start;
	uint64_t rollout_window; /* seconds */
	bool has_previous;
	struct {
		char version[HEADER_VERSION_MAX + 1];
		uint64_t serial;
		uint8_t digest[SHA256_SIZE];
	} previous;
	bool has_btmh;
	uint8_t btmh[SHA256_SIZE];
	bool has_hybrid;
	uint8_t hybrid_btmh[SHA256_SIZE];
	uint8_t hybrid_btih[HEAD_BTIH_SIZE];
};

/* Appends the statement. */
void head_format(struct buf *to, const struct head *head);
/* Parses a statement in that one spelling. ERR_MALFORMED says what is wrong. */
ERR_CHECK int head_parse(const char *text, size_t len, struct head *ret, struct err *e);

#endif
