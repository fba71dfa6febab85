/*
 * roll: the body of a manifest as raw lines. A line is known by its path alone; nothing else of it
 * is parsed unless the reader asks, so that two rolls of a million lines are compared in the time
 * that it takes to hash them.
 *
 * Checked of every line: that it begins with a path, file-tree order, no path twice, none the
 * parent of another; at the end the number of lines. The SHA-256 of every byte comes from the same
 * pass.
 */
#ifndef SWARM_ROLL_H
#define SWARM_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/document.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/header.h"
#include "swarm/sha256.h"

struct roll;

/*
 * Starts to read the body of a manifest (borrowed; nobody else reads it meanwhile) and parses the
 * header. ERR_UNTRUSTED: it is no manifest.
 */
struct roll *roll_open(struct document *d, struct err *e);
void roll_close(struct roll *r);
const struct header *roll_header(const struct roll *r);
const char *roll_name(const struct roll *r);
/* 1: there is a next line; 0 after the last one; -1 on failure. */
ERR_CHECK int roll_next(struct roll *r, struct err *e);
/* Its path, and all of it without its line feed, until the next roll_next(). */
const char *roll_path(const struct roll *r);
const char *roll_line(const struct roll *r, size_t *ret_len);
/* Parses it, see entry_parse(); ERR_MALFORMED says where it stands. */
ERR_CHECK int roll_parse(const struct roll *r, struct arena *arena, struct entry *ret,
			 struct err *e);
/* Puts where the line stands in front of a message. Returns -1. */
int roll_locate(const struct roll *r, struct err *e);
/* After the last line: digest and length of the body. */
void roll_digest(const struct roll *r, uint8_t digest[static SHA256_SIZE], uint64_t *ret_bytes);
/*
 * After the last line: whether the body is the one that the manifest's own last line is about,
 * whose signature nobody looks at. ERR_UNTRUSTED: it is not.
 */
ERR_CHECK int roll_check(const struct roll *r, struct err *e);

/* What a line says of its file's content, without parsing it. */
struct roll_content {
	uint64_t size;
	const char *root;   /* 64 hex digits; NULL for an empty file */
	const char *pieces; /* base64, pieces_len characters; NULL: none */
	size_t pieces_len;
};

/* Whether the line begins as all lines do; else it will not parse either. */
bool roll_content(const struct roll *r, struct roll_content *ret);

#endif
