#define _GNU_SOURCE /* O_TMPFILE */
#include "swarm/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)256 * 1024)

const char *io_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

int io_open(const char *path, struct err *e)
{
	int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", io_name(path));
	return fd;
}

ssize_t io_read(int fd, void *to, size_t len, const char *name, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)to + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read '%s'", name);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t io_read_at(int fd, void *to, size_t len, uint64_t offset, const char *name, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)to + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read '%s'", name);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int io_write(int fd, const void *from, size_t len, const char *name, struct err *e)
{
	const char *p = from;

	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot write '%s'", name);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_read_all(int fd, struct buf *to, size_t limit, const char *name, struct err *e)
{
	size_t start = to->len;

	for (;;) {
		char *room = buf_room(to, BLOCK);
		if (room == NULL)
			return err_nomem(e);
		ssize_t n = io_read(fd, room, BLOCK, name, e);
		if (n < 0)
			return -1;
		buf_grew(to, (size_t)n);
		if (to->len - start > limit)
			return err_set(e, ERR_MALFORMED, "'%s' is larger than %zu bytes", name,
				       limit);
		if ((size_t)n < BLOCK)
			return 0;
	}
}

int io_temporary(struct err *e)
{
	const char *dir = getenv("TMPDIR");

	if (dir == NULL || *dir == '\0')
		dir = "/tmp";
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd >= 0)
		return fd;
	char path[4096];
	int n = snprintf(path, sizeof path, "%s/swarm-XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return err_sys(e, "cannot make a temporary file in '%s'", dir);
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot make a temporary file in '%s'", dir);
	(void)unlink(path);
	return fd;
}

int io_make_seekable(int *fd, const void *before, size_t len, uint64_t limit, const char *name,
		     struct err *e)
{
	struct stat st;
	int status = -1, to = -1;
	char *block = NULL;

	if (fstat(*fd, &st) != 0)
		return err_sys(e, "cannot examine '%s'", name);
	if (S_ISREG(st.st_mode) && len == 0 && lseek(*fd, 0, SEEK_CUR) == 0)
		return 0;
	to = io_temporary(e);
	block = malloc(BLOCK);
	if (block == NULL)
		(void)err_nomem(e);
	if (to < 0 || block == NULL || io_write(to, before, len, "a temporary file", e) != 0)
		goto out;
	uint64_t size = len;
	for (ssize_t n = 1; n > 0; size += (uint64_t)n) {
		n = io_read(*fd, block, BLOCK, name, e);
		if (n < 0)
			goto out;
		if ((uint64_t)n > limit - size) {
			(void)err_set(e, ERR_MALFORMED,
				      "'%s' is larger than %llu bytes, too large for a pipe", name,
				      (unsigned long long)limit);
			goto out;
		}
		if (io_write(to, block, (size_t)n, "a temporary file", e) != 0)
			goto out;
	}
	if (lseek(to, 0, SEEK_SET) != 0) {
		(void)err_sys(e, "cannot rewind a temporary file");
		goto out;
	}
	(void)close(*fd);
	*fd = to;
	to = -1;
	status = 0;
out:
	if (to >= 0)
		(void)close(to);
	free(block);
	return status;
}

int io_copy(int to, const char *to_name, int from, struct err *e)
{
	int status = -1;
	char *block = malloc(BLOCK);

	if (block == NULL)
		return err_nomem(e);
	for (uint64_t at = 0;;) {
		ssize_t n = io_read_at(from, block, BLOCK, at, "a temporary file", e);
		if (n < 0 || (n > 0 && io_write(to, block, (size_t)n, to_name, e) != 0))
			goto out;
		at += (uint64_t)n;
		if ((size_t)n < BLOCK)
			break;
	}
	status = 0;
out:
	free(block);
	return status;
}

void io_lines_init(struct io_lines *l, int fd, const char *name, size_t limit)
{
	*l = (struct io_lines){
	    .fd = fd, .name = name, .limit = limit, .left = UINT64_MAX, .data = BUF_INIT};
}

void io_lines_release(struct io_lines *l)
{
	buf_release(&l->data);
}

int io_lines_next(struct io_lines *l, const char **ret, size_t *ret_len, struct err *e)
{
	size_t searched = 0;

	for (;;) {
		const char *start = l->data.data + l->at;
		size_t have = l->data.len - l->at;
		const char *end = memchr(start + searched, '\n', have - searched);
		size_t len = end != NULL ? (size_t)(end - start) : have;
		if (len > l->limit)
			return err_set(e, ERR_MALFORMED, "%s:%llu: the line is over %zu bytes long",
				       l->name, (unsigned long long)l->number + 1, l->limit);
		if (end != NULL) {
			l->number++;
			l->at += len + 1;
			*ret = start;
			*ret_len = len;
			return 1;
		}
		searched = have;
		buf_consume(&l->data, l->at);
		l->at = 0;
		char *room = buf_room(&l->data, BLOCK);
		if (room == NULL)
			return err_nomem(e);
		ssize_t n = read(l->fd, room, l->left < BLOCK ? (size_t)l->left : BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read '%s'", l->name);
		l->left -= (uint64_t)n;
		if (n == 0 && have > 0 && l->lax) {
			l->number++;
			l->at += have;
			*ret = start;
			*ret_len = have;
			return 1;
		}
		if (n == 0 && have > 0)
			return err_set(e, ERR_MALFORMED,
				       "%s:%llu: the last line has no line feed: is it cut off?",
				       l->name, (unsigned long long)l->number + 1);
		if (n == 0)
			return 0;
		buf_grew(&l->data, (size_t)n);
	}
}
