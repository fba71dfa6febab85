/*
 * part: the first line of a part of an inventory: what one of several jobs has hashed of a tree.
 *
 *   part      = part-line *file-line           the file lines of entry.h, in file-tree order
 *   part-line = {"swarm":"part/1","shard":"K/N","piece_length":N,"sha256":B,"files":N,"bytes":N,
 *                "listing":HEX,"guards":HEX,"own_files":N,"own_bytes":N,"own_digest":HEX}
 *
 *   shard          the K-th of N parts: 1 <= K <= N <= 65535
 *   sha256         whether file lines have plain digests
 *   files, bytes   of the whole inventory; at least one file
 *   listing        SHA-256 of the whole inventory's file lines without what takes hashing (sha256,
 *                  root, pieces), each with its line feed
 *   guards         SHA-256 of what content was held against: part_judges()
 *   own_files, own_bytes, own_digest   count of the lines that follow, sum of their sizes, and the
 *                  SHA-256 of their bytes; there may be none
 */
#ifndef SWARM_PART_H
#define SWARM_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/guardlist.h"
#include "swarm/sha256.h"

#define PART_SHARDS_MAX 65535

struct part_shard {
	uint32_t number; /* from 1 */
	uint32_t count;  /* 0: the whole, not a part */
};

struct part {
	struct part_shard shard;
	uint64_t piece_length;
	bool plain;
	uint64_t files, bytes;
	uint8_t listing[SHA256_SIZE];
	uint8_t guards[SHA256_SIZE];
	uint64_t own_files, own_bytes;
	uint8_t own_digest[SHA256_SIZE];
};

/* "2/4" and nothing like it. */
bool part_parse_shard(const char *text, struct part_shard *ret);

/* Appends the line without its line feed. */
void part_format(struct buf *to, const struct part *part);
/* ERR_MALFORMED says what is wrong; the caller puts the place in front. */
ERR_CHECK int part_parse(const char *line, size_t len, struct part *ret, struct err *e);

/* Adds the next file to the digest of a listing; `room` is a buf to work in. */
ERR_CHECK int part_list(struct sha256 *listing, struct buf *room, const struct entry *entry,
			struct err *e);
/*
 * The digest of what content is held against: the built-in guards, which are those of a version of
 * the tools, and what the rules say of guards.
 */
ERR_CHECK int part_judges(const struct guardlist *list, uint8_t ret[static SHA256_SIZE],
			  struct err *e);

#endif
