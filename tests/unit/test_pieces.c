#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/pieces.h"

#include "trees.h"

#define PIECE (16 * KIB)
/* More than are read at a time. */
#define FILES ((size_t)9000)

static char folder[] = "/tmp/test_pieces.XXXXXX";
static uint8_t *content;
#define CONTENT (6 * MIB)

/* --- a release ---------------------------------------------------------------------------------
 */

struct release {
	struct entry entries[FILES];
	char paths[FILES][16];
	size_t at[FILES]; /* in content */
	struct filehash_digests digests[FILES];
	size_t count;
	size_t told; /* by put() */
};

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static struct release *new_release(void)
{
	struct release *r = calloc(1, sizeof *r);

	assert_non_null(r);
	return r;
}

static void add_file(struct release *r, size_t size, bool plain)
{
	const struct filehash_options how = {PIECE, plain};
	size_t i = r->count++;
	struct entry *entry = &r->entries[i];

	r->at[i] = size < CONTENT - i ? i % 997 : 0;
	(void)snprintf(r->paths[i], sizeof r->paths[i], "%05zu", i);
	write_file(r->paths[i], content + r->at[i], size);
	define_digests(&how, content + r->at[i], size, &r->digests[i]);
	*entry = (struct entry){.path = r->paths[i], .size = size, .has_sha256 = plain};
	memcpy(entry->sha256, r->digests[i].sha256, SHA256_SIZE);
	memcpy(entry->root, r->digests[i].root, SHA256_SIZE);
	entry->pieces = (const uint8_t *)r->digests[i].layer.data;
	entry->piece_count = r->digests[i].layer.len / SHA256_SIZE;
}

static void free_release(struct release *r)
{
	for (size_t i = 0; i < r->count; i++) {
		assert_int_equal(unlink(r->paths[i]), 0);
		filehash_release(&r->digests[i]);
	}
	free(r);
}

static int put(void *context, const struct pieces_file *file, struct err *e)
{
	struct release *r = context;
	size_t i = r->told++, size = (size_t)r->entries[i].size;
	uint8_t digest[SHA256_SIZE];

	(void)e;
	assert_string_equal(file->path, r->paths[i]);
	assert_int_equal(file->size, size);
	SHA256(content + r->at[i], size, digest);
	assert_memory_equal(file->sha256, digest, SHA256_SIZE);
	assert_int_equal(file->count, size > PIECE ? (size + PIECE - 1) / PIECE : 0);
	for (size_t k = 0; k < file->count; k++) {
		size_t left = size - k * PIECE;
		SHA256(content + r->at[i] + k * PIECE, left < PIECE ? left : PIECE, digest);
		assert_memory_equal(file->digests + k * SHA256_SIZE, digest, SHA256_SIZE);
	}
	return 0;
}

static int read_all(struct release *r, unsigned threads, struct err *e)
{
	const struct pieces_options how = {".", PIECE, threads, NULL, put, r};
	struct pieces *p = pieces_new(&how, e);
	int status = 0;

	assert_non_null(p);
	r->told = 0;
	for (size_t i = 0; status == 0 && i < r->count; i++)
		status = pieces_add(p, &r->entries[i], e);
	if (status == 0)
		status = pieces_end(p, e);
	pieces_free(p);
	return status;
}

/* --- tests -------------------------------------------------------------------------------------
 */

static const unsigned thread_counts[] = {1, 2, 8};

static void pieces_are_the_plain_digests_of_the_content(void **state)
{
	static const size_t sizes[] = {0,
				       1,
				       PIECE - 1,
				       PIECE,
				       PIECE + 1,
				       2 * PIECE,
				       2 * PIECE + 1,
				       3 * PIECE - 1,
				       256 * KIB,
				       256 * KIB + 1,
				       4 * MIB,
				       4 * MIB + 5,
				       5 * MIB + 777};

	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		struct release *r = new_release();
		for (size_t i = 0; i < COUNT(sizes); i++)
			add_file(r, sizes[i], plain != 0);
		for (size_t t = 0; t < COUNT(thread_counts); t++) {
			struct err e = {.code = ERR_NONE};
			if (read_all(r, thread_counts[t], &e) != 0)
				fail_msg("%s", e.msg);
			assert_int_equal(r->told, r->count);
		}
		free_release(r);
	}
}

static void pieces_come_in_order_over_all_batches(void **state)
{
	struct release *r = new_release();
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < FILES; i++)
		add_file(r, i % 1000 == 0 ? 40 * KIB : i % 7, true);
	assert_int_equal(read_all(r, 2, &e), 0);
	assert_int_equal(r->told, FILES);
	free_release(r);
}

static void assert_first_is_told(bool plain)
{
	struct release *r = new_release();

	for (size_t i = 0; i < 200; i++)
		add_file(r, i * 100, plain);
	write_file(r->paths[57], content + 1234, 5700);
	write_file(r->paths[90], content, 3);
	write_file(r->paths[199], content, 0);
	for (size_t t = 0; t < COUNT(thread_counts); t++) {
		struct err e = {.code = ERR_NONE};
		assert_int_equal(read_all(r, thread_counts[t], &e), -1);
		assert_int_equal(e.code, ERR_UNTRUSTED);
		assert_string_equal(
		    e.msg, "'00057' in '.' is not the file of the manifest: its content differs");
		assert_int_equal(r->told, 0);
	}
	free_release(r);
}

static void pieces_tell_the_first_file_that_is_wrong(void **state)
{
	(void)state;
	assert_first_is_told(true);
	/* By the hash tree alone. */
	assert_first_is_told(false);
}

static void pieces_refuse_a_wrong_plain_digest(void **state)
{
	struct release *r = new_release();
	struct err e = {.code = ERR_NONE};

	(void)state;
	add_file(r, 50000, true);
	assert_int_equal(read_all(r, 2, &e), 0);
	r->entries[0].sha256[31] ^= 1;
	assert_int_equal(read_all(r, 2, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	free_release(r);
}

static int prepare(void **state)
{
	(void)state;
	content = make_content(CONTENT + KIB, 1);
	return content == NULL || mkdtemp(folder) == NULL ? -1 : chdir(folder);
}

static int tidy(void **state)
{
	(void)state;
	free(content);
	return chdir("/") != 0 ? -1 : rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_are_the_plain_digests_of_the_content),
	    cmocka_unit_test(pieces_come_in_order_over_all_batches),
	    cmocka_unit_test(pieces_tell_the_first_file_that_is_wrong),
	    cmocka_unit_test(pieces_refuse_a_wrong_plain_digest),
	};

	return cmocka_run_group_tests(tests, prepare, tidy);
}
