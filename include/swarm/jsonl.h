/*
 * jsonl: JSON Lines in the one spelling that documents use: one object a line, no insignificant
 * white space, strings as raw UTF-8 in which only '"' and '\' are escaped, numbers
 * `0|[1-9][0-9]*` up to 2^53-1. Parsing is jansson's; a caller who must have the one spelling
 * formats what it read again and compares.
 */
#ifndef SWARM_JSONL_H
#define SWARM_JSONL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

/* --- writing: members appear in the order of the calls ------------------------------------------
 */

struct jsonl_writer {
	struct buf *to;
	bool comma;
};

/* Starts an object; key is NULL for the outermost one and inside an array. */
void jsonl_open(struct jsonl_writer *w, const char *key);
/* Ends an object. The line feed behind a line is the caller's. */
void jsonl_close(struct jsonl_writer *w);
void jsonl_open_array(struct jsonl_writer *w, const char *key);
void jsonl_close_array(struct jsonl_writer *w);
/* `text` holds no control characters. */
void jsonl_string(struct jsonl_writer *w, const char *key, const char *text);
/* `text` may hold anything: control characters are escaped, what is not UTF-8 becomes U+FFFD. */
void jsonl_any_string(struct jsonl_writer *w, const char *key, const char *text);
void jsonl_number(struct jsonl_writer *w, const char *key, uint64_t n);
void jsonl_bool(struct jsonl_writer *w, const char *key, bool value);
void jsonl_hex(struct jsonl_writer *w, const char *key, const uint8_t *bytes, size_t len);
void jsonl_base64(struct jsonl_writer *w, const char *key, const uint8_t *bytes, size_t len);

/*
 * For a path of any bytes: "path":"...", and where that is lossy also "path_base64" with the exact
 * bytes; likewise for any other key.
 */
void jsonl_path(struct jsonl_writer *w, const char *key, const char *path);

/* --- reading ------------------------------------------------------------------------------------
 */

/*
 * An object being read. The getters take each expected key once; the first thing that is wrong is
 * remembered, later calls return empty values, and jsonl_done() reports it, or any key that nobody
 * asked for. So a reader is straight-line code with one check at its end.
 */
struct jsonl_object;

/*
 * Whether the text can be one flat object of at most `members` members: ERR_MALFORMED if there are
 * more, or any array or object inside. To be asked before parsing a long line of strangers, since a
 * parsed tree takes some twenty times the memory of its text.
 */
ERR_CHECK int jsonl_check_flat(const char *text, size_t len, size_t members, struct err *e);

/* Parses one object, or NULL with ERR_MALFORMED. Doubled keys are an error at any depth. */
struct jsonl_object *jsonl_parse(const char *text, size_t len, struct err *e);
/* Frees it and all that was taken out of it. */
void jsonl_free(struct jsonl_object *o);

bool jsonl_has(const struct jsonl_object *o, const char *key);
/* Borrowed from `o`; "" after a failure. No string holds U+0000. */
const char *jsonl_get_string(struct jsonl_object *o, const char *key);
/* A string that can only be `value`. */
void jsonl_get_fixed(struct jsonl_object *o, const char *key, const char *value);
uint64_t jsonl_get_number(struct jsonl_object *o, const char *key);
/* A number from 1. */
uint64_t jsonl_get_positive(struct jsonl_object *o, const char *key);
bool jsonl_get_bool(struct jsonl_object *o, const char *key);
/* Exactly `len` bytes of hex; zeros after a failure. */
void jsonl_get_hex(struct jsonl_object *o, const char *key, uint8_t *ret, size_t len);
/* Appends canonical base64's bytes to `ret`. */
void jsonl_get_base64(struct jsonl_object *o, const char *key, struct buf *ret);
/* An object inside it, owned by `o`, whose problems count as o's; never NULL. */
struct jsonl_object *jsonl_get_object(struct jsonl_object *o, const char *key);
/* The length of an array of objects, and its i-th object as above. */
size_t jsonl_get_array(struct jsonl_object *o, const char *key);
struct jsonl_object *jsonl_get_item(struct jsonl_object *o, const char *key, size_t i);
/* Remembers a problem of the caller's own finding, as "'key' <why>". */
void jsonl_reject(struct jsonl_object *o, const char *key, const char *why);

/* 0 if all was well and no key is left over; else ERR_MALFORMED. */
ERR_CHECK int jsonl_done(struct jsonl_object *o, struct err *e);

/*
 * Whether a line is spelled as it must be: `again` is what its reader formatted from what it read.
 * ERR_MALFORMED names the column (in bytes, from 1) of the first difference.
 */
ERR_CHECK int jsonl_check_spelling(const struct buf *again, const char *line, size_t len,
				   struct err *e);

#endif
