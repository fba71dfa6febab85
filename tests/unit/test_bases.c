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

#include "swarm/bases.h"
#include "swarm/filehash.h"

#define FILES  60
#define SIZE   ((size_t)20000)
#define AMPLE  (UINT64_C(64) << 20)
#define UNLIKE 1000 /* a seed that no file has */

/* --- an old release --------------------------------------------------------------------------- */

static char folder[64];
static struct entry entries[FILES];
static char paths[FILES][16];
static struct listing listing = {.entries = entries, .count = FILES};

static void fill(uint8_t *bytes, size_t len, uint64_t seed)
{
	seed = (seed + 1) * 0x9E3779B97F4A7C15;
	for (size_t i = 0; i < len; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		bytes[i] = (uint8_t)(seed >> 32);
	}
}

static int describe(struct entry *entry, const uint8_t *bytes, size_t len)
{
	struct filehash_options how = {.piece_length = MERKLE_PIECE_MAX, .plain = true};
	struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
	struct err e;
	struct filehash *hash = filehash_new(&how, &e);

	if (hash == NULL)
		return -1;
	filehash_update(hash, bytes, len);
	int status = filehash_final(hash, &digests, &e);
	entry->size = len;
	memcpy(entry->root, digests.root, SHA256_SIZE);
	filehash_release(&digests);
	filehash_free(hash);
	return status;
}

/* Of files i and i + 30 the content is the same; the first of them is for the origin only. */
static int enter_folder(void **state)
{
	uint8_t bytes[SIZE];

	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-bases-XXXXXX");
	if (mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("old", 0777) != 0)
		return -1;
	for (size_t i = 0; i < FILES; i++) {
		char name[32];
		size_t len = i == 7 ? 0 : SIZE;
		(void)snprintf(paths[i], sizeof paths[i], "f%02zu", i);
		(void)snprintf(name, sizeof name, "old/%s", paths[i]);
		fill(bytes, SIZE, i % 30);
		entries[i] =
		    (struct entry){.path = paths[i], .label = i < 30 ? LABEL_ORIGIN : LABEL_PUBLIC};
		FILE *f = fopen(name, "wb");
		if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0 ||
		    describe(&entries[i], bytes, len) != 0)
			return -1;
	}
	return 0;
}

static int leave_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 ? system(command) : -1;
}

static struct bases *make(unsigned threads, uint64_t memory, struct err *e)
{
	struct bases_options how = {.threads = threads, .memory = memory};
	struct stock *stock = stock_open("old", NULL, e);

	assert_non_null(stock);
	*e = (struct err){.code = ERR_NONE};
	struct bases *b = bases_new(&listing, stock, &how, e);
	stock_close(stock);
	return b;
}

static const struct entry *best(const struct bases *b, uint64_t seed)
{
	uint8_t bytes[SIZE];
	const struct entry *found[3];
	size_t count = 7;
	struct err e;

	fill(bytes, SIZE, seed);
	/* Not as it was. */
	memmove(bytes + 5000, bytes + 5007, SIZE - 5007);
	assert_int_equal(bases_find(b, bytes, SIZE - 7, 3, found, &count, &e), 0);
	assert_true(count <= 1);
	return count > 0 ? found[0] : NULL;
}

/* --- finding ---------------------------------------------------------------------------------- */

static void bases_are_found_by_content(void **state)
{
	struct err e;

	(void)state;
	for (unsigned threads = 1; threads <= 8; threads++) {
		struct bases *b = make(threads, AMPLE, &e);
		assert_non_null(b);
		/* The copy that peers may see. */
		for (size_t i = 0; i < 30; i++)
			assert_ptr_equal(best(b, i), &entries[i + 30]);
		assert_null(best(b, UNLIKE));
		bases_free(b);
	}
	bases_free(NULL);
}

static void bases_are_found_with_little_memory(void **state)
{
	struct err e;
	size_t found = 0;

	(void)state;
	/* Less than two files, and an index of a part of the windows. */
	struct bases *b = make(8, 60000, &e);
	assert_non_null(b);
	for (size_t i = 0; i < 30; i++) {
		const struct entry *entry = best(b, i);
		assert_true(entry == NULL || entry == &entries[i + 30]);
		found += entry != NULL;
	}
	assert_true(found >= 25);
	bases_free(b);
}

static void bases_refuse_a_tree_that_is_another(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(system("cp old/f40 kept && "
				"printf x | dd of=old/f40 seek=9 bs=1 conv=notrunc status=none"),
			 0);
	for (unsigned threads = 1; threads <= 8; threads++) {
		assert_null(make(threads, AMPLE, &e));
		assert_int_equal(e.code, ERR_UNTRUSTED);
		assert_non_null(strstr(e.msg, "'f40' in 'old'"));
	}
	assert_int_equal(unlink("old/f40"), 0);
	assert_null(make(3, AMPLE, &e));
	assert_int_equal(e.code, ERR_REFUSED);
	assert_int_equal(rename("kept", "old/f40"), 0);
	struct bases *b = make(3, AMPLE, &e);
	assert_non_null(b);
	bases_free(b);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(bases_are_found_by_content),
	    IN_FOLDER(bases_are_found_with_little_memory),
	    IN_FOLDER(bases_refuse_a_tree_that_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
