#define _GNU_SOURCE /* memfd_create() */
#include <errno.h>
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
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <unistd.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "swarm/buf.h"
#include "swarm/io.h"
#include "swarm/path.h"
#include "swarm/source.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- helpers ---------------------------------------------------------------------------------- */

/* Every test works in a folder of its own. */
static char folder[64];

static int enter_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-source-XXXXXX");
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 ? system(command) : -1;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void make_folder(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static struct source *open_source(const char *path, int passes)
{
	struct err e = {.code = ERR_NONE};
	struct source *s = source_open(path, passes, &e);

	if (s == NULL)
		fail_msg("%s", e.msg);
	return s;
}

static char letter_of(const struct source_item *item)
{
	switch (item->type) {
	case SOURCE_FILE: return item->exec ? 'x' : 'f';
	case SOURCE_DIRECTORY: return 'd';
	case SOURCE_SYMLINK: return 'l';
	case SOURCE_HARDLINK: return 'h';
	case SOURCE_SPECIAL: return 's';
	case SOURCE_BROKEN: return 'b';
	}
	return '?';
}

/* One line an item: "f path", "l path -> target"; '!' in front of unsafe ones. */
static void list(struct source *s, struct buf *to, struct err *e)
{
	struct source_item item;
	int got;

	while ((got = source_next(s, &item, e)) > 0) {
		buf_addf(to, "%s%c %s", item.unsafe ? "!" : "", letter_of(&item), item.path);
		if (item.target != NULL)
			buf_addf(to, " -> %s", item.target);
		buf_addc(to, '\n');
	}
	assert_int_equal(got == 0, e->code == ERR_NONE);
}

static void assert_list(struct source *s, const char *want)
{
	struct buf b = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	list(s, &b, &e);
	if (e.code != ERR_NONE)
		fail_msg("%s", e.msg);
	assert_string_equal(b.data, want);
	buf_release(&b);
}

/* --- directories ------------------------------------------------------------------------------ */

static void walk_goes_in_file_tree_order(void **state)
{
	static const char *const files[] = {"a.txt", "a/x",   "a/b/c",   "a-",
					    "B",     "a/b.c", "\xC3\xA9"};
	static const char *const folders[] = {"a", "a/b", "empty", "z", "z/empty"};
	struct source_item item;
	struct err e;
	char last[256] = "";
	int got;

	(void)state;
	for (size_t i = 0; i < COUNT(folders); i++)
		make_folder(folders[i]);
	for (size_t i = 0; i < COUNT(files); i++)
		write_file(files[i], "");
	struct source *s = open_source(".", 2);
	assert_true(source_is_directory(s));
	for (int round = 0; round < 2; round++) {
		assert_list(s, "f B\nd a\nd a/b\nf a/b/c\nf a/b.c\nf a/x\nf a-\nf a.txt\nd empty\n"
			       "d z\nd z/empty\nf \xC3\xA9\n");
		assert_int_equal(source_rewind(s, &e), 0);
	}
	while ((got = source_next(s, &item, &e)) > 0) {
		assert_true(last[0] == '\0' || path_compare(last, item.path) < 0);
		(void)snprintf(last, sizeof last, "%s", item.path);
	}
	assert_int_equal(got, 0);
	assert_int_equal(source_next(s, &item, &e), 0);
	source_close(s);
	source_close(NULL);
}

static void walk_may_be_rewound_half_way(void **state)
{
	struct source_item item;
	struct err e;

	(void)state;
	make_folder("a");
	make_folder("a/b");
	write_file("a/b/c", "");
	write_file("d", "");
	struct source *s = open_source(".", 2);
	for (int steps = 0; steps <= 5; steps++) {
		for (int i = 0; i < steps; i++)
			(void)!source_next(s, &item, &e);
		assert_int_equal(source_rewind(s, &e), 0);
		assert_list(s, "d a\nd a/b\nf a/b/c\nf d\n");
		assert_int_equal(source_rewind(s, &e), 0);
	}
	source_close(s);
}

static void walk_tells_what_things_are(void **state)
{
	struct source_item item;
	struct err e;

	(void)state;
	write_file("exec", "12345");
	assert_int_equal(chmod("exec", 0700), 0);
	write_file("group", "");
	assert_int_equal(chmod("group", 0677), 0);
	assert_int_equal(symlink("/etc/passwd", "link"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	write_file("line\nfeed", "");
	write_file("not\xFFutf8", "");
	struct source *s = open_source(".", 1);
	assert_list(s, "x exec\ns fifo\nf group\nf line\nfeed\nl link -> /etc/passwd\n"
		       "f not\xFFutf8\n");
	assert_int_equal(source_rewind(s, &e), 0);
	assert_int_equal(source_next(s, &item, &e), 1);
	assert_int_equal(item.size, 5);
	assert_true(item.size_known);
	assert_false(item.unsafe);
	assert_int_not_equal(item.stamp.inode, 0);
	source_close(s);
	assert_string_equal(source_type_name(SOURCE_SPECIAL), "a device, FIFO or socket");
}

static void walk_never_follows_links_to_folders(void **state)
{
	(void)state;
	make_folder("a");
	write_file("a/file", "");
	assert_int_equal(symlink("..", "a/up"), 0);
	assert_int_equal(symlink("a", "b"), 0);
	struct source *s = open_source(".", 1);
	assert_list(s, "d a\nf a/file\nl a/up -> ..\nl b -> a\n");
	source_close(s);
	/* But the tree itself may be given by a link. */
	s = open_source("b", 1);
	assert_list(s, "f file\nl up -> ..\n");
	source_close(s);
}

static void walk_reads_long_links_whole(void **state)
{
	char target[4000];

	(void)state;
	for (size_t len = 254; len < 4000; len = len < 258 ? len + 1 : len * 2) {
		struct source_item item;
		struct err e;
		memset(target, 't', len);
		target[len] = '\0';
		assert_int_equal(symlink(target, "link"), 0);
		struct source *s = open_source(".", 1);
		assert_int_equal(source_next(s, &item, &e), 1);
		assert_string_equal(item.target, target);
		source_close(s);
		assert_int_equal(unlink("link"), 0);
	}
}

/* Deeper than a path may be long, and wider than one read of a directory. */
static void walk_goes_deep_and_wide(void **state)
{
	struct source_item item;
	struct err e;
	size_t deepest = 0, count = 0;
	int got, at = open(".", O_RDONLY | O_DIRECTORY);

	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[201];
		memset(name, 'd', 200);
		name[200] = '\0';
		assert_int_equal(mkdirat(at, name, 0755), 0);
		int next = openat(at, name, O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		assert_int_equal(close(at), 0);
		at = next;
	}
	assert_int_equal(close(at), 0);
	make_folder("wide");
	for (int i = 0; i < 3000; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "wide/%d", i);
		write_file(name, "");
	}
	struct source *s = open_source(".", 1);
	while ((got = source_next(s, &item, &e)) > 0) {
		size_t len = strlen(item.path);
		deepest = len > deepest ? len : deepest;
		count++;
	}
	assert_int_equal(got, 0);
	assert_int_equal(deepest, 100 * 201 - 1);
	assert_int_equal(count, 100 + 1 + 3000);
	source_close(s);
}

static void walk_ends_where_it_is_too_deep(void **state)
{
	struct source_item item;
	struct err e;
	size_t folders = 0;
	int got, at = open(".", O_RDONLY | O_DIRECTORY);
	struct buf last = BUF_INIT;

	(void)state;
	for (int i = 0; i < 1010; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY);
		assert_int_equal(close(at), 0);
		at = next;
	}
	assert_int_equal(close(at), 0);
	write_file("z", "");
	struct source *s = open_source(".", 1);
	while ((got = source_next(s, &item, &e)) > 0) {
		folders += item.type == SOURCE_DIRECTORY;
		if (item.type == SOURCE_BROKEN)
			assert_int_equal(item.error, ENAMETOOLONG);
		buf_clear(&last);
		buf_adds(&last, item.path);
	}
	assert_int_equal(got, 0);
	assert_int_equal(folders, 1000);
	assert_string_equal(last.data, "z");
	buf_release(&last);
	source_close(s);
}

/* What cannot be entered is an item that says why, and the walk goes on behind it. */
static void walk_goes_on_behind_what_it_cannot_read(void **state)
{
	struct source_item item;
	struct rlimit before, few;
	struct err e = {.code = ERR_NONE};
	size_t broken = 0;
	int got;

	(void)state;
	write_file("0", "");
	make_folder("a");
	make_folder("a/b");
	write_file("z", "");
	struct source *s = open_source(".", 1);
	assert_int_equal(source_next(s, &item, &e), 1);
	int next_free = dup(0);
	assert_true(next_free >= 0);
	assert_int_equal(close(next_free), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next_free;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	bool last = false;
	while ((got = source_next(s, &item, &e)) > 0) {
		if (item.type == SOURCE_BROKEN) {
			assert_int_equal(item.error, EMFILE);
			broken++;
		}
		last = strcmp(item.path, "z") == 0;
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(got, 0);
	assert_int_equal(broken, 1);
	assert_true(last);
	source_close(s);
}

/* Whatever threads list ahead, the items are the same, in the same order. */
static void walk_is_the_same_with_threads_ahead(void **state)
{
	struct source_item item;
	struct err e;
	struct buf alone = BUF_INIT, ahead = BUF_INIT;

	(void)state;
	for (int i = 0; i < 40; i++) {
		char name[64];
		(void)snprintf(name, sizeof name, "d%d", i);
		make_folder(name);
		for (int k = 0; k < 10; k++) {
			(void)snprintf(name, sizeof name, "d%d/e%d", i, k);
			if (k % 2 == 0)
				make_folder(name);
			else
				write_file(name, name);
		}
		(void)snprintf(name, sizeof name, "d%d/e0/link", i);
		assert_int_equal(symlink("../e1", name), 0);
	}
	for (unsigned threads = 0; threads <= 4; threads++) {
		struct pool *pool = threads > 0 ? pool_new(threads, &e) : NULL;
		struct source *s = open_source(".", 2);
		struct buf *to = threads == 0 ? &alone : &ahead;
		source_read_ahead(s, pool);
		for (int pass = 0; pass < 2; pass++) {
			buf_clear(to);
			while (source_next(s, &item, &e) == 1)
				buf_addf(to, "%s %d %d %s %d\n", item.path, item.type,
					 (int)item.size, item.target != NULL ? item.target : "",
					 item.error);
			assert_int_equal(source_rewind(s, &e), 0);
		}
		/* It may be left half-way. */
		for (unsigned i = 0; i < 5 * threads; i++)
			assert_int_equal(source_next(s, &item, &e), 1);
		source_close(s);
		pool_free(pool);
		if (threads > 0)
			assert_string_equal(ahead.data, alone.data);
	}
	assert_true(alone.len > 0);
	buf_release(&alone);
	buf_release(&ahead);
}

static void walk_notices_what_has_just_gone(void **state)
{
	struct source_item item;
	struct err e;

	(void)state;
	write_file("a", "");
	make_folder("b");
	write_file("c", "");
	struct source *s = open_source(".", 1);
	assert_int_equal(source_next(s, &item, &e), 1);
	assert_int_equal(rmdir("b"), 0);
	assert_int_equal(source_next(s, &item, &e), 1);
	assert_string_equal(item.path, "b");
	assert_int_equal(item.type, SOURCE_BROKEN);
	assert_int_equal(item.error, ENOENT);
	assert_int_equal(source_next(s, &item, &e), 1);
	assert_string_equal(item.path, "c");
	source_close(s);
}

/* --- files of a directory --------------------------------------------------------------------- */

static void assert_not_opened(struct source *s, const char *path,
			      const struct source_item *expected, enum err_code code,
			      const char *message)
{
	struct source_file f;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(source_file_open(s, path, expected, &f, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, code);
	assert_int_equal(f.fd, -1);
}

static void file_reads_what_was_listed(void **state)
{
	char text[16] = "";
	struct source_item item;
	struct source_file f;
	struct err e;

	(void)state;
	make_folder("a");
	write_file("a/file", "content");
	struct source *s = open_source(".", 1);
	assert_int_equal(source_next(s, &item, &e), 1);
	assert_int_equal(source_next(s, &item, &e), 1);
	assert_int_equal(source_file_open(s, item.path, &item, &f, &e), 0);
	assert_int_equal(f.size, 7);
	assert_int_equal(source_file_read(&f, text, 4, &e), 4);
	assert_int_equal(source_file_read(&f, text + 4, 10, &e), 3);
	assert_string_equal(text, "content");
	assert_int_equal(source_file_read(&f, text, 10, &e), 0);
	assert_int_equal(source_file_close(&f, &e), 0);
	assert_int_equal(f.fd, -1);
	source_close(s);
}

static void file_opens_nothing_but_regular_files(void **state)
{
	(void)state;
	make_folder("a");
	write_file("a/file", "");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("a/file", "link"), 0);
	assert_int_equal(symlink("a", "folder"), 0);
	struct source *s = open_source(".", 1);
	assert_not_opened(s, "none", NULL, ERR_SYSTEM,
			  "cannot open 'none': No such file or directory");
	assert_not_opened(s, "a/none", NULL, ERR_SYSTEM,
			  "cannot open 'a/none': No such file or directory");
	assert_not_opened(s, "a/file/x", NULL, ERR_SYSTEM,
			  "cannot open 'a/file/x': Not a directory");
	assert_not_opened(s, "a", NULL, ERR_CHANGED, "'a' is no regular file any more");
	/* Nobody writes to it: an open that waits would wait for ever. */
	assert_not_opened(s, "fifo", NULL, ERR_CHANGED, "'fifo' is no regular file any more");
	assert_not_opened(s, "link", NULL, ERR_SYSTEM,
			  "cannot open 'link': Too many levels of symbolic links");
	assert_not_opened(s, "folder/file", NULL, ERR_SYSTEM,
			  "cannot open 'folder/file': Not a directory");
	source_close(s);
}

static void assert_judged(struct source *s, const char *path, const char *link_hint,
			  enum err_code code, const char *message)
{
	struct source_file f;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(source_file_open(s, path, NULL, &f, &e), -1);
	assert_int_equal(source_judge(s, path, link_hint, &e), -1);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, code);
}

static void tree_without_a_file_is_to_blame(void **state)
{
	struct err e = {.code = ERR_SYSTEM, .sys = EIO};

	(void)state;
	make_folder("a");
	write_file("a/file", "");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("a/file", "link"), 0);
	struct source *s = open_source(".", 1);
	assert_judged(s, "none", " (hint)", ERR_REFUSED, "'none' is not in '.'");
	assert_judged(s, "a/file/x", NULL, ERR_REFUSED, "'a/file/x' is not in '.'");
	assert_judged(s, "a", " (hint)", ERR_REFUSED, "'a' in '.' is a directory, not a file");
	assert_judged(s, "fifo", NULL, ERR_REFUSED,
		      "'fifo' in '.' is a device, FIFO or socket, not a file");
	assert_judged(s, "link", NULL, ERR_REFUSED, "'link' in '.' is a symbolic link, not a file");
	assert_judged(s, "link", " (hint)", ERR_REFUSED,
		      "'link' in '.' is a symbolic link, not a file (hint)");
	/* What the tree cannot help. */
	assert_int_equal(source_judge(s, "a/file", NULL, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(source_judge(s, "none", NULL, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	source_close(s);
}

static void file_names_may_be_long(void **state)
{
	char path[600], message[700];
	struct source_file f;
	struct err e;

	(void)state;
	memset(path, 'n', sizeof path);
	path[255] = '\0';
	make_folder(path);
	path[255] = '/';
	path[511] = '\0';
	write_file(path, "");
	struct source *s = open_source(".", 1);
	assert_int_equal(source_file_open(s, path, NULL, &f, &e), 0);
	assert_int_equal(source_file_close(&f, &e), 0);
	memset(path, 'n', 256);
	path[256] = '/';
	(void)snprintf(message, sizeof message, "cannot open '%s': File name too long", path);
	assert_not_opened(s, path, NULL, ERR_SYSTEM, message);
	source_close(s);
}

static void list_first(struct source *s, struct source_item *ret)
{
	struct err e;

	assert_int_equal(source_next(s, ret, &e), 1);
}

/* Each way in which a file can be another one than was listed. */
static void file_that_is_not_as_listed_is_refused(void **state)
{
	static const char why[] = "'f' changed after the tree was listed";
	struct source_item item;
	struct stat st;
	struct err e;

	(void)state;
	write_file("f", "first");
	struct source *s = open_source(".", 1);
	list_first(s, &item);
	write_file("f", "longer");
	assert_not_opened(s, "f", &item, ERR_CHANGED, why);
	source_close(s);

	/* Of the same size and even the same mtime: ctime tells. */
	s = open_source(".", 1);
	list_first(s, &item);
	assert_int_equal(stat("f", &st), 0);
	(void)usleep(20000);
	write_file("f", "LONGER");
	const struct timespec times[2] = {st.st_atim, st.st_mtim};
	assert_int_equal(utimensat(AT_FDCWD, "f", times, 0), 0);
	assert_not_opened(s, "f", &item, ERR_CHANGED, why);
	source_close(s);

	/* Another file of that name. */
	s = open_source(".", 1);
	list_first(s, &item);
	write_file("g", "LONGER");
	assert_int_equal(rename("g", "f"), 0);
	assert_not_opened(s, "f", &item, ERR_CHANGED, why);
	source_close(s);

	s = open_source(".", 1);
	list_first(s, &item);
	struct source_file f;
	assert_int_equal(source_file_open(s, "f", &item, &f, &e), 0);
	assert_int_equal(source_file_close(&f, &e), 0);
	source_close(s);
}

static void file_that_changes_while_it_is_read_is_noticed(void **state)
{
	struct source_file f;
	struct err e = {.code = ERR_NONE};

	(void)state;
	write_file("f", "first");
	struct source *s = open_source(".", 1);
	for (int way = 0; way < 3; way++) {
		assert_int_equal(source_file_open(s, "f", NULL, &f, &e), 0);
		(void)usleep(20000);
		if (way == 0)
			write_file("f", "FIRST");
		else if (way == 1)
			assert_int_equal(truncate("f", 2), 0);
		else
			assert_int_equal(chmod("f", 0600), 0);
		assert_int_equal(source_file_close(&f, &e), -1);
		assert_int_equal(e.code, ERR_CHANGED);
		assert_string_equal(e.msg, "'f' changed while it was read");
		assert_int_equal(f.fd, -1);
	}
	source_close(s);
}

/* --- archives --------------------------------------------------------------------------------- */

struct member {
	const char *path;
	char type;           /* as in list() */
	const char *content; /* or target */
};

static void write_members(struct archive *a, const struct member *members, size_t count)
{
	struct archive_entry *entry = archive_entry_new();

	for (size_t i = 0; i < count; i++) {
		const struct member *m = &members[i];
		archive_entry_clear(entry);
		archive_entry_set_pathname(entry, m->path);
		archive_entry_set_perm(entry, m->type == 'x' || m->type == 'd' ? 0755 : 0644);
		archive_entry_set_filetype(entry, m->type == 'd'   ? AE_IFDIR
						  : m->type == 'l' ? AE_IFLNK
						  : m->type == 's' ? AE_IFIFO
								   : AE_IFREG);
		archive_entry_set_size(entry, 0);
		if (m->type == 'l')
			archive_entry_set_symlink(entry, m->content);
		else if (m->type == 'h')
			archive_entry_set_hardlink(entry, m->content);
		else if (m->content != NULL)
			archive_entry_set_size(entry, (la_int64_t)strlen(m->content));
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		if ((m->type == 'f' || m->type == 'x') && m->content != NULL)
			assert_int_equal(archive_write_data(a, m->content, strlen(m->content)),
					 strlen(m->content));
	}
	archive_entry_free(entry);
}

static void pack(const char *path, int (*format)(struct archive *), int (*filter)(struct archive *),
		 const struct member *members, size_t count)
{
	struct archive *a = archive_write_new();

	assert_int_equal(format(a), ARCHIVE_OK);
	assert_int_equal(filter(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	write_members(a, members, count);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

static void pack_tar(const char *path, const struct member *members, size_t count)
{
	pack(path, archive_write_set_format_pax_restricted, archive_write_add_filter_none, members,
	     count);
}

static const struct member plain[] = {
    {"b/file", 'f', "content of b"}, {"a", 'x', "a"}, {"empty", 'f', NULL}, {"b/", 'd', NULL},
    {"z/y/x", 'f', "deep"},
};

/* Reads all content, in pieces that end anywhere. */
static void read_content(struct source *s, struct buf *to)
{
	struct err e = {.code = ERR_NONE};
	ssize_t n;

	do {
		char *room = buf_room(to, 5);
		n = source_read(s, room, 5, &e);
		if (n < 0)
			fail_msg("%s", e.msg);
		buf_grew(to, (size_t)n);
	} while (n == 5);
}

static void assert_plain(struct source *s)
{
	struct source_item item;
	struct buf b = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	for (size_t i = 0; i < COUNT(plain); i++) {
		int got = source_next(s, &item, &e);
		if (got != 1)
			fail_msg("%s", e.msg);
		assert_memory_equal(item.path, plain[i].path, strlen(item.path));
		assert_int_equal(letter_of(&item), plain[i].type);
		assert_false(item.unsafe);
		/* The content of every second one is passed over. */
		if (i % 2 == 0 && item.type == SOURCE_FILE) {
			buf_clear(&b);
			read_content(s, &b);
			assert_string_equal(b.data,
					    plain[i].content != NULL ? plain[i].content : "");
			assert_true(!item.size_known || item.size == b.len);
		}
	}
	assert_int_equal(source_next(s, &item, &e), 0);
	buf_release(&b);
}

struct kind {
	const char *name;
	int (*format)(struct archive *);
	int (*filter)(struct archive *);
};

static const struct kind kinds[] = {
    {"x.tar", archive_write_set_format_pax_restricted, archive_write_add_filter_none},
    {"x.ustar", archive_write_set_format_ustar, archive_write_add_filter_none},
    {"x.gnutar", archive_write_set_format_gnutar, archive_write_add_filter_none},
    {"x.cpio", archive_write_set_format_cpio_newc, archive_write_add_filter_none},
    {"x.tgz", archive_write_set_format_pax_restricted, archive_write_add_filter_gzip},
    {"x.tbz", archive_write_set_format_pax_restricted, archive_write_add_filter_bzip2},
    {"x.txz", archive_write_set_format_pax_restricted, archive_write_add_filter_xz},
    {"x.tzst", archive_write_set_format_pax_restricted, archive_write_add_filter_zstd},
    {"x.tlz4", archive_write_set_format_pax_restricted, archive_write_add_filter_lz4},
    {"x.zip", archive_write_set_format_zip, archive_write_add_filter_none},
    {"x.7z", archive_write_set_format_7zip, archive_write_add_filter_none},
};

static void members_of_all_formats_are_read(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		/* 7z keeps empty files and folders behind the others. */
		if (strcmp(kinds[i].name, "x.7z") == 0)
			continue;
		pack(kinds[i].name, kinds[i].format, kinds[i].filter, plain, COUNT(plain));
		struct source *s = open_source(kinds[i].name, 2);
		assert_false(source_is_directory(s));
		assert_string_equal(source_name(s), kinds[i].name);
		for (int round = 0; round < 3; round++) {
			assert_plain(s);
			assert_int_equal(source_rewind(s, &e), 0);
		}
		source_close(s);
	}
	static const struct member files[] = {{"b/file", 'f', "content"}, {"a", 'x', "a"}};
	pack("x.7z", archive_write_set_format_7zip, archive_write_add_filter_none, files, 2);
	struct source *s = open_source("x.7z", 2);
	assert_list(s, "f b/file\nx a\n");
	source_close(s);
}

/* Standard input as a pipe, read once or twice; zip and 7z are sought in. */
static void members_come_through_pipes(void **state)
{
	(void)state;
	for (size_t i = 0; i + 1 < COUNT(kinds); i++) {
		pack(kinds[i].name, kinds[i].format, kinds[i].filter, plain, COUNT(plain));
		for (int passes = 1; passes <= 2; passes++) {
			struct err e = {.code = ERR_NONE};
			struct buf b = BUF_INIT;
			int ends[2], kept = dup(STDIN_FILENO), fd = io_open(kinds[i].name, &e);
			assert_int_equal(io_read_all(fd, &b, 60000, "x", &e), 0);
			assert_int_equal(close(fd), 0);
			assert_int_equal(pipe(ends), 0);
			assert_int_equal(write(ends[1], b.data, b.len), b.len);
			assert_int_equal(close(ends[1]), 0);
			assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
			struct source *s = source_open("-", passes, &e);
			assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
			if (s == NULL)
				fail_msg("%s: %s", kinds[i].name, e.msg);
			assert_string_equal(source_name(s), "standard input");
			for (int round = 0; round < passes; round++) {
				assert_plain(s);
				if (round + 1 < passes)
					assert_int_equal(source_rewind(s, &e), 0);
			}
			source_close(s);
			buf_release(&b);
			assert_int_equal(close(ends[0]), 0);
			assert_int_equal(close(kept), 0);
		}
	}
}

static void members_that_lead_out_are_unsafe(void **state)
{
	static const struct member members[] = {
	    {"./a", 'f', "1"},       {"/etc/passwd", 'f', "1"}, {"../up", 'f', "1"},
	    {"a/../../b", 'f', "1"}, {"./", 'd', NULL},         {"..", 'd', NULL},
	    {"c//d/./e", 'f', "1"},  {"..x/y", 'f', "1"},
	};

	(void)state;
	pack_tar("x.tar", members, COUNT(members));
	struct source *s = open_source("x.tar", 1);
	assert_list(s, "f a\n!f /etc/passwd\n!f ../up\n!f a/../../b\nd \n!d ../\nf c/d/e\n"
		       "f ..x/y\n");
	source_close(s);
}

static void members_tell_of_links(void **state)
{
	static const struct member members[] = {
	    {"a", 'f', "1"},           {"h", 'h', "a"},       {"./h2", 'h', "./a"},
	    {"l", 'l', "/etc/passwd"}, {"l2", 'l', "../a b"}, {"p", 's', NULL},
	};

	(void)state;
	pack_tar("x.tar", members, COUNT(members));
	struct source *s = open_source("x.tar", 1);
	assert_list(s, "f a\nh h -> a\nh h2 -> ./a\nl l -> /etc/passwd\nl l2 -> ../a b\ns p\n");
	source_close(s);
}

static void members_keep_names_that_are_not_ascii(void **state)
{
	static const struct member members[] = {{"\xC3\xA9/\xE6\x97\xA5", 'f', "1"},
						{"e\xCC\x81", 'f', "1"}};
	char *before = setlocale(LC_ALL, NULL);

	(void)state;
	assert_string_equal(before, "C");
	for (size_t i = 0; i < 2; i++) {
		/* The locale of the writer matters as well, so it writes raw bytes. */
		const char *name = i == 0 ? "x.ustar" : "x.gnutar";
		pack(name,
		     i == 0 ? archive_write_set_format_ustar : archive_write_set_format_gnutar,
		     archive_write_add_filter_none, members, COUNT(members));
		struct source *s = open_source(name, 1);
		assert_list(s, "f \xC3\xA9/\xE6\x97\xA5\nf e\xCC\x81\n");
		source_close(s);
	}
}

/* Of an archive that is cut anywhere, no one must think that it was whole. */
static void members_of_a_cut_archive_end_in_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct err e = {.code = ERR_NONE};
		struct buf b = BUF_INIT;
		if (strcmp(kinds[i].name, "x.7z") == 0)
			continue;
		pack(kinds[i].name, kinds[i].format, kinds[i].filter, plain, COUNT(plain));
		int fd = io_open(kinds[i].name, &e);
		assert_int_equal(io_read_all(fd, &b, SIZE_MAX, "x", &e), 0);
		assert_int_equal(close(fd), 0);
		/* A tar's zeros at the end may be fewer; what is before them may not. */
		size_t used = b.len;
		while (used > 0 && b.data[used - 1] == 0)
			used--;
		for (size_t len = 0; len < used; len += len < 1100 ? 37 : 101) {
			struct buf found = BUF_INIT;
			assert_int_equal(truncate(kinds[i].name, (off_t)len), 0);
			e = (struct err){.code = ERR_NONE};
			struct source *s = source_open(kinds[i].name, 1, &e);
			if (s != NULL)
				list(s, &found, &e);
			if (e.code != ERR_MALFORMED)
				fail_msg("%s cut to %zu of %zu bytes: taken", kinds[i].name, len,
					 used);
			source_close(s);
			buf_release(&found);
			fd = open(kinds[i].name, O_WRONLY | O_TRUNC);
			assert_int_equal(write(fd, b.data, b.len), b.len);
			assert_int_equal(close(fd), 0);
		}
		buf_release(&b);
	}
}

static void members_of_damaged_content_are_noticed(void **state)
{
	static const struct member members[] = {{"a", 'f', "some content to be damaged"}};
	struct buf b = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	(void)state;
	pack("x.zip", archive_write_set_format_zip, archive_write_add_filter_none, members, 1);
	int fd = open("x.zip", O_RDWR);
	assert_int_equal(io_read_all(fd, &b, SIZE_MAX, "x", &e), 0);
	const char *at = memmem(b.data, b.len, "PK\1\2", 4);
	assert_non_null(at);
	/* The CRC in the central directory, which alone is believed. */
	size_t crc = (size_t)(at - b.data) + 16;
	b.data[crc] = (char)(b.data[crc] ^ 1);
	assert_int_equal(pwrite(fd, b.data, b.len, 0), b.len);
	assert_int_equal(close(fd), 0);
	struct source *s = open_source("x.zip", 1);
	struct source_item item;
	char text[100];
	assert_int_equal(source_next(s, &item, &e), 1);
	assert_int_equal(source_read(s, text, sizeof text, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	source_close(s);
	buf_release(&b);
}

static void assert_no_archive(const char *path, const char *text, size_t len)
{
	struct err e = {.code = ERR_NONE};
	struct source_item item;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(close(fd), 0);
	struct source *s = source_open(path, 1, &e);
	if (s != NULL)
		assert_true(source_next(s, &item, &e) <= 0);
	if (e.code != ERR_MALFORMED)
		fail_msg("'%.40s' was taken for an archive", text);
	source_close(s);
}

/* libarchive knows formats that name other files to be read, or take anything for an archive. */
static void members_are_not_taken_from_just_anything(void **state)
{
	static const char mtree[] = "#mtree\n./passwd type=file contents=/etc/passwd size=100\n";
	static const char zero;

	(void)state;
	assert_no_archive("x", "", 0);
	assert_no_archive("x", "hello\n", 6);
	assert_no_archive("x.mtree", mtree, sizeof mtree - 1);
	assert_no_archive("x", &zero, 1);
	assert_no_archive("x.uu", "begin 644 x\n#86)C\n`\nend\n", 25);
}

static void source_tells_what_it_cannot_open(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_null(source_open("none", 1, &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot open 'none': No such file or directory");
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(walk_goes_in_file_tree_order),
	    IN_FOLDER(walk_may_be_rewound_half_way),
	    IN_FOLDER(walk_tells_what_things_are),
	    IN_FOLDER(walk_never_follows_links_to_folders),
	    IN_FOLDER(walk_reads_long_links_whole),
	    IN_FOLDER(walk_goes_deep_and_wide),
	    IN_FOLDER(walk_ends_where_it_is_too_deep),
	    IN_FOLDER(walk_goes_on_behind_what_it_cannot_read),
	    IN_FOLDER(walk_is_the_same_with_threads_ahead),
	    IN_FOLDER(walk_notices_what_has_just_gone),
	    IN_FOLDER(file_reads_what_was_listed),
	    IN_FOLDER(file_opens_nothing_but_regular_files),
	    IN_FOLDER(tree_without_a_file_is_to_blame),
	    IN_FOLDER(file_names_may_be_long),
	    IN_FOLDER(file_that_is_not_as_listed_is_refused),
	    IN_FOLDER(file_that_changes_while_it_is_read_is_noticed),
	    IN_FOLDER(members_of_all_formats_are_read),
	    IN_FOLDER(members_come_through_pipes),
	    IN_FOLDER(members_that_lead_out_are_unsafe),
	    IN_FOLDER(members_tell_of_links),
	    IN_FOLDER(members_keep_names_that_are_not_ascii),
	    IN_FOLDER(members_of_a_cut_archive_end_in_an_error),
	    IN_FOLDER(members_of_damaged_content_are_noticed),
	    IN_FOLDER(members_are_not_taken_from_just_anything),
	    IN_FOLDER(source_tells_what_it_cannot_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
