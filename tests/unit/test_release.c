#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/hex.h"
#include "swarm/io.h"
#include "swarm/listing.h"
#include "swarm/num.h"
#include "swarm/release.h"
#include "swarm/sha256.h"

#define ISSUED INT64_C(1795437296)
#define A64    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define INVENTORY "{\"swarm\":\"inventory/1\",\"piece_length\":65536,\"files\":4,\"bytes\":12}\n"
#define MANIFEST                                                                 \
	"{\"swarm\":\"manifest/1\",\"product\":\"farm\",\"channel\":\"stable\"," \
	"\"version\":\"1.0\",\"serial\":7,\"piece_length\":65536,\"files\":4,\"bytes\":12}\n"
#define LINES                                                                          \
	"{\"path\":\"a/empty\",\"size\":0,\"label\":\"public\"}\n"                     \
	"{\"path\":\"a/x.js\",\"size\":3,\"label\":\"public\",\"root\":\"" A64 "\"}\n" \
	"{\"path\":\"a.html\",\"size\":5,\"label\":\"origin\",\"root\":\"" B64 "\"}\n" \
	"{\"path\":\"b.png\",\"size\":4,\"label\":\"public\",\"root\":\"" B64          \
	"\",\"exec\":true}\n"

/* --- helpers ---------------------------------------------------------------------------------- */

static struct key *release_key, *second_key, *other_key;
static struct trust *trust;
static struct scratch *scratch;
static char home[64], start[4096];

static struct key *load(const char *path)
{
	bool exposed;
	struct err e;
	struct key *k = key_load_private(path, NULL, &exposed, &e);

	if (k == NULL)
		fprintf(stderr, "%s\n", e.msg);
	return k;
}

static int load_keys(void **state)
{
	struct err e;

	(void)state;
	release_key = load("testdata/keys/release.key");
	second_key = load("testdata/keys/second.key");
	other_key = load("testdata/keys/p256-pkcs8.key");
	trust = trust_new(&e);
	return release_key != NULL && second_key != NULL && other_key != NULL && trust != NULL &&
		       trust_add_key(trust, release_key, &e) == 0 &&
		       getcwd(start, sizeof start) != NULL
		   ? 0
		   : -1;
}

static int free_keys(void **state)
{
	(void)state;
	trust_free(trust);
	key_free(release_key);
	key_free(second_key);
	key_free(other_key);
	return 0;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

/* Every test works in a folder of its own, with an inventory in it. */
static int enter_home(void **state)
{
	struct err e;

	(void)state;
	scratch = scratch_new(&e);
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-release-XXXXXX");
	if (scratch == NULL || mkdtemp(home) == NULL || chdir(home) != 0)
		return -1;
	write_text("in", INVENTORY LINES);
	return 0;
}

static int leave_home(void **state)
{
	char command[128];

	(void)state;
	scratch_free(scratch);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", home);
	return chdir(start) == 0 ? system(command) : -1;
}

static char *read_text(const char *path)
{
	struct buf b = BUF_INIT;
	struct err e;
	int fd = io_open(path, &e);

	if (fd < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(io_read_all(fd, &b, SIZE_MAX, path, &e), 0);
	assert_int_equal(close(fd), 0);
	return buf_detach(&b);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
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

/* farm 1.0, serial 7, by the first key. */
static struct release_request first_release(void)
{
	return (struct release_request){.task = RELEASE_MAKE,
					.keys = &release_key,
					.key_count = 1,
					.trust = trust,
					.product = "farm",
					.version = "1.0",
					.serial = 7,
					.issued = ISSUED,
					.expires = ISSUED + RELEASE_LIFE};
}

static int run_at(const char *in, const struct release_files *files,
		  const struct release_request *request, struct head *ret, struct err *e)
{
	struct document *d = document_open(in, e);
	int status = d != NULL ? release_run(d, files, request, scratch, ret, e) : -1;

	document_close(d);
	return status;
}

static struct head run(const char *in, const char *out, const char *head_path,
		       const struct release_request *request)
{
	const struct release_files files = {.out = out, .head = head_path};
	struct head head;
	struct err e = {.code = ERR_NONE};

	if (run_at(in, &files, request, &head, &e) != 0)
		fail_msg("%s", e.msg);
	return head;
}

static void assert_refused(const char *in, const struct release_request *request,
			   enum err_code code, const char *message)
{
	const struct release_files files = {.out = "refused", .head = "refused.head"};
	struct head head;
	struct err e = {.code = ERR_NONE};
	size_t before = count_names();

	if (run_at(in, &files, request, &head, &e) == 0)
		fail_msg("it was done");
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, code);
	/* Neither output, and nothing temporary. */
	assert_int_equal(count_names(), before);
}

/* What everybody will check of a manifest that was made. */
static struct head check_manifest(const char *path, const struct trust *by)
{
	struct head head;
	struct listing listing;
	struct trust_signers signers;
	struct err e = {.code = ERR_NONE};
	struct document *d = document_open(path, &e);

	if (d == NULL || trust_head(by, d, &head, &signers, &e) != 0 ||
	    trust_listing(d, &head, &listing, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(listing.count, head.files);
	listing_release(&listing);
	document_close(d);
	return head;
}

/* --- a new release ---------------------------------------------------------------------------- */

static void release_keeps_the_lines_of_the_inventory(void **state)
{
	struct release_request request = first_release();
	struct head head = run("in", "out", "head", &request);

	(void)state;
	char *text = read_text("out"), *alone = read_text("head");
	assert_int_equal(strncmp(text, MANIFEST LINES, strlen(MANIFEST LINES)), 0);
	assert_string_equal(text + strlen(MANIFEST LINES), alone);
	assert_int_equal(strncmp(alone, "{\"payloadType\":", 15), 0);
	assert_string_equal(strchr(alone, '\n'), "\n");
	assert_int_equal(head.bytes, strlen(MANIFEST LINES));
	assert_int_equal(head.files, 4);
	assert_string_equal(head.id.channel, "stable");
	assert_false(head.has_previous);
	assert_false(head.has_rollout);
	assert_false(head.has_hybrid);
	struct head again = check_manifest("out", trust);
	assert_memory_equal(again.digest, head.digest, SHA256_SIZE);
	assert_int_equal(again.issued, ISSUED);
	assert_int_equal(again.expires, ISSUED + 30 * 86400);
	free(text);
	free(alone);
}

/* The same request makes the same bytes: Ed25519 signs without chance. */
static void release_is_reproducible(void **state)
{
	struct release_request request = first_release();

	(void)state;
	(void)run("in", "out1", NULL, &request);
	(void)run("in", "out2", NULL, &request);
	char *first = read_text("out1"), *second = read_text("out2");
	assert_string_equal(first, second);
	free(first);
	free(second);
}

/* Public files only, empty ones too, in bencode by hand. */
static void release_has_the_infohash_of_the_public_files(void **state)
{
	static const char root_a[] =
	    "\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA"
	    "\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA";
	struct release_request request = first_release();
	struct head head = run("in", "out", NULL, &request);
	uint8_t want[SHA256_SIZE];
	struct buf b = BUF_INIT;
	struct err e;
	struct sha256 *sha = sha256_new(&e);

	(void)state;
	buf_adds(&b, "d9:file treed1:ad5:emptyd0:d6:lengthi0eee4:x.jsd0:d6:lengthi3e"
		     "11:pieces root32:");
	buf_add(&b, root_a, 32);
	buf_adds(&b, "eee5:b.pngd0:d6:lengthi4e11:pieces root32:");
	for (int i = 0; i < 32; i++)
		buf_addc(&b, '\xBB');
	buf_adds(&b, "eee12:meta versioni2e4:name8:farm-1.012:piece lengthi65536ee");
	sha256_once(sha, b.data, b.len, want);
	assert_true(head.has_btmh);
	assert_memory_equal(head.btmh, want, SHA256_SIZE);
	sha256_free(sha);
	buf_release(&b);
}

static void release_without_public_content_has_no_infohash(void **state)
{
	struct release_request request = first_release();

	(void)state;
	write_text("in",
		   "{\"swarm\":\"inventory/1\",\"piece_length\":65536,\"files\":2,\"bytes\":5}\n"
		   "{\"path\":\"a\",\"size\":0,\"label\":\"public\"}\n"
		   "{\"path\":\"b\",\"size\":5,\"label\":\"origin\",\"root\":\"" A64 "\"}\n");
	assert_false(run("in", "out", NULL, &request).has_btmh);
	assert_false(check_manifest("out", trust).has_btmh);
}

static void release_follows_the_previous_one(void **state)
{
	struct release_request request = first_release();
	struct head previous, head;
	struct err e = {.code = ERR_NONE};

	(void)state;
	head = run("in", "out", "head", &request);
	assert_int_equal(release_previous("head", trust, &previous, &e), 0);
	assert_memory_equal(previous.digest, head.digest, SHA256_SIZE);
	request.serial = 0;
	request.version = "1.1";
	request.previous = &previous;
	head = run("in", "out2", NULL, &request);
	assert_int_equal(head.id.serial, 8);
	assert_true(head.has_previous);
	assert_string_equal(head.previous.version, "1.0");
	assert_int_equal(head.previous.serial, 7);
	assert_memory_equal(head.previous.digest, previous.digest, SHA256_SIZE);
	(void)check_manifest("out2", trust);
	request.serial = 100;
	assert_int_equal(run("in", "out3", NULL, &request).id.serial, 100);
}

static void release_refuses_what_clients_would_refuse(void **state)
{
	struct release_request request = first_release();
	struct head previous = run("in", "out", NULL, &request);

	(void)state;
	request.previous = &previous;
	request.serial = 7;
	assert_refused("in", &request, ERR_REFUSED,
		       "the serial 7 is not above that of the previous release, 7");
	request.serial = 6;
	assert_refused("in", &request, ERR_REFUSED,
		       "the serial 6 is not above that of the previous release, 7");
	request.serial = 8;
	request.issued = ISSUED - 1;
	assert_refused("in", &request, ERR_REFUSED,
		       "it would be issued at 2026-11-23T12:34:55Z, before the head it follows "
		       "(2026-11-23T12:34:56Z): clients would refuse it (is SOURCE_DATE_EPOCH or "
		       "the clock wrong?)");
	request.issued = ISSUED;
	request.product = "tower";
	assert_refused("in", &request, ERR_REFUSED,
		       "the previous release is of farm (stable), this one of tower (stable): give "
		       "the current head of the same product and channel");
	request.product = "farm";
	request.channel = "beta";
	assert_refused("in", &request, ERR_REFUSED,
		       "the previous release is of farm (stable), this one of farm (beta): give "
		       "the current head of the same product and channel");
	request.channel = NULL;
	(void)run("in", "twin", NULL, &request);
	previous.id.serial = NUM_MAX;
	request.serial = 0;
	assert_refused("in", &request, ERR_REFUSED, "there is no serial above 2^53-1");
}

static void release_needs_a_product(void **state)
{
	struct release_request request = first_release();

	(void)state;
	request.product = NULL;
	assert_refused("in", &request, ERR_USAGE, "an inventory has no product: give --product");
}

static void release_tells_of_its_rollout(void **state)
{
	struct release_request request = first_release();

	(void)state;
	request.has_rollout = true;
	request.rollout_start = ISSUED + 3600;
	request.rollout_window = RELEASE_WINDOW;
	(void)run("in", "out", NULL, &request);
	struct head head = check_manifest("out", trust);
	assert_true(head.has_rollout);
	assert_int_equal(head.rollout_start, ISSUED + 3600);
	assert_int_equal(head.rollout_window, 14400);
}

static void release_rejects_malformed_inventories(void **state)
{
	struct release_request request = first_release();

	(void)state;
	write_text("bad",
		   "{\"swarm\":\"inventory/1\",\"piece_length\":65536,\"files\":1,\"bytes\":0}\n"
		   "{\"path\":\"b\",\"size\":0,\"label\":\"public\"}\n"
		   "{\"path\":\"a\",\"size\":0,\"label\":\"public\"}\n");
	assert_refused("bad", &request, ERR_MALFORMED, "bad:3: 'a' is out of order behind 'b'");
	write_text("bad",
		   "{\"swarm\":\"inventory/1\",\"piece_length\":65536,\"files\":2,\"bytes\":0}\n"
		   "{\"path\":\"b\",\"size\":0,\"label\":\"public\"}\n");
	assert_refused("bad", &request, ERR_MALFORMED,
		       "'bad' holds 1 files, but its first line says 2");
	assert_refused("none", &request, ERR_SYSTEM,
		       "cannot open 'none': No such file or directory");
}

/* --- of a manifest ---------------------------------------------------------------------------- */

static void release_of_a_manifest_is_a_roll_back_or_a_promotion(void **state)
{
	struct release_request request = first_release();

	(void)state;
	(void)run("in", "old", NULL, &request);
	request.product = NULL;
	request.version = "1.2";
	request.serial = 9;
	(void)run("old", "back", NULL, &request);
	struct head head = check_manifest("back", trust);
	assert_string_equal(head.id.product, "farm");
	assert_string_equal(head.id.channel, "stable");
	assert_string_equal(head.id.version, "1.2");
	char *text = read_text("back");
	const char *lines = strchr(text, '\n') + 1;
	assert_int_equal(strncmp(lines, LINES, strlen(LINES)), 0);
	free(text);
	request.channel = "beta";
	(void)run("old", "promoted", NULL, &request);
	assert_string_equal(check_manifest("promoted", trust).id.channel, "beta");
}

static void make_manifest(const char *path)
{
	struct release_request request = first_release();

	(void)run("in", path, NULL, &request);
}

static void damage(const char *path, const char *find, const char *put)
{
	char *text = read_text(path), *at = strstr(text, find);

	assert_non_null(at);
	assert_int_equal(strlen(find), strlen(put));
	memcpy(at, put, strlen(put));
	write_text(path, text);
	free(text);
}

static void release_of_a_manifest_that_is_not_genuine_is_refused(void **state)
{
	struct release_request request = first_release();
	struct err e;

	(void)state;
	struct trust *others = trust_new(&e);
	assert_non_null(others);
	assert_int_equal(trust_add_key(others, other_key, &e), 0);
	for (int task = RELEASE_MAKE; task <= RELEASE_ADD_SIGNATURE; task++) {
		struct head head;
		const struct release_files files = {.out = "out", .force = true};
		request.task = (enum release_task)task;
		request.trust = trust;
		request.serial = 1000;
		make_manifest("m");
		assert_int_equal(run_at("m", &files, &request, &head, &e), 0);
		assert_int_equal(unlink("out"), 0);
		/* By nobody we know. */
		request.trust = others;
		assert_int_equal(run_at("m", &files, &request, &head, &e), -1);
		assert_int_equal(e.code, ERR_UNTRUSTED);
		assert_false(exists("out"));
		/* Another body below a good signature. */
		request.trust = trust;
		damage("m", "b.png", "c.png");
		assert_int_equal(run_at("m", &files, &request, &head, &e), -1);
		assert_int_equal(e.code, ERR_UNTRUSTED);
		assert_false(exists("out"));
		assert_int_equal(unlink("m"), 0);
	}
	trust_free(others);
}

static void release_again_has_a_longer_life(void **state)
{
	struct release_request request = first_release();

	(void)state;
	request.has_rollout = true;
	request.rollout_start = ISSUED;
	request.rollout_window = 60;
	struct head old = run("in", "old", "old.head", &request);
	request.task = RELEASE_RESIGN;
	request.issued += 1000;
	request.expires += 1000;
	request.has_rollout = false;
	(void)run("old", "new", "new.head", &request);
	struct head head = check_manifest("new", trust);
	assert_memory_equal(head.digest, old.digest, SHA256_SIZE);
	assert_memory_equal(head.btmh, old.btmh, SHA256_SIZE);
	assert_int_equal(head.id.serial, old.id.serial);
	assert_int_equal(head.issued, ISSUED + 1000);
	/* What was not asked for stays. */
	assert_true(head.has_rollout);
	assert_int_equal(head.rollout_window, 60);
	/* The same of a head alone. */
	(void)run("old.head", "alone", NULL, &request);
	char *from_manifest = read_text("new.head"), *from_head = read_text("alone");
	assert_string_equal(from_manifest, from_head);
	free(from_manifest);
	free(from_head);
	request.issued = ISSUED - 1;
	assert_refused("old", &request, ERR_REFUSED,
		       "it would be issued at 2026-11-23T12:34:55Z, before the head it follows "
		       "(2026-11-23T12:34:56Z): clients would refuse it (is SOURCE_DATE_EPOCH or "
		       "the clock wrong?)");
}

static void release_takes_more_signatures(void **state)
{
	struct release_request request = first_release();
	struct key *two[] = {second_key, other_key};
	struct head head;
	struct trust_signers signers;
	struct err e = {.code = ERR_NONE};

	(void)state;
	(void)run("in", "m", "h", &request);
	request.task = RELEASE_ADD_SIGNATURE;
	request.keys = two;
	request.key_count = 2;
	(void)run("m", "m3", "h3", &request);
	(void)run("h", "alone", NULL, &request);
	struct trust *all = trust_new(&e);
	assert_non_null(all);
	assert_int_equal(trust_add_key(all, release_key, &e), 0);
	assert_int_equal(trust_add_key(all, second_key, &e), 0);
	assert_int_equal(trust_add_key(all, other_key, &e), 0);
	assert_int_equal(trust_set_threshold(all, 3, &e), 0);
	static const char *const results[] = {"m3", "h3", "alone"};
	for (size_t i = 0; i < 3; i++) {
		struct document *d = document_open(results[i], &e);
		assert_non_null(d);
		if (trust_head(all, d, &head, &signers, &e) != 0)
			fail_msg("%s: %s", results[i], e.msg);
		assert_int_equal(signers.count, 3);
		assert_int_equal(head.issued, ISSUED);
		document_close(d);
	}
	(void)check_manifest("m3", trust);
	/* One that has signed already does not count twice. */
	request.keys = &second_key;
	request.key_count = 1;
	(void)run("m3", "m4", NULL, &request);
	char *before = read_text("m3"), *after = read_text("m4");
	assert_string_equal(before, after);
	free(before);
	free(after);
	trust_free(all);
}

/* --- outputs ---------------------------------------------------------------------------------- */

static void release_leaves_old_outputs_alone(void **state)
{
	struct release_request request = first_release();
	struct release_files files = {.out = "out", .head = "head"};
	struct head head;
	struct err e = {.code = ERR_NONE};

	(void)state;
	write_text("head", "old");
	assert_int_equal(run_at("in", &files, &request, &head, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	assert_string_equal(e.msg, "'head' exists: give --force to replace it");
	assert_false(exists("out"));
	char *text = read_text("head");
	assert_string_equal(text, "old");
	free(text);
	files.force = true;
	assert_int_equal(run_at("in", &files, &request, &head, &e), 0);
	(void)check_manifest("out", trust);
	/* The input may be replaced by what is made of it. */
	request.task = RELEASE_RESIGN;
	assert_int_equal(run_at("out", &files, &request, &head, &e), 0);
	(void)check_manifest("out", trust);
}

static void release_tells_of_a_full_disk(void **state)
{
	struct release_request request = first_release();
	const struct release_files files = {.out = "/dev/full"};
	struct head head;
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_int_equal(run_at("in", &files, &request, &head, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot write '/dev/full': No space left on device");
}

static void release_previous_must_be_genuine(void **state)
{
	struct release_request request = first_release();
	struct head head;
	struct err e = {.code = ERR_NONE};

	(void)state;
	request.keys = &second_key;
	(void)run("in", "out", NULL, &request);
	assert_int_equal(release_previous("out", trust, &head, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(release_previous("in", trust, &head, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(release_previous("none", trust, &head, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
}

static void release_is_told_in_json(void **state)
{
	struct release_request request = first_release();
	struct head head = run("in", "out", NULL, &request);
	char digest[65], btmh[65], want[512];
	struct buf b = BUF_INIT;

	(void)state;
	hex_format(digest, head.digest, SHA256_SIZE);
	hex_format(btmh, head.btmh, SHA256_SIZE);
	(void)snprintf(
	    want, sizeof want,
	    "{\"product\":\"farm\",\"channel\":\"stable\",\"version\":\"1.0\",\"serial\":7,"
	    "\"files\":4,\"sha256\":\"%s\",\"btmh\":\"%s\",\"expires\":"
	    "\"2026-12-23T12:34:56Z\"}\n",
	    digest, btmh);
	release_format(&b, &head);
	assert_string_equal(b.data, want);
	buf_release(&b);
}

int main(void)
{
#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, enter_home, leave_home)
	const struct CMUnitTest tests[] = {
	    IN_HOME(release_keeps_the_lines_of_the_inventory),
	    IN_HOME(release_is_reproducible),
	    IN_HOME(release_has_the_infohash_of_the_public_files),
	    IN_HOME(release_without_public_content_has_no_infohash),
	    IN_HOME(release_follows_the_previous_one),
	    IN_HOME(release_refuses_what_clients_would_refuse),
	    IN_HOME(release_needs_a_product),
	    IN_HOME(release_tells_of_its_rollout),
	    IN_HOME(release_rejects_malformed_inventories),
	    IN_HOME(release_of_a_manifest_is_a_roll_back_or_a_promotion),
	    IN_HOME(release_of_a_manifest_that_is_not_genuine_is_refused),
	    IN_HOME(release_again_has_a_longer_life),
	    IN_HOME(release_takes_more_signatures),
	    IN_HOME(release_leaves_old_outputs_alone),
	    IN_HOME(release_tells_of_a_full_disk),
	    IN_HOME(release_previous_must_be_genuine),
	    IN_HOME(release_is_told_in_json),
	};

	return cmocka_run_group_tests(tests, load_keys, free_keys);
}
