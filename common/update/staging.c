#define _GNU_SOURCE /* syncfs(), renameat2() */
#include "swarm/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/beneath.h"
#include "swarm/buf.h"
#include "swarm/outfile.h"
#include "swarm/path.h"
#include "swarm/source.h"

#define SUFFIX ".swarm-patch"

struct staging {
	char *target; /* the tree's name */
	char *path;   /* of the folder; NULL once it is gone */
	struct scratch *scratch;
	int fd;       /* of the folder; holds the lock */
	int new, old; /* the directories in it */
};

/* --- life ---------------------------------------------------------------------------------------
 */

/* "<folder of target>/.<name>.swarm-patch"; `target` has no slash at its end. */
static char *name_of(const char *target)
{
	size_t at = (size_t)(path_base(target) - target);
	struct buf name = BUF_INIT;

	buf_add(&name, target, at);
	buf_addf(&name, ".%s" SUFFIX, target + at);
	return buf_detach(&name);
}

/* A tree is also known by a link to it, or as "."; what is not there yet only by its name. */
static int find_target(struct staging *s, const char *target, struct err *e)
{
	struct stat st;

	s->target = realpath(target, NULL);
	if (s->target == NULL && errno != ENOENT)
		return err_sys(e, "cannot resolve '%s'", target);
	if (s->target == NULL && (s->target = strdup(target)) == NULL)
		return err_nomem(e);
	for (size_t n = strlen(s->target); n > 1 && s->target[n - 1] == '/'; n--)
		s->target[n - 1] = '\0';
	const char *name = path_base(s->target);
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, ERR_USAGE, "'%s' cannot be the name of a tree", target);
	if (lstat(s->target, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "'%s' exists and is not a directory", target);
	return 0;
}

char *staging_name(const char *target, struct err *e)
{
	struct staging s = {.target = NULL};
	char *name = NULL;

	if (find_target(&s, target, e) == 0 && (name = name_of(s.target)) == NULL)
		(void)err_nomem(e);
	free(s.target);
	return name;
}

int staging_check(const char *target, struct err *e)
{
	struct staging s = {.target = NULL};
	struct stat tree, beside;
	char *folder = NULL;
	int status = -1;

	if (find_target(&s, target, e) != 0)
		goto out;
	folder = outfile_folder(s.target);
	if (folder == NULL)
		(void)err_nomem(e);
	else if (stat(s.target, &tree) == 0 && stat(folder, &beside) == 0 &&
		 tree.st_dev != beside.st_dev)
		(void)err_set(e, ERR_USAGE,
			      "'%s' is a file system of its own: it has to be on the one of the "
			      "directory that it is in, where the new files are made",
			      s.target);
	else
		status = 0;
out:
	free(folder);
	free(s.target);
	return status;
}

/* Whether the folder is still the one of that name: another run may have removed it just now. */
static bool is_current(const struct staging *s, int fd)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && lstat(s->path, &there) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* 0: `fd` holds the lock; 1: once more. */
static int lock(const struct staging *s, int fd, struct err *e)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(e, "cannot lock '%s/'", s->path);
		return err_set(e, ERR_USAGE, "'%s/' is in use by another run", s->path);
	}
	if (fstat(fd, &st) != 0)
		return err_sys(e, "cannot examine '%s/'", s->path);
	if (st.st_uid != geteuid())
		return err_set(e, ERR_USAGE, "'%s/' is somebody else's: remove it", s->path);
	/* Others may have put there, or put there yet, what looks like ours. */
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, ERR_USAGE, "'%s/' can be written to by others: remove it",
			       s->path);
	return is_current(s, fd) ? 0 : 1;
}

/* s->fd is set only with the lock: who has none must leave alone what is in there. */
static int try_open(struct staging *s, struct err *e)
{
	if (mkdir(s->path, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "cannot make the directory '%s/'", s->path);
	int fd = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 1 : err_sys(e, "cannot open '%s/'", s->path);
	int status = lock(s, fd, e);
	if (status == 0)
		s->fd = fd;
	else
		(void)close(fd);
	return status;
}

static int open_part(const struct staging *s, const char *name, mode_t mode, struct err *e)
{
	struct stat st;
	int fd = -1;

	if (mkdirat(s->fd, name, mode) != 0 && errno != EEXIST)
		return err_sys(e, "cannot make the directory '%s/%s'", s->path, name);
	fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		(void)err_sys(e, "cannot open '%s/%s'", s->path, name);
	else if (st.st_uid != geteuid())
		(void)err_set(e, ERR_USAGE, "'%s/%s' is somebody else's: remove it", s->path, name);
	else if (fchmod(fd, mode) != 0)
		(void)err_sys(e, "cannot change the mode of '%s/%s'", s->path, name);
	else
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

struct staging *staging_open(const char *target, struct scratch *scratch, struct err *e)
{
	struct staging *s = calloc(1, sizeof *s);
	int status = 1;

	if (s == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	s->scratch = scratch;
	s->fd = s->new = s->old = -1;
	if (find_target(s, target, e) != 0)
		goto fail;
	s->path = name_of(s->target);
	if (s->path == NULL) {
		(void)err_nomem(e);
		goto fail;
	}
	for (int tries = 0; status == 1 && tries < 100; tries++)
		status = try_open(s, e);
	if (status == 1)
		(void)err_set(e, ERR_USAGE, "'%s/' is in use by another run", s->path);
	if (status != 0)
		goto fail;
	s->new = open_part(s, "new", 0755, e);
	s->old = s->new >= 0 ? open_part(s, "old", 0700, e) : -1;
	if (s->old < 0)
		goto fail;
	return s;
fail:
	staging_close(s);
	return NULL;
}

void staging_close(struct staging *s)
{
	if (s == NULL)
		return;
	if (s->old >= 0)
		(void)close(s->old);
	if (s->new >= 0)
		(void)close(s->new);
	if (s->fd >= 0) {
		/* Only what is empty. */
		(void)unlinkat(s->fd, "new", AT_REMOVEDIR);
		(void)unlinkat(s->fd, "old", AT_REMOVEDIR);
		if (s->path != NULL && is_current(s, s->fd))
			(void)rmdir(s->path);
		(void)close(s->fd);
	}
	free(s->path);
	free(s->target);
	free(s);
}

const char *staging_target(const struct staging *s)
{
	return s->target;
}

const char *staging_path(const struct staging *s)
{
	return s->path;
}

int staging_new(const struct staging *s)
{
	return s->new;
}

int staging_old(const struct staging *s)
{
	return s->old;
}

/* --- files --------------------------------------------------------------------------------------
 */

/* A directory is of use only for what is in it. */
static int drop_item(const struct staging *s, const struct source_item *item, struct err *e)
{
	bool directory = item->type == SOURCE_DIRECTORY;
	int status =
	    directory ? beneath_rmdir(s->new, item->path) : beneath_unlink(s->new, item->path);

	if (status != 0 && directory && (errno == ENOTEMPTY || errno == EEXIST))
		return 0;
	if (status != 0)
		return err_sys(e, "cannot remove '%s/new/%s'", s->path, item->path);
	beneath_prune(s->new, item->path);
	return 0;
}

static int sift(struct staging *s, struct source *source,
		bool (*keep)(void *context, const char *path), void *context, struct err *e)
{
	struct source_item item;
	int got;

	while ((got = source_next(source, &item, e)) > 0)
		if (!(item.type == SOURCE_FILE && keep(context, item.path)) &&
		    drop_item(s, &item, e) != 0)
			return -1;
	return got;
}

int staging_sift(struct staging *s, bool (*keep)(void *context, const char *path), void *context,
		 struct err *e)
{
	struct buf name = BUF_INIT;
	struct source *source = NULL;
	int status = -1;

	buf_addf(&name, "%s/new", s->path);
	if (buf_check(&name, e) != 0)
		goto out;
	source = source_open(name.data, 1, e);
	if (source != NULL)
		status = sift(s, source, keep, context, e);
out:
	source_close(source);
	buf_release(&name);
	return status;
}

int staging_create(const struct staging *s, const char *path, bool exec, struct err *e)
{
	const char *name;
	int fd = -1, dir = beneath_parent(s->new, path, true, &name);

	if (dir < 0)
		return err_sys(e, "cannot make the directory of '%s' in '%s'", path, s->path);
	/* What is there may be another name of an old file: it is never written to. */
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT || errno == EISDIR)
		fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, exec ? 0755 : 0644) != 0) {
		(void)err_sys(e, "cannot write '%s' in '%s'", path, s->path);
		if (fd >= 0)
			(void)close(fd);
		fd = -1;
	}
	(void)close(dir);
	return fd;
}

bool staging_link(const struct staging *s, const char *path, int fd)
{
	char from[64];
	const char *name;
	int dir = beneath_parent(s->new, path, true, &name);

	if (dir < 0)
		return false;
	(void)snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	(void)unlinkat(dir, name, 0);
	int status = linkat(AT_FDCWD, from, dir, name, AT_SYMLINK_FOLLOW);
	(void)close(dir);
	return status == 0;
}

void staging_drop(const struct staging *s, const char *path)
{
	(void)beneath_unlink(s->new, path);
}

int staging_forget_old(struct staging *s, struct err *e)
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s/old", s->path);
	if (buf_check(&name, e) != 0)
		return -1;
	scratch_remove(s->scratch, name.data);
	buf_release(&name);
	(void)close(s->old);
	s->old = open_part(s, "old", 0700, e);
	return s->old >= 0 ? 0 : -1;
}

/* --- the end ------------------------------------------------------------------------------------
 */

int staging_sync(const struct staging *s, struct err *e)
{
	/* One call for the whole file system: an fsync() a file takes minutes for a large tree. */
	if (syncfs(s->fd) != 0)
		return err_sys(e, "cannot write '%s/'", s->path);
	return 0;
}

static int give_name(const struct staging *s, bool force, bool *ret_exchanged, struct err *e)
{
	*ret_exchanged = false;
	if (renameat(s->fd, "new", AT_FDCWD, s->target) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return err_sys(e, "cannot write '%s/'", s->target);
	if (!force)
		return err_set(e, ERR_USAGE, "'%s/' exists: give --force to replace all of it",
			       s->target);
	if (renameat2(s->fd, "new", AT_FDCWD, s->target, RENAME_EXCHANGE) != 0)
		return err_sys(e, "cannot replace '%s/'", s->target);
	*ret_exchanged = true;
	return 0;
}

static int take_back(const struct staging *s, bool exchanged, struct err *e)
{
	int status = exchanged ? renameat2(s->fd, "new", AT_FDCWD, s->target, RENAME_EXCHANGE)
			       : renameat(AT_FDCWD, s->target, s->fd, "new");

	if (status != 0)
		return err_prefix(e, "'%s/' is new, but a crash may undo that", s->target);
	return -1;
}

int staging_commit(struct staging *s, bool force, struct err *e)
{
	bool exchanged;

	if (scratch_enter(s->scratch, e) != 0)
		return -1;
	int status = give_name(s, force, &exchanged, e);
	if (status == 0 && outfile_sync_folder(s->target, e) != 0)
		status = take_back(s, exchanged, e);
	scratch_leave(s->scratch);
	if (status != 0)
		return -1;
	staging_remove(s);
	return 0;
}

void staging_remove(struct staging *s)
{
	scratch_remove(s->scratch, s->path);
	free(s->path);
	s->path = NULL;
}
