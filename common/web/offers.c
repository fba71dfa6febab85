#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/offers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/dcz.h"
#include "swarm/io.h"
#include "swarm/payload.h"

/* --- the folder ---------------------------------------------------------------------------------
 */

static int compare(const void *left, const void *right)
{
	const struct offer *a = left, *b = right;
	int order = memcmp(a->file, b->file, SHA256_SIZE);

	if (order == 0)
		order = (int)b->has_base - (int)a->has_base;
	return order != 0 ? order : memcmp(a->base, b->base, SHA256_SIZE);
}

static int keep(struct offers *o, size_t *cap, const struct offer *offer, struct err *e)
{
	if (o->count == *cap) {
		size_t want = *cap == 0 ? 64 : *cap * 2;
		struct offer *list = reallocarray(o->list, want, sizeof *list);
		if (list == NULL)
			return err_nomem(e);
		o->list = list;
		*cap = want;
	}
	o->list[o->count++] = *offer;
	return 0;
}

int offers_read(const char *folder, struct offers *ret, struct err *e)
{
	size_t cap = 0;
	int status = -1;
	DIR *dir = opendir(folder);

	*ret = (struct offers){.folder = strdup(folder)};
	if (dir == NULL)
		return err_sys(e, "cannot open the folder '%s'", folder);
	if (ret->folder == NULL) {
		(void)err_nomem(e);
		goto out;
	}
	for (;;) {
		struct offer offer = {.size = 0};
		errno = 0;
		const struct dirent *item = readdir(dir);
		if (item == NULL)
			break;
		if (payload_name_parse(item->d_name, offer.file, &offer.has_base, offer.base) &&
		    keep(ret, &cap, &offer, e) != 0)
			goto out;
	}
	if (errno != 0) {
		(void)err_sys(e, "cannot read the folder '%s'", folder);
		goto out;
	}
	if (ret->count > 0)
		qsort(ret->list, ret->count, sizeof *ret->list, compare);
	status = 0;
out:
	(void)closedir(dir);
	return status;
}

void offers_release(struct offers *o)
{
	free(o->list);
	free(o->folder);
	*o = (struct offers){.list = NULL};
}

void offers_name(struct buf *to, const struct offer *offer)
{
	payload_name(to, offer->file, offer->has_base ? offer->base : NULL);
}

/* --- a payload ----------------------------------------------------------------------------------
 */

static int check_first_bytes(const struct offer *offer, const uint8_t *bytes, size_t len,
			     const char *path, struct err *e)
{
	switch (dcz_start(offer->has_base ? offer->base : NULL, bytes, len)) {
	case DCZ_START_NO_DCZ:
		return err_set(e, ERR_MALFORMED,
			       "'%s' is no payload: it does not begin as "
			       "dcz does",
			       path);
	case DCZ_START_OTHER_BASE:
		return err_set(e, ERR_MALFORMED,
			       "'%s' is a payload against another file "
			       "than its name says",
			       path);
	case DCZ_START_NO_FRAME:
		return err_set(e, ERR_MALFORMED, "'%s' is no payload: it holds no frame of zstd",
			       path);
	case DCZ_START_RIGHT: break;
	}
	return 0;
}

static int examine(const struct offer *offer, int fd, const char *path, uint64_t *ret_size,
		   struct err *e)
{
	uint8_t first[DCZ_START_SIZE];
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_MALFORMED, "'%s' is no payload: it is no regular file", path);
	*ret_size = (uint64_t)st.st_size;
	ssize_t n = io_read_at(fd, first, sizeof first, 0, path, e);
	return n < 0 ? -1 : check_first_bytes(offer, first, (size_t)n, path, e);
}

static int claim(const struct offers *o, struct offer *offer, uint64_t size, struct err *e)
{
	struct buf path = BUF_INIT;
	int fd = -1, status = -1;

	buf_addf(&path, "%s/", o->folder);
	offers_name(&path, offer);
	if (buf_check(&path, e) != 0)
		goto out;
	/* Whatever stands there, opening it must not wait for anybody. */
	fd = open(path.data, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		(void)err_sys(e, "cannot open '%s'", path.data);
	else
		status = examine(offer, fd, path.data, &offer->size, e);
	offer->claimed = status == 0;
	offer->useful = offer->claimed && offer->size < size;
out:
	if (fd >= 0)
		(void)close(fd);
	buf_release(&path);
	return status;
}

/* The first of this file's, or where it would stand. */
static size_t find(const struct offers *o, const uint8_t *file)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(o->list[middle].file, file, SHA256_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int offers_claim(struct offers *o, const uint8_t file[static SHA256_SIZE], uint64_t size,
		 struct err *e)
{
	for (size_t i = find(o, file);
	     i < o->count && memcmp(o->list[i].file, file, SHA256_SIZE) == 0; i++)
		if (!o->list[i].claimed && claim(o, &o->list[i], size, e) != 0)
			return -1;
	return 0;
}
