#define _GNU_SOURCE /* renameat2() */
#include "swarm/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "swarm/path.h"

static void close_keeping_errno(int fd)
{
	int why = errno;

	(void)close(fd);
	errno = why;
}

/* Enters the directory `name`. umask may have taken away from the mode of one that is made. */
static int enter(int dir, const char *name, bool make)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags);

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	/* Another thread may have made it just now. */
	if (mkdirat(dir, name, 0755) != 0 && errno != EEXIST)
		return -1;
	fd = openat(dir, name, flags);
	if (fd >= 0 && fchmod(fd, 0755) != 0) {
		close_keeping_errno(fd);
		return -1;
	}
	return fd;
}

static int open_parent(int root, const char *path, bool make, const char **ret_name)
{
	int dir = fcntl(root, F_DUPFD_CLOEXEC, 3);

	for (size_t n; dir >= 0 && path[n = strcspn(path, "/")] == '/'; path += n + 1) {
		char name[PATH_COMPONENT_MAX + 1];
		if (n >= sizeof name) {
			(void)close(dir);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		int next = enter(dir, name, make);
		close_keeping_errno(dir);
		dir = next;
	}
	*ret_name = path;
	return dir;
}

int beneath_parent(int root, const char *path, bool make, const char **ret_name)
{
	int dir = open_parent(root, path, make, ret_name);

	/* O_NOFOLLOW with O_DIRECTORY says ENOTDIR of a link, ELOOP elsewhere. */
	if (dir < 0 && !make && (errno == ENOTDIR || errno == ELOOP))
		errno = ENOENT;
	return dir;
}

int beneath_stat(int root, const char *path, struct stat *ret)
{
	const char *name;
	int dir = beneath_parent(root, path, false, &name);

	if (dir < 0)
		return -1;
	int status = fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW);
	close_keeping_errno(dir);
	return status;
}

/*
 * One call instead of two for each component. Where it fails, for whatever reason (a kernel before
 * 5.6, a sandbox that does not know it, a path above PATH_MAX, a race), the long way finds out why.
 */
static int open_at_once(int root, const char *path, int flags)
{
	struct open_how how = {.flags = (unsigned)flags,
			       .resolve =
				   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

int beneath_open(int root, const char *path, int flags)
{
	const char *name;

	/* O_NONBLOCK: should a FIFO stand here, do not wait for its writer. */
	flags |= O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = open_at_once(root, path, flags);
	if (fd >= 0)
		return fd;
	int dir = open_parent(root, path, false, &name);
	if (dir < 0)
		return -1;
	fd = openat(dir, name, flags);
	close_keeping_errno(dir);
	return fd;
}

static int remove_at(int root, const char *path, int flags)
{
	const char *name;
	int dir = beneath_parent(root, path, false, &name);

	if (dir < 0)
		return -1;
	int status = unlinkat(dir, name, flags);
	close_keeping_errno(dir);
	return status;
}

int beneath_unlink(int root, const char *path)
{
	return remove_at(root, path, 0);
}

int beneath_rmdir(int root, const char *path)
{
	return remove_at(root, path, AT_REMOVEDIR);
}

/* Not every file system can refuse to replace: then it is looked at first. */
static int rename_anew(int from, int to, const char *name)
{
	struct stat st;

	if (renameat2(from, name, to, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(to, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(from, name, to, name);
}

int beneath_move(int from, int to, const char *path)
{
	const char *name;
	int source = beneath_parent(from, path, false, &name);

	if (source < 0)
		return -1;
	int target = beneath_parent(to, path, true, &name);
	int status = target >= 0 ? rename_anew(source, target, name) : -1;
	if (target >= 0)
		close_keeping_errno(target);
	close_keeping_errno(source);
	return status;
}

void beneath_prune(int root, const char *path)
{
	char folder[PATH_LENGTH_MAX + 1];
	size_t len = strlen(path);

	if (len >= sizeof folder)
		return;
	memcpy(folder, path, len + 1);
	for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
		*slash = '\0';
		if (beneath_rmdir(root, folder) != 0 && errno != ENOENT)
			break;
	}
}
