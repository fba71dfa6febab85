#define _GNU_SOURCE /* memfd_create() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/endorse.h"
#include "swarm/io.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEADER(removes)                                                                 \
	"{\"swarm\":\"delta/1\",\"product\":\"farm\",\"channel\":\"stable\","           \
	"\"from\":{\"version\":\"1.0\",\"serial\":4,\"sha256\":\"" A64 "\"},"           \
	"\"to\":{\"version\":\"1.1\",\"serial\":5,\"sha256\":\"" B64 "\"},"             \
	"\"removes\":" removes ",\"files\":1,\"header\":{\"swarm\":\"manifest/1\","     \
	"\"product\":\"farm\",\"channel\":\"stable\",\"version\":\"1.1\",\"serial\":5," \
	"\"piece_length\":16384,\"files\":9,\"bytes\":20}}\n"
#define LINES "{\"file\":{\"path\":\"a\",\"size\":0,\"label\":\"public\"}}\n{\"remove\":\"b\"}\n"
#define DELTA HEADER("1") LINES

static struct key *release_key, *second_key;
static struct trust *trust;
static struct scratch *scratch;
static char out[64];

static struct key *load(const char *path)
{
	bool exposed;
	struct err e;

	return key_load_private(path, NULL, &exposed, &e);
}

static int load_keys(void **state)
{
	struct err e;

	(void)state;
	release_key = load("testdata/keys/release.key");
	second_key = load("testdata/keys/second.key");
	trust = trust_new(&e);
	return release_key != NULL && second_key != NULL && trust != NULL &&
		       trust_add_key(trust, release_key, &e) == 0
		   ? 0
		   : -1;
}

static int free_keys(void **state)
{
	(void)state;
	trust_free(trust);
	key_free(release_key);
	key_free(second_key);
	return 0;
}

static int name_output(void **state)
{
	struct err e;

	(void)state;
	scratch = scratch_new(&e);
	(void)snprintf(out, sizeof out, "/tmp/swarm-test-endorse-%ld", (long)getpid());
	return scratch != NULL ? 0 : -1;
}

static int remove_output(void **state)
{
	(void)state;
	scratch_free(scratch);
	(void)unlink(out);
	return 0;
}

/* Signs `text`, or adds a signature to it. */
static int run(const char *text, bool add_signature, struct key *const *key, struct endorse *ret,
	       struct err *e)
{
	const struct endorse_request request = {.add_signature = add_signature,
						.keys = key,
						.key_count = 1,
						.trust = trust,
						.out = out,
						.force = true};
	char path[64];
	int fd = memfd_create("delta", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct document *d = document_open(path, e);
	int status = d != NULL ? endorse_run(d, &request, scratch, ret, e) : -1;
	document_close(d);
	assert_int_equal(close(fd), 0);
	return status;
}

static char *read_output(void)
{
	struct buf b = BUF_INIT;
	struct err e;
	int fd = io_open(out, &e);

	if (fd < 0 || io_read_all(fd, &b, SIZE_MAX, out, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(close(fd), 0);
	return buf_detach(&b);
}

static void assert_refused(const char *text, bool add_signature, enum err_code code,
			   const char *message)
{
	struct endorse endorse;
	struct err e = {.code = ERR_NONE};
	struct stat st;

	assert_int_equal(run(text, add_signature, &release_key, &endorse, &e), -1);
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.msg, message));
	assert_int_not_equal(stat(out, &st), 0);
}

static void endorse_keeps_the_lines_and_tells_what_they_are(void **state)
{
	struct endorse endorse;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	(void)state;
	if (run(DELTA, false, &release_key, &endorse, &e) != 0)
		fail_msg("%s", e.msg);
	char *text = read_output();
	assert_int_equal(strncmp(text, DELTA, strlen(DELTA)), 0);
	assert_int_equal(strncmp(text + strlen(DELTA), "{\"payloadType\":", 15), 0);
	assert_string_equal(strchr(text + strlen(DELTA), '\n'), "\n");
	free(text);
	assert_int_equal(endorse.pledge.bytes, strlen(DELTA));
	assert_int_equal(endorse.tally.files, 1);
	assert_int_equal(endorse.tally.removes, 1);
	endorse_describe(&b, &endorse, false);
	assert_string_equal(b.data, "signed farm 1.0 -> 1.1 (stable, serial 4 -> 5): 1 file new or "
				    "changed, 1 removed\n");
	buf_clear(&b);
	endorse_describe(&b, &endorse, true);
	assert_int_equal(strncmp(b.data, "added signatures to farm 1.0 -> 1.1", 35), 0);
	buf_release(&b);
}

static void endorse_adds_a_signature_to_a_genuine_delta(void **state)
{
	struct endorse endorse;
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_int_equal(run(DELTA, false, &release_key, &endorse, &e), 0);
	char *text = read_output();
	assert_int_equal(run(text, true, &second_key, &endorse, &e), 0);
	char *again = read_output();
	/* The same lines and statement, and one signature more. */
	size_t same = (size_t)(strstr(text, "\"signatures\"") - text);
	assert_int_equal(strncmp(text, again, same), 0);
	assert_non_null(strstr(again, key_id(second_key)));
	assert_non_null(strstr(again, key_id(release_key)));
	free(text);
	free(again);
}

static void endorse_refuses_what_is_not_whole(void **state)
{
	(void)state;
	assert_refused(HEADER("2") LINES, false, ERR_MALFORMED,
		       " removes 1 files, but its first line says 2: is it cut off?");
	assert_refused(DELTA "x\n", false, ERR_MALFORMED, ": the last line is no envelope: ");
	assert_refused(DELTA, true, ERR_UNTRUSTED, " is a delta that is not signed");
}

static void endorse_signs_nothing_twice(void **state)
{
	struct endorse endorse;
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_int_equal(run(DELTA, false, &second_key, &endorse, &e), 0);
	char *text = read_output();
	assert_int_equal(unlink(out), 0);
	assert_refused(text, false, ERR_USAGE,
		       " is signed already: give --add-signature to add one");
	/* Nor what a stranger has signed. */
	assert_refused(text, true, ERR_UNTRUSTED, " is not signed by a key you trust");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(endorse_keeps_the_lines_and_tells_what_they_are,
					    name_output, remove_output),
	    cmocka_unit_test_setup_teardown(endorse_adds_a_signature_to_a_genuine_delta,
					    name_output, remove_output),
	    cmocka_unit_test_setup_teardown(endorse_refuses_what_is_not_whole, name_output,
					    remove_output),
	    cmocka_unit_test_setup_teardown(endorse_signs_nothing_twice, name_output,
					    remove_output),
	};

	return cmocka_run_group_tests(tests, load_keys, free_keys);
}
