#include "swarm/expand.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/gunzip.h"
#include "swarm/io.h"

#define BLOCK ((size_t)256 * 1024)

struct expand {
	int fd;
	const char *name, *noun;
	uint8_t first[EXPAND_MAGIC]; /* bytes that were taken from `fd` already */
	size_t first_len;
	struct gunzip *gunzip;   /* where it is compressed, one of the two: */
	struct archive *archive; /* libarchive, which sees one raw file in it */
	bool ended;
	char block[BLOCK]; /* as they come from `fd`; by gunzip, expanded ones */
};

/* Without the line feeds that some messages of libarchive end in. */
int expand_fail(struct archive *a, const char *noun, const char *name, struct err *e)
{
	const char *why = archive_error_string(a);
	int sys = archive_errno(a);

	/* A disk that fails says nothing of what is on it. */
	if (sys == EIO || sys == ENXIO || sys == ESTALE || sys == ETIMEDOUT || sys == ENOMEM) {
		errno = sys;
		return err_sys(e, "cannot read '%s'", name);
	}
	if (why == NULL || *why == '\0')
		why = "it is damaged or cut off";
	return err_set(e, ERR_MALFORMED, "cannot read the %s '%s': %.*s", noun, name,
		       (int)strcspn(why, "\n"), why);
}

static bool starts(const void *start, size_t len, const char *magic, size_t magic_len)
{
	return len >= magic_len && memcmp(start, magic, magic_len) == 0;
}

static bool is_gzip(const void *start, size_t len)
{
	return starts(start, len, "\x1F\x8B", 2);
}

bool expand_knows(const void *start, size_t len)
{
	static const struct {
		const char *magic;
		size_t len;
	} magics[] = {
	    {"BZh", 3},      {"\xFD\x37zXZ", 6}, /* with its NUL */
	    {"\x5D\0\0", 3}, {"LZIP", 4},        {"\x04\x22\x4D\x18", 4}, {"\x28\xB5\x2F\xFD", 4},
	    {"\x1F\x9D", 2},
	};
	const uint8_t *bytes = start;

	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (starts(start, len, magics[i].magic, magics[i].len))
			return true;
	/* A skippable frame of zstd. */
	if (len >= 4 && (bytes[0] & 0xF0) == 0x50 && memcmp(bytes + 1, "\x2A\x4D\x18", 3) == 0)
		return true;
	return is_gzip(start, len);
}

/* Bytes as they come from `fd`. */
static ssize_t read_raw(struct expand *x, const void **ret, struct err *e)
{
	ssize_t n = (ssize_t)x->first_len;

	if (n > 0)
		memcpy(x->block, x->first, x->first_len);
	else
		n = io_read(x->fd, x->block, sizeof x->block, x->name, e);
	x->first_len = 0;
	*ret = x->block;
	return n;
}

static la_ssize_t read_compressed(struct archive *a, void *context, const void **ret)
{
	struct err e = {.code = ERR_NONE};
	ssize_t n = read_raw(context, ret, &e);

	if (n < 0) {
		archive_set_error(a, e.sys, "%s", e.msg);
		return ARCHIVE_FATAL;
	}
	return n;
}

static int (*const filters[])(struct archive *) = {
    archive_read_support_filter_bzip2,    archive_read_support_filter_xz,
    archive_read_support_filter_lzma,     archive_read_support_filter_lzip,
    archive_read_support_filter_lz4,      archive_read_support_filter_zstd,
    archive_read_support_filter_compress,
};

static int start_libarchive(struct expand *x, struct err *e)
{
	struct archive_entry *entry;

	x->archive = archive_read_new();
	if (x->archive == NULL)
		return err_nomem(e);
	int status = archive_read_support_format_raw(x->archive);
	if (status == ARCHIVE_OK)
		status = archive_read_support_format_empty(x->archive);
	/* ARCHIVE_WARN would mean that an external program does the work. */
	for (size_t i = 0; i < sizeof filters / sizeof *filters && status == ARCHIVE_OK; i++)
		status = filters[i](x->archive);
	if (status == ARCHIVE_OK)
		status = archive_read_open(x->archive, x, NULL, read_compressed, NULL);
	if (status == ARCHIVE_OK)
		status = archive_read_next_header(x->archive, &entry);
	x->ended = status == ARCHIVE_EOF;
	if (x->ended)
		return 0;
	return status == ARCHIVE_OK ? 0 : expand_fail(x->archive, x->noun, x->name, e);
}

static int start(struct expand *x, struct err *e)
{
	ssize_t n =
	    io_read(x->fd, x->first + x->first_len, EXPAND_MAGIC - x->first_len, x->name, e);

	if (n < 0)
		return -1;
	x->first_len += (size_t)n;
	if (!expand_knows(x->first, x->first_len))
		return 0;
	if (!is_gzip(x->first, x->first_len))
		return start_libarchive(x, e);
	x->gunzip = gunzip_new(x->fd, x->name, x->noun, x->first, x->first_len, e);
	return x->gunzip != NULL ? 0 : -1;
}

struct expand *expand_new(int fd, const char *name, const char *noun, const void *before,
			  size_t len, struct err *e)
{
	struct expand *x = malloc(sizeof *x);

	if (x == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	x->fd = fd;
	x->name = name;
	x->noun = noun;
	x->gunzip = NULL;
	x->archive = NULL;
	x->ended = false;
	x->first_len = len;
	if (len > 0)
		memcpy(x->first, before, len);
	if (start(x, e) != 0) {
		expand_free(x);
		return NULL;
	}
	return x;
}

void expand_free(struct expand *x)
{
	if (x == NULL)
		return;
	if (x->archive != NULL)
		(void)archive_read_free(x->archive);
	gunzip_free(x->gunzip);
	free(x);
}

bool expand_is_compressed(const struct expand *x)
{
	return x->gunzip != NULL || x->archive != NULL;
}

/* Block by block: what stands before the damage is not lost with it. */
static ssize_t read_libarchive(struct expand *x, const void **ret, struct err *e)
{
	size_t len = 0;
	la_int64_t offset = 0;
	int status = ARCHIVE_OK;

	while (len == 0 && status == ARCHIVE_OK)
		status = archive_read_data_block(x->archive, ret, &len, &offset);
	if (status == ARCHIVE_EOF)
		return 0;
	return status == ARCHIVE_OK ? (ssize_t)len : expand_fail(x->archive, x->noun, x->name, e);
}

ssize_t expand_next(struct expand *x, const void **ret, struct err *e)
{
	ssize_t n;

	if (x->ended)
		return 0;
	if (x->archive != NULL) {
		n = read_libarchive(x, ret, e);
	} else if (x->gunzip != NULL) {
		*ret = x->block;
		n = gunzip_read(x->gunzip, x->block, sizeof x->block, e);
	} else {
		n = read_raw(x, ret, e);
	}
	x->ended = n == 0;
	return n;
}
