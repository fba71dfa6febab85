#define _GNU_SOURCE /* O_TMPFILE, syscall() */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/outfile.h"

/* --- a system that can be told to fail -------------------------------------------------------- */

static struct {
	bool no_nameless, no_links;
	int fsync_errno, rename_errno;
	int folder_open_errno, folder_fsync_errno;
	const char *kill_before; /* the call before which the process dies */
	char log[64];            /* f: fsync of a file, d: of a folder, l: link, r: rename */
} fake;

static void note(char what)
{
	size_t n = strlen(fake.log);

	if (n + 1 < sizeof fake.log)
		fake.log[n] = what;
	if (fake.kill_before != NULL && strchr(fake.kill_before, what) != NULL)
		(void)kill(getpid(), SIGKILL);
}

int open(const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	unsigned mode =
	    (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	if (fake.no_nameless && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (fake.folder_open_errno != 0 && (flags & O_TMPFILE) == O_DIRECTORY) {
		errno = fake.folder_open_errno;
		return -1;
	}
	return openat(AT_FDCWD, path, flags, mode);
}

int fsync(int fd)
{
	struct stat st;

	bool is_folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	int failure = is_folder ? fake.folder_fsync_errno : fake.fsync_errno;
	note(is_folder ? 'd' : 'f');
	if (failure != 0) {
		errno = failure;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	note('l');
	if (fake.no_links) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int rename(const char *from, const char *to)
{
	note('r');
	if (fake.rename_errno != 0) {
		errno = fake.rename_errno;
		return -1;
	}
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* --- helpers ---------------------------------------------------------------------------------- */

/* Every test works in a folder of its own, which must be empty at its end. */
static char folder[64];
static struct scratch *scratch;

static int enter_folder(void **state)
{
	struct err e;

	(void)state;
	memset(&fake, 0, sizeof fake);
	scratch = scratch_new(&e);
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-outfile-XXXXXX");
	return scratch != NULL && mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	(void)state;
	scratch_free(scratch);
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

static struct outfile *open_out(const char *path, bool force)
{
	const struct outfile_options options = {.force = force};
	struct err e;
	struct outfile *o = outfile_open(path, &options, scratch, &e);

	if (o == NULL)
		fail_msg("%s", e.msg);
	return o;
}

static void assert_refused(const char *path, bool force, enum err_code code, const char *message)
{
	const struct outfile_options options = {.force = force};
	struct err e = {.code = ERR_NONE};
	struct outfile *o = outfile_open(path, &options, scratch, &e);

	if (o != NULL)
		fail_msg("'%s' was opened", path);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, code);
}

static void put(struct outfile *o, const char *text)
{
	struct err e;

	if (outfile_write(o, text, strlen(text), &e) != 0)
		fail_msg("%s", e.msg);
}

static void commit(struct outfile *o)
{
	struct err e;

	if (outfile_commit(o, &e) != 0)
		fail_msg("%s", e.msg);
	outfile_free(o);
}

/* Where a file is replaced, messages call it by its real path, which ends in its name. */
static void assert_message(struct err *e, const char *want)
{
	char text[ERR_MSG_MAX];
	char *start = strstr(e->msg, "'/");

	if (start == NULL || strstr(want, "'/") != NULL) {
		assert_string_equal(e->msg, want);
		return;
	}
	(void)snprintf(text, sizeof text, "%.*s%s", (int)(start - e->msg) + 1, e->msg,
		       strrchr(start, '/') + 1);
	assert_string_equal(text, want);
}

static void assert_no_commit(struct outfile *o, enum err_code code, const char *message)
{
	struct err e = {.code = ERR_NONE};

	assert_int_equal(outfile_commit(o, &e), -1);
	outfile_free(o);
	assert_int_equal(e.code, code);
	assert_message(&e, message);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void assert_content(const char *path, const char *want)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail_msg("there is no '%s'", path);
	assert_true(read(fd, text, sizeof text - 1) >= 0);
	assert_string_equal(text, want);
	assert_int_equal(close(fd), 0);
}

static size_t count_names(void)
{
	size_t count = 0;
	DIR *dir = opendir(".");

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

/* Runs a test on each kind of file system. */
static void on_all_systems(void (*test)(void))
{
	fake.log[0] = '\0';
	test();
	fake.no_nameless = true;
	memset(fake.log, 0, sizeof fake.log);
	test();
	fake.no_links = true;
	memset(fake.log, 0, sizeof fake.log);
	test();
}

/* --- complete or not at all ------------------------------------------------------------------- */

static void appear(void)
{
	struct outfile *o = open_out("x", false);

	put(o, "some ");
	put(o, "");
	put(o, "text");
	assert_false(exists("x"));
	commit(o);
	assert_content("x", "some text");
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlink("x"), 0);
}

static void outfile_appears_at_the_commit(void **state)
{
	(void)state;
	on_all_systems(appear);
}

static void drop(void)
{
	struct outfile *o = open_out("x", false);

	put(o, "text");
	outfile_free(o);
	assert_int_equal(count_names(), 0);
}

static void outfile_leaves_nothing_without_a_commit(void **state)
{
	(void)state;
	on_all_systems(drop);
	outfile_free(NULL);
}

static void replace(void)
{
	write_file("x", "old");
	struct outfile *o = open_out("x", true);
	put(o, "new");
	assert_content("x", "old");
	outfile_free(o);
	assert_content("x", "old");
	assert_int_equal(count_names(), 1);
	o = open_out("x", true);
	put(o, "new");
	commit(o);
	assert_content("x", "new");
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlink("x"), 0);
	/* Force needs nothing to replace. */
	o = open_out("x", true);
	commit(o);
	assert_content("x", "");
	assert_int_equal(unlink("x"), 0);
}

static void outfile_replaces_with_force_only(void **state)
{
	struct stat before, after;

	(void)state;
	if (!fake.no_links)
		on_all_systems(replace);
	fake.no_nameless = fake.no_links = false;
	write_file("x", "old");
	assert_int_equal(stat("x", &before), 0);
	assert_refused("x", false, ERR_USAGE, "'x' exists: give --force to replace it");
	assert_int_equal(stat("x", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_content("x", "old");
	assert_int_equal(unlink("x"), 0);
}

static void meet_a_newcomer(void)
{
	struct outfile *o = open_out("x", false);

	put(o, "ours");
	write_file("x", "theirs");
	assert_no_commit(o, ERR_USAGE, "'x' exists: give --force to replace it");
	assert_content("x", "theirs");
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlink("x"), 0);
}

static void outfile_does_not_replace_a_newcomer(void **state)
{
	(void)state;
	on_all_systems(meet_a_newcomer);
}

/* --- crashes ---------------------------------------------------------------------------------- */

static void sync_first(void)
{
	struct err e;

	for (int force = 0; force < 2; force++) {
		memset(fake.log, 0, sizeof fake.log);
		struct outfile *o = open_out("x", force == 1);
		put(o, "text");
		if (force == 1)
			assert_int_equal(outfile_sync(o, &e), 0);
		commit(o);
		/* The file, its name, the folder; the file once. */
		assert_int_equal(fake.log[0], 'f');
		assert_null(strchr(fake.log + 1, 'f'));
		assert_non_null(strpbrk(fake.log, "lr"));
		assert_int_equal(fake.log[strlen(fake.log) - 1], 'd');
		assert_int_equal(unlink("x"), 0);
	}
}

static void outfile_reaches_the_disk_before_its_name(void **state)
{
	(void)state;
	on_all_systems(sync_first);
}

static void outfile_without_a_sync_gets_no_name(void **state)
{
	struct err e;

	(void)state;
	write_file("x", "old");
	struct outfile *o = open_out("x", true);
	put(o, "new");
	fake.fsync_errno = EDQUOT;
	assert_int_equal(outfile_sync(o, &e), -1);
	assert_int_equal(e.sys, EDQUOT);
	assert_no_commit(o, ERR_SYSTEM, "cannot write 'x': Disk quota exceeded");
	assert_content("x", "old");
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlink("x"), 0);
}

static void fail_to_sync_the_folder(void)
{
	static const struct {
		int open_errno, fsync_errno;
		const char *message; /* NULL: that is no failure */
	} cases[] = {
	    {0, EIO, "cannot write the folder of 'x': Input/output error"},
	    {0, ENOSPC, "cannot write the folder of 'x': No space left on device"},
	    {EMFILE, 0, "cannot write the folder of 'x': Too many open files"},
	    {0, EINVAL, NULL},
	    {EACCES, 0, NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct outfile *o = open_out("x", false);
		put(o, "text");
		fake.folder_open_errno = cases[i].open_errno;
		fake.folder_fsync_errno = cases[i].fsync_errno;
		if (cases[i].message != NULL)
			assert_no_commit(o, ERR_SYSTEM, cases[i].message);
		else
			commit(o);
		fake.folder_open_errno = fake.folder_fsync_errno = 0;
		assert_content("x", "text");
		assert_int_equal(count_names(), 1);
		assert_int_equal(unlink("x"), 0);
	}
}

static void outfile_says_that_its_name_may_be_lost(void **state)
{
	(void)state;
	on_all_systems(fail_to_sync_the_folder);
}

static void fail_to_rename(void)
{
	write_file("x", "old");
	struct outfile *o = open_out("x", true);
	put(o, "new");
	fake.rename_errno = EACCES;
	assert_no_commit(o, ERR_SYSTEM,
			 fake.no_links && !fake.no_nameless
			     ? "cannot write 'x': Operation not permitted"
			     : "cannot write 'x': Permission denied");
	fake.rename_errno = 0;
	assert_content("x", "old");
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlink("x"), 0);
}

static void outfile_that_cannot_be_renamed_leaves_the_old_one(void **state)
{
	(void)state;
	on_all_systems(fail_to_rename);
}

/* Dies by SIGKILL at the given moment; NULL: before the commit. */
static void die(bool force, const char *moment)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;
		struct outfile_options options = {.force = force};
		struct outfile *o = outfile_open("x", &options, scratch, &e);
		if (o != NULL && outfile_write(o, "new", 3, &e) == 0) {
			fake.kill_before = moment != NULL ? moment : "frld";
			(void)!outfile_commit(o, &e);
		}
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void outfile_of_a_killed_run_leaves_no_trace(void **state)
{
	(void)state;
	die(false, NULL);
	assert_int_equal(count_names(), 0);
	die(false, "l");
	assert_int_equal(count_names(), 0);
	write_file("x", "old");
	die(true, NULL);
	assert_content("x", "old");
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlink("x"), 0);
}

static void outfile_of_a_killed_run_is_old_or_new(void **state)
{
	static const char *const moments[] = {"f", "l", "r", "d"};

	(void)state;
	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
		write_file("x", "old");
		die(true, moments[i]);
		assert_content("x", strcmp(moments[i], "d") == 0 ? "new" : "old");
		/* Replacing needs a second name for a moment; that may be left, and nothing else.
		 */
		assert_in_range(count_names(), 1, strcmp(moments[i], "r") == 0 ? 2 : 1);
		assert_int_equal(unlink("x"), 0);
		DIR *dir = opendir(".");
		assert_non_null(dir);
		for (struct dirent *d; (d = readdir(dir)) != NULL;)
			if (strncmp(d->d_name, ".x.", 3) == 0)
				assert_int_equal(unlink(d->d_name), 0);
		assert_int_equal(closedir(dir), 0);
	}
}

/* SIGTERM removes the scratch, on another thread: the commit then must not bring the file back. */
static void outfile_interrupted_is_gone(void **state)
{
	struct err e;

	(void)state;
	fake.no_nameless = true;
	struct outfile *o = open_out("x", false);
	put(o, "text");
	scratch_remove_all(scratch);
	assert_int_equal(count_names(), 0);
	assert_int_equal(outfile_commit(o, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	outfile_free(o);
	assert_int_equal(count_names(), 0);
	/* A named one cannot be opened any more. */
	assert_refused("y", false, ERR_SYSTEM, "interrupted");
	assert_int_equal(count_names(), 0);
}

static void outfile_of_a_full_disk_leaves_the_old_one(void **state)
{
	static char block[100000];
	struct rlimit before, small;
	struct err e = {.code = ERR_NONE};

	(void)state;
	write_file("x", "old");
	struct outfile *o = open_out("x", true);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 50000;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int status = outfile_write(o, block, sizeof block, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(status, -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_message(&e, "cannot write 'x': File too large");
	outfile_free(o);
	assert_content("x", "old");
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlink("x"), 0);
}

/* --- what stands at the target ---------------------------------------------------------------- */

static void outfile_refuses_what_cannot_be_replaced(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0755), 0);
	assert_refused("d", false, ERR_USAGE, "cannot write 'd': it is a directory");
	assert_refused("d", true, ERR_USAGE, "cannot write 'd': it is a directory");
	assert_refused(".", true, ERR_USAGE, "cannot write '.': it is a directory");
	assert_int_equal(symlink("nowhere", "l"), 0);
	assert_refused("l", true, ERR_USAGE, "'l' is a symbolic link that leads nowhere");
	write_file("f", "");
	assert_refused("f/x", true, ERR_SYSTEM, "cannot write 'f/x': Not a directory");
	assert_refused("none/x", false, ERR_SYSTEM,
		       "cannot write 'none/x': No such file or directory");
	assert_int_equal(rmdir("d"), 0);
	assert_int_equal(unlink("l"), 0);
	assert_int_equal(unlink("f"), 0);
}

/* An hour of work must not end in a name that could never be given. */
static void outfile_refuses_at_once_what_is_no_file_name(void **state)
{
	static const char *const names[] = {"", "x/", "x/."};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct outfile_options options = {.force = false};
		struct err e = {.code = ERR_NONE};
		struct outfile *o = outfile_open(names[i], &options, scratch, &e);
		if (o != NULL)
			fail_msg("'%s' was opened", names[i]);
		assert_int_equal(err_status(e.code), 2);
	}
}

static void outfile_replaces_what_a_link_leads_to(void **state)
{
	struct stat st;

	(void)state;
	write_file("target", "old");
	assert_int_equal(symlink("target", "link"), 0);
	struct outfile *o = open_out("link", true);
	put(o, "new");
	commit(o);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_content("target", "new");
	assert_refused("link", false, ERR_USAGE, "'link' exists: give --force to replace it");
	assert_int_equal(unlink("link"), 0);
	assert_int_equal(unlink("target"), 0);
}

/* The descriptor that the next file will have. */
static int lowest_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	return fd;
}

static void outfile_has_the_mode_that_umask_leaves(void **state)
{
	struct stat st;
	struct err e;
	mode_t before = umask(027);

	(void)state;
	for (int named = 0; named < 2; named++) {
		fake.no_nameless = named == 1;
		commit(open_out("x", false));
		assert_int_equal(stat("x", &st), 0);
		assert_int_equal(st.st_mode & 07777, 0640);
		assert_int_equal(unlink("x"), 0);
		/* A secret is kept from others before the commit too. */
		int fd = lowest_fd();
		struct outfile *o =
		    outfile_open("key", &(struct outfile_options){.mode = 0600}, scratch, &e);
		assert_non_null(o);
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(S_ISREG(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0600);
		commit(o);
		assert_int_equal(stat("key", &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(unlink("key"), 0);
	}
	/* It was asked for, not set. */
	assert_int_equal(umask(before), 027);
}

static void outfile_takes_the_longest_name(void **state)
{
	char name[257];

	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	for (int named = 0; named < 2; named++) {
		fake.no_nameless = named == 1;
		for (int force = 0; force < 2; force++) {
			struct outfile *o = open_out(name, force == 1);
			put(o, "text");
			commit(o);
			assert_content(name, "text");
			assert_int_equal(unlink(name), 0);
		}
	}
	name[255] = 'n';
	name[256] = '\0';
	const struct outfile_options options = {.force = false};
	struct err e = {.code = ERR_NONE};
	assert_null(outfile_open(name, &options, scratch, &e));
	assert_int_equal(e.sys, ENAMETOOLONG);
}

static void outfile_knows_two_names_of_one_file(void **state)
{
	static const char *const names[] = {"x", "./x", "d/../x", "link", "hard", "d/../link"};
	static const char *const others[] = {"y", "d", "d/x", "-", "./-", "none", "none/x"};

	(void)state;
	write_file("x", "");
	write_file("y", "");
	assert_int_equal(mkdir("d", 0755), 0);
	write_file("d/x", "");
	assert_int_equal(symlink("x", "link"), 0);
	assert_int_equal(link("x", "hard"), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			assert_true(outfile_is_same(names[i], names[k]));
		for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
			assert_false(outfile_is_same(names[i], others[k]));
			assert_false(outfile_is_same(others[k], names[i]));
		}
	}
	assert_true(outfile_is_same("-", "-"));
	/* Files that are still to be made. */
	assert_true(outfile_is_same("new", "d/../new"));
	assert_true(outfile_is_same("d/new", "./d//new"));
	assert_false(outfile_is_same("new", "d/new"));
	assert_false(outfile_is_same("new", "newer"));
	/* Two outputs may both be thrown away. */
	assert_false(outfile_is_same("/dev/null", "/dev/null"));
	assert_int_equal(system("rm -r x y d link hard"), 0);
}

static void outfile_knows_what_stands_in_a_folder(void **state)
{
	static const char *const within[] = {"d",     "d/",       "./d/x",       "link/x",
					     "to-x",  "d/new",    "d/e/new",     "d/no/no/new",
					     "d/no/", "link/new", "d/e/../../d", "into/new"};
	static const char *const others[] = {"x",    "new",  "no/new", "dd",
					     "dd/x", ".",    "d/../x", "d/e/../../new",
					     "-",    "/new", "/",      "d/out"};

	(void)state;
	assert_int_equal(system("mkdir -p d/e dd && touch x d/x dd/x && ln -s d link && "
				"ln -s d/x to-x && ln -s d/e into && ln -s ../x d/out"),
			 0);
	for (size_t i = 0; i < sizeof within / sizeof *within; i++)
		assert_true(outfile_is_within(within[i], "d"));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(outfile_is_within(others[i], "d"));
	assert_true(outfile_is_within("d/new", "link"));
	assert_true(outfile_is_within("new", "."));
	assert_true(outfile_is_within("new", "/"));
	assert_false(outfile_is_within("d/e", "d/e/none"));
	assert_false(outfile_is_within("x", "x"));
	assert_false(outfile_is_within("/dev/null", "/"));
	assert_int_equal(system("rm -r x d dd link to-x into"), 0);
}

/* --- streams ---------------------------------------------------------------------------------- */

static void outfile_streams_get_all_of_it_at_the_commit(void **state)
{
	char text[16] = "";
	struct err e;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	int in = open("fifo", O_RDONLY | O_NONBLOCK);
	assert_true(in >= 0);
	/* Without force: nothing is replaced. */
	struct outfile *o = open_out("fifo", false);
	put(o, "text");
	assert_int_equal(outfile_sync(o, &e), 0);
	assert_true(read(in, text, sizeof text) <= 0);
	commit(o);
	assert_int_equal(read(in, text, sizeof text), 4);
	assert_string_equal(text, "text");
	/* Without a commit it gets nothing. */
	o = open_out("fifo", false);
	put(o, "text");
	outfile_free(o);
	assert_true(read(in, text, sizeof text) <= 0);
	assert_int_equal(close(in), 0);
	assert_int_equal(unlink("fifo"), 0);
}

static void outfile_streams_tell_of_a_full_disk(void **state)
{
	(void)state;
	struct outfile *o = open_out("/dev/full", false);
	put(o, "text");
	assert_no_commit(o, ERR_SYSTEM, "cannot write '/dev/full': No space left on device");
	o = open_out("/dev/null", true);
	put(o, "text");
	commit(o);
	assert_true(exists("/dev/null"));
}

static void outfile_of_a_dash_is_standard_output(void **state)
{
	int ends[2], kept;
	char text[16] = "";

	(void)state;
	(void)fflush(stdout);
	assert_int_equal(pipe(ends), 0);
	kept = dup(STDOUT_FILENO);
	assert_true(kept >= 0);
	struct outfile *o = open_out("-", false);
	put(o, "text");
	assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	struct err e = {.code = ERR_NONE};
	int status = outfile_commit(o, &e);
	assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
	assert_int_equal(status, 0);
	outfile_free(o);
	assert_int_equal(read(ends[0], text, sizeof text), 4);
	assert_string_equal(text, "text");

	o = open_out("-", false);
	put(o, "text");
	int full = open("/dev/full", O_WRONLY);
	assert_int_equal(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
	status = outfile_commit(o, &e);
	assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
	assert_int_equal(status, -1);
	assert_int_equal(e.sys, ENOSPC);
	assert_string_equal(e.msg, "cannot write 'standard output': No space left on device");
	outfile_free(o);
	assert_int_equal(close(full), 0);
	assert_int_equal(close(kept), 0);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
	/* A file of that name is another thing. */
	o = open_out("./-", false);
	commit(o);
	assert_int_equal(unlink("-"), 0);
}

static void outfile_folder_is_where_the_output_will_stand(void **state)
{
	static const struct {
		const char *path, *want;
	} cases[] = {{"x", "."},   {"./x", "."},     {"../x", ".."}, {"/x", "/"},
		     {"a/x", "a"}, {"a/b/x", "a/b"}, {"a//x", "a"},  {"/a/x", "/a"},
		     {"x/", "."},  {"a/x/", "a"},    {"/x//", "/"},  {"/", "/"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *got = outfile_folder(cases[i].path);
		assert_non_null(got);
		assert_string_equal(got, cases[i].want);
		free(got);
	}
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(outfile_appears_at_the_commit),
	    IN_FOLDER(outfile_leaves_nothing_without_a_commit),
	    IN_FOLDER(outfile_replaces_with_force_only),
	    IN_FOLDER(outfile_does_not_replace_a_newcomer),
	    IN_FOLDER(outfile_reaches_the_disk_before_its_name),
	    IN_FOLDER(outfile_without_a_sync_gets_no_name),
	    IN_FOLDER(outfile_says_that_its_name_may_be_lost),
	    IN_FOLDER(outfile_that_cannot_be_renamed_leaves_the_old_one),
	    IN_FOLDER(outfile_of_a_killed_run_leaves_no_trace),
	    IN_FOLDER(outfile_of_a_killed_run_is_old_or_new),
	    IN_FOLDER(outfile_interrupted_is_gone),
	    IN_FOLDER(outfile_of_a_full_disk_leaves_the_old_one),
	    IN_FOLDER(outfile_refuses_what_cannot_be_replaced),
	    IN_FOLDER(outfile_refuses_at_once_what_is_no_file_name),
	    IN_FOLDER(outfile_replaces_what_a_link_leads_to),
	    IN_FOLDER(outfile_has_the_mode_that_umask_leaves),
	    IN_FOLDER(outfile_takes_the_longest_name),
	    IN_FOLDER(outfile_knows_two_names_of_one_file),
	    IN_FOLDER(outfile_knows_what_stands_in_a_folder),
	    cmocka_unit_test(outfile_folder_is_where_the_output_will_stand),
	    IN_FOLDER(outfile_streams_get_all_of_it_at_the_commit),
	    IN_FOLDER(outfile_streams_tell_of_a_full_disk),
	    IN_FOLDER(outfile_of_a_dash_is_standard_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
