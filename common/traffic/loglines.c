#include "swarm/loglines.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/expand.h"
#include "swarm/io.h"

struct loglines {
	int fd;
	struct expand *expand;
	const char *at, *end; /* what is left of the run of bytes that came last */
	bool is_begun;        /* the line at hand began before `at`: */
	bool is_long;
	size_t len;
	char line[LOGLINES_MAX];
};

struct loglines *loglines_open(const char *log, struct err *e)
{
	struct loglines *l = malloc(sizeof *l);

	if (l == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	l->expand = NULL;
	l->at = l->end = NULL;
	l->is_begun = l->is_long = false;
	l->len = 0;
	l->fd = io_open(log, e);
	if (l->fd >= 0)
		l->expand = expand_new(l->fd, io_name(log), "log", NULL, 0, e);
	if (l->expand == NULL) {
		loglines_close(l);
		return NULL;
	}
	return l;
}

void loglines_close(struct loglines *l)
{
	if (l == NULL)
		return;
	expand_free(l->expand);
	if (l->fd >= 0)
		(void)close(l->fd);
	free(l);
}

static void keep(struct loglines *l, size_t len)
{
	l->is_begun = true;
	l->is_long = l->is_long || len > LOGLINES_MAX - l->len;
	if (!l->is_long && len > 0) {
		memcpy(l->line + l->len, l->at, len);
		l->len += len;
	}
}

static int give_kept(struct loglines *l, const char **ret, size_t *ret_len)
{
	*ret = l->is_long ? NULL : l->line;
	*ret_len = l->is_long ? 0 : l->len;
	l->is_begun = l->is_long = false;
	l->len = 0;
	return 1;
}

int loglines_next(struct loglines *l, const char **ret, size_t *ret_len, struct err *e)
{
	for (;;) {
		size_t left = l->at != NULL ? (size_t)(l->end - l->at) : 0;
		const char *feed = left > 0 ? memchr(l->at, '\n', left) : NULL;
		size_t len = feed != NULL ? (size_t)(feed - l->at) : left;
		if (feed != NULL && !l->is_begun && len <= LOGLINES_MAX) {
			*ret = l->at;
			*ret_len = len;
			l->at = feed + 1;
			return 1;
		}
		if (left > 0)
			keep(l, len);
		if (feed != NULL) {
			l->at = feed + 1;
			return give_kept(l, ret, ret_len);
		}
		const void *bytes = NULL;
		ssize_t n = expand_next(l->expand, &bytes, e);
		if (n < 0)
			return -1;
		if (n == 0) {
			l->at = l->end = NULL;
			return l->is_begun ? give_kept(l, ret, ret_len) : 0;
		}
		l->at = bytes;
		l->end = l->at + n;
	}
}
