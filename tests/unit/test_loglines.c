#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/loglines.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char folder[64];

static int enter_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-loglines-XXXXXX");
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 ? system(command) : -1;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

static void loglines_gives_lines_of_any_length(void **state)
{
	/* Around the limit, and around the blocks that are read. */
	static const size_t lengths[] = {
	    0,
	    1,
	    100,
	    LOGLINES_MAX - 1,
	    LOGLINES_MAX,
	    LOGLINES_MAX + 1,
	    5,
	    262144,
	    262143,
	    0,
	    3 * 262144,
	    65000,
	    65000,
	    65000,
	    65000,
	    65000,
	    65000,
	    65000,
	    65000,
	    7,
	};
	struct buf text = BUF_INIT;
	struct err e;
	const char *line;
	size_t len;

	(void)state;
	for (int last_feed = 0; last_feed < 2; last_feed++) {
		buf_clear(&text);
		for (size_t i = 0; i < COUNT(lengths); i++) {
			for (size_t k = 0; k < lengths[i]; k++)
				buf_addc(&text, (char)('a' + i));
			buf_addc(&text, '\n');
		}
		write_file("log", text.data, text.len - (last_feed == 0));
		struct loglines *l = loglines_open("log", &e);
		assert_non_null(l);
		for (size_t i = 0; i < COUNT(lengths); i++) {
			assert_int_equal(loglines_next(l, &line, &len, &e), 1);
			assert_true((line == NULL) == (lengths[i] > LOGLINES_MAX));
			if (line == NULL)
				continue;
			assert_int_equal(len, lengths[i]);
			for (size_t k = 0; k < len; k++)
				assert_true(line[k] == (char)('a' + i));
		}
		assert_int_equal(loglines_next(l, &line, &len, &e), 0);
		assert_int_equal(loglines_next(l, &line, &len, &e), 0);
		loglines_close(l);
	}
	write_file("log", "", 0);
	struct loglines *l = loglines_open("log", &e);
	assert_int_equal(loglines_next(l, &line, &len, &e), 0);
	loglines_close(l);
	loglines_close(NULL);
	buf_release(&text);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(loglines_gives_lines_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
