#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/folder.h"

#define MTIME INT64_C(318211200)

/* Every test works in a folder of its own. */
static char home[64];
static struct scratch *scratch;

static int enter_home(void **state)
{
	struct err e;

	(void)state;
	scratch = scratch_new(&e);
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-folder-XXXXXX");
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

static struct folder *open_folder(const char *path, bool force)
{
	struct err e;
	struct folder *f = folder_open(path, force, MTIME, scratch, &e);

	if (f == NULL)
		fail_msg("%s", e.msg);
	return f;
}

static void assert_refused(const char *path, bool force, const char *message)
{
	struct err e = {.code = ERR_NONE};
	struct folder *f = folder_open(path, force, MTIME, scratch, &e);

	if (f != NULL)
		fail_msg("'%s' was opened", path);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, ERR_USAGE);
}

static void put(struct folder *f, const char *path, const char *text, bool exec)
{
	struct err e;

	if (folder_begin(f, path, exec, &e) != 0 || folder_write(f, text, strlen(text), &e) != 0 ||
	    folder_end(f, &e) != 0)
		fail_msg("%s", e.msg);
}

static void finish(struct folder *f)
{
	struct err e;

	if (folder_sync(f, &e) != 0 || folder_commit(f, &e) != 0)
		fail_msg("%s", e.msg);
	folder_free(f);
}

static size_t count_names(const char *path)
{
	size_t count = 0;
	DIR *dir = opendir(path);

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	assert_int_equal(closedir(dir), 0);
	return count - 2;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void assert_item(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_mtim.tv_sec, MTIME);
	assert_int_equal(st.st_mtim.tv_nsec, 0);
}

static void assert_content(const char *path, const char *want)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail_msg("there is no '%s'", path);
	assert_true(read(fd, text, sizeof text - 1) >= 0);
	assert_string_equal(text, want);
	assert_int_equal(close(fd), 0);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void folder_appears_at_the_commit(void **state)
{
	mode_t before = umask(077);
	struct err e;

	(void)state;
	struct folder *f = open_folder("out/", false);
	put(f, "a/b/c", "1", false);
	put(f, "a/b/d", "2", true);
	put(f, "a/e", "", false);
	put(f, "a/z/y", "3", false);
	put(f, "b.txt", "4", false);
	assert_int_equal(folder_sync(f, &e), 0);
	assert_false(exists("out"));
	finish(f);
	/* The same modes and times everywhere, whatever the umask. */
	assert_item("out", 0755);
	assert_item("out/a", 0755);
	assert_item("out/a/b", 0755);
	assert_item("out/a/b/c", 0644);
	assert_item("out/a/b/d", 0755);
	assert_item("out/a/e", 0644);
	assert_item("out/a/z", 0755);
	assert_item("out/a/z/y", 0644);
	assert_item("out/b.txt", 0644);
	assert_content("out/a/b/d", "2");
	assert_content("out/b.txt", "4");
	assert_int_equal(count_names("."), 1);
	assert_int_equal(umask(before), 077);
}

static void folder_without_a_commit_is_gone(void **state)
{
	struct err e;

	(void)state;
	struct folder *f = open_folder("out", false);
	put(f, "a/b", "1", false);
	/* In the middle of a file. */
	assert_int_equal(folder_begin(f, "a/c", false, &e), 0);
	assert_int_equal(folder_write(f, "x", 1, &e), 0);
	folder_free(f);
	folder_free(NULL);
	assert_int_equal(count_names("."), 0);
}

static void folder_may_replace_an_empty_one(void **state)
{
	(void)state;
	assert_int_equal(mkdir("out", 0700), 0);
	struct folder *f = open_folder("out", false);
	put(f, "a", "1", false);
	finish(f);
	assert_content("out/a", "1");
	assert_item("out", 0755);
	assert_int_equal(count_names("."), 1);
}

static void folder_replaces_a_full_one_with_force_only(void **state)
{
	(void)state;
	assert_int_equal(mkdir("out", 0755), 0);
	write_file("out/old", "old");
	assert_int_equal(mkdir("out/deep", 0755), 0);
	write_file("out/deep/old", "old");
	assert_refused("out", false, "'out/' exists: give --force to replace all of it");
	assert_refused("out/", false, "'out/' exists: give --force to replace all of it");
	struct folder *f = open_folder("out/", true);
	put(f, "new", "new", false);
	assert_content("out/old", "old");
	finish(f);
	assert_content("out/new", "new");
	assert_false(exists("out/old"));
	assert_false(exists("out/deep"));
	assert_int_equal(count_names("."), 1);
}

/* Somebody fills the empty folder in the meantime. */
static void folder_does_not_replace_what_came_meanwhile(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	struct folder *f = open_folder("out", false);
	put(f, "a", "1", false);
	assert_int_equal(folder_sync(f, &e), 0);
	assert_int_equal(mkdir("out", 0755), 0);
	write_file("out/theirs", "theirs");
	assert_int_equal(folder_commit(f, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "'out/' exists: give --force to replace all of it");
	folder_free(f);
	assert_content("out/theirs", "theirs");
	assert_int_equal(count_names("out"), 1);
	assert_int_equal(count_names("."), 1);
}

static void folder_refuses_what_it_cannot_replace(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	write_file("file", "");
	assert_int_equal(mkdir("empty", 0755), 0);
	assert_int_equal(symlink("empty", "link"), 0);
	assert_refused("file", true, "'file' exists and is not a directory");
	assert_refused("file/", true, "'file' exists and is not a directory");
	assert_refused("link/", true, "'link' exists and is not a directory");
	assert_refused("./", true, "'./' cannot be replaced by a bundle");
	assert_refused("..", true, "'..' cannot be replaced by a bundle");
	assert_refused("empty/..", true, "'empty/..' cannot be replaced by a bundle");
	assert_refused("/", true, "'/' cannot be replaced by a bundle");
	assert_refused("//", true, "'//' cannot be replaced by a bundle");
	assert_refused("", true, "'' cannot be replaced by a bundle");
	assert_null(folder_open("none/out", false, MTIME, scratch, &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg,
			    "cannot make the directory 'none/out/': No such file or directory");
	assert_int_equal(count_names("."), 3);
}

static void folder_takes_no_file_twice(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	struct folder *f = open_folder("out", false);
	put(f, "a/b", "1", false);
	assert_int_equal(folder_begin(f, "a/b", false, &e), -1);
	assert_int_equal(e.sys, EEXIST);
	assert_int_equal(folder_begin(f, "a/b/c", false, &e), -1);
	assert_int_equal(e.sys, ENOTDIR);
	assert_int_equal(folder_begin(f, "a", false, &e), -1);
	assert_int_equal(e.sys, EEXIST);
	folder_free(f);
	assert_int_equal(count_names("."), 0);
}

/* What another puts in a folder's place while it is built is not written through. */
static void folder_never_writes_through_a_link(void **state)
{
	struct err e = {.code = ERR_NONE};
	DIR *dir;

	(void)state;
	assert_int_equal(mkdir("precious", 0755), 0);
	struct folder *f = open_folder("out", false);
	put(f, "a/b", "1", false);
	put(f, "c", "2", false);
	dir = opendir(".");
	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		char path[600];
		if (strncmp(d->d_name, ".out.swarm-", 11) != 0)
			continue;
		(void)snprintf(path, sizeof path, "%s/z", d->d_name);
		assert_int_equal(symlink("../precious", path), 0);
	}
	assert_int_equal(closedir(dir), 0);
	assert_int_equal(folder_begin(f, "z/file", false, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	folder_free(f);
	assert_int_equal(count_names("precious"), 0);
}

static void die_before_the_commit(bool force)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;
		struct folder *f = folder_open("out", force, MTIME, scratch, &e);
		if (f != NULL && folder_begin(f, "a/b", false, &e) == 0)
			(void)kill(getpid(), SIGKILL);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void folder_of_a_killed_run_is_swept_by_the_next(void **state)
{
	(void)state;
	assert_int_equal(mkdir("out", 0755), 0);
	write_file("out/old", "old");
	die_before_the_commit(true);
	die_before_the_commit(true);
	assert_content("out/old", "old");
	/* Of another name: not ours. */
	assert_int_equal(mkdir(".other.swarm-123456", 0755), 0);
	assert_int_equal(mkdir(".out.swarm-1234567", 0755), 0);
	struct folder *f = open_folder("out", true);
	assert_int_equal(count_names("."), 4);
	/* One that is in use is left alone. */
	struct folder *second = open_folder("out", true);
	put(f, "a", "first", false);
	put(second, "a", "second", false);
	finish(second);
	finish(f);
	assert_content("out/a", "first");
	assert_int_equal(count_names("out"), 1);
	assert_int_equal(count_names("."), 3);
}

static void folder_interrupted_is_gone(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	struct folder *f = open_folder("out", false);
	put(f, "a/b", "1", false);
	scratch_remove_all(scratch);
	assert_int_equal(count_names("."), 0);
	assert_int_equal(folder_begin(f, "c/d", false, &e), -1);
	assert_int_equal(folder_commit(f, &e), -1);
	folder_free(f);
	assert_int_equal(count_names("."), 0);
	assert_null(folder_open("out", false, MTIME, scratch, &e));
	assert_string_equal(e.msg, "interrupted");
	assert_int_equal(count_names("."), 0);
}

int main(void)
{
#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, enter_home, leave_home)
	const struct CMUnitTest tests[] = {
	    IN_HOME(folder_appears_at_the_commit),
	    IN_HOME(folder_without_a_commit_is_gone),
	    IN_HOME(folder_may_replace_an_empty_one),
	    IN_HOME(folder_replaces_a_full_one_with_force_only),
	    IN_HOME(folder_does_not_replace_what_came_meanwhile),
	    IN_HOME(folder_refuses_what_it_cannot_replace),
	    IN_HOME(folder_takes_no_file_twice),
	    IN_HOME(folder_never_writes_through_a_link),
	    IN_HOME(folder_of_a_killed_run_is_swept_by_the_next),
	    IN_HOME(folder_interrupted_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
