/*
 * step: a line of an upload plan: what is to be done to one object of a store.
 *
 *   line = {"op":OP,"class":CLASS,"key":K,"from":K,"source":P,"size":N,"sha256":HEX,
 *           "multipart":true,"checksum":B64,"type":T,"cache":C,"head":true}
 *                                                        keys in this order, on one line
 *
 *   op         put | copy | delete
 *   class      content | payload | delta | manifest | head
 *   key        the name of the object
 *   from       of a copy: the name of an object whose bytes, type and cache are the same
 *   source     of a put: the file with the bytes
 *   size, sha256      not of a delete
 *   multipart  where size > STEP_SINGLE_MAX, and then there is no checksum: a store does not take
 *              that much at once, and its checksum of parts is another one
 *   checksum   sha256 as x-amz-checksum-sha256 spells it
 *   type, cache       Content-Type and Cache-Control; not of a delete; cache only where it applies
 *   head       the bytes are the last line of `source` with its line feed: size and sha256 are too
 */
#ifndef SWARM_STEP_H
#define SWARM_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/buf.h"

/* 5 GiB: what S3 takes in one request. */
#define STEP_SINGLE_MAX (UINT64_C(5) << 30)

enum step_op {
	STEP_PUT,
	STEP_COPY,
	STEP_DELETE,
};

/* In the order in which they may appear in a store. */
enum step_class {
	STEP_CONTENT,
	STEP_PAYLOAD,
	STEP_DELTA,
	STEP_MANIFEST,
	STEP_HEAD,
};

struct step {
	enum step_op op;
	enum step_class class;
	const char *key, *from, *source; /* UTF-8 without control characters, as all text here */
	uint64_t size;
	const uint8_t *sha256; /* SHA256_SIZE bytes */
	const char *type, *cache;
	bool head;
};

/* Appends the line with its line feed. */
void step_format(struct buf *to, const struct step *step);

#endif
