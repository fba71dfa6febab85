#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <unistd.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/filehash.h"
#include "swarm/stock.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- helpers ---------------------------------------------------------------------------------- */

/* Every test works in a folder of its own, with a tree and archives of it. */
static char folder[64];

static int enter_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-stock-XXXXXX");
	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		return -1;
	return system(
	    "mkdir -p tree/a/b && printf 'hello' >tree/a/one && printf '' >tree/a/b/empty &&"
	    "head -c 700000 /dev/zero >tree/zeros && ln tree/zeros tree/zlink &&"
	    "ln -s one tree/a/soft &&"
	    "tar -C tree -cf tree.tar . && tar -cf deep.tar tree/a && "
	    "printf 'again' >tree/a/one && cp tree.tar twice.tar &&"
	    "tar -C tree -rf twice.tar ./a/one && printf 'hello' >tree/a/one");
}

static int leave_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 ? system(command) : -1;
}

static struct stock *open_stock(const char *path, const struct stock_options *options)
{
	struct err e = {.code = ERR_NONE};
	struct stock *s = stock_open(path, options, &e);

	if (s == NULL)
		fail_msg("%s", e.msg);
	return s;
}

static void entry_of(const char *path, const void *bytes, size_t len, struct entry *ret)
{
	struct err e;
	struct filehash_options how = {.piece_length = MERKLE_PIECE_MAX, .plain = true};
	struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
	struct filehash *hash = filehash_new(&how, &e);

	assert_non_null(hash);
	filehash_update(hash, bytes, len);
	assert_int_equal(filehash_final(hash, &digests, &e), 0);
	*ret = (struct entry){.path = path, .size = len, .has_sha256 = true};
	memcpy(ret->sha256, digests.sha256, SHA256_SIZE);
	memcpy(ret->root, digests.root, SHA256_SIZE);
	filehash_release(&digests);
	filehash_free(hash);
}

static enum err_code load(const struct stock *s, const struct entry *entry, struct buf *ret)
{
	struct err e = {.code = ERR_NONE};
	uint8_t sha256[SHA256_SIZE];

	if (stock_load(s, entry, ret, sha256, &e) == 0)
		assert_memory_equal(sha256, entry->sha256, SHA256_SIZE);
	else
		assert_int_not_equal(e.code, ERR_NONE);
	return e.code;
}

static void assert_holds(const struct stock *s, const char *path, const void *bytes, size_t len)
{
	struct buf content = BUF_INIT;
	struct entry entry;

	entry_of(path, bytes, len, &entry);
	buf_adds(&content, "before");
	assert_int_equal(load(s, &entry, &content), ERR_NONE);
	assert_int_equal(content.len, 6 + len);
	assert_memory_equal(content.data + 6, bytes, len);
	buf_release(&content);
}

static void assert_fails(const struct stock *s, const char *path, enum err_code code)
{
	struct buf content = BUF_INIT;
	struct entry entry;

	entry_of(path, "hellx", 5, &entry);
	assert_int_equal(load(s, &entry, &content), code);
	assert_int_equal(content.len, 0);
	buf_release(&content);
}

static const char zeros[700000];

/* --- tests ------------------------------------------------------------------------------------ */

static void stock_finds_files_by_name(void **state)
{
	static const char *const trees[] = {"tree", "tree/", "tree.tar"};

	(void)state;
	for (size_t i = 0; i < COUNT(trees); i++) {
		struct stock *s = open_stock(trees[i], NULL);
		assert_int_equal(stock_is_directory(s), i < 2);
		assert_holds(s, "a/one", "hello", 5);
		assert_holds(s, "zeros", zeros, sizeof zeros);
		assert_holds(s, "zlink", zeros, sizeof zeros);
		assert_holds(s, "a/b/empty", "", 0);
		stock_close(s);
	}
}

static void stock_refuses_what_is_not_the_entry(void **state)
{
	static const char *const trees[] = {"tree", "tree.tar"};

	(void)state;
	for (size_t i = 0; i < COUNT(trees); i++) {
		struct stock *s = open_stock(trees[i], NULL);
		assert_fails(s, "a/one", ERR_UNTRUSTED);     /* another byte */
		assert_fails(s, "a/b/empty", ERR_UNTRUSTED); /* another size */
		assert_fails(s, "a/two", ERR_REFUSED);
		assert_fails(s, "a/one/two", ERR_REFUSED);
		assert_fails(s, "a", ERR_REFUSED);
		assert_fails(s, "a/soft", ERR_REFUSED);
		assert_fails(s, "../tree/a/one", ERR_REFUSED);
		stock_close(s);
	}
}

static void stock_takes_the_last_of_two_members(void **state)
{
	(void)state;
	struct stock *s = open_stock("twice.tar", NULL);

	assert_holds(s, "a/one", "again", 5);
	stock_close(s);
}

/* A temporary file of more than two of them cannot be written. */
static void stock_keeps_one_content_of_a_name(void **state)
{
	struct rlimit before, little = {.rlim_cur = 2 * sizeof zeros, .rlim_max = RLIM_INFINITY};

	(void)state;
	assert_int_equal(
	    system("for i in 1 2 3 4 5 6 7 8; do tar -C tree -rf many.tar zeros; done"), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	struct stock *s = open_stock("many.tar", NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_holds(s, "zeros", zeros, sizeof zeros);
	stock_close(s);
}

static void stock_strips_components_of_archives_only(void **state)
{
	struct err e = {.code = ERR_NONE};
	struct stock_options one = {.strip = 1};
	struct stock *s = open_stock("deep.tar", &one);

	(void)state;
	assert_holds(s, "a/one", "hello", 5);
	assert_fails(s, "tree/a/one", ERR_REFUSED);
	stock_close(s);
	assert_null(stock_open("tree", &one, &e));
	assert_int_equal(e.code, ERR_USAGE);
}

static bool is_wanted(const void *context, const char *path, uint64_t *ret_limit)
{
	assert_true(*ret_limit > sizeof zeros);
	return strcmp(path, context) == 0;
}

/* GNU tar stores the name that comes first, and the other one as a link to it. */
static void stock_keeps_what_is_wanted_by_any_name(void **state)
{
	static const char names[][8] = {"zeros", "zlink", "a/one"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct stock_options only = {.want = is_wanted, .context = names[i]};
		struct stock *s = open_stock("tree.tar", &only);
		if (i < 2)
			assert_holds(s, names[i], zeros, sizeof zeros);
		else
			assert_holds(s, names[i], "hello", 5);
		assert_fails(s, i < 2 ? "a/one" : "zeros", ERR_REFUSED);
		stock_close(s);
	}
}

static bool is_small(const void *context, const char *path, uint64_t *ret_limit)
{
	(void)path;
	*ret_limit = *(const uint64_t *)context;
	return true;
}

static void stock_keeps_little_of_what_is_larger_than_wanted(void **state)
{
	uint64_t limit = 300000;
	struct stock_options little = {.want = is_small, .context = &limit};
	struct err e = {.code = ERR_NONE};
	struct stock_file f;

	(void)state;
	struct stock *s = open_stock("tree.tar", &little);
	assert_holds(s, "a/one", "hello", 5);
	assert_int_equal(stock_file_open(s, "zeros", &f, &e), 0);
	assert_in_range(f.size, limit + 1, sizeof zeros - 1);
	assert_int_equal(stock_file_close(&f, &e), 0);
	stock_close(s);
	limit = sizeof zeros;
	s = open_stock("tree.tar", &little);
	assert_holds(s, "zeros", zeros, sizeof zeros);
	stock_close(s);
}

static void stock_keeps_what_a_listing_names(void **state)
{
	struct entry entry = {.path = "zeros", .size = 300000};
	const struct listing listing = {.entries = &entry, .count = 1};
	struct stock_options listed = {.want = stock_want_listed, .context = &listing};
	struct err e = {.code = ERR_NONE};
	struct stock_file f;

	(void)state;
	struct stock *s = open_stock("tree.tar", &listed);
	assert_fails(s, "a/one", ERR_REFUSED);
	assert_int_equal(stock_file_open(s, "zeros", &f, &e), 0);
	assert_in_range(f.size, entry.size + 1, sizeof zeros - 1);
	assert_int_equal(stock_file_close(&f, &e), 0);
	stock_close(s);
}

static void stock_reads_at_any_offset(void **state)
{
	static const char *const trees[] = {"tree", "tree.tar"};
	struct err e = {.code = ERR_NONE};
	struct stock_file f;
	char bytes[8];

	(void)state;
	for (size_t i = 0; i < COUNT(trees); i++) {
		struct stock *s = open_stock(trees[i], NULL);
		assert_int_equal(stock_file_open(s, "a/one", &f, &e), 0);
		assert_int_equal(f.size, 5);
		assert_int_equal(stock_file_read(&f, 3, bytes, sizeof bytes, &e), 2);
		assert_memory_equal(bytes, "lo", 2);
		assert_int_equal(stock_file_read(&f, 5, bytes, sizeof bytes, &e), 0);
		assert_int_equal(stock_file_read(&f, UINT64_C(1) << 40, bytes, sizeof bytes, &e),
				 0);
		assert_int_equal(stock_file_read(&f, 0, bytes, 4, &e), 4);
		assert_memory_equal(bytes, "hell", 4);
		assert_int_equal(stock_file_close(&f, &e), 0);
		stock_close(s);
	}
}

static void stock_notices_a_file_that_changes(void **state)
{
	struct err e = {.code = ERR_NONE};
	struct stock_file f;

	(void)state;
	struct stock *s = open_stock("tree", NULL);
	assert_int_equal(stock_file_open(s, "a/one", &f, &e), 0);
	assert_int_equal(system("printf 'changed' >>tree/a/one"), 0);
	assert_int_equal(stock_file_close(&f, &e), -1);
	assert_int_equal(e.code, ERR_CHANGED);
	stock_close(s);
}

static void stock_says_what_cannot_be_opened(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_null(stock_open("nowhere", NULL, &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(system("head -c 400000 tree.tar >cut.tar"), 0);
	assert_null(stock_open("cut.tar", NULL, &e));
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_non_null(strstr(e.msg, "cut.tar"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(stock_finds_files_by_name, enter_folder, leave_folder),
	    cmocka_unit_test_setup_teardown(stock_refuses_what_is_not_the_entry, enter_folder,
					    leave_folder),
	    cmocka_unit_test_setup_teardown(stock_takes_the_last_of_two_members, enter_folder,
					    leave_folder),
	    cmocka_unit_test_setup_teardown(stock_keeps_one_content_of_a_name, enter_folder,
					    leave_folder),
	    cmocka_unit_test_setup_teardown(stock_strips_components_of_archives_only, enter_folder,
					    leave_folder),
	    cmocka_unit_test_setup_teardown(stock_keeps_what_is_wanted_by_any_name, enter_folder,
					    leave_folder),
	    cmocka_unit_test_setup_teardown(stock_keeps_little_of_what_is_larger_than_wanted,
					    enter_folder, leave_folder),
	    cmocka_unit_test_setup_teardown(stock_keeps_what_a_listing_names, enter_folder,
					    leave_folder),
	    cmocka_unit_test_setup_teardown(stock_reads_at_any_offset, enter_folder, leave_folder),
	    cmocka_unit_test_setup_teardown(stock_notices_a_file_that_changes, enter_folder,
					    leave_folder),
	    cmocka_unit_test_setup_teardown(stock_says_what_cannot_be_opened, enter_folder,
					    leave_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
