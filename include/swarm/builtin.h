/*
 * builtin: the guards that are always there, as a table. What they refuse is listed for users in
 * swarm-rules(5).
 */
#ifndef SWARM_BUILTIN_H
#define SWARM_BUILTIN_H

#include <stdbool.h>

enum builtin_kind {
	BUILTIN_REGEX,  /* content that `regex` matches */
	BUILTIN_NAMES,  /* a path that one of `names` matches */
	BUILTIN_FORMAT, /* what code finds in a format: see guards.c */
};

/* One way to find something; several may have one id, and then stand next to each other. */
struct builtin {
	const char *id;          /* [a-z0-9-]+ */
	const char *description; /* completes "'x': ": "holds an AWS access key" */
	enum builtin_kind kind;
	/*
	 * PCRE2 over bytes (no UTF, no flags but those it sets itself), ^ and $ at lines. It looks
	 * at 4 KiB at most, assertions included. A group named `secret`, if there is one (perhaps
	 * inside an assertion), is what `entropy` is asked of, else the match.
	 */
	const char *regex;
	/*
	 * Something simpler that matches somewhere in every match of `regex`, for the engine that
	 * looks first: driven by literals that are rare, since where it is found PCRE2 goes through
	 * 256 KiB, and without bounded repeats of open classes, which take long to compile.
	 */
	const char *hint;
	double entropy; /* Shannon entropy of the secret, bits a byte, that a hit has at least */
	/* What a NAMES guard refuses: one list of gitignore patterns, NULL-terminated, in which `!`
	 * takes back. */
	const char *const *names;
	bool only_public; /* what the origin alone serves may have it */
};

/* Ends in an entry without an id. */
extern const struct builtin builtin_guards[];

#endif
