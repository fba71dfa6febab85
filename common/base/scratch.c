#include "swarm/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct item {
	struct item *next;
	char path[];
};

struct scratch {
	pthread_mutex_t lock;
	struct item *items;
	bool closed;
};

struct scratch *scratch_new(struct err *e)
{
	struct scratch *s = calloc(1, sizeof *s);

	if (s == NULL || pthread_mutex_init(&s->lock, NULL) != 0) {
		free(s);
		(void)err_nomem(e);
		return NULL;
	}
	return s;
}

int scratch_enter(struct scratch *s, struct err *e)
{
	pthread_mutex_lock(&s->lock);
	if (!s->closed)
		return 0;
	pthread_mutex_unlock(&s->lock);
	return err_set(e, ERR_SYSTEM, "interrupted");
}

void scratch_leave(struct scratch *s)
{
	pthread_mutex_unlock(&s->lock);
}

int scratch_add(struct scratch *s, const char *path, struct err *e)
{
	size_t len = strlen(path);
	struct item *item = malloc(sizeof *item + len + 1);

	if (item == NULL)
		return err_nomem(e);
	memcpy(item->path, path, len + 1);
	item->next = s->items;
	s->items = item;
	return 0;
}

void scratch_forget(struct scratch *s, const char *path)
{
	pthread_mutex_lock(&s->lock);
	for (struct item **at = &s->items; *at != NULL; at = &(*at)->next) {
		struct item *item = *at;
		if (strcmp(item->path, path) == 0) {
			*at = item->next;
			free(item);
			break;
		}
	}
	pthread_mutex_unlock(&s->lock);
}

/* Empties the directory `fd` and closes it. Returns whether anything went. */
static bool empty_directory(int fd)
{
	DIR *dir = fdopendir(fd);
	bool removed = false;

	if (dir == NULL) {
		(void)close(fd);
		return false;
	}
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, d->d_name, 0) == 0) {
			removed = true;
			continue;
		}
		int below = openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0 && empty_directory(below))
			removed = true;
		if (unlinkat(fd, d->d_name, AT_REMOVEDIR) == 0)
			removed = true;
	}
	(void)closedir(dir);
	return removed;
}

/*
 * Another thread may be adding files as fast as they go, so what counts is not
 * how often this has been tried but whether anything still goes.
 */
static void remove_tree(const char *path)
{
	for (int in_vain = 0; in_vain < 100; in_vain++) {
		if (unlink(path) == 0 || errno == ENOENT)
			return;
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && empty_directory(fd))
			in_vain = 0;
		if (rmdir(path) == 0 || errno == ENOENT)
			return;
	}
}

void scratch_remove(struct scratch *s, const char *path)
{
	remove_tree(path);
	scratch_forget(s, path);
}

void scratch_remove_all(struct scratch *s)
{
	pthread_mutex_lock(&s->lock);
	s->closed = true;
	while (s->items != NULL) {
		struct item *item = s->items;
		remove_tree(item->path);
		s->items = item->next;
		free(item);
	}
	pthread_mutex_unlock(&s->lock);
}

void scratch_free(struct scratch *s)
{
	if (s == NULL)
		return;
	scratch_remove_all(s);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
