#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "swarm/bundle.h"
#include "swarm/io.h"
#include "swarm/sha256.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const archives[] = {"x.tar", "x.tar.gz", "x.tgz", "x.tar.zst", "x.zip"};

/* Every test works in a folder of its own. */
static char home[64];
static struct scratch *scratch;

static int enter_home(void **state)
{
	struct err e;

	(void)state;
	scratch = scratch_new(&e);
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-bundle-XXXXXX");
	(void)setenv("TZ", "UTC0", 1);
	tzset();
	return scratch != NULL && mkdtemp(home) != NULL && chdir(home) == 0 ? 0 : -1;
}

static int leave_home(void **state)
{
	char command[128];

	(void)state;
	scratch_free(scratch);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", home);
	return chdir("/") == 0 ? system(command) : -1;
}

static struct bundle *open_bundle(const char *path, bool force, unsigned threads)
{
	const struct bundle_options options = {
	    .force = force, .mtime = BUNDLE_MTIME, .threads = threads};
	struct err e;
	struct bundle *b = bundle_open(path, &options, scratch, &e);

	if (b == NULL)
		fail_msg("%s", e.msg);
	return b;
}

static char letters[300000];

/* Some of every kind of name and size. */
static const struct {
	const char *path;
	size_t size;
	bool exec;
} files[] = {
    {"a/b/c.txt", 10, false},
    {"a/empty", 0, false},
    {"a.sh", 20000, true},
    {"big", sizeof letters, false},
    {"caf\xC3\xA9/\xE6\x97\xA5\xF0\x9F\x98\x80", 5, false},
    /* Too long for the name field of a tar. */
    {"long/0123456789012345678901234567890123456789012345678901234567890123456789"
     "0123456789012345678901234567890123456789012345678901234567890123456789",
     7, true},
};

static void put(struct bundle *b, const char *path, size_t size, bool exec)
{
	struct err e;

	if (bundle_begin(b, path, size, exec, &e) != 0)
		fail_msg("%s", e.msg);
	for (size_t at = 0, n; at < size; at += n) {
		n = size - at < 7777 ? size - at : 7777;
		if (bundle_write(b, letters + at, n, &e) != 0)
			fail_msg("%s", e.msg);
	}
	if (bundle_end(b, &e) != 0)
		fail_msg("%s", e.msg);
}

static void finish(struct bundle *b)
{
	struct err e;

	if (bundle_sync(b, &e) != 0 || bundle_commit(b, &e) != 0)
		fail_msg("%s", e.msg);
	bundle_free(b);
}

static void make(const char *path, unsigned threads)
{
	struct bundle *b = open_bundle(path, true, threads);

	for (size_t i = 0; i < COUNT(files); i++)
		put(b, files[i].path, files[i].size, files[i].exec);
	finish(b);
}

static void fill_letters(void)
{
	unsigned seed = 1;

	for (size_t i = 0; i < sizeof letters; i++) {
		seed = seed * 1103515245 + 12345;
		letters[i] = (char)('a' + (seed >> 16) % 20);
	}
}

static void digest_of(const char *path, uint8_t *ret)
{
	struct buf b = BUF_INIT;
	struct err e;
	struct sha256 *sha = sha256_new(&e);
	int fd = io_open(path, &e);

	assert_non_null(sha);
	assert_int_equal(io_read_all(fd, &b, SIZE_MAX, path, &e), 0);
	sha256_once(sha, b.data, b.len, ret);
	assert_int_equal(close(fd), 0);
	sha256_free(sha);
	buf_release(&b);
}

static void assert_members(const char *path)
{
	static char content[sizeof letters + 1];
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = uselocale(utf8);

	assert_int_equal(archive_read_support_format_all(a), ARCHIVE_OK);
	assert_int_equal(archive_read_support_filter_all(a), ARCHIVE_OK);
	assert_int_equal(archive_read_open_filename(a, path, 10240), ARCHIVE_OK);
	for (size_t i = 0; i < COUNT(files); i++) {
		assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_OK);
		assert_string_equal(archive_entry_pathname(entry), files[i].path);
		assert_int_equal(archive_entry_filetype(entry), AE_IFREG);
		assert_int_equal(archive_entry_perm(entry), files[i].exec ? 0755 : 0644);
		assert_int_equal(archive_entry_mtime(entry), BUNDLE_MTIME);
		assert_int_equal(archive_entry_uid(entry), 0);
		assert_int_equal(archive_entry_gid(entry), 0);
		assert_true(archive_entry_uname(entry) == NULL ||
			    *archive_entry_uname(entry) == '\0');
		assert_int_equal(archive_read_data(a, content, sizeof content), files[i].size);
		assert_memory_equal(content, letters, files[i].size);
	}
	assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_EOF);
	assert_int_equal(archive_read_free(a), ARCHIVE_OK);
	(void)uselocale(before);
	freelocale(utf8);
}

static void bundle_names_tell_the_format(void **state)
{
	static const char *const good[] = {"x.tar", "x.tar.gz", "x.tgz",   "x.tar.zst", "x.zip",
					   "x/",    "/",        "a/b.tar", "x.tar.zip", "x.tar/"};
	static const char *const bad[] = {"",         "x",         ".tar",  ".zip", "x.TAR",
					  "x.tar.xz", "x.7z",      "-",     "x.gz", "x.zst",
					  "tar",      "x.tar.gz.", "x.zip "};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!bundle_is_name(good[i]))
			fail_msg("'%s' was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct bundle_options options = {.mtime = BUNDLE_MTIME};
		struct err e = {.code = ERR_NONE};
		if (bundle_is_name(bad[i]))
			fail_msg("'%s' was taken", bad[i]);
		assert_null(bundle_open(bad[i], &options, scratch, &e));
		assert_int_equal(e.code, ERR_USAGE);
	}
}

static void bundle_archives_hold_the_files(void **state)
{
	(void)state;
	fill_letters();
	for (size_t i = 0; i < COUNT(archives); i++) {
		make(archives[i], 2);
		assert_members(archives[i]);
	}
}

static void bundle_folders_hold_the_files(void **state)
{
	(void)state;
	fill_letters();
	make("x/", 1);
	for (size_t i = 0; i < COUNT(files); i++) {
		struct stat st;
		char path[300];
		struct buf b = BUF_INIT;
		struct err e;
		(void)snprintf(path, sizeof path, "x/%s", files[i].path);
		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | (files[i].exec ? 0755 : 0644));
		assert_int_equal(st.st_mtim.tv_sec, BUNDLE_MTIME);
		int fd = io_open(path, &e);
		assert_int_equal(io_read_all(fd, &b, SIZE_MAX, path, &e), 0);
		assert_int_equal(b.len, files[i].size);
		assert_memory_equal(b.data, letters, b.len);
		assert_int_equal(close(fd), 0);
		buf_release(&b);
	}
}

/* Whatever the clock, the mask, the locale and the number of threads. */
static void bundle_bytes_are_the_same_everywhere(void **state)
{
	static const char *const locales[] = {"C", "C.UTF-8"};

	(void)state;
	fill_letters();
	for (size_t i = 0; i < COUNT(archives); i++) {
		uint8_t first[SHA256_SIZE], again[SHA256_SIZE];
		make(archives[i], 1);
		digest_of(archives[i], first);
		for (unsigned way = 0; way < 4; way++) {
			mode_t mask = umask(way % 2 == 0 ? 077 : 002);
			assert_non_null(setlocale(LC_ALL, locales[way % 2]));
			/* .zip wants UTC, by whatever name. */
			(void)setenv("TZ",
				     strcmp(archives[i], "x.zip") == 0 ? "GMT0"
				     : way % 2 == 0                    ? "Asia/Tokyo"
								       : "America/New_York",
				     1);
			tzset();
			make(archives[i], way == 0 ? 0 : way * 2);
			(void)umask(mask);
			digest_of(archives[i], again);
			assert_memory_equal(first, again, SHA256_SIZE);
		}
		(void)setlocale(LC_ALL, "C");
		(void)setenv("TZ", "UTC0", 1);
		tzset();
	}
}

/* The header of gzip has room for a time and a name: neither is to be there. */
static void bundle_gzip_has_no_time(void **state)
{
	static const char start[] = "\x1F\x8B\x08\0\0\0\0\0";
	struct buf b = BUF_INIT;
	struct err e;

	(void)state;
	make("x.tar.gz", 1);
	int fd = io_open("x.tar.gz", &e);
	assert_int_equal(io_read_all(fd, &b, SIZE_MAX, "x", &e), 0);
	assert_int_equal(close(fd), 0);
	assert_memory_equal(b.data, start, sizeof start - 1);
	buf_release(&b);
}

static void bundle_zip_needs_utc(void **state)
{
	const struct bundle_options options = {.mtime = BUNDLE_MTIME};
	struct err e = {.code = ERR_NONE};

	(void)state;
	(void)setenv("TZ", "XYZ-9", 1);
	tzset();
	assert_null(bundle_open("x.zip", &options, scratch, &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "a .zip can only be written in UTC: set TZ=UTC0");
	(void)setenv("TZ", "UTC0", 1);
	tzset();
	bundle_free(open_bundle("x.zip", false, 1));
	bundle_free(NULL);
}

static void bundle_notices_files_of_another_size(void **state)
{
	static const char *const all[] = {"x.tar", "x.tar.zst", "x.zip", "x/"};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct err e = {.code = ERR_NONE};
		struct bundle *b = open_bundle(all[i], false, 1);
		assert_int_equal(bundle_begin(b, "f", 5, false, &e), 0);
		assert_int_equal(bundle_write(b, "123", 3, &e), 0);
		assert_int_equal(bundle_end(b, &e), -1);
		assert_int_equal(e.code, ERR_CHANGED);
		assert_string_equal(e.msg, "'f' shrank while it was read");
		bundle_free(b);
		b = open_bundle(all[i], false, 1);
		assert_int_equal(bundle_begin(b, "f", 5, false, &e), 0);
		assert_int_equal(bundle_write(b, "12345", 5, &e), 0);
		assert_int_equal(bundle_write(b, "6", 1, &e), -1);
		assert_int_equal(e.code, ERR_CHANGED);
		assert_string_equal(e.msg, "'f' grew while it was read");
		bundle_free(b);
	}
	/* Nothing appeared, and nothing is left. */
	assert_int_equal(system("test -z \"$(ls -A)\""), 0);
}

static void bundle_replaces_with_force_only(void **state)
{
	struct err e = {.code = ERR_NONE};
	const struct bundle_options options = {.mtime = BUNDLE_MTIME, .threads = 1};

	(void)state;
	finish(open_bundle("x.tar", false, 1));
	assert_null(bundle_open("x.tar", &options, scratch, &e));
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "'x.tar' exists: give --force to replace it");
	finish(open_bundle("x.tar", true, 1));
}

static void bundle_tells_of_a_full_disk(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	fill_letters();
	assert_int_equal(symlink("/dev/full", "x.tar.gz"), 0);
	struct bundle *b = open_bundle("x.tar.gz", false, 1);
	put(b, "f", sizeof letters, false);
	assert_int_equal(bundle_sync(b, &e), 0);
	assert_int_equal(bundle_commit(b, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot write 'x.tar.gz': No space left on device");
	bundle_free(b);
}

int main(void)
{
#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, enter_home, leave_home)
	const struct CMUnitTest tests[] = {
	    IN_HOME(bundle_names_tell_the_format),
	    IN_HOME(bundle_archives_hold_the_files),
	    IN_HOME(bundle_folders_hold_the_files),
	    IN_HOME(bundle_bytes_are_the_same_everywhere),
	    IN_HOME(bundle_gzip_has_no_time),
	    IN_HOME(bundle_zip_needs_utc),
	    IN_HOME(bundle_notices_files_of_another_size),
	    IN_HOME(bundle_replaces_with_force_only),
	    IN_HOME(bundle_tells_of_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
