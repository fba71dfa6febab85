#include "swarm/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char buf_empty[1];

void buf_init(struct buf *b)
{
	*b = (struct buf)BUF_INIT;
}

void buf_release(struct buf *b)
{
	if (b->cap > 0)
		free(b->data);
	buf_init(b);
}

void buf_wipe(struct buf *b)
{
	volatile char *p = b->data;

	for (size_t i = 0; i < b->cap; i++)
		p[i] = 0;
	buf_release(b);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->cap > 0)
		b->data[0] = '\0';
}

char *buf_room(struct buf *b, size_t len)
{
	if (b->failed)
		return NULL;
	if (len >= SIZE_MAX / 2 - b->len) {
		b->failed = true;
		return NULL;
	}
	size_t need = b->len + len + 1;
	if (need > b->cap) {
		size_t cap = b->cap < 64 ? 64 : b->cap;
		while (cap < need)
			cap += cap / 2;
		char *data = realloc(b->cap > 0 ? b->data : NULL, cap);
		if (data == NULL) {
			b->failed = true;
			return NULL;
		}
		if (b->cap == 0)
			data[0] = '\0';
		b->data = data;
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_grew(struct buf *b, size_t len)
{
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	char *to = buf_room(b, len);
	if (to == NULL)
		return;
	memcpy(to, bytes, len);
	buf_grew(b, len);
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	char *to = buf_room(b, (size_t)n);
	if (to == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

void buf_consume(struct buf *b, size_t len)
{
	if (len == 0)
		return;
	memmove(b->data, b->data + len, b->len - len);
	buf_truncate(b, b->len - len);
}

int buf_check(const struct buf *b, struct err *e)
{
	return b->failed ? err_nomem(e) : 0;
}

char *buf_detach(struct buf *b)
{
	char *data = NULL;

	if (!b->failed && buf_room(b, 0) != NULL) {
		data = b->data;
		buf_init(b);
	} else {
		buf_release(b);
	}
	return data;
}
