/*
 * guards: what must not be published, whatever the rules say: the built-in guards (builtin.h) and
 * those of the rules (guardlist.h), by names and by content.
 */
#ifndef SWARM_GUARDS_H
#define SWARM_GUARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/guardlist.h"
#include "swarm/label.h"
#include "swarm/marked.h"
#include "swarm/patterns.h"
#include "swarm/sha256.h"

/* Made once, shared by threads. */
struct guards;

struct guards_guard {
	const char *id;
	const char *description;   /* completes "'x': " */
	struct marked_place place; /* `file` is NULL for a built-in one */
};

/*
 * `list` is borrowed until the end. ERR_CONFIG, with the place, for ids that are unknown or stand
 * twice and for what is no regex. $SWARM_GUARD_ENGINE=pcre2 does without Hyperscan.
 */
struct guards *guards_new(const struct guardlist *list, struct err *e);
void guards_free(struct guards *g);
/*
 * A digest of what the guards look for in content: of two sets with one digest, in one version of
 * this program, a guard finds the same in a file of which both ask it (guards_applies()).
 */
void guards_digest(const struct guards *g, uint8_t ret[static SHA256_SIZE]);
/* The engine that looks for patterns: "Hyperscan 5.4.0". */
const char *guards_engine(const struct guards *g);
size_t guards_count(const struct guards *g);
const struct guards_guard *guards_get(const struct guards *g, size_t i);
/* Whether it was disabled by the rules. */
bool guards_is_disabled(const struct guards *g, size_t i);
/*
 * The guard that refuses a file of this name, whatever its case and the spelling of its accents;
 * NULL: none does. `path` is its name in the release, where a guard may be allowed; the same as
 * `name` but where that loses components or is lent by a link.
 */
const struct guards_guard *guards_judge_name(const struct guards *g, const char *name,
					     const char *path);
/* Whether the rules allow what the i-th guard refuses in a file of this name. */
bool guards_allows(const struct guards *g, size_t i, const char *path);

/* --- for those who look into content (watcher.h) ------------------------------------------------
 */

/* Whether any guard looks into content at all: the rules may have disabled them. */
bool guards_look_inside(const struct guards *g);
/* Some will look into content: gets ready for that in the background, which takes some 20 ms. */
void guards_start(const struct guards *g);
/* Whether the i-th guard is asked of this file: not disabled, nor allowed there. */
bool guards_applies(const struct guards *g, size_t i, const char *path, enum label label);

/* A way to find something in content: one of the patterns. */
struct guards_way {
	size_t guard;
	double entropy;              /* that the secret has at least, bits a byte */
	const char *const *keywords; /* of which the match holds one at least, case ignored */
	size_t keyword_count;
};

struct patterns *guards_patterns(const struct guards *g);
size_t guards_way_count(const struct guards *g);
const struct guards_way *guards_way(const struct guards *g, size_t pattern);

/* What code finds. */
enum guards_format {
	GUARDS_PHOTO,
	GUARDS_DEBUG,
	GUARDS_CORE,
	GUARDS_HTML,
	GUARDS_FORMATS, /* how many */
};

/* The guard that refuses it. */
size_t guards_of_format(const struct guards *g, enum guards_format format);

#endif
