#include "swarm/info.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/buf.h"
#include "swarm/path.h"

struct info {
	int (*put)(void *context, const void *bytes, size_t len, struct err *e);
	void *context;
	struct buf last; /* path of the last file */
	struct buf out;  /* what is not passed on yet */
	size_t depth;    /* open dictionaries below `file tree` */
};

struct info *info_new(int (*put)(void *context, const void *bytes, size_t len, struct err *e),
		      void *context, struct err *e)
{
	struct info *i = calloc(1, sizeof *i);

	if (i == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	i->put = put;
	i->context = context;
	buf_init(&i->last);
	buf_init(&i->out);
	buf_adds(&i->out, "d9:file treed");
	return i;
}

void info_free(struct info *i)
{
	if (i == NULL)
		return;
	buf_release(&i->last);
	buf_release(&i->out);
	free(i);
}

static void put_string(struct buf *to, const char *text, size_t len)
{
	buf_addf(to, "%zu:", len);
	buf_add(to, text, len);
}

static void close_to(struct info *i, size_t depth)
{
	for (; i->depth > depth; i->depth--)
		buf_addc(&i->out, 'e');
}

static int pass_on(struct info *i, struct err *e)
{
	if (buf_check(&i->out, e) != 0)
		return -1;
	int status = i->put(i->context, i->out.data, i->out.len, e);
	buf_clear(&i->out);
	return status;
}

int info_add(struct info *i, const struct entry *entry, struct err *e)
{
	const char *path = entry->path, *last = i->last.data;
	size_t shared = 0;

	/* Folders that this file and the last one are both in stay open. */
	for (;;) {
		size_t n = strcspn(path, "/");
		if (path[n] != '/' || strncmp(path, last, n + 1) != 0)
			break;
		path += n + 1;
		last += n + 1;
		shared++;
	}
	close_to(i, shared);
	for (size_t n; path[n = strcspn(path, "/")] == '/'; path += n + 1, i->depth++) {
		put_string(&i->out, path, n);
		buf_addc(&i->out, 'd');
	}
	put_string(&i->out, path, strlen(path));
	buf_addf(&i->out, "d0:d6:lengthi%llue", (unsigned long long)entry->size);
	if (entry->size > 0) {
		buf_adds(&i->out, "11:pieces root");
		put_string(&i->out, (const char *)entry->root, SHA256_SIZE);
	}
	buf_adds(&i->out, "ee");
	buf_clear(&i->last);
	buf_adds(&i->last, entry->path);
	if (buf_check(&i->last, e) != 0)
		return -1;
	return pass_on(i, e);
}

int info_end(struct info *i, const char *name, uint64_t piece_length, struct err *e)
{
	close_to(i, 0);
	buf_adds(&i->out, "e12:meta versioni2e4:name");
	put_string(&i->out, name, strlen(name));
	buf_addf(&i->out, "12:piece lengthi%llue", (unsigned long long)piece_length);
	buf_addc(&i->out, 'e');
	return pass_on(i, e);
}
