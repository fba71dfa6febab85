/*
 * marked: a YAML file as a tree of nodes that know where they stand, for files that people write
 * and that must be read strictly. It is UTF-8, with or without a byte order mark. Scalars are
 * strings, whatever they look like. Anchors, aliases, tags, further documents, keys that are not
 * strings and nesting deeper than MARKED_DEPTH_MAX are errors. Every failure but a lack of memory
 * is ERR_CONFIG and reads "FILE:LINE:COLUMN: what is wrong".
 */
#ifndef SWARM_MARKED_H
#define SWARM_MARKED_H

#include <stddef.h>

#include "swarm/arena.h"
#include "swarm/err.h"

#define MARKED_DEPTH_MAX 16

enum marked_kind {
	MARKED_NULL, /* nothing, `~` or `null`, not quoted */
	MARKED_STRING,
	MARKED_LIST,
	MARKED_MAP,
};

struct marked {
	enum marked_kind kind;
	unsigned line, column;      /* from 1, in characters */
	const char *file;           /* what messages call it, borrowed from the caller */
	const char *text;           /* of a string: holds no NUL; the empty string for the others */
	const struct marked *first; /* of a list: its first item; of a map: key, value, key, ... */
	const struct marked *next;  /* the one behind it in the same list or map */
};

/* Where something stands in a file. `file` is borrowed from whoever keeps its name. */
struct marked_place {
	const char *file;
	unsigned line, column; /* from 1 */
};

/* The root of a file's tree. It lives as long as the arena. */
const struct marked *marked_parse(struct arena *arena, const char *file, const char *text,
				  size_t len, struct err *e);

struct marked_place marked_place(const struct marked *at);
/* Puts the place in front of the message. Returns -1. */
int marked_prefix(struct err *e, struct marked_place at);
/* Sets an ERR_CONFIG with the place of the node in front. Returns -1. */
int marked_reject(struct err *e, const struct marked *at, const char *fmt, ...) ERR_PRINTF(3, 4);
/*
 * Sets an ERR_CONFIG for a word that is not of the NULL-terminated `words`, with the one that was
 * probably meant: "FILE:LINE:COLUMN: unknown <what> 'lable' (did you mean 'label'?)". Returns -1.
 */
int marked_reject_unknown(struct err *e, struct marked_place at, const char *what, const char *word,
			  const char *const *words);

/* The value of `key` in a map, or NULL. */
const struct marked *marked_get(const struct marked *map, const char *key);
/*
 * All values of a map: ret[i] is that of the i-th of the NULL-terminated `keys`, or NULL. `what`
 * names the map in messages. Anything but a map, an unknown key and a doubled key are errors.
 */
ERR_CHECK int marked_fields(const struct marked *map, const char *what, const char *const *keys,
			    const struct marked **ret, struct err *e);
/* Fails unless it is of the kind; an empty string fails as well. */
ERR_CHECK int marked_expect(const struct marked *at, const char *what, enum marked_kind kind,
			    struct err *e);
/* The index of a string in the NULL-terminated `words`: anything else is an "unknown <what>". */
ERR_CHECK int marked_choose(const struct marked *at, const char *what, const char *const *words,
			    size_t *ret, struct err *e);

#endif
