/* traps: names of files that are well-formed and portable, and break real BitTorrent clients. */
#ifndef SWARM_TRAPS_H
#define SWARM_TRAPS_H

#include <stdbool.h>

/*
 * Whether JavaScript sorts the two, which stand in this file-tree order and side by side, the other
 * way round: it compares UTF-16, in which U+10000 and above stand before U+E000 to U+FFFF. A
 * program that encodes their folder again then gets another infohash.
 */
bool traps_are_swapped(const char *path, const char *next);
/* The first character of a path that cuts or changes a URL into which it is put as it is; or 0. */
char traps_in_url(const char *path);

#endif
