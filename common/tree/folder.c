#define _GNU_SOURCE /* syncfs(), renameat2() */
#include "swarm/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "swarm/buf.h"
#include "swarm/io.h"
#include "swarm/outfile.h"
#include "swarm/path.h"

#define INFIX ".swarm-"
/* Times 50 ms. */
#define LOCK_TRIES 60

struct folder {
	char *path;      /* without trailing slashes */
	char *temporary; /* NULL once it has its final name */
	struct scratch *scratch;
	bool force;
	struct timespec times[2];
	int fd;             /* of the temporary directory; holds the lock that says it is in use */
	int parent;         /* of the directory made last, where files go */
	struct buf made;    /* the path of that directory; "" for the top */
	struct buf list;    /* all directories made, each with its NUL */
	struct buf current; /* path of the file being written */
	int file;
};

/* Splits a path into its folder (with the slash, maybe "") and its name. */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

/* Removes what a run that was killed has left behind: the lock on it is free. */
static void sweep(struct folder *f)
{
	size_t at = folder_length(f->path);
	struct buf text = BUF_INIT, prefix = BUF_INIT;
	char *parent = outfile_folder(f->path);

	buf_add(&text, f->path, at);
	buf_addf(&prefix, ".%s" INFIX, f->path + at);
	DIR *dir = parent != NULL ? opendir(parent) : NULL;
	for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
		if (strncmp(d->d_name, prefix.data, prefix.len) != 0 ||
		    strlen(d->d_name) != prefix.len + 6)
			continue;
		int fd =
		    openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
			buf_truncate(&text, at);
			buf_adds(&text, d->d_name);
			scratch_remove(f->scratch, text.data);
		}
		if (fd >= 0)
			(void)close(fd);
	}
	if (dir != NULL)
		(void)closedir(dir);
	free(parent);
	buf_release(&text);
	buf_release(&prefix);
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	if (dir == NULL)
		return false;
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count <= 2;
}

static int refuse_existing(const struct folder *f, struct err *e)
{
	return err_set(e, ERR_USAGE, "'%s/' exists: give --force to replace all of it", f->path);
}

static int examine(const struct folder *f, struct err *e)
{
	struct stat st;

	if (lstat(f->path, &st) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot write '%s/'", f->path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "'%s' exists and is not a directory", f->path);
	if (!f->force && !is_empty(f->path))
		return refuse_existing(f, e);
	return 0;
}

static int make_locked(struct folder *f, struct err *e)
{
	if (mkdtemp(f->temporary) == NULL)
		return err_sys(e, "cannot make the directory '%s/'", f->path);
	if (scratch_add(f->scratch, f->temporary, e) != 0) {
		(void)rmdir(f->temporary);
		return -1;
	}
	f->fd = open(f->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	f->parent = f->fd;
	if (f->fd < 0 || flock(f->fd, LOCK_EX) != 0 || fchmod(f->fd, 0755) != 0)
		return err_sys(e, "cannot make the directory '%s/'", f->path);
	return 0;
}

static int make(struct folder *f, struct err *e)
{
	size_t at = folder_length(f->path);
	struct buf name = BUF_INIT;

	buf_add(&name, f->path, at);
	buf_addf(&name, ".%s" INFIX "XXXXXX", f->path + at);
	f->temporary = buf_detach(&name);
	if (f->temporary == NULL)
		return err_nomem(e);
	if (scratch_enter(f->scratch, e) != 0)
		return -1;
	int status = make_locked(f, e);
	scratch_leave(f->scratch);
	if (status != 0 && f->fd < 0) {
		free(f->temporary);
		f->temporary = NULL;
	}
	return status;
}

/*
 * The folder that it will stand in, locked: else another run could take ours, between its making
 * and its own lock, for one that was left behind. Without the lock (some network file systems have
 * none) nothing is swept. Close it to unlock.
 */
static int lock_parent(const struct folder *f)
{
	char *parent = outfile_folder(f->path);
	int fd = parent != NULL ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(parent);
	/* Whoever can read the folder can lock it: do not wait for ever. */
	for (int tries = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || tries == LOCK_TRIES) {
			(void)close(fd);
			fd = -1;
			break;
		}
		(void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
	return fd;
}

struct folder *folder_open(const char *path, bool force, int64_t mtime, struct scratch *scratch,
			   struct err *e)
{
	struct folder *f = calloc(1, sizeof *f);

	if (f == NULL || (f->path = strdup(path)) == NULL) {
		free(f);
		(void)err_nomem(e);
		return NULL;
	}
	for (size_t n = strlen(f->path); n > 1 && f->path[n - 1] == '/'; n--)
		f->path[n - 1] = '\0';
	f->scratch = scratch;
	f->force = force;
	f->times[0].tv_sec = f->times[1].tv_sec = (time_t)mtime;
	f->fd = f->parent = f->file = -1;
	buf_init(&f->made);
	buf_init(&f->list);
	buf_init(&f->current);
	const char *name = f->path + folder_length(f->path);
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		(void)err_set(e, ERR_USAGE, "'%s' cannot be replaced by a bundle", path);
		goto fail;
	}
	if (examine(f, e) != 0)
		goto fail;
	int lock = lock_parent(f);
	if (lock >= 0)
		sweep(f);
	int status = make(f, e);
	if (lock >= 0)
		(void)close(lock);
	if (status != 0)
		goto fail;
	return f;
fail:
	folder_free(f);
	return NULL;
}

void folder_free(struct folder *f)
{
	if (f == NULL)
		return;
	if (f->file >= 0)
		(void)close(f->file);
	if (f->parent >= 0 && f->parent != f->fd)
		(void)close(f->parent);
	if (f->temporary != NULL)
		scratch_remove(f->scratch, f->temporary);
	if (f->fd >= 0)
		(void)close(f->fd);
	buf_release(&f->made);
	buf_release(&f->list);
	buf_release(&f->current);
	free(f->temporary);
	free(f->path);
	free(f);
}

/* Makes the directory that `path` lies in, and those above it, and leaves it in f->parent. */
static int enter_parent(struct folder *f, const char *path, struct err *e)
{
	size_t len = folder_length(path);

	if (f->made.len == len && memcmp(f->made.data, path, len) == 0)
		return 0;
	if (f->parent != f->fd)
		(void)close(f->parent);
	f->parent = f->fd;
	buf_clear(&f->made);
	for (const char *at = path; at < path + len;) {
		char name[PATH_COMPONENT_MAX + 1];
		size_t n = strcspn(at, "/");
		memcpy(name, at, n);
		name[n] = '\0';
		at += n + 1;
		buf_truncate(&f->made, 0);
		buf_add(&f->made, path, (size_t)(at - path));
		if (mkdirat(f->parent, name, 0755) == 0) {
			/* umask may have taken away from the mode. */
			if (fchmodat(f->parent, name, 0755, 0) != 0)
				return err_sys(e, "cannot make '%s' in '%s'", f->made.data,
					       f->path);
			buf_add(&f->list, f->made.data, f->made.len + 1);
		} else if (errno != EEXIST) {
			return err_sys(e, "cannot make '%s' in '%s'", f->made.data, f->path);
		}
		int next = openat(f->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return err_sys(e, "cannot make '%s' in '%s'", f->made.data, f->path);
		if (f->parent != f->fd)
			(void)close(f->parent);
		f->parent = next;
	}
	return buf_check(&f->made, e);
}

int folder_begin(struct folder *f, const char *path, bool exec, struct err *e)
{
	/* Else a signal could have to remove files for as long as we make them. */
	if (scratch_enter(f->scratch, e) != 0)
		return -1;
	scratch_leave(f->scratch);
	buf_clear(&f->current);
	buf_adds(&f->current, path);
	if (buf_check(&f->current, e) != 0 || enter_parent(f, path, e) != 0)
		return -1;
	f->file = openat(f->parent, path_base(path),
			 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (f->file < 0 || fchmod(f->file, exec ? 0755 : 0644) != 0)
		return err_sys(e, "cannot write '%s' in '%s'", path, f->path);
	return 0;
}

int folder_write(struct folder *f, const void *bytes, size_t len, struct err *e)
{
	return io_write(f->file, bytes, len, f->current.data, e);
}

int folder_end(struct folder *f, struct err *e)
{
	int failed = futimens(f->file, f->times);
	if (close(f->file) != 0)
		failed = -1;
	f->file = -1;
	return failed == 0 ? 0 : err_sys(e, "cannot write '%s' in '%s'", f->current.data, f->path);
}

int folder_sync(struct folder *f, struct err *e)
{
	if (buf_check(&f->list, e) != 0)
		return -1;
	for (size_t at = 0; at < f->list.len; at += strlen(f->list.data + at) + 1)
		if (utimensat(f->fd, f->list.data + at, f->times, AT_SYMLINK_NOFOLLOW) != 0)
			return err_sys(e, "cannot set the time of '%s' in '%s'", f->list.data + at,
				       f->path);
	if (futimens(f->fd, f->times) != 0)
		return err_sys(e, "cannot set the time of '%s'", f->path);
	/* One call for the whole file system: an fsync() a file takes minutes for a large tree. */
	if (syncfs(f->fd) != 0)
		return err_sys(e, "cannot write '%s'", f->path);
	return 0;
}

/* What stood there, if anything, has the temporary name afterwards, and goes with it. */
static int give_final_name(const struct folder *f, struct err *e)
{
	if (rename(f->temporary, f->path) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return err_sys(e, "cannot write '%s/'", f->path);
	if (!f->force)
		return refuse_existing(f, e);
	if (renameat2(AT_FDCWD, f->temporary, AT_FDCWD, f->path, RENAME_EXCHANGE) != 0)
		return err_sys(e, "cannot replace '%s/'", f->path);
	return 0;
}

int folder_commit(struct folder *f, struct err *e)
{
	if (scratch_enter(f->scratch, e) != 0)
		return -1;
	int status = give_final_name(f, e);
	scratch_leave(f->scratch);
	if (status != 0)
		return -1;
	scratch_remove(f->scratch, f->temporary);
	free(f->temporary);
	f->temporary = NULL;
	return 0;
}
