/*
 * patterns: many regular expressions, looked for in one pass over the bytes of a file.
 *
 * What matches is for PCRE2 to say (bytes, not characters; ^ and $ at lines). Since that would be a
 * pass for each of them, Hyperscan (or Vectorscan) says first which of them can be in a stretch of
 * bytes at all. Where it is missing, or cannot read an expression, PCRE2 looks everywhere: slower,
 * never less.
 *
 * Bytes come in blocks of any size. A match is found wherever blocks meet if it has at most
 * PATTERNS_MATCH_MAX bytes.
 */
#ifndef SWARM_PATTERNS_H
#define SWARM_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"

#define PATTERNS_MATCH_MAX ((size_t)8192)

enum patterns_engine {
	PATTERNS_FASTEST, /* Hyperscan if it is there and the processor can do it */
	PATTERNS_PCRE2,   /* PCRE2 alone */
};

/*
 * Life: new, add..., compile; then it is the same for ever, and threads share it. What is slow in
 * compiling is done for the first scanner, or from patterns_start() on.
 */
struct patterns;

struct patterns *patterns_new(struct err *e);
void patterns_free(struct patterns *p);
/*
 * `hint` (NULL: none) is a simpler expression that matches somewhere in every match of `regex`:
 * what Hyperscan looks for instead. ERR_CONFIG "at character 7: ...": the caller knows the place.
 * The n-th one is pattern n - 1.
 */
ERR_CHECK int patterns_add(struct patterns *p, const char *regex, const char *hint, struct err *e);
void patterns_compile(struct patterns *p, enum patterns_engine engine);
/* Scanners will be made: gets ready for them in a thread of its own. */
void patterns_start(struct patterns *p);
/* "Hyperscan 5.4.0" or "PCRE2 10.42": what a compiled set uses. */
const char *patterns_engine_name(const struct patterns *p);

struct patterns_match {
	size_t pattern;
	uint64_t offset;     /* of its first byte in the file */
	uint64_t line;       /* of its first byte, from 1 */
	const uint8_t *text; /* of the match, valid during the call */
	size_t len;
	const uint8_t *secret; /* of the group of this name; the same as `text` if there is none */
	size_t secret_len;
};

struct patterns_visitor {
	void *context;
	/* Whether to look for this pattern in this file; may be asked often. */
	bool (*wants)(void *context, size_t pattern);
	/* A match. -1 ends the search. */
	int (*found)(void *context, const struct patterns_match *match, struct err *e);
	/* What messages call it; NULL: nothing in particular. */
	const char *(*name)(void *context, size_t pattern);
};

/* Looks through one file after the other, for one thread at a time. */
struct patterns_scanner;

struct patterns_scanner *patterns_scanner_new(struct patterns *p,
					      const struct patterns_visitor *visitor,
					      struct err *e);
void patterns_scanner_free(struct patterns_scanner *s);
/* Starts a file of this size. If fewer bytes come, that costs nothing but time. */
void patterns_begin(struct patterns_scanner *s, uint64_t size);
/* ERR_CONFIG: a pattern takes too long on these bytes. ERR_CHANGED: more come than should. */
ERR_CHECK int patterns_see(struct patterns_scanner *s, const void *bytes, size_t len,
			   struct err *e);
ERR_CHECK int patterns_end(struct patterns_scanner *s, struct err *e);

#endif
