/*
 * path: names of files inside a release. They are relative, their components are joined by '/',
 * and they are compared as raw bytes.
 */
#ifndef SWARM_PATH_H
#define SWARM_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define PATH_COMPONENT_MAX 255
#define PATH_LENGTH_MAX    1024

/*
 * Order of a BEP 52 file tree: component by component, so that 'a/x' stands before 'a.txt'. As
 * strcmp(): below, equal or above 0.
 */
int path_compare(const char *a, const char *b);
/* Whether `path` lies below the directory `dir`: "a/b/c" lies below "a/b" and "a". */
bool path_is_below(const char *path, const char *dir);

/*
 * Why a file of this name cannot exist on every system that will hold a copy, or NULL if it can.
 * Refused: anything but well-formed UTF-8; control characters (U+0000-1F, U+007F-9F); any of
 * \ : * ? " < > |; Windows device names before the first dot in any case (con, prn, aux, nul,
 * clock$, conin$, conout$, com1-9, lpt1-9, and 1-3 as superscripts); a trailing dot or space; empty
 * components; `.` and `..`; `__proto__` (a JavaScript object key that is no key); a top-level
 * `.pad` (BEP 47 pad files); components over 255 bytes and paths over 1024.
 * The reason completes the sentence "'x' is not portable: ...".
 */
const char *path_unportable(const char *path);

/*
 * Brings the name of an archive member into this form, in place: drops leading "./" and empty or
 * "." components and trailing slashes, as tar does. False if nothing is left, if it is absolute or
 * a component is "..".
 */
bool path_normalize(char *path);

/* Drops the first n components; NULL if there are not more than n. */
const char *path_strip(const char *path, unsigned n);

/* The part behind the last '/'. */
const char *path_base(const char *path);

#endif
