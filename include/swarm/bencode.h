/*
 * bencode: the encoding of BitTorrent (BEP 3), in its one spelling.
 *
 *   value  = number | string | list | dictionary
 *   number = "i" ("0" | ["-"] digit-but-0 *digit) "e"
 *   string = length ":" bytes                           length: decimal, no zeros in front
 *   list   = "l" *value "e"
 *   dictionary = "d" *(string value) "e"                keys rise as raw bytes, none twice
 */
#ifndef SWARM_BENCODE_H
#define SWARM_BENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

/* --- writing: the order of keys is the caller's affair ------------------------------------------
 */

struct bencode_writer {
	struct buf *to;
	/* As readers count them who limit it: a number or a string is one, a list or a dictionary
	 * two. */
	uint64_t tokens;
};

void bencode_open_dictionary(struct bencode_writer *w);
void bencode_open_list(struct bencode_writer *w);
void bencode_close(struct bencode_writer *w);
void bencode_number(struct bencode_writer *w, uint64_t n);
void bencode_string(struct bencode_writer *w, const void *bytes, size_t len);
void bencode_text(struct bencode_writer *w, const char *text);
/* A string whose `len` bytes the caller puts behind it. */
void bencode_start_string(struct bencode_writer *w, uint64_t len);

/* --- reading ------------------------------------------------------------------------------------
 */

/* How deep lists and dictionaries may stand in each other: a path has up to 512 components. */
#define BENCODE_DEPTH_MAX 540

/*
 * Whether the bytes are one value in its one spelling, and nothing else: ERR_MALFORMED says what is
 * wrong, and at which byte. What follows relies on it.
 */
ERR_CHECK int bencode_check(const char *bytes, size_t len, struct err *e);

/* A value within bytes that were checked; type 0: there is none. */
struct bencode {
	char type;      /* 'i', 's', 'l' or 'd' */
	const char *at; /* all of it, from its first byte */
	size_t len;
};

struct bencode bencode_root(const char *bytes, size_t len);
/* The value of a key; none if `d` is no dictionary or has no such key. */
struct bencode bencode_get(const struct bencode *d, const char *key);
/* False unless it is a number from 0 to 2^63-1. */
bool bencode_get_number(const struct bencode *v, uint64_t *ret);
/* The bytes of a string, with *ret_len; NULL if it is none. */
const char *bencode_get_string(const struct bencode *v, size_t *ret_len);

/*
 * Goes through a list or a dictionary. Starts with no value at all; false after the last one, and
 * if it is neither. `key` (NULL for a list) is the string in front of the value.
 */
struct bencode_walk {
	const char *at, *end;
	bool keyed;
};

struct bencode_walk bencode_begin(const struct bencode *v);
bool bencode_next(struct bencode_walk *w, struct bencode *key, struct bencode *ret);

#endif
