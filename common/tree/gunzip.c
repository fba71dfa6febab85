#include "swarm/gunzip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "swarm/io.h"

#define BLOCK      ((size_t)128 * 1024)
#define BEFORE_MAX ((size_t)16)
/* Tells inflate() that a gzip header and its check sum are there. */
#define WINDOW_BITS (15 + 16)

struct gunzip {
	int fd;
	const char *name, *noun;
	z_stream z;
	bool input_ended, ended;
	size_t before_len;
	uint8_t before[BEFORE_MAX];
	uint8_t block[BLOCK];
};

struct gunzip *gunzip_new(int fd, const char *name, const char *noun, const void *before,
			  size_t len, struct err *e)
{
	struct gunzip *g = calloc(1, sizeof *g);

	if (g == NULL || inflateInit2(&g->z, WINDOW_BITS) != Z_OK) {
		free(g);
		(void)err_nomem(e);
		return NULL;
	}
	g->fd = fd;
	g->name = name;
	g->noun = noun;
	if (len > 0)
		memcpy(g->before, before, len);
	g->before_len = len;
	return g;
}

void gunzip_free(struct gunzip *g)
{
	if (g == NULL)
		return;
	(void)inflateEnd(&g->z);
	free(g);
}

static int refill(struct gunzip *g, struct err *e)
{
	ssize_t n = (ssize_t)g->before_len;

	if (n > 0)
		memcpy(g->block, g->before, g->before_len);
	else
		n = io_read(g->fd, g->block, sizeof g->block, g->name, e);
	if (n < 0)
		return -1;
	g->before_len = 0;
	g->input_ended = n == 0;
	g->z.next_in = g->block;
	g->z.avail_in = (unsigned)n;
	return 0;
}

static int damaged(const struct gunzip *g, const char *why, struct err *e)
{
	return err_set(e, ERR_MALFORMED, "cannot read the %s '%s': gzip: %s", g->noun, g->name,
		       why);
}

/* What stands behind a member: another one, padding with zeros, or nothing. */
static int look_behind(struct gunzip *g, struct err *e)
{
	for (;;) {
		if (g->z.avail_in == 0 && refill(g, e) != 0)
			return -1;
		if (g->input_ended) {
			g->ended = true;
			return 0;
		}
		if (*g->z.next_in == 0x1F)
			return inflateReset(&g->z) == Z_OK ? 0 : damaged(g, "out of memory", e);
		if (*g->z.next_in != 0)
			return damaged(g, "something else stands behind its end", e);
		g->z.next_in++;
		g->z.avail_in--;
	}
}

ssize_t gunzip_read(struct gunzip *g, void *to, size_t len, struct err *e)
{
	if (len > BLOCK)
		len = BLOCK;
	g->z.next_out = to;
	g->z.avail_out = (unsigned)len;
	while (!g->ended && g->z.avail_out == len) {
		if (g->z.avail_in == 0 && refill(g, e) != 0)
			return -1;
		if (g->input_ended)
			return damaged(g, "it is cut off", e);
		int status = inflate(&g->z, Z_NO_FLUSH);
		if (status == Z_STREAM_END) {
			if (look_behind(g, e) != 0)
				return -1;
		} else if (status != Z_OK && status != Z_BUF_ERROR) {
			return damaged(g, g->z.msg != NULL ? g->z.msg : "it is damaged", e);
		}
	}
	return (ssize_t)(len - g->z.avail_out);
}
