#define _GNU_SOURCE /* O_TMPFILE */
#include "swarm/outfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/io.h"

#define INFIX ".swarm-"
/* How much of the target's name stands in a temporary one, which has its own limit of 255. */
#define NAME_SHOWN 200
/* How much gathered text is worth a write. */
#define TEXT_BLOCK ((size_t)256 * 1024)

struct outfile {
	char *path;
	struct scratch *scratch;
	int fd;
	char *temporary; /* the name of fd's file, or NULL while it has none */
	bool streams;    /* the target is written to, not replaced */
	bool force;
	bool synced;
};

static int refuse_existing(const char *path, struct err *e)
{
	return err_set(e, ERR_USAGE, "'%s' exists: give --force to replace it", path);
}

/* Looks at what stands at the target: may it be replaced, is it to be written to? */
static int examine(struct outfile *o, struct err *e)
{
	struct stat st;

	if (strcmp(o->path, "-") == 0) {
		o->streams = true;
		return 0;
	}
	const char *name = strrchr(o->path, '/') != NULL ? strrchr(o->path, '/') + 1 : o->path;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		bool is_directory = stat(o->path, &st) == 0;
		return err_set(e, ERR_USAGE, "cannot write '%s': %s", o->path,
			       is_directory ? "it is a directory" : "it is no name of a file");
	}
	if (stat(o->path, &st) != 0) {
		struct stat link;
		if (errno == ENOENT && lstat(o->path, &link) == 0)
			return err_set(e, ERR_USAGE, "'%s' is a symbolic link that leads nowhere",
				       o->path);
		return errno == ENOENT ? 0 : err_sys(e, "cannot write '%s'", o->path);
	}
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "cannot write '%s': it is a directory", o->path);
	if (!S_ISREG(st.st_mode)) {
		o->streams = true;
		return 0;
	}
	if (!o->force)
		return refuse_existing(o->path, e);
	/* Replace the file that a link leads to, not the link. */
	char *real = realpath(o->path, NULL);
	if (real == NULL)
		return err_sys(e, "cannot resolve '%s'", o->path);
	free(o->path);
	o->path = real;
	return 0;
}

char *outfile_folder(const char *path)
{
	char *copy = strdup(path);
	char *folder = copy != NULL ? strdup(dirname(copy)) : NULL;

	free(copy);
	return folder;
}

/* "<folder>/.<name>.swarm-XXXXXX" for mkostemp(). */
static char *temporary_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;
	size_t size = strlen(path) + sizeof "." INFIX "XXXXXX";
	char *name = malloc(size);

	if (name != NULL)
		(void)snprintf(name, size, "%.*s.%.*s" INFIX "XXXXXX", (int)folder, path,
			       NAME_SHOWN, path + folder);
	return name;
}

/*
 * Removes what runs that were killed have left of this output: a run that is alive holds a lock on
 * its file.
 */
static void sweep(const char *path)
{
	char *folder = outfile_folder(path), *pattern = temporary_name(path);
	const char *prefix = pattern != NULL ? strrchr(pattern, '/') : NULL;
	DIR *dir = folder != NULL && pattern != NULL ? opendir(folder) : NULL;

	prefix = prefix != NULL ? prefix + 1 : pattern;
	for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
		size_t len = strlen(prefix);
		if (strlen(d->d_name) != len || strncmp(d->d_name, prefix, len - 6) != 0)
			continue;
		int fd =
		    openat(dirfd(dir), d->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		struct stat st;
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    flock(fd, LOCK_EX | LOCK_NB) == 0)
			(void)unlinkat(dirfd(dir), d->d_name, 0);
		if (fd >= 0)
			(void)close(fd);
	}
	if (dir != NULL)
		(void)closedir(dir);
	free(folder);
	free(pattern);
}

/* Makes a file of a temporary name. */
static int make_named(struct outfile *o, struct err *e)
{
	if (scratch_enter(o->scratch, e) != 0)
		return -1;
	int status = 0;
	o->fd = mkostemp(o->temporary, O_CLOEXEC);
	if (o->fd < 0)
		status = err_sys(e, "cannot write '%s'", o->path);
	else if (flock(o->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		/* Another run is just sweeping it. */
		errno = EAGAIN;
		status = err_sys(e, "cannot write '%s'", o->path);
	} else if (scratch_add(o->scratch, o->temporary, e) != 0) {
		(void)unlink(o->temporary);
		status = -1;
	}
	scratch_leave(o->scratch);
	return status;
}

static int open_named(struct outfile *o, mode_t mode, struct err *e)
{
	o->temporary = temporary_name(o->path);
	if (o->temporary == NULL)
		return err_nomem(e);
	if (make_named(o, e) != 0) {
		free(o->temporary);
		o->temporary = NULL;
		return -1;
	}
	mode_t mask = umask(0);
	(void)umask(mask);
	if (fchmod(o->fd, mode & ~mask) != 0)
		return err_sys(e, "cannot set the mode of '%s'", o->temporary);
	return 0;
}

static int open_file(struct outfile *o, mode_t mode, struct err *e)
{
	if (o->streams) {
		o->fd = io_temporary(e);
		return o->fd < 0 ? -1 : 0;
	}
	char *folder = outfile_folder(o->path);
	if (folder == NULL)
		return err_nomem(e);
	sweep(o->path);
	/* A nameless file gets its name by way of /proc. */
	if (access("/proc/self/fd/0", F_OK) == 0 || access("/proc/self/fd", X_OK) == 0)
		o->fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	free(folder);
	/* For the moment in which it has a temporary name; see sweep(). */
	if (o->fd >= 0)
		(void)flock(o->fd, LOCK_EX | LOCK_NB);
	return o->fd >= 0 ? 0 : open_named(o, mode, e);
}

struct outfile *outfile_open(const char *path, const struct outfile_options *options,
			     struct scratch *scratch, struct err *e)
{
	struct outfile *o = calloc(1, sizeof *o);
	char *copy = strdup(path);

	if (o == NULL || copy == NULL) {
		free(o);
		free(copy);
		(void)err_nomem(e);
		return NULL;
	}
	*o = (struct outfile){.path = copy, .fd = -1, .scratch = scratch, .force = options->force};
	if (examine(o, e) != 0 || open_file(o, options->mode != 0 ? options->mode : 0666, e) != 0) {
		outfile_free(o);
		return NULL;
	}
	return o;
}

void outfile_free(struct outfile *o)
{
	if (o == NULL)
		return;
	if (o->temporary != NULL)
		scratch_remove(o->scratch, o->temporary);
	if (o->fd >= 0)
		(void)close(o->fd);
	free(o->temporary);
	free(o->path);
	free(o);
}

int outfile_write(struct outfile *o, const void *bytes, size_t len, struct err *e)
{
	return io_write(o->fd, bytes, len, o->path, e);
}

int outfile_drain(struct outfile *o, struct buf *text, struct err *e)
{
	if (buf_check(text, e) != 0 || outfile_write(o, text->data, text->len, e) != 0)
		return -1;
	buf_clear(text);
	return 0;
}

int outfile_gather(struct outfile *o, struct buf *text, struct err *e)
{
	return text->len >= TEXT_BLOCK ? outfile_drain(o, text, e) : 0;
}

int outfile_sync(struct outfile *o, struct err *e)
{
	if (!o->streams && !o->synced && fsync(o->fd) != 0)
		return err_sys(e, "cannot write '%s'", o->path);
	o->synced = true;
	return 0;
}

static int write_through(struct outfile *o, struct err *e)
{
	bool standard = strcmp(o->path, "-") == 0;
	const char *name = standard ? "standard output" : o->path;
	int to = standard ? STDOUT_FILENO : open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (to < 0)
		return err_sys(e, "cannot open '%s'", name);
	int status = io_copy(to, name, o->fd, e);
	if (!standard && close(to) != 0 && status == 0)
		status = err_sys(e, "cannot write '%s'", name);
	return status;
}

/* Links fd's file to `name`, which must not exist. */
static int give_name(const struct outfile *o, const char *name)
{
	char self[64];

	if (o->temporary != NULL)
		return link(o->temporary, name);
	(void)snprintf(self, sizeof self, "/proc/self/fd/%d", o->fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

/*
 * Gives a nameless file a temporary name, for the rename that replaces the target. Nobody knows of
 * the name: this and the rename are one step for the scratch.
 */
static int name_temporarily(struct outfile *o, struct err *e)
{
	for (int tries = 0; tries < 100; tries++) {
		char *name = temporary_name(o->path);
		if (name == NULL) {
			(void)err_nomem(e);
			return -1;
		}
		/* mkostemp() finds a free name; the link then needs it free again. */
		int fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0) {
			(void)close(fd);
			(void)unlink(name);
			if (give_name(o, name) == 0) {
				o->temporary = name;
				return 0;
			}
		}
		int why = errno;
		free(name);
		errno = why;
		if (why != EEXIST)
			break;
	}
	(void)err_sys(e, "cannot write '%s'", o->path);
	return -1;
}

/* Moves the temporary name to the target; without force, only where nothing stands. */
static int rename_into_place(struct outfile *o, struct err *e)
{
	bool was_nameless = o->temporary == NULL;

	if (was_nameless && name_temporarily(o, e) != 0)
		return -1;
	if (!o->force && access(o->path, F_OK) == 0)
		return refuse_existing(o->path, e);
	if (rename(o->temporary, o->path) != 0) {
		(void)err_sys(e, "cannot write '%s'", o->path);
		if (was_nameless) {
			(void)unlink(o->temporary);
			free(o->temporary);
			o->temporary = NULL;
		}
		return -1;
	}
	return 0;
}

int outfile_sync_folder(const char *path, struct err *e)
{
	char *folder = outfile_folder(path);
	int status = 0;

	if (folder == NULL)
		return err_nomem(e);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Whoever may only write there cannot open it; some file systems flush no directories. */
	if (fd < 0 ? errno != EACCES : fsync(fd) != 0 && errno != EINVAL)
		status = err_sys(e, "cannot write the folder of '%s'", path);
	if (fd >= 0)
		(void)close(fd);
	free(folder);
	return status;
}

static int give_final_name(struct outfile *o, struct err *e)
{
	if (o->force)
		return rename_into_place(o, e);
	if (give_name(o, o->path) == 0) {
		if (o->temporary != NULL)
			(void)unlink(o->temporary);
		return 0;
	}
	if (errno == EEXIST)
		return refuse_existing(o->path, e);
	if (o->temporary == NULL)
		return err_sys(e, "cannot write '%s'", o->path);
	/* A file system without hard links. */
	return rename_into_place(o, e);
}

int outfile_commit(struct outfile *o, struct err *e)
{
	if (outfile_sync(o, e) != 0)
		return -1;
	if (o->streams)
		return write_through(o, e);
	if (scratch_enter(o->scratch, e) != 0)
		return -1;
	int status = give_final_name(o, e);
	scratch_leave(o->scratch);
	if (status != 0)
		return -1;
	if (o->temporary != NULL)
		scratch_forget(o->scratch, o->temporary);
	free(o->temporary);
	o->temporary = NULL;
	return outfile_sync_folder(o->path, e);
}

/* Its real name, where it exists; else what it will be. NULL if not even its folder exists. */
static char *real_name(const char *path)
{
	char *real = realpath(path, NULL);
	if (real != NULL)
		return real;
	char *copy = strdup(path), *folder = outfile_folder(path);
	char *parent = folder != NULL ? realpath(folder, NULL) : NULL;
	if (copy != NULL && parent != NULL) {
		const char *name = basename(copy);
		size_t size = strlen(parent) + strlen(name) + 2;
		real = malloc(size);
		if (real != NULL)
			(void)snprintf(real, size, "%s/%s", parent, name);
	}
	free(copy);
	free(folder);
	free(parent);
	return real;
}

bool outfile_is_same(const char *a, const char *b)
{
	struct stat x, y;

	if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
		return strcmp(a, b) == 0;
	if (stat(a, &x) == 0 && stat(b, &y) == 0)
		return x.st_dev == y.st_dev && x.st_ino == y.st_ino &&
		       (S_ISREG(x.st_mode) || S_ISDIR(x.st_mode));
	char *left = real_name(a), *right = real_name(b);
	bool same = left != NULL && right != NULL && strcmp(left, right) == 0;
	free(left);
	free(right);
	return same;
}

/* The real name of `path`, or of the first folder above it that exists. NULL: none is found. */
static char *real_ancestor(const char *path)
{
	char *at = strdup(path), *real = NULL;

	while (at != NULL && (real = realpath(at, NULL)) == NULL) {
		char *folder = outfile_folder(at);
		bool ended = folder == NULL || strcmp(folder, at) == 0;
		free(at);
		at = folder;
		if (ended)
			break;
	}
	free(at);
	return real;
}

bool outfile_is_within(const char *path, const char *folder)
{
	struct stat tree, st;

	if (strcmp(path, "-") == 0 || stat(folder, &tree) != 0 || !S_ISDIR(tree.st_mode))
		return false;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return false;
	char *real = real_ancestor(path);
	bool within = false;
	for (char *end = real; end != NULL && !within;) {
		within =
		    stat(real, &st) == 0 && st.st_dev == tree.st_dev && st.st_ino == tree.st_ino;
		end = strrchr(real, '/');
		if (end == real && end[1] == '\0')
			end = NULL;
		else
			end[end == real] = '\0'; /* "/a" leads to "/" */
	}
	free(real);
	return within;
}
