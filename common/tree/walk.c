#include "swarm/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/beneath.h"
#include "swarm/buf.h"
#include "swarm/crawl.h"

/* A directory that the walk is in. */
struct frame {
	struct frame *up;
	struct crawl_folder *folder;
	size_t at;
};

struct walk {
	int fd;
	const char *name;
	struct pool *pool;
	struct crawl *crawl; /* NULL: not started */
	struct frame *top;
	struct buf path;
};

struct walk *walk_open(int fd, const char *name, struct err *e)
{
	struct walk *w = calloc(1, sizeof *w);

	if (w == NULL) {
		(void)close(fd);
		(void)err_nomem(e);
		return NULL;
	}
	w->fd = fd;
	w->name = name;
	buf_init(&w->path);
	return w;
}

void walk_read_ahead(struct walk *w, struct pool *pool)
{
	w->pool = pool;
}

void walk_rewind(struct walk *w)
{
	while (w->top != NULL) {
		struct frame *f = w->top;
		w->top = f->up;
		free(f);
	}
	crawl_free(w->crawl);
	w->crawl = NULL;
}

void walk_close(struct walk *w)
{
	if (w == NULL)
		return;
	walk_rewind(w);
	buf_release(&w->path);
	(void)close(w->fd);
	free(w);
}

/* Goes into a folder that has been entered. */
static int descend(struct walk *w, struct crawl_folder *folder, struct err *e)
{
	struct frame *f = calloc(1, sizeof *f);

	if (f == NULL)
		return err_nomem(e);
	f->folder = folder;
	f->up = w->top;
	w->top = f;
	return 0;
}

/* Goes up from directories whose end is reached. */
static void leave(struct walk *w)
{
	while (w->top != NULL && w->top->at == crawl_count(w->top->folder)) {
		struct frame *f = w->top;
		w->top = f->up;
		if (w->top != NULL)
			crawl_leave(w->top->folder, w->top->at - 1);
		free(f);
	}
}

static int start(struct walk *w, struct err *e)
{
	w->crawl = crawl_new(w->fd, w->pool, e);
	if (w->crawl == NULL)
		return -1;
	struct crawl_folder *top = crawl_top(w->crawl);
	int status = crawl_enter(w->crawl, top) == 0
			 ? descend(w, top, e)
			 : err_sys(e, "'%s': cannot read the directory", w->name);
	if (status == 0)
		return 0;
	crawl_free(w->crawl);
	w->crawl = NULL;
	return -1;
}

int walk_next(struct walk *w, struct source_item *ret, struct err *e)
{
	if (w->crawl == NULL && start(w, e) != 0)
		return -1;
	leave(w);
	if (w->top == NULL)
		return 0;
	struct frame *f = w->top;
	const struct crawl_entry *entry = crawl_entry(f->folder, f->at++);
	buf_clear(&w->path);
	buf_adds(&w->path, crawl_path(f->folder));
	buf_adds(&w->path, entry->name);
	if (buf_check(&w->path, e) != 0)
		return -1;
	*ret = (struct source_item){.path = w->path.data,
				    .type = entry->type,
				    .target = entry->target,
				    .size = entry->size,
				    .size_known = entry->type == SOURCE_FILE,
				    .exec = entry->exec,
				    .error = entry->error,
				    .stamp = entry->stamp};
	/* A directory is entered at once, so that one that cannot be read is known as such. */
	if (entry->type != SOURCE_DIRECTORY)
		return 1;
	if (crawl_enter(w->crawl, entry->folder) == 0)
		return descend(w, entry->folder, e) == 0 ? 1 : -1;
	ret->type = SOURCE_BROKEN;
	ret->error = errno;
	crawl_leave(f->folder, f->at - 1);
	return 1;
}

enum source_type walk_type_at(const struct walk *w, const char *path)
{
	struct stat st;

	return beneath_stat(w->fd, path, &st) == 0 ? source_type_of(st.st_mode) : SOURCE_BROKEN;
}

int walk_file_open(const struct walk *w, const char *path, const struct source_item *expected,
		   struct source_file *ret, struct err *e)
{
	struct stat st;

	ret->path = path;
	ret->fd = beneath_open(w->fd, path, O_RDONLY);
	if (ret->fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	if (fstat(ret->fd, &st) != 0) {
		(void)err_sys(e, "cannot examine '%s'", path);
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)err_set(e, ERR_CHANGED, "'%s' is no regular file any more", path);
		goto fail;
	}
	source_fill_stamp(&ret->stamp, &st);
	ret->size = (uint64_t)st.st_size;
	if (expected != NULL && (memcmp(&ret->stamp, &expected->stamp, sizeof ret->stamp) != 0 ||
				 ret->size != expected->size)) {
		(void)err_set(e, ERR_CHANGED, "'%s' changed after the tree was listed", path);
		goto fail;
	}
	return 0;
fail:
	(void)close(ret->fd);
	ret->fd = -1;
	return -1;
}
