#define _DEFAULT_SOURCE /* mkdtemp(), mkfifo() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "swarm/buf.h"
#include "swarm/feed.h"

#include "trees.h"

#define PIECE ((size_t)16 * KIB)
/* More than wait for their digests at a time. */
#define FILES ((size_t)1100)

static char folder[] = "/tmp/test_feed.XXXXXX";
static uint8_t *content;
#define CONTENT (2 * MIB)
#define PATH    ((size_t)24)

/* --- a release: file i has size_of(i) bytes of the content from i on
 * ------------------------------
 */

static size_t size_of(size_t i)
{
	return i % 100 == 7 ? MIB + i : i % 5 == 0 ? 0 : i * 13 % 999;
}

static struct entry entry_of(size_t i, char path[static PATH])
{
	const struct filehash_options how = {.piece_length = PIECE};
	struct entry entry = {.path = path, .size = size_of(i)};
	struct filehash_digests digests;

	(void)snprintf(path, PATH, "%05zu", i);
	define_digests(&how, content + i, size_of(i), &digests);
	memcpy(entry.root, digests.root, SHA256_SIZE);
	filehash_release(&digests);
	return entry;
}

static void write_file(size_t i, size_t from, size_t size)
{
	char path[PATH];
	FILE *f;

	(void)snprintf(path, sizeof path, "%05zu", i);
	assert_non_null(f = fopen(path, "wb"));
	assert_int_equal(fwrite(content + from, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void add_member(struct archive *a, const char *path, mode_t type, size_t i, const char *link)
{
	struct archive_entry *entry = archive_entry_new();
	size_t size = type == AE_IFREG && link == NULL ? size_of(i) : 0;

	assert_non_null(entry);
	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, type);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)size);
	if (link != NULL && type == AE_IFLNK)
		archive_entry_set_symlink(entry, link);
	else if (link != NULL)
		archive_entry_set_hardlink(entry, link);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, content + i, size), size);
	archive_entry_free(entry);
}

/* Of files 1 to 4, with what is not asked for between; the last one as `type` and `link` say. */
static void write_archive(const char *path, mode_t type, const char *link)
{
	struct archive *a = archive_write_new();

	assert_non_null(a);
	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	add_member(a, "../00001", AE_IFREG, 2, NULL);
	add_member(a, "./00001", AE_IFREG, 1, NULL);
	add_member(a, "00002/", AE_IFDIR, 0, NULL);
	add_member(a, "00002", AE_IFREG, 2, NULL);
	add_member(a, "a-link", AE_IFLNK, 0, "00001");
	add_member(a, "00003", AE_IFREG, 3, NULL);
	add_member(a, "00004", type, 4, link);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

/* --- reading ------------------------------------------------------------------------------------
 */

struct reader {
	struct pool *pool;
	struct feed *feed;
	const uint8_t *want; /* of the file that is being read */
	size_t seen;         /* bytes of it */
};

static int see(void *context, const void *bytes, size_t len, struct err *e)
{
	struct reader *r = context;

	(void)e;
	assert_memory_equal(bytes, r->want + r->seen, len);
	r->seen += len;
	return 0;
}

static int read_one(struct reader *r, size_t i, struct err *e)
{
	char path[PATH];
	const struct entry entry = entry_of(i, path);

	r->want = content + i;
	r->seen = 0;
	if (feed_file(r->feed, &entry, see, r, e) != 0)
		return -1;
	assert_int_equal(r->seen, entry.size);
	return 0;
}

static int ignore(void *context, const void *bytes, size_t len, struct err *e)
{
	(void)context;
	(void)bytes;
	(void)len;
	(void)e;
	return 0;
}

static int read_whatever(struct reader *r, size_t i, struct err *e)
{
	char path[PATH];
	const struct entry entry = entry_of(i, path);

	return feed_file(r->feed, &entry, ignore, NULL, e);
}

/* The files from `first` up to `end`. */
static int read_all(const char *tree, size_t first, size_t end,
		    int (*read)(struct reader *r, size_t i, struct err *e), struct err *e)
{
	struct reader r = {.pool = pool_new(2, e)};
	int status;

	assert_non_null(r.pool);
	r.feed = feed_new(tree, r.pool, NULL, e);
	assert_non_null(r.feed);
	status = feed_begin(r.feed, PIECE, 0, e);
	for (size_t i = first; status == 0 && i < end; i++)
		status = read(&r, i, e);
	if (status == 0)
		status = feed_end(r.feed, e);
	feed_free(r.feed);
	pool_free(r.pool);
	return status;
}

static void assert_refused(const char *tree, size_t first, size_t end, enum err_code code,
			   const char *want)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(read_all(tree, first, end, read_whatever, &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(e.code, code);
}

/* --- tests --------------------------------------------------------------------------------------
 */

static void feed_passes_on_a_directory_in_order(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	if (read_all(".", 0, FILES, read_one, &e) != 0)
		fail_msg("%s", e.msg);
	feed_free(NULL);
}

/* Whatever else is wrong behind it, and however much has been read since. */
static void feed_tells_the_first_file_that_is_wrong(void **state)
{
	static const size_t bad[] = {1, 499, 513, FILES - 1};

	(void)state;
	for (size_t k = COUNT(bad); k-- > 0;) {
		char want[128];
		write_file(bad[k], bad[k] + 1, size_of(bad[k]));
		(void)snprintf(want, sizeof want,
			       "'%05zu' in '.' is not the file of the manifest: its content "
			       "differs",
			       bad[k]);
		assert_refused(".", 0, FILES, ERR_UNTRUSTED, want);
	}
	for (size_t k = 0; k < COUNT(bad); k++)
		write_file(bad[k], bad[k], size_of(bad[k]));
}

static void feed_does_not_wait_for_a_pipe(void **state)
{
	(void)state;
	assert_int_equal(unlink("00003"), 0);
	assert_int_equal(mkfifo("00003", 0600), 0);
	assert_refused(".", 3, 4, ERR_REFUSED,
		       "'00003' in '.' is a device, FIFO or socket, not a file");
	assert_int_equal(unlink("00003"), 0);
	write_file(3, 3, size_of(3));
}

static void feed_finds_members_between_others(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	write_archive("tree.tar", AE_IFREG, NULL);
	if (read_all("tree.tar", 1, 5, read_one, &e) != 0)
		fail_msg("%s", e.msg);
	if (read_all("tree.tar", 2, 4, read_one, &e) != 0)
		fail_msg("%s", e.msg);
	assert_refused("tree.tar", 5, 6, ERR_REFUSED,
		       "'00005' is not in 'tree.tar', or not in file-tree order, in which the "
		       "members of a bundle stand");
}

static void feed_refuses_members_that_are_no_files(void **state)
{
	(void)state;
	write_archive("tree.tar", AE_IFLNK, "00001");
	assert_refused("tree.tar", 1, 5, ERR_REFUSED,
		       "'00004' in 'tree.tar' is a symbolic link, not a file");
	write_archive("tree.tar", AE_IFREG, "00001");
	assert_refused("tree.tar", 1, 5, ERR_REFUSED,
		       "'00004' in 'tree.tar' is a hard link, not a file");
}

static int prepare(void **state)
{
	(void)state;
	content = make_content(CONTENT, 1);
	if (content == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0)
		return -1;
	for (size_t i = 0; i < FILES; i++)
		write_file(i, i, size_of(i));
	return 0;
}

static int tidy(void **state)
{
	char path[PATH];

	(void)state;
	free(content);
	for (size_t i = 0; i < FILES; i++) {
		(void)snprintf(path, sizeof path, "%05zu", i);
		(void)unlink(path);
	}
	(void)unlink("tree.tar");
	return chdir("/") != 0 ? -1 : rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(feed_passes_on_a_directory_in_order),
	    cmocka_unit_test(feed_tells_the_first_file_that_is_wrong),
	    cmocka_unit_test(feed_does_not_wait_for_a_pipe),
	    cmocka_unit_test(feed_finds_members_between_others),
	    cmocka_unit_test(feed_refuses_members_that_are_no_files),
	};

	return cmocka_run_group_tests(tests, prepare, tidy);
}
