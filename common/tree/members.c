#include "swarm/members.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/buf.h"
#include "swarm/charset.h"
#include "swarm/gunzip.h"
#include "swarm/io.h"
#include "swarm/path.h"

#define BLOCK ((size_t)256 * 1024)
#define MAGIC ((size_t)8)
/* PATH_MAX of Linux. */
#define NAME_LIMIT ((size_t)4096)
/* A tar ends in at least one block of zeros. */
#define TAR_BLOCK 512

struct members {
	int fd;
	const char *name;
	struct charset charset;
	struct archive *archive;
	struct archive_entry *entry; /* libarchive's */
	struct buf path, target;
	char *block;          /* of bytes as they come through a pipe */
	char *expanded;       /* of bytes of what was compressed */
	uint8_t first[MAGIC]; /* what it starts with */
	size_t first_len;
	bool is_pipe;           /* `first` was taken from it, and there is no way back */
	struct gunzip *gunzip;  /* where it is compressed, one of the two: */
	struct archive *expand; /* by libarchive, which sees one raw file in it */
	int64_t consumed;       /* after the last item's content */
	uint64_t left;          /* bytes of the item's size that have not been read */
};

/* What libarchive says, without the line feeds that some of its messages end in. */
static int fail_of(const struct members *m, struct archive *a, struct err *e)
{
	const char *why = archive_error_string(a);
	int sys = archive_errno(a);

	/* A disk that fails says nothing of what is on it. */
	if (sys == EIO || sys == ENXIO || sys == ESTALE || sys == ETIMEDOUT || sys == ENOMEM) {
		errno = sys;
		return err_sys(e, "cannot read '%s'", m->name);
	}
	if (why == NULL || *why == '\0')
		why = "it is damaged or cut off";
	return err_set(e, ERR_MALFORMED, "cannot read the archive '%s': %.*s", m->name,
		       (int)strcspn(why, "\n"), why);
}

static int fail(const struct members *m, struct err *e)
{
	return fail_of(m, m->archive, e);
}

/* --- the bytes of the archive -------------------------------------------------------------------
 */

static bool starts(const struct members *m, const char *magic, size_t len)
{
	return m->first_len >= len && memcmp(m->first, magic, len) == 0;
}

/* zip and 7z keep their lists at the end. */
static bool needs_seeking(const struct members *m)
{
	return starts(m, "PK\3\4", 4) || starts(m, "PK\5\6", 4) ||
	       starts(m, "7z\xBC\xAF\x27\x1C", 6);
}

static bool is_gzip(const struct members *m)
{
	return starts(m, "\x1F\x8B", 2);
}

static bool is_compressed(const struct members *m)
{
	bool zstd_skippable = m->first_len >= 4 && (m->first[0] & 0xF0) == 0x50 &&
			      memcmp(m->first + 1, "\x2A\x4D\x18", 3) == 0;

	return starts(m, "BZh", 3) ||
	       starts(m,
		      "\xFD"
		      "7zXZ",
		      6) ||
	       starts(m, "\x5D\0\0", 3) || starts(m, "LZIP", 4) ||
	       starts(m, "\x04\x22\x4D\x18", 4) || starts(m, "\x28\xB5\x2F\xFD", 4) ||
	       starts(m, "\x1F\x9D", 2) || zstd_skippable;
}

static la_ssize_t read_pipe(struct archive *a, void *context, const void **ret)
{
	struct members *m = context;
	struct err e = {.code = ERR_NONE};
	ssize_t n = (ssize_t)m->first_len;

	if (n > 0) {
		memcpy(m->block, m->first, m->first_len);
		m->first_len = 0;
	} else {
		n = io_read(m->fd, m->block, BLOCK, m->name, &e);
	}
	if (n < 0) {
		archive_set_error(a, e.sys, "%s", e.msg);
		return ARCHIVE_FATAL;
	}
	*ret = m->block;
	return n;
}

/*
 * The next run of bytes of what is compressed, *ret; 0 at the end. Block by block: what stands
 * before the damage is not lost with it.
 */
static ssize_t expand(struct members *m, const void **ret, struct err *e)
{
	size_t len = 0;
	la_int64_t offset = 0;

	if (m->gunzip != NULL) {
		*ret = m->expanded;
		return gunzip_read(m->gunzip, m->expanded, BLOCK, e);
	}
	int status = ARCHIVE_OK;
	while (len == 0 && status == ARCHIVE_OK)
		status = archive_read_data_block(m->expand, ret, &len, &offset);
	if (status == ARCHIVE_EOF)
		return 0;
	return status == ARCHIVE_OK ? (ssize_t)len : fail_of(m, m->expand, e);
}

static la_ssize_t read_expanded(struct archive *a, void *context, const void **ret)
{
	struct members *m = context;
	struct err e = {.code = ERR_NONE};
	ssize_t n = expand(m, ret, &e);

	if (n < 0) {
		/* The message is fail()'s own again: give it its last part. */
		const char *why = strstr(e.msg, "': ");
		archive_set_error(a, e.sys != 0 ? e.sys : EINVAL, "%s",
				  why != NULL ? why + 3 : e.msg);
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

static int open_bytes(struct members *m, struct archive *a)
{
	return m->is_pipe ? archive_read_open(a, m, NULL, read_pipe, NULL)
			  : archive_read_open_fd(a, m->fd, BLOCK);
}

/*
 * Compressed archives are expanded apart from the reading of their members: only so can the rest
 * behind the last member be read as well, where the check sums are.
 */
static int start_expanding(struct members *m, struct err *e)
{
	struct archive_entry *entry;

	if (is_gzip(m)) {
		m->expanded = m->expanded != NULL ? m->expanded : malloc(BLOCK);
		if (m->expanded == NULL)
			return err_nomem(e);
		m->gunzip = gunzip_new(m->fd, m->name, m->first, m->is_pipe ? m->first_len : 0, e);
		return m->gunzip != NULL ? 0 : -1;
	}
	m->expand = archive_read_new();
	if (m->expand == NULL)
		return err_nomem(e);
	int status = archive_read_support_format_raw(m->expand);
	/* ARCHIVE_WARN would mean that an external program does the work. */
	for (size_t i = 0; i < sizeof filters / sizeof *filters && status == ARCHIVE_OK; i++)
		status = filters[i](m->expand);
	if (status == ARCHIVE_OK)
		status = open_bytes(m, m->expand);
	if (status == ARCHIVE_OK)
		status = archive_read_next_header(m->expand, &entry);
	return status == ARCHIVE_OK ? 0 : fail_of(m, m->expand, e);
}

/* Reads what is left, for the check sums at its end. */
static int finish_expanding(struct members *m, struct err *e)
{
	ssize_t n = m->gunzip != NULL || m->expand != NULL ? 1 : 0;
	const void *bytes;

	while (n > 0)
		n = expand(m, &bytes, e);
	return (int)n;
}

/*
 * Not every format that libarchive knows: mtree files name other files to be read, `raw` takes
 * anything for an archive. And zip only by its central directory, which alone has the modes and the
 * links, and which a truncated zip lacks.
 */
static int support(struct archive *a)
{
	int (*const formats[])(struct archive *) = {
	    archive_read_support_format_tar,
	    archive_read_support_format_zip_seekable,
	    archive_read_support_format_7zip,
	    archive_read_support_format_cpio,
	};

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (formats[i](a) != ARCHIVE_OK)
			return -1;
	return 0;
}

static int start(struct members *m, struct err *e)
{
	m->consumed = 0;
	m->entry = NULL;
	bool compressed = is_gzip(m) || is_compressed(m);
	if (compressed && start_expanding(m, e) != 0)
		return -1;
	m->archive = archive_read_new();
	if (m->archive == NULL)
		return err_nomem(e);
	locale_t before = charset_enter(&m->charset);
	int status = support(m->archive);
	if (status == 0 && compressed)
		status = archive_read_open(m->archive, m, NULL, read_expanded, NULL);
	else if (status == 0)
		status = open_bytes(m, m->archive);
	charset_leave(before);
	return status == ARCHIVE_OK ? 0 : fail(m, e);
}

static int prepare(struct members *m, int passes, struct err *e)
{
	bool can_seek = lseek(m->fd, 0, SEEK_CUR) >= 0;
	ssize_t n = io_read(m->fd, m->first, sizeof m->first, m->name, e);

	if (n < 0)
		return -1;
	m->first_len = (size_t)n;
	if (can_seek && lseek(m->fd, -n, SEEK_CUR) >= 0)
		return io_make_seekable(&m->fd, NULL, 0, UINT64_MAX, m->name, e);
	m->is_pipe = passes == 1 && !needs_seeking(m);
	if (m->is_pipe)
		return 0;
	return io_make_seekable(&m->fd, m->first, m->first_len, UINT64_MAX, m->name, e);
}

/* --- members ------------------------------------------------------------------------------------
 */

struct members *members_open(int fd, const char *name, int passes, struct err *e)
{
	struct members *m = calloc(1, sizeof *m);

	if (m == NULL) {
		(void)close(fd);
		(void)err_nomem(e);
		return NULL;
	}
	m->fd = fd;
	m->name = name;
	buf_init(&m->path);
	buf_init(&m->target);
	m->block = malloc(BLOCK);
	if (m->block == NULL)
		(void)err_nomem(e);
	if (m->block == NULL || charset_init(&m->charset, e) != 0 || prepare(m, passes, e) != 0 ||
	    start(m, e) != 0) {
		members_close(m);
		return NULL;
	}
	return m;
}

static void stop(struct members *m)
{
	if (m->archive != NULL)
		(void)archive_read_free(m->archive);
	m->archive = NULL;
	if (m->expand != NULL)
		(void)archive_read_free(m->expand);
	m->expand = NULL;
	gunzip_free(m->gunzip);
	m->gunzip = NULL;
}

void members_close(struct members *m)
{
	if (m == NULL)
		return;
	stop(m);
	charset_release(&m->charset);
	buf_release(&m->path);
	buf_release(&m->target);
	free(m->block);
	free(m->expanded);
	(void)close(m->fd);
	free(m);
}

int members_rewind(struct members *m, struct err *e)
{
	stop(m);
	if (lseek(m->fd, 0, SEEK_SET) != 0)
		return err_sys(e, "cannot read '%s' again", m->name);
	return start(m, e);
}

/* Copies a name; -1 if libarchive has none that can be expressed as bytes. */
static int keep(struct members *m, struct buf *to, const char *text, struct err *e)
{
	buf_clear(to);
	if (text == NULL)
		return err_set(e, ERR_MALFORMED,
			       "the archive '%s' holds a name that cannot be converted to UTF-8",
			       m->name);
	if (strlen(text) > NAME_LIMIT)
		return err_set(
		    e, ERR_MALFORMED,
		    "the archive '%s' holds a name of over %zu bytes, which no system can "
		    "have",
		    m->name, NAME_LIMIT);
	buf_adds(to, text);
	return buf_check(to, e);
}

static enum source_type type_of(struct archive_entry *entry)
{
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG: return SOURCE_FILE;
	case AE_IFDIR: return SOURCE_DIRECTORY;
	case AE_IFLNK: return SOURCE_SYMLINK;
	default: return SOURCE_SPECIAL;
	}
}

static int describe(struct members *m, struct source_item *ret, struct err *e)
{
	struct archive_entry *entry = m->entry;

	*ret = (struct source_item){.type = type_of(entry)};
	if (keep(m, &m->path, archive_entry_pathname(entry), e) != 0)
		return -1;
	/* path_normalize() works in place and may only shorten. */
	struct buf raw = BUF_INIT;
	buf_add(&raw, m->path.data, m->path.len);
	if (buf_check(&raw, e) != 0)
		return -1;
	ret->unsafe = !path_normalize(m->path.data);
	m->path.len = strlen(m->path.data);
	/* "./" is the tree itself, not an attempt to leave it. */
	if (ret->unsafe && ret->type == SOURCE_DIRECTORY && m->path.len == 0)
		ret->unsafe = false;
	if (ret->unsafe) {
		buf_clear(&m->path);
		buf_add(&m->path, raw.data, raw.len);
	}
	buf_release(&raw);
	ret->path = m->path.data;
	ret->size_known = archive_entry_size_is_set(entry);
	ret->size = ret->size_known ? (uint64_t)archive_entry_size(entry) : 0;
	m->left = ret->size;
	ret->exec = (archive_entry_perm(entry) & 0100) != 0;
	const char *target = NULL;
	if (archive_entry_hardlink(entry) != NULL) {
		ret->type = SOURCE_HARDLINK;
		target = archive_entry_hardlink(entry);
	} else if (ret->type == SOURCE_SYMLINK) {
		target = archive_entry_symlink(entry);
	}
	if (ret->type == SOURCE_HARDLINK || ret->type == SOURCE_SYMLINK) {
		if (keep(m, &m->target, target, e) != 0)
			return -1;
		ret->target = m->target.data;
	}
	return 0;
}

static bool is_tar(const struct members *m)
{
	return (archive_format(m->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
}

/* A tar that is cut between two members ends without its block of zeros. */
static int check_end(struct members *m, struct err *e)
{
	if (!is_tar(m))
		return 0;
	if (archive_filter_bytes(m->archive, 0) - m->consumed >= TAR_BLOCK)
		return 0;
	return err_set(e, ERR_MALFORMED, "the archive '%s' has no end mark: is it cut off?",
		       m->name);
}

int members_next(struct members *m, struct source_item *ret, struct err *e)
{
	locale_t before = charset_enter(&m->charset);
	int status = -1;

	if (m->entry != NULL) {
		if (archive_read_data_skip(m->archive) < ARCHIVE_WARN) {
			(void)fail(m, e);
			goto out;
		}
		m->consumed = archive_filter_bytes(m->archive, 0);
	}
	int got = archive_read_next_header(m->archive, &m->entry);
	if (got == ARCHIVE_EOF) {
		m->entry = NULL;
		status = check_end(m, e) == 0 ? finish_expanding(m, e) : -1;
	} else if (got == ARCHIVE_OK || got == ARCHIVE_WARN) {
		status = describe(m, ret, e) == 0 ? 1 : -1;
	} else {
		(void)fail(m, e);
	}
out:
	charset_leave(before);
	return status;
}

ssize_t members_read(struct members *m, void *to, size_t len, struct err *e)
{
	size_t done = 0;
	bool again = false;

	while (done < len) {
		la_ssize_t n = archive_read_data(m->archive, (char *)to + done, len - done);
		if (n == ARCHIVE_RETRY)
			continue;
		if (n < 0)
			return fail(m, e);
		/* In front of a hole that starts a sparse file, libarchive says 0 once. */
		bool may_go_on = n == 0 && m->left > 0 && is_tar(m) && !again;
		if (n == 0 && !may_go_on)
			break;
		again = n == 0;
		done += (size_t)n;
		m->left -= (uint64_t)n < m->left ? (uint64_t)n : m->left;
	}
	/* Of a sparse file in a tar, libarchive gives no hole behind the last of its data. */
	if (done < len && m->left > 0 && is_tar(m)) {
		size_t hole = m->left < len - done ? (size_t)m->left : len - done;
		memset((char *)to + done, 0, hole);
		m->left -= hole;
		done += hole;
	}
	return (ssize_t)done;
}
