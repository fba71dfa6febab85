#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/offers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/hex.h"
#include "swarm/io.h"

#define DIGITS     (2 * SHA256_SIZE)
#define MAGIC_SIZE ((size_t)8)

/* RFC 9842, section 5: a skippable frame of zstd, in which the dictionary's digest follows. */
static const uint8_t dcz_magic[MAGIC_SIZE] = {0x5E, 0x2A, 0x4D, 0x18, 0x20, 0, 0, 0};
static const uint8_t zstd_magic[] = {0x28, 0xB5, 0x2F, 0xFD};

/* --- the folder ---------------------------------------------------------------------------------
 */

static bool parse_name(const char *name, struct offer *ret)
{
	size_t len = strlen(name);

	*ret = (struct offer){.has_base = len == 2 * DIGITS + 5};
	if (len < DIGITS || !hex_parse(ret->file, SHA256_SIZE, name, DIGITS))
		return false;
	if (!ret->has_base)
		return strcmp(name + DIGITS, ".zst") == 0;
	return name[DIGITS] == '.' && strcmp(name + 2 * DIGITS + 1, ".dcz") == 0 &&
	       hex_parse(ret->base, SHA256_SIZE, name + DIGITS + 1, DIGITS);
}

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
		struct offer offer;
		errno = 0;
		const struct dirent *item = readdir(dir);
		if (item == NULL)
			break;
		if (parse_name(item->d_name, &offer) && keep(ret, &cap, &offer, e) != 0)
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
	char hex[DIGITS + 1];

	hex_format(hex, offer->file, SHA256_SIZE);
	buf_adds(to, hex);
	if (!offer->has_base) {
		buf_adds(to, ".zst");
		return;
	}
	hex_format(hex, offer->base, SHA256_SIZE);
	buf_addf(to, ".%s.dcz", hex);
}

/* --- a payload ----------------------------------------------------------------------------------
 */

static int check_first_bytes(const struct offer *offer, const uint8_t *bytes, size_t len,
			     const char *path, struct err *e)
{
	size_t at = 0;

	if (offer->has_base) {
		at = MAGIC_SIZE + SHA256_SIZE;
		if (len < at || memcmp(bytes, dcz_magic, MAGIC_SIZE) != 0)
			return err_set(e, ERR_MALFORMED,
				       "'%s' is no payload: it does not begin as "
				       "dcz does",
				       path);
		if (memcmp(bytes + MAGIC_SIZE, offer->base, SHA256_SIZE) != 0)
			return err_set(e, ERR_MALFORMED,
				       "'%s' is a payload against another file "
				       "than its name says",
				       path);
	}
	if (len < at + sizeof zstd_magic || memcmp(bytes + at, zstd_magic, sizeof zstd_magic) != 0)
		return err_set(e, ERR_MALFORMED, "'%s' is no payload: it holds no frame of zstd",
			       path);
	return 0;
}

static int examine(const struct offer *offer, int fd, const char *path, uint64_t *ret_size,
		   struct err *e)
{
	uint8_t first[MAGIC_SIZE + SHA256_SIZE + sizeof zstd_magic];
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
		 size_t *ret_first, size_t *ret_count, struct err *e)
{
	size_t i = find(o, file);

	*ret_first = i;
	for (; i < o->count && memcmp(o->list[i].file, file, SHA256_SIZE) == 0; i++)
		if (!o->list[i].claimed && claim(o, &o->list[i], size, e) != 0)
			return -1;
	*ret_count = i - *ret_first;
	return 0;
}
