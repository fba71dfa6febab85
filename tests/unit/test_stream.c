#define _DEFAULT_SOURCE /* mkdtemp() */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "swarm/stream.h"

#include "trees.h"

static const struct filehash_options how = {.piece_length = 64 * 1024, .plain = true};

static uint8_t *content;
#define CONTENT (3 * MIB)

/* --- an archive, and those who see it pass ---------------------------------------------------- */

static const size_t sizes[] = {
    0, 1, 100, HASHER_BLOCK - 1, HASHER_BLOCK, HASHER_BLOCK + 1, 2 * HASHER_BLOCK, 1000000, 0, 17};
#define MEMBERS COUNT(sizes)

static void pack(const char *path)
{
	struct archive *a = archive_write_new();

	assert_non_null(a);
	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	for (size_t i = 0; i < MEMBERS; i++) {
		char name[16];
		struct archive_entry *entry = archive_entry_new();
		assert_non_null(entry);
		(void)snprintf(name, sizeof name, "m%zu", i);
		archive_entry_set_pathname(entry, name);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_size(entry, (la_int64_t)sizes[i]);
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		assert_int_equal(archive_write_data(a, content + i, sizes[i]), sizes[i]);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

struct witness {
	struct onlooker onlooker; /* first: what is called gets a pointer to it */
	const uint8_t *want;
	uint64_t seen, teed;
	uint64_t tee_fails_at; /* the byte that it cannot bear */
	bool disordered;
	unsigned ended;
};

static int see(struct onlooker *self, const void *bytes, size_t len, struct err *e)
{
	struct witness *w = (struct witness *)self;

	(void)e;
	if (w->ended > 0 || memcmp(w->want + w->seen, bytes, len) != 0)
		w->disordered = true;
	w->seen += len;
	return 0;
}

static int end(struct onlooker *self, struct err *e)
{
	struct witness *w = (struct witness *)self;

	(void)e;
	w->ended++;
	return 0;
}

static int tee(void *context, const void *bytes, size_t len, struct err *e)
{
	struct witness *w = context;

	if (memcmp(w->want + w->teed, bytes, len) != 0)
		w->disordered = true;
	w->teed += len;
	return w->teed > w->tee_fails_at ? err_set(e, ERR_REFUSED, "no room") : 0;
}

static struct witness new_witness(const uint8_t *bytes)
{
	return (struct witness){.onlooker = {see, end}, .want = bytes, .tee_fails_at = UINT64_MAX};
}

/* --- what reads it ---------------------------------------------------------------------------- */

static struct pool *pool;
static struct hasher *hasher;

static int start_hasher(void)
{
	struct err e;

	pool = pool_new(2, &e);
	hasher = pool != NULL ? hasher_new(pool, &how, &e) : NULL;
	return hasher != NULL ? 0 : -1;
}

static void stop_hasher(void)
{
	hasher_free(hasher);
	pool_free(pool);
}

static struct source *open_source(const char *path)
{
	struct err e;
	struct source *s = source_open(path, 1, &e);

	if (s == NULL)
		fail_msg("%s", e.msg);
	return s;
}

static void step(struct source *s)
{
	struct source_item item;
	struct err e;

	if (source_next(s, &item, &e) != 1)
		fail_msg("%s", e.msg);
}

static void wait_for_hasher(void)
{
	struct err e;

	if (hasher_wait(hasher, &e) != 0)
		fail_msg("%s", e.msg);
}

static void assert_digests(struct filehash_digests *found, const uint8_t *bytes, size_t len)
{
	struct filehash_digests want;

	define_digests(&how, bytes, len, &want);
	const char *other = difference(found, &want);
	if (other != NULL)
		fail_msg("%zu bytes: another %s", len, other);
	filehash_release(&want);
	filehash_release(found);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void members_of_an_archive_are_read_in_its_order(void **state)
{
	struct filehash_digests digests[MEMBERS];
	struct witness witnesses[MEMBERS];
	struct err e;

	(void)state;
	pack("x.tar");
	struct source *s = open_source("x.tar");
	for (size_t i = 0; i < MEMBERS; i++) {
		uint64_t size = 1;
		digests[i] = (struct filehash_digests)FILEHASH_DIGESTS_INIT;
		witnesses[i] = new_witness(content + i);
		const struct stream stream = {.source = s,
					      .hasher = hasher,
					      .limit = sizes[i],
					      .tee = i % 2 == 0 ? tee : NULL,
					      .context = &witnesses[i],
					      .onlooker = &witnesses[i].onlooker};
		step(s);
		assert_int_equal(stream_read(&stream, &digests[i], &size, &e), 0);
		assert_int_equal(size, sizes[i]);
	}
	wait_for_hasher();
	for (size_t i = 0; i < MEMBERS; i++) {
		assert_false(witnesses[i].disordered);
		assert_int_equal(witnesses[i].seen, sizes[i]);
		assert_int_equal(witnesses[i].teed, i % 2 == 0 ? sizes[i] : 0);
		assert_int_equal(witnesses[i].ended, 1);
		assert_digests(&digests[i], content + i, sizes[i]);
	}
	source_close(s);
}

static void write_content(const char *path, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, len), len);
	assert_int_equal(close(fd), 0);
}

static void files_are_read_on_from_where_they_stand(void **state)
{
	struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
	struct source_file file;
	uint64_t size = 0;
	uint8_t first[10];
	struct err e;

	(void)state;
	write_content("f", 700000);
	struct source *s = open_source(".");
	assert_int_equal(source_file_open(s, "f", NULL, &file, &e), 0);
	assert_int_equal(source_file_read(&file, first, sizeof first, &e), sizeof first);
	const struct stream stream = {
	    .source = s, .file = &file, .hasher = hasher, .limit = UINT64_MAX};
	assert_int_equal(stream_read(&stream, &digests, &size, &e), 0);
	wait_for_hasher();
	assert_int_equal(size, 700000 - sizeof first);
	assert_digests(&digests, content + sizeof first, 700000 - sizeof first);
	assert_int_equal(source_file_close(&file, &e), 0);
	source_close(s);
}

/* More than that is not hashed, and no more is read than it takes to know. */
static void reading_ends_behind_the_limit(void **state)
{
	static const size_t limits[] = {
	    0,       1,       HASHER_BLOCK - 1, HASHER_BLOCK, HASHER_BLOCK + 1, 2 * HASHER_BLOCK,
	    2999999, 3000000, 3000001};

	(void)state;
	write_content("f", 3000000);
	struct source *s = open_source(".");
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
		struct witness w = new_witness(content);
		struct source_file file;
		uint64_t size = 0;
		struct err e;
		size_t hashed = limits[i] < 3000000 ? limits[i] : 3000000;
		assert_int_equal(source_file_open(s, "f", NULL, &file, &e), 0);
		const struct stream stream = {.source = s,
					      .file = &file,
					      .hasher = hasher,
					      .limit = limits[i],
					      .tee = tee,
					      .context = &w,
					      .onlooker = &w.onlooker};
		assert_int_equal(stream_read(&stream, &digests, &size, &e), 0);
		wait_for_hasher();
		assert_int_equal(size > limits[i], 3000000 > limits[i]);
		assert_true(size <= hashed + HASHER_BLOCK && size <= 3000000);
		/* What passes is all that was read, what is hashed is not. */
		assert_int_equal(w.teed, size);
		assert_int_equal(w.seen, hashed);
		assert_int_equal(w.ended, 1);
		assert_false(w.disordered);
		assert_digests(&digests, content, hashed);
		assert_int_equal(source_file_close(&file, &e), 0);
	}
	source_close(s);
}

static void a_cut_archive_fails(void **state)
{
	struct filehash_digests digests[MEMBERS];
	struct witness witnesses[MEMBERS];
	struct err e = {.code = ERR_NONE};
	size_t i = 0;
	int status = 0;

	(void)state;
	pack("x.tar");
	/* In the middle of the member with 1000000 bytes. */
	assert_int_equal(truncate("x.tar", 2000000), 0);
	struct source *s = open_source("x.tar");
	for (; status == 0 && i < MEMBERS; i++) {
		uint64_t size;
		digests[i] = (struct filehash_digests)FILEHASH_DIGESTS_INIT;
		witnesses[i] = new_witness(content + i);
		const struct stream stream = {.source = s,
					      .hasher = hasher,
					      .limit = sizes[i],
					      .onlooker = &witnesses[i].onlooker};
		step(s);
		status = stream_read(&stream, &digests[i], &size, &e);
	}
	assert_int_equal(status, -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_int_equal(sizes[i - 1], 1000000);
	wait_for_hasher();
	for (size_t k = 0; k < i; k++) {
		assert_int_equal(witnesses[k].ended, 1);
		assert_false(witnesses[k].disordered);
		filehash_release(&digests[k]);
	}
	source_close(s);
}

static void whoever_sees_it_pass_may_end_it(void **state)
{
	static const uint64_t moments[] = {0, HASHER_BLOCK - 1, HASHER_BLOCK, 999999};

	(void)state;
	write_content("f", 1000000);
	struct source *s = open_source(".");
	for (size_t i = 0; i < COUNT(moments); i++) {
		struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
		struct witness w = new_witness(content);
		struct source_file file;
		uint64_t size;
		struct err e = {.code = ERR_NONE};
		w.tee_fails_at = moments[i];
		assert_int_equal(source_file_open(s, "f", NULL, &file, &e), 0);
		const struct stream stream = {.source = s,
					      .file = &file,
					      .hasher = hasher,
					      .limit = UINT64_MAX,
					      .tee = tee,
					      .context = &w,
					      .onlooker = &w.onlooker};
		assert_int_equal(stream_read(&stream, &digests, &size, &e), -1);
		assert_int_equal(e.code, ERR_REFUSED);
		wait_for_hasher();
		assert_int_equal(w.teed, size);
		assert_int_equal(w.ended, 1);
		filehash_release(&digests);
		assert_int_equal(source_file_close(&file, &e), 0);
	}
	source_close(s);
}

/* --- all -------------------------------------------------------------------------------------- */

/* Every test works in a folder of its own. */
static char folder[64];

static int enter_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-stream-XXXXXX");
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? start_hasher() : -1;
}

static int leave_folder(void **state)
{
	char command[128];

	(void)state;
	stop_hasher();
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 ? system(command) : -1;
}

static int make(void **state)
{
	(void)state;
	content = make_content(CONTENT, 1);
	return content != NULL ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	free(content);
	return 0;
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(members_of_an_archive_are_read_in_its_order),
	    IN_FOLDER(files_are_read_on_from_where_they_stand),
	    IN_FOLDER(reading_ends_behind_the_limit),
	    IN_FOLDER(a_cut_archive_fails),
	    IN_FOLDER(whoever_sees_it_pass_may_end_it),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
