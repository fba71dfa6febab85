/*
 * nginx: text as a word of an nginx configuration.
 *
 * In quotes only '"' and '\' mean something to nginx, and in most places '$' begins a variable,
 * which no escape can prevent: there a variable has to stand for it. `map` compares the texts on
 * its left as they are, except that it does not tell ASCII letters of different case apart, and
 * takes '~', '\' and a few words at the start for its own.
 */
#ifndef SWARM_NGINX_H
#define SWARM_NGINX_H

#include <stdbool.h>

#include "swarm/buf.h"

/* How long a word may be at most, as it is written: nginx reads files through a buffer of 4 KiB. */
#define NGINX_WORD_MAX ((size_t)4000)
/* The longest that the writers below make of one byte. */
#define NGINX_DOLLAR "${swarm_dollar}"

/* Append it in quotes. `text` holds no control characters. */
void nginx_add_key(struct buf *to,
		   const char *text); /* left in a map; starts with '/', ':' or a digit */
void nginx_add_value(struct buf *to, const char *text); /* where '$' would begin a variable */
/* Appends a line of a map. False if a word in it is too long. */
bool nginx_add_line(struct buf *to, const char *key, const char *value);
/* As map orders and compares: bytes, of ASCII letters regardless of case. As strcmp(). */
int nginx_compare(const char *a, const char *b);

#endif
