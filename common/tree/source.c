#include "swarm/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/io.h"
#include "swarm/members.h"
#include "swarm/walk.h"

struct source {
	char *name;
	struct walk *walk; /* one of the two */
	struct members *members;
};

const char *source_type_name(enum source_type type)
{
	switch (type) {
	case SOURCE_FILE: return "a file";
	case SOURCE_DIRECTORY: return "a directory";
	case SOURCE_SYMLINK: return "a symbolic link";
	case SOURCE_HARDLINK: return "a hard link";
	case SOURCE_SPECIAL: return "a device, FIFO or socket";
	case SOURCE_BROKEN: return "unreadable";
	}
	return "unknown";
}

struct source *source_open(const char *path, int passes, struct err *e)
{
	struct stat st;
	struct source *s = calloc(1, sizeof *s);

	if (s == NULL || (s->name = strdup(io_name(path))) == NULL) {
		free(s);
		(void)err_nomem(e);
		return NULL;
	}
	int fd = io_open(path, e);
	if (fd < 0)
		goto fail;
	if (fstat(fd, &st) != 0) {
		(void)err_sys(e, "cannot examine '%s'", s->name);
		(void)close(fd);
		goto fail;
	}
	if (S_ISDIR(st.st_mode) && strcmp(path, "-") == 0) {
		(void)err_set(e, ERR_USAGE, "standard input is a directory: give its name");
		(void)close(fd);
		goto fail;
	}
	if (S_ISDIR(st.st_mode))
		s->walk = walk_open(fd, s->name, e);
	else
		s->members = members_open(fd, s->name, passes, e);
	if (s->walk == NULL && s->members == NULL)
		goto fail;
	return s;
fail:
	source_close(s);
	return NULL;
}

void source_close(struct source *s)
{
	if (s == NULL)
		return;
	walk_close(s->walk);
	members_close(s->members);
	free(s->name);
	free(s);
}

void source_read_ahead(struct source *s, struct pool *pool)
{
	if (s->walk != NULL)
		walk_read_ahead(s->walk, pool);
}

enum source_type source_type_of(mode_t mode)
{
	return S_ISREG(mode)   ? SOURCE_FILE
	       : S_ISDIR(mode) ? SOURCE_DIRECTORY
	       : S_ISLNK(mode) ? SOURCE_SYMLINK
			       : SOURCE_SPECIAL;
}

void source_fill_stamp(struct source_stamp *stamp, const struct stat *st)
{
	stamp->device = (uint64_t)st->st_dev;
	stamp->inode = (uint64_t)st->st_ino;
	stamp->mtime_s = st->st_mtim.tv_sec;
	stamp->mtime_ns = st->st_mtim.tv_nsec;
	stamp->ctime_s = st->st_ctim.tv_sec;
	stamp->ctime_ns = st->st_ctim.tv_nsec;
}

bool source_is_directory(const struct source *s)
{
	return s->walk != NULL;
}

const char *source_name(const struct source *s)
{
	return s->name;
}

int source_next(struct source *s, struct source_item *ret, struct err *e)
{
	return s->walk != NULL ? walk_next(s->walk, ret, e) : members_next(s->members, ret, e);
}

int source_rewind(struct source *s, struct err *e)
{
	if (s->members != NULL)
		return members_rewind(s->members, e);
	walk_rewind(s->walk);
	return 0;
}

ssize_t source_read(struct source *s, void *to, size_t len, struct err *e)
{
	return members_read(s->members, to, len, e);
}

enum source_type source_type_at(const struct source *s, const char *path)
{
	return s->walk != NULL ? walk_type_at(s->walk, path) : SOURCE_BROKEN;
}

int source_file_open(const struct source *s, const char *path, const struct source_item *expected,
		     struct source_file *ret, struct err *e)
{
	*ret = (struct source_file){.fd = -1, .path = path};
	return walk_file_open(s->walk, path, expected, ret, e);
}

int source_refuse(const struct source *s, const char *path, enum source_type type,
		  const char *link_hint, struct err *e)
{
	if (type == SOURCE_BROKEN)
		return err_set(e, ERR_REFUSED, "'%s' is not in '%s'", path, s->name);
	return err_set(e, ERR_REFUSED, "'%s' in '%s' is %s, not a file%s", path, s->name,
		       source_type_name(type),
		       type == SOURCE_SYMLINK && link_hint != NULL ? link_hint : "");
}

int source_judge(const struct source *s, const char *path, const char *link_hint, struct err *e)
{
	enum source_type type = source_type_at(s, path);
	bool absent = e->code != ERR_SYSTEM || e->sys == ENOENT || e->sys == ENOTDIR;

	if (type == SOURCE_FILE || (type == SOURCE_BROKEN && !absent))
		return -1;
	return source_refuse(s, path, type, link_hint, e);
}

ssize_t source_file_read(struct source_file *f, void *to, size_t len, struct err *e)
{
	return io_read(f->fd, to, len, f->path, e);
}

ssize_t source_file_read_at(struct source_file *f, uint64_t offset, void *to, size_t len,
			    struct err *e)
{
	return io_read_at(f->fd, to, len, offset, f->path, e);
}

int source_file_close(struct source_file *f, struct err *e)
{
	struct stat st;
	int status = 0;

	if (fstat(f->fd, &st) != 0)
		status = err_sys(e, "cannot examine '%s'", f->path);
	else if ((uint64_t)st.st_size != f->size || st.st_mtim.tv_sec != f->stamp.mtime_s ||
		 st.st_mtim.tv_nsec != f->stamp.mtime_ns || st.st_ctim.tv_sec != f->stamp.ctime_s ||
		 st.st_ctim.tv_nsec != f->stamp.ctime_ns)
		status = err_set(e, ERR_CHANGED, "'%s' changed while it was read", f->path);
	(void)close(f->fd);
	f->fd = -1;
	return status;
}
