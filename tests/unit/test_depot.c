#define _DEFAULT_SOURCE /* mkdtemp() */
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

#include "swarm/depot.h"
#include "swarm/payload.h"

static char home[64];
static struct depot depot = {.folder = "depot"};
static struct depot_content content;
static struct dcz_base base;
static struct buf payload;

/* A file, a base and the right payload, in a folder of their own. */
static int enter_home(void **state)
{
	static const char old[] = "an old text of some length", new[] = "a new text of some length";
	struct err e;

	(void)state;
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-depot-XXXXXX");
	depot.scratch = scratch_new(&e);
	if (depot.scratch == NULL || mkdtemp(home) == NULL || chdir(home) != 0)
		return -1;
	buf_init(&content.bytes);
	buf_init(&payload);
	buf_add(&content.bytes, new, sizeof new);
	base = (struct dcz_base){.bytes = (const uint8_t *)old, .len = sizeof old};
	return payload_digest(new, sizeof new, content.sha256, &e) == 0 &&
		       payload_digest(old, sizeof old, base.sha256, &e) == 0 &&
		       dcz_encode(&base, (const uint8_t *)new, sizeof new, 3, &payload, &e) == 0
		   ? 0
		   : -1;
}

static int leave_home(void **state)
{
	char command[128];

	(void)state;
	buf_release(&content.bytes);
	buf_release(&payload);
	scratch_free(depot.scratch);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", home);
	return chdir("/") == 0 ? system(command) : -1;
}

static void make(void)
{
	struct err e;

	if (depot_make(&depot, &e) != 0)
		fail_msg("%s", e.msg);
}

static void put(const struct buf *what)
{
	struct err e;

	if (depot_put(&depot, &content, base.sha256, what, &e) != 0)
		fail_msg("%s", e.msg);
}

static bool finds(void)
{
	struct buf found = BUF_INIT;
	struct err e;
	bool there = false;

	if (depot_find(&depot, &content, &base, &found, &there, &e) != 0)
		fail_msg("%s", e.msg);
	if (there) {
		assert_int_equal(found.len, payload.len);
		assert_memory_equal(found.data, payload.data, payload.len);
	}
	buf_release(&found);
	return there;
}

static void depot_is_a_folder(void **state)
{
	struct depot other = {.folder = "file"};
	struct err e;

	(void)state;
	make();
	make();
	assert_int_equal(close(open("file", O_WRONLY | O_CREAT, 0600)), 0);
	assert_int_equal(depot_make(&other, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "'file' is not a directory");
	other.folder = "nothing/here";
	assert_int_equal(depot_make(&other, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
}

static void depot_finds_what_was_put(void **state)
{
	struct buf name = BUF_INIT;

	(void)state;
	assert_false(finds());
	make();
	assert_false(finds());
	put(&payload);
	assert_true(finds());
	buf_adds(&name, "depot/");
	payload_name(&name, content.sha256, base.sha256);
	assert_int_equal(access(name.data, F_OK), 0);
	/* Whatever else has the name is not waited for. */
	assert_int_equal(unlink(name.data), 0);
	assert_int_equal(mkfifo(name.data, 0600), 0);
	assert_false(finds());
	buf_release(&name);
}

static void depot_passes_over_what_is_wrong(void **state)
{
	/* In the magic number, the digest, the frame's own number, and its checksum. */
	const size_t places[] = {0, 8, DCZ_HEADER_SIZE, payload.len - 1};
	struct buf wrong = BUF_INIT;

	(void)state;
	make();
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		buf_clear(&wrong);
		buf_add(&wrong, payload.data, payload.len);
		wrong.data[places[i]] ^= 1;
		put(&wrong);
		assert_false(finds());
	}
	for (size_t len = 0; len < payload.len; len++) {
		buf_clear(&wrong);
		buf_add(&wrong, payload.data, len);
		put(&wrong);
		assert_false(finds());
	}
	buf_clear(&wrong);
	buf_add(&wrong, payload.data, payload.len);
	char *room = buf_room(&wrong, 4096);
	assert_non_null(room);
	memset(room, 0, 4096);
	buf_grew(&wrong, 4096);
	put(&wrong);
	assert_false(finds());
	/* What is right takes its place. */
	put(&payload);
	assert_true(finds());
	buf_release(&wrong);
}

#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, enter_home, leave_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_HOME(depot_is_a_folder),
	    IN_HOME(depot_finds_what_was_put),
	    IN_HOME(depot_passes_over_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
