#include "swarm/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/buf.h"
#include "swarm/path.h"

/* A directory that the walk is in. */
struct frame {
	struct frame *up;
	int fd;
	char **names; /* sorted; they point into `text` */
	size_t count, at;
	struct buf text;
	size_t path_len; /* of this directory's path, with its slash */
};

struct walk {
	int fd;
	const char *name;
	struct frame *top;
	bool started;
	struct buf path, target;
};

static void pop(struct walk *w)
{
	struct frame *f = w->top;

	w->top = f->up;
	if (f->fd != w->fd)
		(void)close(f->fd);
	buf_release(&f->text);
	free(f->names);
	free(f);
}

static int compare_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads the names in fd, sorted. Does not close it. */
static int read_names(struct frame *f, struct err *e)
{
	int copy = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	int status = -1;

	if (dir == NULL) {
		if (copy >= 0)
			(void)close(copy);
		return err_sys(e, "cannot read the directory");
	}
	rewinddir(dir);
	errno = 0;
	for (struct dirent *d; (d = readdir(dir)) != NULL; errno = 0) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		buf_add(&f->text, d->d_name, strlen(d->d_name) + 1);
		f->count++;
	}
	if (errno != 0) {
		(void)err_sys(e, "cannot read the directory");
		goto out;
	}
	if (buf_check(&f->text, e) != 0)
		goto out;
	f->names = calloc(f->count + 1, sizeof *f->names);
	if (f->names == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	char *name = f->text.data;
	for (size_t i = 0; i < f->count; i++, name += strlen(name) + 1)
		f->names[i] = name;
	qsort(f->names, f->count, sizeof *f->names, compare_name);
	status = 0;
out:
	(void)closedir(dir);
	return status;
}

/* Enters the directory fd, whose path is in w->path. The frame owns fd, also after a failure. */
static int push(struct walk *w, int fd, struct err *e)
{
	struct frame *f = calloc(1, sizeof *f);

	if (f == NULL) {
		if (fd != w->fd)
			(void)close(fd);
		return err_nomem(e);
	}
	f->fd = fd;
	f->up = w->top;
	f->path_len = w->path.len;
	buf_init(&f->text);
	w->top = f;
	if (read_names(f, e) == 0)
		return 0;
	pop(w);
	return -1;
}

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
	buf_init(&w->target);
	return w;
}

void walk_rewind(struct walk *w)
{
	while (w->top != NULL)
		pop(w);
	buf_clear(&w->path);
	w->started = false;
}

void walk_close(struct walk *w)
{
	if (w == NULL)
		return;
	walk_rewind(w);
	buf_release(&w->path);
	buf_release(&w->target);
	(void)close(w->fd);
	free(w);
}

static void fill_stamp(struct source_stamp *stamp, const struct stat *st)
{
	stamp->device = (uint64_t)st->st_dev;
	stamp->inode = (uint64_t)st->st_ino;
	stamp->mtime_s = st->st_mtim.tv_sec;
	stamp->mtime_ns = st->st_mtim.tv_nsec;
	stamp->ctime_s = st->st_ctim.tv_sec;
	stamp->ctime_ns = st->st_ctim.tv_nsec;
}

static int read_link(struct walk *w, int dir, const char *name, struct source_item *ret)
{
	for (size_t room = 256;; room *= 2) {
		buf_clear(&w->target);
		char *to = buf_room(&w->target, room);
		ssize_t n = to != NULL ? readlinkat(dir, name, to, room) : -1;
		if (n < 0)
			return -1;
		if ((size_t)n < room) {
			buf_grew(&w->target, (size_t)n);
			ret->target = w->target.data;
			return 0;
		}
	}
}

/* A directory is entered at once, so that one that cannot be read is known as such. */
static int enter(struct walk *w, int dir, const char *name)
{
	struct err why = {.code = ERR_NONE};
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno;
	buf_addc(&w->path, '/');
	int status = push(w, fd, &why);
	buf_truncate(&w->path, w->path.len - 1);
	return status == 0 ? 0 : why.sys != 0 ? why.sys : ENOMEM;
}

static void examine(struct walk *w, int dir, const char *name, struct source_item *ret)
{
	struct stat st;

	*ret = (struct source_item){.path = w->path.data, .type = SOURCE_BROKEN};
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		ret->error = errno;
		return;
	}
	fill_stamp(&ret->stamp, &st);
	if (S_ISREG(st.st_mode)) {
		ret->type = SOURCE_FILE;
		ret->size = (uint64_t)st.st_size;
		ret->size_known = true;
		ret->exec = (st.st_mode & S_IXUSR) != 0;
	} else if (S_ISDIR(st.st_mode)) {
		ret->error = enter(w, dir, name);
		if (ret->error == 0)
			ret->type = SOURCE_DIRECTORY;
	} else if (S_ISLNK(st.st_mode)) {
		if (read_link(w, dir, name, ret) != 0)
			ret->error = errno;
		else
			ret->type = SOURCE_SYMLINK;
	} else {
		ret->type = SOURCE_SPECIAL;
	}
}

int walk_next(struct walk *w, struct source_item *ret, struct err *e)
{
	if (!w->started) {
		w->started = true;
		if (push(w, w->fd, e) != 0)
			return err_prefix(e, "'%s'", w->name);
	}
	while (w->top != NULL && w->top->at == w->top->count)
		pop(w);
	if (w->top == NULL)
		return 0;
	struct frame *f = w->top;
	const char *name = f->names[f->at++];
	buf_truncate(&w->path, f->path_len);
	/* The path ends in the last item's name, or in a directory's without its slash. */
	if (f->path_len > 0 && w->path.len < f->path_len)
		buf_addc(&w->path, '/');
	buf_adds(&w->path, name);
	if (buf_check(&w->path, e) != 0)
		return -1;
	examine(w, f->fd, name, ret);
	ret->path = w->path.data;
	return 1;
}

static void close_keeping_errno(const struct walk *w, int fd)
{
	int why = errno;

	if (fd >= 0 && fd != w->fd)
		(void)close(fd);
	errno = why;
}

/*
 * The directory that `path` lies in (closed with close_keeping_errno()), entered component by
 * component so that no symbolic link is followed; *ret_name is the last component. -1: errno.
 */
static int open_parent(const struct walk *w, const char *path, const char **ret_name)
{
	int dir = w->fd;

	for (size_t n; path[n = strcspn(path, "/")] == '/'; path += n + 1) {
		char name[PATH_COMPONENT_MAX + 1];
		if (n >= sizeof name) {
			errno = ENAMETOOLONG;
			close_keeping_errno(w, dir);
			return -1;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		int next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close_keeping_errno(w, dir);
		if (next < 0)
			return -1;
		dir = next;
	}
	*ret_name = path;
	return dir;
}

static int open_beneath(const struct walk *w, const char *path)
{
	const char *name;
	int dir = open_parent(w, path, &name);

	if (dir < 0)
		return -1;
	/* O_NONBLOCK: should a FIFO stand here by now, do not wait for its writer. */
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	close_keeping_errno(w, dir);
	return fd;
}

static enum source_type type_of(mode_t mode)
{
	return S_ISREG(mode)   ? SOURCE_FILE
	       : S_ISDIR(mode) ? SOURCE_DIRECTORY
	       : S_ISLNK(mode) ? SOURCE_SYMLINK
			       : SOURCE_SPECIAL;
}

enum source_type walk_type_at(const struct walk *w, const char *path)
{
	const char *name;
	struct stat st;
	int dir = open_parent(w, path, &name);

	if (dir < 0)
		return SOURCE_BROKEN;
	bool there = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	close_keeping_errno(w, dir);
	return there ? type_of(st.st_mode) : SOURCE_BROKEN;
}

int walk_file_open(const struct walk *w, const char *path, const struct source_item *expected,
		   struct source_file *ret, struct err *e)
{
	struct stat st;

	ret->path = path;
	ret->fd = open_beneath(w, path);
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
	fill_stamp(&ret->stamp, &st);
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
