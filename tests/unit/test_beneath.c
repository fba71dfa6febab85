#include <errno.h>
#include <fcntl.h>
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

#include "swarm/beneath.h"

/* Every test works in a folder of its own, with two roots in it. */
static char home[64];
static int one, two;

static int enter_home(void **state)
{
	(void)state;
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-beneath-XXXXXX");
	if (mkdtemp(home) == NULL || chdir(home) != 0 ||
	    system("mkdir -p one/a/b two outside && echo x >one/a/b/file && echo y >one/top &&"
		   "echo z >outside/file && ln -s ../outside one/link && mkdir one/a/empty &&"
		   "ln -s ../outside/file one/soft") != 0)
		return -1;
	one = open("one", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	two = open("two", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return one >= 0 && two >= 0 ? 0 : -1;
}

static int leave_home(void **state)
{
	char command[128];

	(void)state;
	(void)close(one);
	(void)close(two);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", home);
	return chdir("/") == 0 ? system(command) : -1;
}

static void assert_there(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		fail_msg("'%s' is not there", path);
}

static void assert_gone(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		fail_msg("'%s' is there", path);
}

static void assert_errno(int result, int why)
{
	int got = errno;

	assert_int_equal(result, -1);
	assert_int_equal(got, why);
}

static void beneath_finds_what_is_there(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(beneath_stat(one, "a/b/file", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(beneath_stat(one, "a", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_errno(beneath_stat(one, "a/c/file", &st), ENOENT);
	assert_errno(beneath_stat(one, "top/file", &st), ENOENT);
	int fd = beneath_open(one, "a/b/file", O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static void beneath_follows_no_link(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(beneath_stat(one, "link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_errno(beneath_stat(one, "link/file", &st), ENOENT);
	assert_int_equal(beneath_open(one, "link/file", O_RDONLY), -1);
	assert_errno(beneath_open(one, "soft", O_RDONLY), ELOOP);
	assert_int_equal(beneath_unlink(one, "link/file"), -1);
	assert_there("outside/file");
	/* Nor is a directory made through one. */
	const char *name;
	assert_int_equal(beneath_parent(one, "link/new/file", true, &name), -1);
	assert_gone("outside/new");
	/* The link itself can go. */
	assert_int_equal(beneath_unlink(one, "link"), 0);
	assert_there("outside/file");
}

static void beneath_makes_directories(void **state)
{
	const char *name;
	struct stat st;
	mode_t before = umask(077);
	int fd = beneath_parent(two, "x/y/z", true, &name);

	(void)state;
	(void)umask(before);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_string_equal(name, "z");
	assert_int_equal(stat("two/x/y", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_gone("two/x/y/z");
	assert_errno(beneath_parent(two, "not/there", false, &name), ENOENT);
	assert_gone("two/not");
}

static void beneath_moves_and_replaces_nothing(void **state)
{
	(void)state;
	assert_int_equal(beneath_move(one, two, "a/b/file"), 0);
	assert_there("two/a/b/file");
	assert_gone("one/a/b/file");
	assert_errno(beneath_move(one, two, "a/b/file"), ENOENT);
	assert_int_equal(system("echo other >one/a/b/file"), 0);
	assert_errno(beneath_move(one, two, "a/b/file"), EEXIST);
	assert_int_equal(system("grep -q other one/a/b/file && grep -q x two/a/b/file"), 0);
	/* A link is moved as it is; what stands in the way as a file is no directory. */
	assert_int_equal(beneath_move(one, two, "soft"), 0);
	assert_int_equal(system("mkdir one/soft && echo q >one/soft/q"), 0);
	assert_int_equal(beneath_move(one, two, "soft/q"), -1);
	assert_there("one/soft/q");
}

static void beneath_prunes_empty_directories_only(void **state)
{
	(void)state;
	beneath_prune(one, "a/b/file");
	assert_there("one/a/b/file");
	beneath_prune(one, "a/empty/gone");
	assert_gone("one/a/empty");
	assert_there("one/a");
	/* What is gone below is no reason to stop. */
	assert_int_equal(beneath_unlink(one, "a/b/file"), 0);
	beneath_prune(one, "a/b/c/d/file");
	assert_gone("one/a");
	assert_there("one");
	/* The path itself is not touched. */
	assert_int_equal(system("mkdir -p one/x/y"), 0);
	beneath_prune(one, "x/y");
	assert_there("one/x/y");
	assert_int_equal(beneath_rmdir(one, "x/y"), 0);
	assert_errno(beneath_rmdir(one, "top"), ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(beneath_finds_what_is_there, enter_home, leave_home),
	    cmocka_unit_test_setup_teardown(beneath_follows_no_link, enter_home, leave_home),
	    cmocka_unit_test_setup_teardown(beneath_makes_directories, enter_home, leave_home),
	    cmocka_unit_test_setup_teardown(beneath_moves_and_replaces_nothing, enter_home,
					    leave_home),
	    cmocka_unit_test_setup_teardown(beneath_prunes_empty_directories_only, enter_home,
					    leave_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
