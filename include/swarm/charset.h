/*
 * charset: makes the calling thread speak UTF-8 for a while, whatever the locale. libarchive
 * converts names between an archive's character set and the locale's, and would fail, or write
 * other bytes, under LC_ALL=C.
 */
#ifndef SWARM_CHARSET_H
#define SWARM_CHARSET_H

#include <locale.h>

#include "swarm/err.h"

struct charset {
	locale_t utf8;
};

ERR_CHECK int charset_init(struct charset *c, struct err *e);
void charset_release(struct charset *c);
/* Returns what charset_leave() needs. */
locale_t charset_enter(const struct charset *c);
void charset_leave(locale_t before);

#endif
