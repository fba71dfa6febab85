#define _GNU_SOURCE /* getdents64() */
#include "swarm/crawl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/beneath.h"
#include "swarm/buf.h"

/* How many entries may be listed ahead. */
#define AHEAD_MAX ((size_t)50000)
/*
 * Each directory is opened from the top, above PATH_MAX a component at a time: a tree of one
 * directory in the other, made to be deep, must not take the square of its depth.
 */
#define DEPTH_MAX 1000
/* What one call to the kernel may return. */
#define READ_ROOM ((size_t)32 * 1024)

enum state { WAITING, BUSY, LISTED };

struct crawl_folder {
	enum state state;
	struct crawl_folder *above, *below; /* in the stack, while it is waiting */
	char *path;
	unsigned depth; /* 0: the top */
	struct crawl_entry *entries;
	size_t count;
	struct buf names; /* each with its NUL */
	int error;        /* errno, where it could not be read */
};

/* One of the pool's threads, at work for a crawl. */
struct helper {
	struct pool_task task; /* first: run() gets a pointer to it */
	struct crawl *crawl;
	bool busy;
};

struct crawl {
	int root;
	struct pool *pool;
	struct crawl_folder *top;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct crawl_folder *stack; /* what waits; on top is what is needed first */
	size_t ahead;               /* entries that are listed and not entered */
	struct helper *helpers;
	unsigned helper_count, busy;
	const struct crawl_folder *awaited; /* by who goes through them; NULL: none */
	bool closing;
};

/* --- one directory ------------------------------------------------------------------------------
 */

static int compare_entry(const void *left, const void *right)
{
	return strcmp(((const struct crawl_entry *)left)->name,
		      ((const struct crawl_entry *)right)->name);
}

static enum source_type type_of(unsigned char kind)
{
	switch (kind) {
	case DT_DIR: return SOURCE_DIRECTORY;
	case DT_LNK: return SOURCE_SYMLINK;
	default: return SOURCE_FILE; /* to be examined */
	}
}

/* Takes over what the kernel returned: the kind of each, as a byte, then its name. */
static size_t take_names(struct buf *to, const char *bytes, size_t len)
{
	size_t count = 0;

	for (size_t at = 0; at < len;) {
		const struct dirent64 *d = (const struct dirent64 *)(const void *)(bytes + at);
		at += d->d_reclen;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		buf_addc(to, (char)d->d_type);
		buf_add(to, d->d_name, strlen(d->d_name) + 1);
		count++;
	}
	return count;
}

static int read_names(struct crawl_folder *f, int fd)
{
	_Alignas(struct dirent64) char block[READ_ROOM];
	ssize_t n;

	while ((n = getdents64(fd, block, sizeof block)) > 0)
		f->count += take_names(&f->names, block, (size_t)n);
	if (n < 0)
		return -1;
	f->entries = calloc(f->count + 1, sizeof *f->entries);
	if (f->names.failed || f->entries == NULL) {
		errno = ENOMEM;
		return -1;
	}
	const char *at = f->names.data;
	for (size_t i = 0; i < f->count; i++) {
		f->entries[i].type = type_of((unsigned char)*at);
		f->entries[i].name = at + 1;
		at += strlen(at + 1) + 2;
	}
	if (f->count > 0)
		qsort(f->entries, f->count, sizeof *f->entries, compare_entry);
	return 0;
}

static char *read_link(int dir, const char *name)
{
	for (size_t room = 256;; room *= 2) {
		char *to = malloc(room);
		ssize_t n = to != NULL ? readlinkat(dir, name, to, room) : -1;
		if (n >= 0 && (size_t)n < room) {
			to[n] = '\0';
			return to;
		}
		free(to);
		if (n < 0)
			return NULL;
	}
}

/* `parent` is NULL for the top. */
static struct crawl_folder *new_folder(const struct crawl_folder *parent, const char *name)
{
	struct crawl_folder *f = calloc(1, sizeof *f);
	size_t len = parent != NULL ? strlen(parent->path) : 0, more = strlen(name);

	if (f == NULL || (f->path = malloc(len + more + 2)) == NULL) {
		free(f);
		return NULL;
	}
	if (parent != NULL)
		memcpy(f->path, parent->path, len);
	f->depth = parent != NULL ? parent->depth + 1 : 0;
	memcpy(f->path + len, name, more);
	if (more > 0)
		f->path[len + more++] = '/';
	f->path[len + more] = '\0';
	buf_init(&f->names);
	return f;
}

/* What only an inode tells. */
static void examine(int dir, struct crawl_entry *entry)
{
	struct stat st;

	if (fstatat(dir, entry->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		entry->type = SOURCE_BROKEN;
		entry->error = errno;
		return;
	}
	entry->type = source_type_of(st.st_mode);
	if (entry->type != SOURCE_FILE)
		return;
	entry->size = (uint64_t)st.st_size;
	entry->exec = (st.st_mode & S_IXUSR) != 0;
	source_fill_stamp(&entry->stamp, &st);
}

static void fill_entry(const struct crawl_folder *f, int dir, struct crawl_entry *entry)
{
	if (entry->type == SOURCE_FILE)
		examine(dir, entry);
	if (entry->type == SOURCE_SYMLINK)
		entry->target = read_link(dir, entry->name);
	if (entry->type == SOURCE_DIRECTORY)
		entry->folder = new_folder(f, entry->name);
	if ((entry->type == SOURCE_SYMLINK && entry->target == NULL) ||
	    (entry->type == SOURCE_DIRECTORY && entry->folder == NULL)) {
		entry->type = SOURCE_BROKEN;
		entry->error = errno;
	}
}

static int open_folder(int root, const struct crawl_folder *f)
{
	size_t len = strlen(f->path);

	if (f->depth > DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (len == 0)
		return openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Without the slash, behind which a link would be followed. */
	char *path = strndup(f->path, len - 1);
	int fd = path != NULL ? beneath_open(root, path, O_RDONLY | O_DIRECTORY) : -1;
	free(path);
	return fd;
}

/* Fills in what is in the directory; no lock is needed, it is the caller's. */
static void list(int root, struct crawl_folder *f)
{
	int fd = open_folder(root, f);

	if (fd < 0 || read_names(f, fd) != 0) {
		f->error = errno;
		f->count = 0;
	}
	for (size_t i = 0; i < f->count; i++)
		fill_entry(f, fd, &f->entries[i]);
	if (fd >= 0)
		(void)close(fd);
}

static void free_folder(struct crawl_folder *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->entries[i].target);
	free(f->entries);
	buf_release(&f->names);
	free(f->path);
	free(f);
}

/* --- the stack; all with the lock ---------------------------------------------------------------
 */

static void put_on_stack(struct crawl *c, struct crawl_folder *f)
{
	f->above = NULL;
	f->below = c->stack;
	if (c->stack != NULL)
		c->stack->above = f;
	c->stack = f;
}

static void take_off_stack(struct crawl *c, struct crawl_folder *f)
{
	if (f->above != NULL)
		f->above->below = f->below;
	else
		c->stack = f->below;
	if (f->below != NULL)
		f->below->above = f->above;
}

static bool may_go_ahead(const struct crawl *c)
{
	return !c->closing && c->stack != NULL && c->ahead < AHEAD_MAX;
}

/* Calls helpers that have gone home for want of work. */
static void call_helpers(struct crawl *c)
{
	for (unsigned i = 0; i < c->helper_count && may_go_ahead(c); i++) {
		struct helper *h = &c->helpers[i];
		if (h->busy)
			continue;
		h->busy = true;
		c->busy++;
		pool_submit(c->pool, &h->task);
	}
}

/* Gives up the lock meanwhile. */
static void list_waiting(struct crawl *c, struct crawl_folder *f)
{
	take_off_stack(c, f);
	f->state = BUSY;
	pthread_mutex_unlock(&c->lock);
	list(c->root, f);
	pthread_mutex_lock(&c->lock);
	f->state = LISTED;
	c->ahead += f->count;
	for (size_t i = f->count; i-- > 0;)
		if (f->entries[i].folder != NULL)
			put_on_stack(c, f->entries[i].folder);
	call_helpers(c);
	if (c->awaited == f)
		pthread_cond_signal(&c->changed);
}

static void help(struct pool_task *task)
{
	struct helper *h = (struct helper *)task;
	struct crawl *c = h->crawl;

	pthread_mutex_lock(&c->lock);
	while (may_go_ahead(c))
		list_waiting(c, c->stack);
	h->busy = false;
	c->busy--;
	if (c->closing)
		pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

/* --- for the one who goes through them ----------------------------------------------------------
 */

struct crawl *crawl_new(int root, struct pool *pool, struct err *e)
{
	struct crawl *c = calloc(1, sizeof *c);

	if (c == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	c->root = root;
	c->pool = pool;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->top = new_folder(NULL, "");
	/* With one thread, the caller's is the one. */
	unsigned helpers = pool != NULL && pool_threads(pool) > 1 ? pool_threads(pool) : 0;
	c->helpers = calloc(helpers + 1, sizeof *c->helpers);
	if (c->top == NULL || c->helpers == NULL) {
		crawl_free(c);
		(void)err_nomem(e);
		return NULL;
	}
	for (; c->helper_count < helpers; c->helper_count++)
		c->helpers[c->helper_count] = (struct helper){{.run = help}, c, false};
	put_on_stack(c, c->top);
	return c;
}

/* However deep they lie in each other. */
static void free_all(struct crawl_folder *top)
{
	while (top != NULL) {
		struct crawl_folder *f = top;
		top = f->below;
		for (size_t i = 0; i < f->count; i++) {
			struct crawl_folder *child = f->entries[i].folder;
			if (child == NULL)
				continue;
			child->below = top;
			top = child;
		}
		free_folder(f);
	}
}

void crawl_free(struct crawl *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	while (c->busy > 0)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
	if (c->top != NULL)
		c->top->below = NULL;
	free_all(c->top);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c->helpers);
	free(c);
}

struct crawl_folder *crawl_top(struct crawl *c)
{
	return c->top;
}

int crawl_enter(struct crawl *c, struct crawl_folder *f)
{
	pthread_mutex_lock(&c->lock);
	if (f->state == WAITING)
		list_waiting(c, f);
	c->awaited = f;
	while (f->state != LISTED)
		pthread_cond_wait(&c->changed, &c->lock);
	c->awaited = NULL;
	c->ahead -= f->count;
	call_helpers(c);
	pthread_mutex_unlock(&c->lock);
	errno = f->error;
	return f->error == 0 ? 0 : -1;
}

size_t crawl_count(const struct crawl_folder *f)
{
	return f->count;
}

const struct crawl_entry *crawl_entry(const struct crawl_folder *f, size_t i)
{
	return &f->entries[i];
}

const char *crawl_path(const struct crawl_folder *f)
{
	return f->path;
}

void crawl_leave(struct crawl_folder *parent, size_t i)
{
	struct crawl_folder *f = parent->entries[i].folder;

	parent->entries[i].folder = NULL;
	free_folder(f);
}
