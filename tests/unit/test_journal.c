#define _DEFAULT_SOURCE /* syscall() */
#include <errno.h>
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

#include "swarm/journal.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES  "1111111111111111111111111111111111111111111111111111111111111111"
#define START "swarm-patch journal/1\nfrom " ZEROS "\nto " ONES " 42 1.0.2\n"

static const char text[] = START "out a b\nout js/app.js\nin js/app.js\nin \xc3\xa4\nend\n";

/* Of a folder; 0: it works. */
static int fsync_errno;

int fsync(int fd)
{
	struct stat st;

	if (fsync_errno == 0 || fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode))
		return (int)syscall(SYS_fsync, fd);
	errno = fsync_errno;
	return -1;
}

static struct journal parsed(const char *from, size_t len)
{
	struct journal j = JOURNAL_INIT;
	struct err e;

	if (journal_parse(from, len, &j, &e) != 0)
		fail_msg("%s", e.msg);
	return j;
}

static void journal_says_what_is_moved(void **state)
{
	struct journal j = parsed(text, strlen(text));
	struct buf again = BUF_INIT;

	(void)state;
	assert_int_equal(j.to.serial, 42);
	assert_string_equal(j.to.version, "1.0.2");
	assert_int_equal(j.from[31], 0);
	assert_int_equal(j.to.digest[31], 0x11);
	assert_int_equal(j.count, 4);
	assert_false(j.moves[1].in);
	assert_string_equal(j.moves[1].path, "js/app.js");
	assert_true(journal_has(&j, false, "a b"));
	assert_true(journal_has(&j, false, "js/app.js"));
	assert_false(journal_has(&j, false, "js"));
	assert_false(journal_has(&j, false, "\xc3\xa4"));
	assert_true(j.moves[3].in);
	assert_string_equal(j.moves[3].path, "\xc3\xa4");
	assert_true(journal_has(&j, true, "js/app.js"));
	assert_true(journal_has(&j, true, "\xc3\xa4"));
	assert_false(journal_has(&j, true, "a b"));
	journal_format(&again, &j);
	assert_string_equal(again.data, text);
	buf_release(&again);
	journal_release(&j);
	j = parsed(START "end\n", strlen(START "end\n"));
	assert_int_equal(j.count, 0);
	journal_release(&j);
}

static void assert_refused(const char *from, size_t len)
{
	struct journal j = JOURNAL_INIT;
	struct err e = {.code = ERR_NONE};

	if (journal_parse(from, len, &j, &e) == 0)
		fail_msg("'%.*s' was taken", (int)len, from);
	assert_int_equal(e.code, ERR_CONFIG);
	journal_release(&j);
}

static void journal_cut_off_anywhere_is_none(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(text); len++)
		assert_refused(text, len);
}

static void journal_of_another_form_is_none(void **state)
{
	static const char *const wrong[] = {
	    "swarm-patch journal/2\nfrom " ZEROS "\nto " ONES " 42 1.0.2\nend\n",
	    "swarm-patch journal/1\nfrom " ZEROS "0\nto " ONES " 42 1.0.2\nend\n",
	    "swarm-patch journal/1\nfrom " ZEROS "\nto " ONES " x 1.0.2\nend\n",
	    "swarm-patch journal/1\nfrom " ZEROS "\nto " ONES " 42 1/2\nend\n",
	    "swarm-patch journal/1\nfrom " ZEROS "\nto " ONES " 42\nend\n",
	    "swarm-patch journal/1\nto " ONES " 42 1.0.2\nfrom " ZEROS "\nend\n",
	    START "out ../x\nend\n",
	    START "out /x\nend\n",
	    START "in x/../y\nend\n",
	    START "in \nend\n",
	    START "in\nend\n",
	    START "up x\nend\n",
	    START "outx\nend\n",
	    START "in x\nout y\nend\n",
	    START "out y\nout x\nend\n",
	    START "out x\nout x\nend\n",
	    START "in y\nin x\nend\n",
	    START "end\nend\n",
	    START "end\nout x\n",
	    START "end",
	    START "\nend\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_refused(wrong[i], strlen(wrong[i]));
	/* A NUL would hide what stands behind it. */
	assert_refused(START "out x\0y\nend\n", sizeof START "out x\0y\nend\n" - 1);
}

static void journal_is_there_or_not(void **state)
{
	char folder[] = "/tmp/swarm-test-journal-XXXXXX", name[64];
	struct scratch *scratch;
	struct journal j = parsed(text, strlen(text)), read = JOURNAL_INIT;
	struct err e;
	struct stat st;

	(void)state;
	scratch = scratch_new(&e);
	assert_non_null(scratch);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(name, sizeof name, "%s/journal", folder);
	assert_int_equal(journal_read(folder, &read, &e), 0);
	assert_int_equal(journal_write(&j, folder, scratch, &e), 0);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(journal_read(folder, &read, &e), 1);
	assert_int_equal(read.count, 4);
	/* One that a crash may take away does not count. */
	assert_int_equal(journal_remove(folder, &e), 0);
	fsync_errno = EIO;
	assert_int_equal(journal_write(&j, folder, scratch, &e), -1);
	assert_int_equal(e.sys, EIO);
	fsync_errno = 0;
	/* One that is there is never overwritten. */
	assert_int_equal(journal_write(&j, folder, scratch, &e), -1);
	assert_int_equal(journal_remove(folder, &e), 0);
	assert_int_equal(journal_remove(folder, &e), -1);
	journal_release(&read);
	assert_int_equal(journal_read(folder, &read, &e), 0);
	/* A link is not followed. */
	assert_int_equal(symlink("/etc/passwd", name), 0);
	assert_int_equal(journal_read(folder, &read, &e), -1);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(rmdir(folder), 0);
	journal_release(&read);
	journal_release(&j);
	scratch_free(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(journal_says_what_is_moved),
	    cmocka_unit_test(journal_cut_off_anywhere_is_none),
	    cmocka_unit_test(journal_of_another_form_is_none),
	    cmocka_unit_test(journal_is_there_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
