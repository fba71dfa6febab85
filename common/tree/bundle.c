#include "swarm/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "swarm/charset.h"
#include "swarm/folder.h"
#include "swarm/outfile.h"

/* The last second that the 32 bits of its time stamps hold. */
#define ZIP_TIME_MAX INT64_C(4294967295)
/* In one piece to the file; the last one is as short as it is. */
#define WRITE_BLOCK (1 << 20)

struct format {
	const char *suffix;
	int (*container)(struct archive *);
	int (*filter)(struct archive *);
};

static const struct format formats[] = {
    {".tar", archive_write_set_format_pax_restricted, archive_write_add_filter_none},
    {".tar.gz", archive_write_set_format_pax_restricted, archive_write_add_filter_gzip},
    {".tgz", archive_write_set_format_pax_restricted, archive_write_add_filter_gzip},
    {".tar.zst", archive_write_set_format_pax_restricted, archive_write_add_filter_zstd},
    {".zip", archive_write_set_format_zip, archive_write_add_filter_none},
};

struct bundle {
	char *path;
	struct folder *folder; /* or: */
	struct outfile *file;
	struct archive *archive;
	struct archive_entry *entry;
	struct charset charset;
	int64_t mtime;
	const char *current; /* the file being written; borrowed */
	uint64_t left;       /* bytes of it that have not come */
	bool abandoned;      /* nothing more is to be written */
	bool broken;         /* libarchive failed */
	struct err err;      /* what the outfile said below libarchive */
};

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

static const struct format *find_format(const char *path)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (ends_in(path, formats[i].suffix))
			return &formats[i];
	return NULL;
}

static bool is_folder(const char *path)
{
	return *path != '\0' && path[strlen(path) - 1] == '/';
}

bool bundle_is_name(const char *path)
{
	return is_folder(path) || find_format(path) != NULL;
}

/* What a call of libarchive came to, or what went wrong below it. */
static int check(struct bundle *b, bool good, struct err *e)
{
	if (b->err.code != ERR_NONE) {
		*e = b->err;
		return -1;
	}
	if (good)
		return 0;
	b->broken = true;
	const char *why = archive_error_string(b->archive);
	return err_set(e, ERR_SYSTEM, "cannot write '%s': %s", b->path,
		       why != NULL ? why : "unknown error");
}

static la_ssize_t put(struct archive *a, void *context, const void *bytes, size_t len)
{
	struct bundle *b = context;

	(void)a;
	/*
	 * A failure is not for libarchive: it would stop in the middle of a compressor's input, go
	 * on from there when it is freed, and read our buffer when that is no more. check() sees
	 * it.
	 */
	if (!b->abandoned && outfile_write(b->file, bytes, len, &b->err) != 0)
		b->abandoned = true;
	return (la_ssize_t)len;
}

static bool clock_is_utc(int64_t t)
{
	time_t when = (time_t)t;
	struct tm local, utc;

	return localtime_r(&when, &local) != NULL && gmtime_r(&when, &utc) != NULL &&
	       local.tm_mday == utc.tm_mday && local.tm_hour == utc.tm_hour &&
	       local.tm_min == utc.tm_min;
}

static int configure(struct bundle *b, const struct format *format, unsigned threads)
{
	char text[16];
	struct archive *a = b->archive;

	if (format->container(a) != ARCHIVE_OK || format->filter(a) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(a, WRITE_BLOCK) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK)
		return -1;
	if (format->filter == archive_write_add_filter_gzip &&
	    archive_write_set_filter_option(a, "gzip", "timestamp", NULL) != ARCHIVE_OK)
		return -1;
	/*
	 * Never 0: libzstd's output is the same for every number of workers from 1 on, and another
	 * one without them.
	 */
	(void)snprintf(text, sizeof text, "%u", threads > 0 ? threads : 1);
	if (format->filter == archive_write_add_filter_zstd &&
	    archive_write_set_filter_option(a, "zstd", "threads", text) != ARCHIVE_OK)
		return -1;
	return 0;
}

static int open_archive(struct bundle *b, const struct bundle_options *options,
			struct scratch *scratch, struct err *e)
{
	const struct format *format = find_format(b->path);
	struct outfile_options out = {.force = options->force};

	if (format == NULL)
		return err_set(
		    e, ERR_USAGE,
		    "cannot tell the format of the bundle '%s': it ends in none of .tar, "
		    ".tar.gz, .tar.zst, .zip and /",
		    b->path);
	if (strcmp(format->suffix, ".zip") == 0 && options->mtime > ZIP_TIME_MAX)
		return err_set(e, ERR_USAGE,
			       "a .zip cannot hold a time after 2105: set another "
			       "SOURCE_DATE_EPOCH");
	if (strcmp(format->suffix, ".zip") == 0 && !clock_is_utc(options->mtime))
		return err_set(e, ERR_USAGE, "a .zip can only be written in UTC: set TZ=UTC0");
	if (charset_init(&b->charset, e) != 0)
		return -1;
	b->file = outfile_open(b->path, &out, scratch, e);
	if (b->file == NULL)
		return -1;
	b->archive = archive_write_new();
	b->entry = archive_entry_new();
	if (b->archive == NULL || b->entry == NULL)
		return err_nomem(e);
	locale_t before = charset_enter(&b->charset);
	int status = configure(b, format, options->threads);
	if (status == 0)
		status = archive_write_open(b->archive, b, NULL, put, NULL);
	charset_leave(before);
	return check(b, status == ARCHIVE_OK, e);
}

struct bundle *bundle_open(const char *path, const struct bundle_options *options,
			   struct scratch *scratch, struct err *e)
{
	struct bundle *b = calloc(1, sizeof *b);

	if (b == NULL || (b->path = strdup(path)) == NULL) {
		free(b);
		(void)err_nomem(e);
		return NULL;
	}
	b->mtime = options->mtime;
	int status;
	if (is_folder(path)) {
		b->folder = folder_open(path, options->force, options->mtime, scratch, e);
		status = b->folder != NULL ? 0 : -1;
	} else {
		status = open_archive(b, options, scratch, e);
	}
	if (status != 0) {
		bundle_free(b);
		return NULL;
	}
	return b;
}

static void close_archive(struct bundle *b)
{
	if (b->entry != NULL)
		archive_entry_free(b->entry);
	b->entry = NULL;
	if (b->archive != NULL) {
		/* Freeing it unfinished makes libarchive write an end: nobody is to see that. */
		b->abandoned = true;
		/* For what libarchive itself gave up there is no going on, only a small leak. */
		if (b->broken)
			(void)archive_write_fail(b->archive);
		(void)archive_write_free(b->archive);
	}
	b->archive = NULL;
}

void bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	close_archive(b);
	outfile_free(b->file);
	folder_free(b->folder);
	charset_release(&b->charset);
	free(b->path);
	free(b);
}

static int begin_member(struct bundle *b, const char *path, uint64_t size, bool exec, struct err *e)
{
	locale_t before = charset_enter(&b->charset);

	archive_entry_clear(b->entry);
	archive_entry_set_pathname_utf8(b->entry, path);
	archive_entry_set_size(b->entry, (la_int64_t)size);
	archive_entry_set_filetype(b->entry, AE_IFREG);
	archive_entry_set_perm(b->entry, exec ? 0755 : 0644);
	archive_entry_set_mtime(b->entry, (time_t)b->mtime, 0);
	archive_entry_set_uid(b->entry, 0);
	archive_entry_set_gid(b->entry, 0);
	int status = archive_write_header(b->archive, b->entry);
	charset_leave(before);
	/* ARCHIVE_WARN would mean a name or a number that did not fit. */
	return check(b, status == ARCHIVE_OK, e);
}

int bundle_begin(struct bundle *b, const char *path, uint64_t size, bool exec, struct err *e)
{
	b->current = path;
	b->left = size;
	return b->folder != NULL ? folder_begin(b->folder, path, exec, e)
				 : begin_member(b, path, size, exec, e);
}

int bundle_write(struct bundle *b, const void *bytes, size_t len, struct err *e)
{
	if (len > b->left)
		return err_set(e, ERR_CHANGED, "'%s' grew while it was read", b->current);
	b->left -= len;
	if (b->folder != NULL)
		return folder_write(b->folder, bytes, len, e);
	for (const char *p = bytes; len > 0;) {
		la_ssize_t n = archive_write_data(b->archive, p, len);
		if (check(b, n > 0, e) != 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int bundle_end(struct bundle *b, struct err *e)
{
	if (b->left != 0)
		return err_set(e, ERR_CHANGED, "'%s' shrank while it was read", b->current);
	if (b->folder != NULL)
		return folder_end(b->folder, e);
	return check(b, archive_write_finish_entry(b->archive) == ARCHIVE_OK, e);
}

int bundle_sync(struct bundle *b, struct err *e)
{
	if (b->folder != NULL)
		return folder_sync(b->folder, e);
	locale_t before = charset_enter(&b->charset);
	int status = archive_write_close(b->archive);
	charset_leave(before);
	if (check(b, status == ARCHIVE_OK, e) != 0)
		return -1;
	return outfile_sync(b->file, e);
}

int bundle_commit(struct bundle *b, struct err *e)
{
	return b->folder != NULL ? folder_commit(b->folder, e) : outfile_commit(b->file, e);
}
