/*
 * urlpattern: patterns of URLs (urlpattern.spec.whatwg.org) for `Use-As-Dictionary: match="..."`
 * (RFC 9842, section 2.1): which later requests a file may be a dictionary for.
 *
 * A browser keeps one dictionary of each pattern, and of several that match a request it takes the
 * one with the longest pattern. So the best pattern is one that no other file has: the file's own
 * URL, except for the parts that change from release to release.
 */
#ifndef SWARM_URLPATTERN_H
#define SWARM_URLPATTERN_H

#include "swarm/buf.h"

/*
 * Appends the pattern for the file at `prefix` + `path`: `prefix` starts and ends with '/', both
 * are not percent-encoded. Replaced by '*' are
 * - in the prefix, `version` as a component or at the end of one ("1.0.2", "v1.0.2", "farm-1.0.2")
 * - in the last component of the path what looks like a hash that a bundler put there: see
 *   swarmexport(1). A component keeps its last extension.
 * An index.html also stands for the folder it is in. All else is percent-encoded as browsers do,
 * and stands for itself.
 */
void urlpattern_add(struct buf *to, const char *prefix, const char *path, const char *version);
/*
 * Why a header cannot carry it, or NULL if it can: it must be printable ASCII, start with '/', and
 * hold no group of a regular expression.
 */
const char *urlpattern_wrong(const char *pattern);

#endif
