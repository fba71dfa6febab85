/*
 * rules: the YAML file that labels every path of a tree.
 *
 *   swarm: rules/1              required
 *   include: [common.yaml]      optional; relative to the file that says so, read before its rules
 *   default: error              error | private: what becomes of a path that no rule names
 *   symlinks: error             error | skip | follow
 *   rules:                      the last rule that matches a path wins
 *     - label: public           required: public | origin | private
 *       match: ["*.png", "!x"]  required: a gitignore pattern or a list of them (see glob.h; a `!`
 *                               negates as GLOB_NEGATES_DIRECTORY in a private rule, else as
 *                               GLOB_NEGATES_BELOW: in either the reading that publishes less)
 *       cache: "..."            optional: Cache-Control of what it matches; printable ASCII, <= 255
 *       type: text/html         optional: media type, likewise
 *   guards: [...]               optional, and so is
 *   disable-guards: [...]       see guardlist.h
 *
 * `default` and `symlinks` of a file outrank those of the files that it includes; its rules stand
 * behind theirs; guards add up. A file that is included twice is read twice. Unknown keys, doubled
 * keys, anchors, aliases, tags and further documents are errors, each "FILE:LINE:COLUMN: what is
 * wrong", lines and columns counted from 1. A file has at most 1 MiB, all together 100,000 rules
 * and 1,000,000 patterns; includes are at most 1,000, and 16 deep.
 */
#ifndef SWARM_RULES_H
#define SWARM_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/guardlist.h"
#include "swarm/label.h"
#include "swarm/marked.h"

enum rules_symlinks {
	RULES_SYMLINKS_ERROR,
	RULES_SYMLINKS_SKIP,
	RULES_SYMLINKS_FOLLOW,
};

struct rule {
	size_t index; /* among all rules, in order */
	enum label label;
	const char *type;  /* NULL if none */
	const char *cache; /* NULL if none */
	struct marked_place place;
};

/* What the rules say of one path. */
struct rules_verdict {
	bool labelled;           /* false: no rule matches, and the default is `error` */
	enum label label;        /* where labelled */
	const struct rule *rule; /* the deciding one; NULL where the default decided */
	const char *pattern;     /* the rule's pattern that matched, as written; NULL likewise */
	struct marked_place pattern_place;
};

struct rules;

/*
 * Reads the files in order, as if one file included all of them; "-" is standard input. Failures:
 * ERR_CONFIG for what the files say, ERR_SYSTEM for what cannot be read. No rules at all is
 * ERR_CONFIG: a rules file that labels nothing is a mistake.
 */
struct rules *rules_load(const char *const *files, size_t n, struct err *e);
/* The same from memory, `name` standing for the file in messages (for tests and fuzzing). */
struct rules *rules_parse(const char *name, const char *text, size_t len, struct err *e);
void rules_free(struct rules *r);

/*
 * Safe to call from several threads. `path` is relative to the tree; it need not exist. Paths and
 * patterns meet in Unicode NFC, so that it does not matter how accents are spelt. Where memory runs
 * out, nothing is labelled.
 */
void rules_decide(const struct rules *r, const char *path, bool is_directory,
		  struct rules_verdict *ret);
/* As rules_decide(), for the i-th rule alone: whether it matches. For explaining. */
bool rules_match(const struct rules *r, size_t i, const char *path, bool is_directory,
		 struct rules_verdict *ret);

size_t rules_count(const struct rules *r);
const struct rule *rules_get(const struct rules *r, size_t i);
/*
 * Append where a rule stands, "FILE:LINE:COLUMN", or "default" for NULL: as the file is called, and
 * for terminals.
 */
void rules_format_place(struct buf *to, const struct rule *rule);
void rules_describe_place(struct buf *to, const struct rule *rule);
/* The files that were read, one that is included twice as often, by the names in places. */
size_t rules_file_count(const struct rules *r);
const char *rules_file(const struct rules *r, size_t i);
enum rules_symlinks rules_symlinks(const struct rules *r);
const struct guardlist *rules_guards(const struct rules *r);

#endif
