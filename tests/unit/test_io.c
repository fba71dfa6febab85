#define _GNU_SOURCE /* O_TMPFILE, F_GETPIPE_SZ */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/io.h"

#define BLOCK ((size_t)256 * 1024)

/* --- a system that can be told to lack something ---------------------------------------------- */

static bool no_nameless_files;

int open(const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	unsigned mode =
	    (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, unsigned) : 0;
	va_end(ap);
	if (no_nameless_files && (flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return openat(AT_FDCWD, path, flags, mode);
}

/* --- helpers ---------------------------------------------------------------------------------- */

static char folder[] = "/tmp/swarm-test-io-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void assert_ok(int status, const struct err *e)
{
	if (status != 0)
		fail_msg("%s", e->msg);
}

static int nameless(const char *bytes, size_t len)
{
	struct err e;
	int fd = io_temporary(&e);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void fill(uint8_t *bytes, size_t len)
{
	unsigned seed = 1;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (uint8_t)(seed >> 16);
	}
}

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

/* Interrupts every system call that blocks, a thousand times a second. */
static void start_ticking(void)
{
	struct sigaction action = {.sa_handler = tick};
	const struct itimerval often = {{0, 1000}, {0, 1000}};

	ticks = 0;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void stop_ticking(void)
{
	const struct itimerval never = {{0, 0}, {0, 0}};

	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	/* The handler stays: a last signal may be on its way. */
	assert_true(ticks > 0);
}

/* The other end of a pipe, on a thread that takes no signals. */
struct peer {
	int fd;
	uint8_t *bytes;
	size_t len, chunk;
	pthread_t thread;
};

static void nap(void)
{
	const struct timespec while_ = {0, 2000000};

	(void)nanosleep(&while_, NULL);
}

static void *feed(void *arg)
{
	struct peer *p = arg;

	for (size_t at = 0; at < p->len; at += p->chunk) {
		size_t n = p->len - at < p->chunk ? p->len - at : p->chunk;
		if (write(p->fd, p->bytes + at, n) != (ssize_t)n)
			break;
		nap();
	}
	(void)close(p->fd);
	return NULL;
}

static void *drain(void *arg)
{
	struct peer *p = arg;
	size_t at = 0;

	for (ssize_t n = 1; n > 0 && at<p->len; at += n> 0 ? (size_t)n : 0) {
		nap();
		n = read(p->fd, p->bytes + at, p->chunk < p->len - at ? p->chunk : p->len - at);
	}
	p->len = at;
	return NULL;
}

static void start_peer(struct peer *p, void *(*run)(void *))
{
	sigset_t all, before;

	sigfillset(&all);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &all, &before), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void io_open_says_what_it_cannot_open(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(io_open("/nonexistent/x", &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, ENOENT);
	assert_string_equal(e.msg, "cannot open '/nonexistent/x': No such file or directory");
	int fd = io_open("/dev/null", &e);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
}

static void io_open_of_a_dash_is_a_copy_of_standard_input(void **state)
{
	struct err e;

	(void)state;
	int fd = io_open("-", &e);
	assert_true(fd > 2);
	assert_int_equal(close(fd), 0);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	assert_string_equal(io_name("-"), "standard input");
	assert_string_equal(io_name("x"), "x");
	/* A closed standard input is an error, not some other file. */
	int kept = dup(STDIN_FILENO);
	assert_int_equal(close(STDIN_FILENO), 0);
	assert_int_equal(io_open("-", &e), -1);
	assert_int_equal(e.sys, EBADF);
	assert_string_equal(e.msg, "cannot open 'standard input': Bad file descriptor");
	assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(kept), 0);
}

/* --- reading and writing ---------------------------------------------------------------------- */

static void io_read_goes_on_after_short_reads_and_signals(void **state)
{
	static uint8_t sent[40000], got[sizeof sent + 10];
	int ends[2];
	struct err e;

	(void)state;
	fill(sent, sizeof sent);
	assert_int_equal(pipe(ends), 0);
	struct peer p = {.fd = ends[1], .bytes = sent, .len = sizeof sent, .chunk = 777};
	start_ticking();
	start_peer(&p, feed);
	/* As much as there is, then fewer only at the end, then nothing. */
	assert_int_equal(io_read(ends[0], got, 30000, "pipe", &e), 30000);
	assert_int_equal(io_read(ends[0], got + 30000, 10010, "pipe", &e), 10000);
	assert_int_equal(io_read(ends[0], got, 1, "pipe", &e), 0);
	stop_ticking();
	assert_memory_equal(got, sent, sizeof sent);
	assert_int_equal(pthread_join(p.thread, NULL), 0);
	assert_int_equal(close(ends[0]), 0);
}

static void io_write_goes_on_after_short_writes_and_signals(void **state)
{
	static uint8_t sent[400000], got[sizeof sent];
	int ends[2];
	struct err e;

	(void)state;
	fill(sent, sizeof sent);
	assert_int_equal(pipe(ends), 0);
	struct peer p = {.fd = ends[0], .bytes = got, .len = sizeof got, .chunk = 9999};
	start_ticking();
	start_peer(&p, drain);
	assert_ok(io_write(ends[1], sent, sizeof sent, "pipe", &e), &e);
	stop_ticking();
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(pthread_join(p.thread, NULL), 0);
	assert_int_equal(p.len, sizeof sent);
	assert_memory_equal(got, sent, sizeof sent);
	assert_int_equal(close(ends[0]), 0);
}

static void io_errors_name_the_file(void **state)
{
	char byte = 0;
	int ends[2];
	struct err e;

	(void)state;
	int fd = io_open("/", &e);
	assert_int_equal(io_read(fd, &byte, 1, "the root", &e), -1);
	assert_int_equal(e.sys, EISDIR);
	assert_string_equal(e.msg, "cannot read 'the root': Is a directory");
	assert_int_equal(io_read_at(fd, &byte, 1, 0, "the root", &e), -1);
	assert_int_equal(e.sys, EISDIR);
	assert_int_equal(close(fd), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(io_read_at(ends[0], &byte, 1, 0, "pipe", &e), -1);
	assert_int_equal(e.sys, ESPIPE);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(io_write(ends[1], "x", 1, "pipe", &e), -1);
	assert_int_equal(e.sys, EPIPE);
	assert_string_equal(e.msg, "cannot write 'pipe': Broken pipe");
	assert_int_equal(close(ends[1]), 0);
}

static void io_write_tells_of_a_full_disk(void **state)
{
	struct err e;
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, "x", 1, "full", &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, ENOSPC);
	assert_ok(io_write(fd, "", 0, "full", &e), &e);
	assert_int_equal(close(fd), 0);
}

static void io_read_at_leaves_the_position_alone(void **state)
{
	char text[8] = "";
	struct err e;
	int fd = nameless("0123456789", 10);

	(void)state;
	assert_int_equal(io_read_at(fd, text, 4, 3, "x", &e), 4);
	assert_memory_equal(text, "3456", 4);
	assert_int_equal(io_read_at(fd, text, 4, 8, "x", &e), 2);
	assert_memory_equal(text, "89", 2);
	assert_int_equal(io_read_at(fd, text, 4, 10, "x", &e), 0);
	assert_int_equal(io_read_at(fd, text, 4, 1000, "x", &e), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	/* What does not fit into an off_t is refused, not wrapped. */
	assert_int_equal(io_read_at(fd, text, 4, UINT64_MAX - 3, "x", &e), -1);
	assert_int_equal(e.sys, EINVAL);
	assert_int_equal(close(fd), 0);
}

static void io_read_all_stops_at_its_limit(void **state)
{
	static uint8_t bytes[2 * BLOCK];
	static const size_t sizes[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK};
	struct err e;

	(void)state;
	fill(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf b = BUF_INIT;
		int fd = nameless((char *)bytes, sizes[i]);
		/* What stands in the buf already does not count. */
		buf_adds(&b, "before");
		assert_ok(io_read_all(fd, &b, sizes[i], "x", &e), &e);
		assert_int_equal(b.len, 6 + sizes[i]);
		assert_memory_equal(b.data + 6, bytes, sizes[i]);
		buf_release(&b);
		if (sizes[i] > 0) {
			char want[64];
			assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
			assert_int_equal(io_read_all(fd, &b, sizes[i] - 1, "x", &e), -1);
			(void)snprintf(want, sizeof want, "'x' is larger than %zu bytes",
				       sizes[i] - 1);
			assert_int_equal(e.code, ERR_MALFORMED);
			assert_string_equal(e.msg, want);
			buf_release(&b);
		}
		assert_int_equal(close(fd), 0);
	}
}

static void io_read_all_of_an_endless_file_ends(void **state)
{
	struct buf b = BUF_INIT;
	struct err e;
	int fd = io_open("/dev/zero", &e);

	(void)state;
	assert_int_equal(io_read_all(fd, &b, 1000000, "/dev/zero", &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_true(b.len <= 1000000 + BLOCK);
	assert_int_equal(close(fd), 0);
	buf_release(&b);
}

/* --- temporary files -------------------------------------------------------------------------- */

static void assert_temporary_works(void)
{
	char text[4] = "";
	struct stat st;
	struct err e;
	int fd = io_temporary(&e);

	if (fd < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_ok(io_write(fd, "abc", 3, "x", &e), &e);
	assert_int_equal(io_read_at(fd, text, 3, 0, "x", &e), 3);
	assert_string_equal(text, "abc");
	assert_int_equal(close(fd), 0);
	/* remove_folder() fails if anything is left. */
}

static void io_temporary_has_no_name(void **state)
{
	(void)state;
	assert_int_equal(setenv("TMPDIR", folder, 1), 0);
	assert_temporary_works();
	no_nameless_files = true;
	assert_temporary_works();
	no_nameless_files = false;
	assert_int_equal(setenv("TMPDIR", "", 1), 0);
	assert_temporary_works();
	unsetenv("TMPDIR");
	assert_temporary_works();
}

static void io_temporary_says_where_it_cannot_be(void **state)
{
	static char deep[5000];
	struct err e;

	(void)state;
	assert_int_equal(setenv("TMPDIR", "/nonexistent", 1), 0);
	assert_int_equal(io_temporary(&e), -1);
	assert_int_equal(e.sys, ENOENT);
	assert_string_equal(e.msg, "cannot make a temporary file in '/nonexistent': "
				   "No such file or directory");
	memset(deep, 'x', sizeof deep - 1);
	assert_int_equal(setenv("TMPDIR", deep, 1), 0);
	assert_int_equal(io_temporary(&e), -1);
	assert_int_equal(e.sys, ENAMETOOLONG);
	unsetenv("TMPDIR");
}

static void assert_seekable_copy(int fd, const char *before, const char *want)
{
	struct buf b = BUF_INIT;
	struct stat st;
	struct err e;

	assert_ok(io_make_seekable(&fd, before, strlen(before), UINT64_MAX, "x", &e), &e);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_ok(io_read_all(fd, &b, SIZE_MAX, "x", &e), &e);
	assert_string_equal(b.data, want);
	buf_release(&b);
	assert_int_equal(close(fd), 0);
}

static void io_make_seekable_keeps_what_is_so_already(void **state)
{
	struct stat before, after;
	struct err e;
	int fd = nameless("text", 4);

	(void)state;
	assert_int_equal(fstat(fd, &before), 0);
	assert_ok(io_make_seekable(&fd, NULL, 0, UINT64_MAX, "x", &e), &e);
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(close(fd), 0);
}

static void io_make_seekable_copies_the_rest(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "from a pipe", 11), 11);
	assert_int_equal(close(ends[1]), 0);
	assert_seekable_copy(ends[0], "", "from a pipe");
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "pipe", 4), 4);
	assert_int_equal(close(ends[1]), 0);
	assert_seekable_copy(ends[0], "a ", "a pipe");
	int fd = nameless("not from its start", 18);
	assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
	assert_seekable_copy(fd, "", "from its start");
}

static void io_make_seekable_leaves_the_file_on_failure(void **state)
{
	struct err e;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	int fd = ends[0];
	assert_int_equal(setenv("TMPDIR", "/nonexistent", 1), 0);
	assert_int_equal(io_make_seekable(&fd, NULL, 0, UINT64_MAX, "x", &e), -1);
	unsetenv("TMPDIR");
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(fd, ends[0]);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
	fd = open("/", O_RDONLY);
	assert_int_equal(io_make_seekable(&fd, NULL, 0, UINT64_MAX, "x", &e), -1);
	assert_int_equal(e.sys, EISDIR);
	assert_int_equal(close(fd), 0);
}

/* What stands before counts too. */
static void io_make_seekable_stops_at_its_limit(void **state)
{
	(void)state;
	for (uint64_t limit = 9; limit <= 11; limit++) {
		struct err e = {.code = ERR_NONE};
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		assert_int_equal(write(ends[1], "12345678", 8), 8);
		assert_int_equal(close(ends[1]), 0);
		int status = io_make_seekable(&ends[0], "ab", 2, limit, "x", &e);
		assert_int_equal(status, limit < 10 ? -1 : 0);
		if (status != 0) {
			assert_int_equal(e.code, ERR_MALFORMED);
			assert_string_equal(e.msg,
					    "'x' is larger than 9 bytes, too large for a pipe");
		}
		assert_int_equal(close(ends[0]), 0);
	}
}

static void io_copy_starts_at_the_start(void **state)
{
	static uint8_t bytes[2 * BLOCK];
	static const size_t sizes[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK};
	struct err e;

	(void)state;
	fill(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf b = BUF_INIT;
		int from = nameless((char *)bytes, sizes[i]), to = nameless("", 0);
		assert_true(lseek(from, 0, SEEK_END) >= 0);
		assert_ok(io_copy(to, "x", from, &e), &e);
		assert_int_equal(lseek(to, 0, SEEK_SET), 0);
		assert_ok(io_read_all(to, &b, SIZE_MAX, "x", &e), &e);
		assert_int_equal(b.len, sizes[i]);
		assert_memory_equal(b.data, bytes, sizes[i]);
		buf_release(&b);
		assert_int_equal(close(from), 0);
		assert_int_equal(close(to), 0);
	}
	int from = nameless("x", 1), full = open("/dev/full", O_WRONLY);
	assert_int_equal(io_copy(full, "full", from, &e), -1);
	assert_int_equal(e.sys, ENOSPC);
	assert_string_equal(e.msg, "cannot write 'full': No space left on device");
	assert_int_equal(close(from), 0);
	assert_int_equal(close(full), 0);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void io_lines_come_one_by_one(void **state)
{
	static const char *const want[] = {"one", "", "three \r", ""};
	struct io_lines l;
	const char *line;
	size_t len;
	struct err e;
	int fd = nameless("one\n\nthree \r\n\n", 14);

	(void)state;
	io_lines_init(&l, fd, "x", 100);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(io_lines_next(&l, &line, &len, &e), 1);
		assert_int_equal(len, strlen(want[i]));
		assert_memory_equal(line, want[i], len);
		assert_int_equal(l.number, i + 1);
	}
	assert_int_equal(io_lines_next(&l, &line, &len, &e), 0);
	assert_int_equal(io_lines_next(&l, &line, &len, &e), 0);
	io_lines_release(&l);
	assert_int_equal(close(fd), 0);
}

static void io_lines_of_nothing_are_none(void **state)
{
	struct io_lines l;
	const char *line;
	size_t len;
	struct err e;
	int fd = nameless("", 0);

	(void)state;
	io_lines_init(&l, fd, "x", 0);
	assert_int_equal(io_lines_next(&l, &line, &len, &e), 0);
	assert_int_equal(l.number, 0);
	io_lines_release(&l);
	assert_int_equal(close(fd), 0);
}

static void io_lines_must_end(void **state)
{
	struct io_lines l;
	const char *line;
	size_t len;
	struct err e;
	int fd = nameless("one\ntwo", 7);

	(void)state;
	io_lines_init(&l, fd, "x", 100);
	assert_int_equal(io_lines_next(&l, &line, &len, &e), 1);
	assert_int_equal(io_lines_next(&l, &line, &len, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_string_equal(e.msg, "x:2: the last line has no line feed: is it cut off?");
	io_lines_release(&l);
	assert_int_equal(close(fd), 0);
}

/* One byte under, at and over the limit, with and without a line before it. */
static void io_lines_have_a_limit(void **state)
{
	struct err e;

	(void)state;
	for (size_t len = 9; len <= 11; len++) {
		struct io_lines l;
		const char *line;
		size_t got;
		char text[32] = "abc\nxxxxxxxxxxxx";
		text[4 + len] = '\n';
		int fd = nameless(text, 5 + len);
		io_lines_init(&l, fd, "x", 10);
		assert_int_equal(io_lines_next(&l, &line, &got, &e), 1);
		int status = io_lines_next(&l, &line, &got, &e);
		assert_int_equal(status, len <= 10 ? 1 : -1);
		if (status < 0) {
			assert_int_equal(e.code, ERR_MALFORMED);
			assert_string_equal(e.msg, "x:2: the line is over 10 bytes long");
		} else {
			assert_int_equal(got, len);
		}
		io_lines_release(&l);
		assert_int_equal(close(fd), 0);
	}
}

/* A line without an end is given up as soon as it is too long. */
static void io_lines_do_not_keep_an_endless_line(void **state)
{
	struct io_lines l;
	const char *line;
	size_t len;
	struct err e;
	int fd = io_open("/dev/zero", &e);

	(void)state;
	io_lines_init(&l, fd, "zero", 1000000);
	assert_int_equal(io_lines_next(&l, &line, &len, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_true(l.data.len <= 1000000 + BLOCK);
	io_lines_release(&l);
	assert_int_equal(close(fd), 0);
}

/* Lines of all lengths around the size of a block, in small pieces through a pipe. */
static void io_lines_may_straddle_blocks(void **state)
{
	static uint8_t text[4 * BLOCK];
	static const size_t chunks[] = {4097, 60000};
	size_t total = 0;
	struct err e;

	(void)state;
	memset(text, 'a', sizeof text);
	/* Lines that end just before, at and behind the end of a block, and many short ones. */
	for (size_t n = BLOCK - 2; n <= BLOCK; n++) {
		text[total + n] = '\n';
		total += n + 1;
	}
	for (; total < sizeof text; total += 997)
		text[total] = '\n';
	text[sizeof text - 1] = '\n';
	for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
		struct io_lines l;
		const char *line;
		size_t len, at = 0;
		int ends[2], got;
		assert_int_equal(pipe(ends), 0);
		struct peer p = {
		    .fd = ends[1], .bytes = text, .len = sizeof text, .chunk = chunks[i]};
		start_ticking();
		start_peer(&p, feed);
		io_lines_init(&l, ends[0], "x", 2 * BLOCK);
		while ((got = io_lines_next(&l, &line, &len, &e)) == 1) {
			assert_true(at + len < sizeof text);
			assert_memory_equal(line, text + at, len);
			assert_int_equal(text[at + len], '\n');
			assert_null(memchr(line, '\n', len));
			at += len + 1;
		}
		stop_ticking();
		assert_int_equal(got, 0);
		assert_int_equal(at, sizeof text);
		assert_int_equal(pthread_join(p.thread, NULL), 0);
		io_lines_release(&l);
		assert_int_equal(close(ends[0]), 0);
	}
}

static void io_lines_end_where_the_caller_says(void **state)
{
	static const char text[] = "one\ntwo\nthree\n";
	struct err e;

	(void)state;
	for (size_t left = 0; left < sizeof text; left++) {
		struct io_lines l;
		const char *line;
		size_t len, count = 0;
		int fd = nameless(text, sizeof text - 1), got;
		io_lines_init(&l, fd, "x", 100);
		l.left = left;
		while ((got = io_lines_next(&l, &line, &len, &e)) == 1)
			count++;
		assert_int_equal(count, (left >= 4) + (left >= 8) + (left >= 14));
		assert_int_equal(got, left == 0 || left == 4 || left == 8 || left == 14 ? 0 : -1);
		io_lines_release(&l);
		assert_int_equal(close(fd), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(io_open_says_what_it_cannot_open),
	    cmocka_unit_test(io_open_of_a_dash_is_a_copy_of_standard_input),
	    cmocka_unit_test(io_read_goes_on_after_short_reads_and_signals),
	    cmocka_unit_test(io_write_goes_on_after_short_writes_and_signals),
	    cmocka_unit_test(io_errors_name_the_file),
	    cmocka_unit_test(io_write_tells_of_a_full_disk),
	    cmocka_unit_test(io_read_at_leaves_the_position_alone),
	    cmocka_unit_test(io_read_all_stops_at_its_limit),
	    cmocka_unit_test(io_read_all_of_an_endless_file_ends),
	    cmocka_unit_test(io_temporary_has_no_name),
	    cmocka_unit_test(io_temporary_says_where_it_cannot_be),
	    cmocka_unit_test(io_make_seekable_keeps_what_is_so_already),
	    cmocka_unit_test(io_make_seekable_copies_the_rest),
	    cmocka_unit_test(io_make_seekable_leaves_the_file_on_failure),
	    cmocka_unit_test(io_make_seekable_stops_at_its_limit),
	    cmocka_unit_test(io_copy_starts_at_the_start),
	    cmocka_unit_test(io_lines_come_one_by_one),
	    cmocka_unit_test(io_lines_of_nothing_are_none),
	    cmocka_unit_test(io_lines_must_end),
	    cmocka_unit_test(io_lines_have_a_limit),
	    cmocka_unit_test(io_lines_do_not_keep_an_endless_line),
	    cmocka_unit_test(io_lines_may_straddle_blocks),
	    cmocka_unit_test(io_lines_end_where_the_caller_says),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
