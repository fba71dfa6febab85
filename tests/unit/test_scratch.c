#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
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

#include "swarm/scratch.h"

/* Every test works in a folder of its own, which must be empty at its end. */
static char folder[64];

static int enter_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-scratch-XXXXXX");
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	(void)state;
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

static struct scratch *new_scratch(void)
{
	struct err e;
	struct scratch *s = scratch_new(&e);

	assert_non_null(s);
	return s;
}

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void add(struct scratch *s, const char *path)
{
	struct err e;

	assert_int_equal(scratch_enter(s, &e), 0);
	assert_int_equal(scratch_add(s, path, &e), 0);
	scratch_leave(s);
}

static void make_tree(const char *top)
{
	char path[128];

	assert_int_equal(mkdir(top, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/a", top);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/a/b", top);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof path, "%s/a/b/file", top);
	touch(path);
	(void)snprintf(path, sizeof path, "%s/.hidden", top);
	touch(path);
	(void)snprintf(path, sizeof path, "%s/fifo", top);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(path, sizeof path, "%s/nowhere", top);
	assert_int_equal(symlink("/nonexistent", path), 0);
}

static void scratch_free_removes_what_is_there(void **state)
{
	struct scratch *s = new_scratch();

	(void)state;
	touch("file");
	make_tree("tree");
	add(s, "file");
	add(s, "tree");
	add(s, "never-made");
	scratch_free(s);
	assert_false(exists("file"));
	assert_false(exists("tree"));
	scratch_free(NULL);
}

static void scratch_forget_spares_a_file(void **state)
{
	struct scratch *s = new_scratch();

	(void)state;
	touch("kept");
	touch("dropped");
	add(s, "kept");
	add(s, "dropped");
	scratch_forget(s, "kept");
	scratch_forget(s, "kept");
	scratch_forget(s, "unknown");
	scratch_free(s);
	assert_true(exists("kept"));
	assert_false(exists("dropped"));
	assert_int_equal(unlink("kept"), 0);
}

static void scratch_remove_forgets_too(void **state)
{
	struct scratch *s = new_scratch();

	(void)state;
	touch("file");
	add(s, "file");
	scratch_remove(s, "file");
	assert_false(exists("file"));
	/* What has the name from now on is another file. */
	touch("file");
	scratch_remove_all(s);
	assert_true(exists("file"));
	assert_int_equal(unlink("file"), 0);
	scratch_free(s);
}

static void scratch_never_follows_a_symbolic_link(void **state)
{
	struct scratch *s = new_scratch();

	(void)state;
	make_tree("precious");
	assert_int_equal(mkdir("tree", 0755), 0);
	assert_int_equal(symlink("../precious", "tree/link"), 0);
	assert_int_equal(symlink("precious", "link"), 0);
	add(s, "tree");
	add(s, "link");
	scratch_remove_all(s);
	assert_false(exists("tree"));
	assert_false(exists("link"));
	assert_true(exists("precious/a/b/file"));
	assert_true(exists("precious/.hidden"));
	scratch_free(s);
	s = new_scratch();
	scratch_remove(s, "precious");
	scratch_free(s);
	assert_false(exists("precious"));
}

static void scratch_takes_nothing_more_once_told_to_stop(void **state)
{
	struct err e = {.code = ERR_NONE};
	struct scratch *s = new_scratch();

	(void)state;
	scratch_remove_all(s);
	touch("late");
	assert_int_equal(scratch_enter(s, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "interrupted");
	scratch_free(s);
	assert_true(exists("late"));
	assert_int_equal(unlink("late"), 0);
}

static atomic_bool stop;

/*
 * Adds files to a folder until there is nothing left to add them to. Its end is
 * what bounds the test: who is slow, as valgrind is, may lose every race till then.
 */
static void *keep_adding(void *arg)
{
	int top = open("busy", O_RDONLY | O_DIRECTORY);

	(void)arg;
	for (unsigned i = 0; i < 1000 && !atomic_load(&stop) && top >= 0; i++) {
		const struct timespec moment = {0, 20000};
		char name[32];
		(void)nanosleep(&moment, NULL);
		(void)snprintf(name, sizeof name, "d%u", i);
		if (mkdirat(top, name, 0755) != 0 && errno == ENOENT)
			break;
		(void)snprintf(name, sizeof name, "d%u/f", i);
		int fd = openat(top, name, O_WRONLY | O_CREAT, 0600);
		if (fd >= 0)
			(void)close(fd);
	}
	if (top >= 0)
		(void)close(top);
	return NULL;
}

static void scratch_removes_a_folder_that_others_still_fill(void **state)
{
	struct scratch *s = new_scratch();
	const struct timespec while_ = {0, 20000000};
	pthread_t thread;

	(void)state;
	assert_int_equal(mkdir("busy", 0755), 0);
	add(s, "busy");
	assert_int_equal(pthread_create(&thread, NULL, keep_adding, NULL), 0);
	(void)nanosleep(&while_, NULL);
	scratch_remove_all(s);
	bool left = exists("busy");
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	scratch_free(s);
	s = new_scratch();
	scratch_remove(s, "busy");
	scratch_free(s);
	assert_false(left);
}

struct user {
	struct scratch *scratch;
	int number;
	pthread_t thread;
	bool interrupted, failed;
};

/* Makes, names and finishes files until it is interrupted. */
static void *use(void *arg)
{
	struct user *u = arg;
	struct err e;

	for (int i = 0; i < 2000; i++) {
		char name[64];
		(void)snprintf(name, sizeof name, "u%d-%d", u->number, i);
		if (scratch_enter(u->scratch, &e) != 0) {
			u->interrupted = true;
			break;
		}
		int fd = open(name, O_WRONLY | O_CREAT, 0600);
		u->failed = u->failed || fd < 0 || scratch_add(u->scratch, name, &e) != 0;
		scratch_leave(u->scratch);
		if (fd >= 0)
			(void)close(fd);
		scratch_remove(u->scratch, name);
	}
	return NULL;
}

static void scratch_may_be_used_by_all_threads(void **state)
{
	struct scratch *s = new_scratch();
	struct user users[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		users[i] = (struct user){.scratch = s, .number = i};
		assert_int_equal(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(users[i].thread, NULL), 0);
		assert_false(users[i].interrupted);
		assert_false(users[i].failed);
	}
	scratch_free(s);
	/* leave_folder() fails if anything is left. */
}

/* Told to stop in the middle of it all: what is made in a critical section is known, or not made.
 */
static void scratch_loses_nothing_when_told_to_stop(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct scratch *s = new_scratch();
		const struct timespec moment = {0, 1000000};
		struct user users[3];
		for (int i = 0; i < 3; i++) {
			users[i] = (struct user){.scratch = s, .number = i};
			assert_int_equal(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
		}
		(void)nanosleep(&moment, NULL);
		scratch_remove_all(s);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(pthread_join(users[i].thread, NULL), 0);
			assert_false(users[i].failed);
		}
		scratch_free(s);
	}
	/* leave_folder() fails if anything is left. */
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(scratch_free_removes_what_is_there),
	    IN_FOLDER(scratch_forget_spares_a_file),
	    IN_FOLDER(scratch_remove_forgets_too),
	    IN_FOLDER(scratch_never_follows_a_symbolic_link),
	    IN_FOLDER(scratch_takes_nothing_more_once_told_to_stop),
	    IN_FOLDER(scratch_removes_a_folder_that_others_still_fill),
	    IN_FOLDER(scratch_may_be_used_by_all_threads),
	    IN_FOLDER(scratch_loses_nothing_when_told_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
