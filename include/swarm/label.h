/*
 * label: what may become of a file.
 *
 * public: static, safe for any peer to serve. origin: published and hash-checked, but only ever
 * served by the origin. private: never leaves, never named in anything that is published.
 */
#ifndef SWARM_LABEL_H
#define SWARM_LABEL_H

#include <stdbool.h>

/* From the freest to the strictest. */
enum label {
	LABEL_PUBLIC,
	LABEL_ORIGIN,
	LABEL_PRIVATE,
};

const char *label_name(enum label label);
bool label_parse(const char *name, enum label *ret);
/* The one that allows less. */
enum label label_stricter(enum label a, enum label b);
/* NULL-terminated, for suggestions. */
extern const char *const label_names[];

#endif
