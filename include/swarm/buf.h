/*
 * buf: a growable run of bytes.
 *
 * Life: `struct buf b = BUF_INIT;` ... buf_release(&b). A release leaves an empty buf that can be
 * used again. data[len] is always NUL, so that text can be passed on as a C string.
 *
 * Failure: an append that runs out of memory sets `failed` and adds nothing, then or later. Append
 * as often as needed, check buf_check() once at the end.
 */
#ifndef SWARM_BUF_H
#define SWARM_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "swarm/err.h"

struct buf {
	char *data; /* never NULL: "" while nothing was added */
	size_t len;
	size_t cap; /* 0 while data is not on the heap */
	bool failed;
};

/* What an empty buf points to; nobody ever writes to it. */
extern char buf_empty[];
#define BUF_INIT                  \
	{                         \
		.data = buf_empty \
	}

void buf_init(struct buf *b);
void buf_release(struct buf *b);
/* As buf_release(), but overwrites the bytes first: for secrets. */
void buf_wipe(struct buf *b);
/* Makes it empty and keeps the memory. Clears `failed`. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Room for `len` more bytes at data + len, or NULL; say with buf_grew() how many were filled. */
char *buf_room(struct buf *b, size_t len);
void buf_grew(struct buf *b, size_t len);
void buf_truncate(struct buf *b, size_t len);
/* Drops the first `len` bytes. */
void buf_consume(struct buf *b, size_t len);

/* 0, or -1 with "out of memory" if any append failed. */
ERR_CHECK int buf_check(const struct buf *b, struct err *e);
/* Gives the bytes to the caller (free them with free()) and leaves `b` empty; NULL if it failed. */
char *buf_detach(struct buf *b);

#endif
