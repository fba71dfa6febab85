/*
 * scan: lists a tree and labels every file in it, before a byte of content is read.
 *
 * Symbolic links are dealt with as the rules say. Where they are followed, they are resolved among
 * the names of the tree itself: a link out of it cannot be followed, whatever it is changed to
 * meanwhile. A link to a directory stands for every file below it. What a link (or a hard link in
 * an archive) names has the stricter of its own and its target's label.
 *
 * Names of what is to be published are then held against the guards, and against each other.
 */
#ifndef SWARM_SCAN_H
#define SWARM_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/err.h"
#include "swarm/guards.h"
#include "swarm/label.h"
#include "swarm/rules.h"
#include "swarm/source.h"
#include "swarm/usage.h"

/* A file that the tree offers. */
struct scan_file {
	const char *path;        /* its name in the release */
	const char *content;     /* the name in the source of the file that has the content */
	uint64_t content_number; /* how many items stand before that one in the source */
	uint64_t size;
	struct source_stamp stamp;
	const struct rule *rule; /* that decided; NULL: the default did */
	enum label label;
	bool exec;
	int hot; /* ENTRY_NOT_HOT, unless the caller knows better */
};

/* Why a tree cannot be released. */
enum scan_fault {
	SCAN_UNLABELLED,
	SCAN_UNPORTABLE,
	SCAN_LINK,      /* a link that is not to be followed, or cannot be */
	SCAN_SPECIAL,   /* not a file */
	SCAN_DUPLICATE, /* two files of one name, or a file in another's place */
	SCAN_OUTSIDE,   /* a name that leads out of the tree, or stripped to nothing */
	SCAN_COLLISION, /* two names that are one where neither case nor accents matter */
	SCAN_GUARD,     /* refused by a guard */
	SCAN_NEW,       /* newly public, which the caller refuses */
};

struct scan_problem {
	enum scan_fault fault;
	const char *path;
	const char *why;                  /* completes "'x': ..." */
	const char *other;                /* of a collision: the other name; else NULL */
	const struct guards_guard *guard; /* of SCAN_GUARD; else NULL */
	uint64_t line, offset, count; /* likewise, as in hits.h; zeros where a name is refused */
};

struct scan_total {
	uint64_t files, bytes;
};

struct scan {
	/* Those to be published, in file-tree order; private ones are only counted. */
	struct scan_file *files;
	size_t count;
	/* Likewise the private ones, if they are to be kept. */
	struct scan_file *kept;
	size_t kept_count;
	struct scan_problem *problems; /* in file-tree order */
	size_t problem_count, problem_room;
	struct scan_total totals[LABEL_PRIVATE + 1]; /* by label */
	uint64_t skipped_links;
	struct usage usage; /* of the rules */
	struct arena arena;
};

struct scan_options {
	const struct rules *rules;
	const struct guards *guards; /* of names; NULL: none */
	unsigned strip;              /* leading components that names lose */
	bool keep_private;           /* fill `kept` */
};

/*
 * Reads the source once. Problems are no failure: the caller looks at problem_count. `ret` is
 * released with scan_release(), also after a failure.
 */
ERR_CHECK int scan_run(struct source *source, const struct scan_options *options, struct scan *ret,
		       struct err *e);
void scan_release(struct scan *s);

/*
 * Adds what was found later, by looking at the content; its texts are borrowed. Problems are in
 * order again after scan_sort_problems().
 */
ERR_CHECK int scan_add_problem(struct scan *s, const struct scan_problem *problem, struct err *e);
void scan_sort_problems(struct scan *s);
/* How many paths have problems; some have several. */
size_t scan_count_refused(const struct scan *s);

/*
 * "unlabelled", "unportable", "link", "special", "duplicate", "outside", "collision", "guard",
 * "new".
 */
const char *scan_fault_name(enum scan_fault fault);

/* The piece length that `auto` stands for: section "Piece length" of swarm-inventory(5). */
uint64_t scan_piece_length(const struct scan *s);

#endif
