#include "swarm/members.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/buf.h"
#include "swarm/charset.h"
#include "swarm/expand.h"
#include "swarm/io.h"
#include "swarm/path.h"

#define BLOCK ((size_t)256 * 1024)
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
	uint8_t first[EXPAND_MAGIC]; /* what it starts with */
	size_t first_len;
	bool is_pipe;          /* `first` was taken from it, and there is no way back */
	struct expand *expand; /* where it is compressed or a pipe */
	int64_t consumed;      /* after the last item's content */
	uint64_t left;         /* bytes of the item's size that have not been read */
};

static int fail(const struct members *m, struct err *e)
{
	return expand_fail(m->archive, "archive", m->name, e);
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

static la_ssize_t read_expanded(struct archive *a, void *context, const void **ret)
{
	struct members *m = context;
	struct err e = {.code = ERR_NONE};
	ssize_t n = expand_next(m->expand, ret, &e);

	if (n < 0) {
		/* The message is fail()'s own again: give it what stands behind the name. */
		const char *name = strchr(e.msg, '\'');
		size_t skip = strlen(m->name) + sizeof "'': " - 1;
		bool is_whole = name != NULL && strlen(name) > skip;
		archive_set_error(a, e.sys != 0 ? e.sys : EINVAL, "%s",
				  is_whole ? name + skip : e.msg);
		return ARCHIVE_FATAL;
	}
	return n;
}

/* Reads what is left, for the check sums at its end. */
static int finish_expanding(struct members *m, struct err *e)
{
	ssize_t n = m->expand != NULL && expand_is_compressed(m->expand) ? 1 : 0;
	const void *bytes;

	while (n > 0)
		n = expand_next(m->expand, &bytes, e);
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
	/*
	 * Compressed archives are expanded apart from the reading of their members: only so can the
	 * rest behind the last member be read as well, where the check sums are.
	 */
	bool streamed = m->is_pipe || expand_knows(m->first, m->first_len);
	if (streamed) {
		m->expand = expand_new(m->fd, m->name, "archive", m->first,
				       m->is_pipe ? m->first_len : 0, e);
		if (m->expand == NULL)
			return -1;
	}
	m->archive = archive_read_new();
	if (m->archive == NULL)
		return err_nomem(e);
	locale_t before = charset_enter(&m->charset);
	int status = support(m->archive);
	/* Else names in pax headers would be composed (NFC), and be others than those of the files.
	 */
	if (status == ARCHIVE_OK)
		status = archive_read_set_option(m->archive, "tar", "compat-2x", "1");
	if (status == 0 && streamed)
		status = archive_read_open(m->archive, m, NULL, read_expanded, NULL);
	else if (status == 0)
		status = archive_read_open_fd(m->archive, m->fd, BLOCK);
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
	if (charset_init(&m->charset, e) != 0 || prepare(m, passes, e) != 0 || start(m, e) != 0) {
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
	expand_free(m->expand);
	m->expand = NULL;
}

void members_close(struct members *m)
{
	if (m == NULL)
		return;
	stop(m);
	charset_release(&m->charset);
	buf_release(&m->path);
	buf_release(&m->target);
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
