#define _DEFAULT_SOURCE /* syscall() */
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
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/staging.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- a system that can be told to fail -------------------------------------------------------- */

static int fsync_errno;

int fsync(int fd)
{
	if (fsync_errno == 0)
		return (int)syscall(SYS_fsync, fd);
	errno = fsync_errno;
	return -1;
}

/* --- helpers ---------------------------------------------------------------------------------- */

/* Every test works in a folder of its own. */
static char home[64];
static struct scratch *scratch;

static int enter_home(void **state)
{
	struct err e;

	(void)state;
	scratch = scratch_new(&e);
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-staging-XXXXXX");
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

static void sh(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static struct staging *open_staging(const char *target)
{
	struct err e;
	struct staging *s = staging_open(target, scratch, &e);

	if (s == NULL)
		fail_msg("%s", e.msg);
	return s;
}

static void assert_refused(const char *target, enum err_code code)
{
	struct err e = {.code = ERR_NONE};

	if (staging_open(target, scratch, &e) != NULL)
		fail_msg("'%s' was opened", target);
	assert_int_equal(e.code, code);
}

static void put(const struct staging *s, const char *path, const char *text, bool exec)
{
	struct err e;
	int fd = staging_create(s, path, exec, &e);

	if (fd < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void staging_becomes_the_tree(void **state)
{
	struct err e;
	mode_t before = umask(077);
	struct staging *s = open_staging("tree/");

	(void)state;
	assert_string_equal(staging_target(s), "tree");
	assert_string_equal(staging_path(s), ".tree.swarm-patch");
	put(s, "a/b/file", "one", false);
	put(s, "tool", "two", true);
	(void)umask(before);
	assert_int_equal(staging_sync(s, &e), 0);
	sh("test ! -e tree");
	assert_int_equal(staging_commit(s, false, &e), 0);
	staging_close(s);
	sh("test \"$(cat tree/a/b/file tree/tool)\" = onetwo && test ! -e .tree.swarm-patch");
	sh("test \"$(stat -c %a tree tree/a tree/a/b/file tree/tool | tr '\\n' ' ')\" = "
	   "'755 755 644 755 '");
}

static void staging_replaces_by_force_only(void **state)
{
	struct err e;

	(void)state;
	sh("mkdir tree && echo old >tree/old");
	struct staging *s = open_staging("tree");
	put(s, "new", "new", false);
	assert_int_equal(staging_commit(s, false, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	sh("test -f tree/old");
	staging_close(s);
	/* What was made is still there for the next one. */
	s = open_staging("tree");
	assert_int_equal(staging_commit(s, true, &e), 0);
	staging_close(s);
	sh("test -f tree/new && test ! -e tree/old && test ! -e .tree.swarm-patch");
	/* An empty directory gives way. */
	sh("mkdir empty");
	s = open_staging("empty");
	put(s, "new", "new", false);
	assert_int_equal(staging_commit(s, false, &e), 0);
	staging_close(s);
	sh("test -f empty/new");
}

static void staging_takes_back_a_name_that_is_not_on_disk(void **state)
{
	struct err e = {.code = ERR_NONE};
	struct staging *s = open_staging("tree");

	(void)state;
	put(s, "new", "new", false);
	fsync_errno = EIO;
	assert_int_equal(staging_commit(s, false, &e), -1);
	assert_string_equal(e.msg, "cannot write the folder of 'tree': Input/output error");
	assert_int_equal(e.code, ERR_SYSTEM);
	fsync_errno = 0;
	sh("test ! -e tree && test -f .tree.swarm-patch/new/new");
	put(s, "newer", "new", false);
	assert_int_equal(staging_commit(s, false, &e), 0);
	staging_close(s);
	sh("test -f tree/new && test -f tree/newer && test ! -e .tree.swarm-patch");
	/* And that of what stood there before. */
	s = open_staging("tree");
	put(s, "third", "3", false);
	fsync_errno = EIO;
	assert_int_equal(staging_commit(s, true, &e), -1);
	fsync_errno = 0;
	sh("test -f tree/new && test ! -e tree/third");
	/* Where no directory can be flushed, there is nothing to wait for. */
	fsync_errno = EINVAL;
	assert_int_equal(staging_commit(s, true, &e), 0);
	fsync_errno = 0;
	staging_close(s);
	sh("test ! -e tree/new && test -f tree/third && test ! -e .tree.swarm-patch");
}

static void staging_with_nothing_in_it_goes(void **state)
{
	struct err e;

	(void)state;
	staging_close(open_staging("tree"));
	sh("test ! -e .tree.swarm-patch");
	struct staging *s = open_staging("tree");
	put(s, "a", "x", false);
	staging_close(s);
	sh("test -f .tree.swarm-patch/new/a");
	s = open_staging("tree");
	staging_drop(s, "a");
	assert_int_equal(staging_forget_old(s, &e), 0);
	staging_close(s);
	sh("test ! -e .tree.swarm-patch");
}

static void staging_is_for_one(void **state)
{
	struct staging *s = open_staging("tree");

	(void)state;
	assert_refused("tree", ERR_USAGE);
	/* Who was refused has done no harm. */
	sh("test -d .tree.swarm-patch/new && test -d .tree.swarm-patch/old");
	put(s, "a", "x", false);
	staging_close(open_staging("other"));
	staging_close(s);
	s = open_staging("tree");
	staging_remove(s);
	staging_close(s);
	sh("test ! -e .tree.swarm-patch");
}

static void staging_needs_a_name(void **state)
{
	static const char *const names[] = {"/", "file", "dangling", "not/.."};

	(void)state;
	sh("echo x >file && ln -s nowhere dangling && mkdir not-mine && ln -s not-mine "
	   ".l.swarm-patch");
	for (size_t i = 0; i < COUNT(names); i++) {
		struct err e = {.code = ERR_NONE};
		assert_null(staging_open(names[i], scratch, &e));
		assert_int_equal(err_status(e.code), 2);
	}
	assert_refused("nowhere/tree", ERR_SYSTEM);
	/* The folder is no link to another one. */
	assert_refused("l", ERR_SYSTEM);
	sh("test -z \"$(ls not-mine)\"");
}

static void staging_knows_a_tree_by_any_name(void **state)
{
	(void)state;
	sh("mkdir -p trees/one && ln -s trees/one link");
	struct staging *s = open_staging("link");
	assert_non_null(strstr(staging_path(s), "/trees/.one.swarm-patch"));
	assert_refused("trees/one", ERR_USAGE);
	staging_close(s);
	assert_int_equal(chdir("trees/one"), 0);
	s = open_staging(".");
	assert_non_null(strstr(staging_path(s), "/trees/.one.swarm-patch"));
	staging_close(s);
	assert_int_equal(chdir(home), 0);
}

static bool keep(void *context, const char *path)
{
	(void)context;
	return strcmp(path, "a/keep") == 0 || strcmp(path, "keep") == 0;
}

static void staging_sifts_what_was_left(void **state)
{
	struct err e;
	struct staging *s = open_staging("tree");

	(void)state;
	sh("cd .tree.swarm-patch/new && mkdir -p a/b/c d/e/f outside && touch a/keep a/b/drop keep "
	   "drop "
	   "&& ln -s ../../.. d/link && mkfifo pipe && ln -s keep soft && touch d/e/drop");
	assert_int_equal(staging_sift(s, keep, NULL, &e), 0);
	sh("cd .tree.swarm-patch/new && test \"$(find . | sort | tr '\\n' ' ')\" = "
	   "'. ./a ./a/keep ./keep '");
	staging_remove(s);
	staging_close(s);
}

static void staging_is_not_for_others_to_write_to(void **state)
{
	static const char *const modes[] = {"777", "720", "702"};
	char command[96];

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		(void)snprintf(command, sizeof command,
			       "rm -rf .tree.swarm-patch && mkdir -m %s .tree.swarm-patch",
			       modes[i]);
		sh(command);
		assert_refused("tree", ERR_USAGE);
	}
	sh("chmod 755 .tree.swarm-patch");
	staging_close(open_staging("tree"));
	if (geteuid() != 0)
		return;
	sh("mkdir -p .tree.swarm-patch/new && touch .tree.swarm-patch/new/a && "
	   "chown 12345 .tree.swarm-patch/new");
	assert_refused("tree", ERR_USAGE);
	sh("test \"$(stat -c %u .tree.swarm-patch/new)\" = 12345");
}

/* What stands there may be another name of a file that is not ours to write to. */
static void staging_writes_to_new_files_only(void **state)
{
	struct err e;
	struct stat st;
	struct staging *s = open_staging("tree");

	(void)state;
	sh("printf old >file && chmod 600 file && ln file .tree.swarm-patch/new/a");
	put(s, "a", "new", true);
	sh("test \"$(cat file)\" = old && test \"$(stat -c %a:%h file)\" = 600:1");
	int fd = open("file", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	/* Where there is no way to name an open file, nothing is made. */
	if (staging_link(s, "b/a", fd)) {
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_nlink, 2);
		put(s, "b/a", "new", false);
		sh("test \"$(cat file)\" = old");
	} else {
		assert_int_not_equal(access("/proc/self/fd", F_OK), 0);
	}
	assert_int_equal(close(fd), 0);
	/* Nor through a link. */
	sh("mkdir outside && ln -s ../../outside .tree.swarm-patch/new/c");
	assert_int_equal(staging_create(s, "c/file", false, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	sh("test -z \"$(ls outside)\"");
	staging_remove(s);
	staging_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(staging_becomes_the_tree, enter_home, leave_home),
	    cmocka_unit_test_setup_teardown(staging_replaces_by_force_only, enter_home, leave_home),
	    cmocka_unit_test_setup_teardown(staging_takes_back_a_name_that_is_not_on_disk,
					    enter_home, leave_home),
	    cmocka_unit_test_setup_teardown(staging_with_nothing_in_it_goes, enter_home,
					    leave_home),
	    cmocka_unit_test_setup_teardown(staging_is_for_one, enter_home, leave_home),
	    cmocka_unit_test_setup_teardown(staging_needs_a_name, enter_home, leave_home),
	    cmocka_unit_test_setup_teardown(staging_knows_a_tree_by_any_name, enter_home,
					    leave_home),
	    cmocka_unit_test_setup_teardown(staging_sifts_what_was_left, enter_home, leave_home),
	    cmocka_unit_test_setup_teardown(staging_is_not_for_others_to_write_to, enter_home,
					    leave_home),
	    cmocka_unit_test_setup_teardown(staging_writes_to_new_files_only, enter_home,
					    leave_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
