#define _GNU_SOURCE /* memfd_create() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/filehash.h"
#include "swarm/proof.h"

#define SIZE ((size_t)600000)

static uint8_t content[SIZE];
static char block[PROOF_BLOCK];

static struct entry entry_of(size_t len, bool plain)
{
	struct filehash_options how = {.piece_length = 16384, .plain = plain};
	struct filehash_digests d = FILEHASH_DIGESTS_INIT;
	struct entry entry = {.path = "x", .size = len, .has_sha256 = plain};
	struct err e;
	struct filehash *f = filehash_new(&how, &e);

	assert_non_null(f);
	filehash_update(f, content, len);
	assert_int_equal(filehash_final(f, &d, &e), 0);
	memcpy(entry.root, d.root, SHA256_SIZE);
	if (plain)
		memcpy(entry.sha256, d.sha256, SHA256_SIZE);
	filehash_release(&d);
	filehash_free(f);
	return entry;
}

static struct proof *new_proof(void **state)
{
	struct err e;
	struct proof *p = proof_new(&e);

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (uint8_t)(i * 2654435761U >> 13);
	assert_non_null(p);
	return p;
}

/* What becomes of the content in parts of `step` bytes. */
static int prove(struct proof *p, const struct entry *entry, size_t len, size_t step, struct err *e)
{
	proof_begin(p, entry);
	for (size_t at = 0; at < len; at += step)
		if (proof_update(p, content + at, len - at < step ? len - at : step, e) != 0)
			return -1;
	return proof_end(p, e);
}

static void proof_knows_the_file(void **state)
{
	static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 300000, SIZE};
	struct proof *p = new_proof(state);

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (int plain = 0; plain < 2; plain++) {
			struct entry entry = entry_of(sizes[i], plain != 0);
			struct err e = {.code = ERR_NONE};
			assert_int_equal(prove(p, &entry, sizes[i], 7777, &e), 0);
			assert_int_equal(prove(p, &entry, sizes[i], SIZE, &e), 0);
		}
	}
	proof_free(p);
}

static void proof_refuses_another_file(void **state)
{
	struct proof *p = new_proof(state);

	for (int plain = 0; plain < 2; plain++) {
		struct entry entry = entry_of(300000, plain != 0);
		struct err e = {.code = ERR_NONE};
		assert_int_equal(prove(p, &entry, 299999, 7777, &e), -1);
		assert_int_equal(e.code, ERR_UNTRUSTED);
		assert_string_equal(e.msg, "it has 299999 bytes instead of 300000");
		/* As soon as there are too many bytes, not at the end. */
		proof_begin(p, &entry);
		assert_int_equal(proof_update(p, content, 300000, &e), 0);
		assert_int_equal(proof_update(p, content, 1, &e), -1);
		assert_int_equal(e.code, ERR_UNTRUSTED);
		content[299999] ^= 1;
		assert_int_equal(prove(p, &entry, 300000, 7777, &e), -1);
		assert_int_equal(e.code, ERR_UNTRUSTED);
		assert_string_equal(e.msg, "its content differs");
		content[299999] ^= 1;
		/* What came before leaves nothing behind. */
		assert_int_equal(prove(p, &entry, 300000, 7777, &e), 0);
	}
	proof_free(p);
	proof_free(NULL);
}

static void proof_asks_for_both_digests(void **state)
{
	struct proof *p = new_proof(state);
	struct entry entry = entry_of(1000, true);
	struct err e = {.code = ERR_NONE};

	entry.sha256[0] ^= 1;
	assert_int_equal(prove(p, &entry, 1000, 1000, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	entry.sha256[0] ^= 1;
	entry.root[31] ^= 1;
	assert_int_equal(prove(p, &entry, 1000, 1000, &e), -1);
	assert_string_equal(e.msg, "its content differs");
	proof_free(p);
}

static void proof_reads_a_descriptor_from_its_start(void **state)
{
	struct proof *p = new_proof(state);
	struct entry entry = entry_of(SIZE, true);
	struct err e = {.code = ERR_NONE};
	int fd = memfd_create("x", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, SIZE), SIZE);
	assert_int_equal(proof_read(p, fd, &entry, block, "x", &e), 0);
	assert_int_equal(proof_read(p, fd, &entry, block, "x", &e), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(proof_read(p, fd, &entry, block, "x", &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(ftruncate(fd, (off_t)SIZE - 1), 0);
	assert_int_equal(proof_read(p, fd, &entry, block, "x", &e), -1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(proof_read(p, fd, &entry, block, "x", &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	proof_free(p);
}

static void proof_reads_a_tree(void **state)
{
	char folder[] = "/tmp/swarm-test-proof-XXXXXX", command[128];
	struct proof *p = new_proof(state);
	struct entry entry = entry_of(5, true);
	struct err e = {.code = ERR_NONE};

	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	FILE *f = fopen("x", "w");
	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, 5, f), 5);
	assert_int_equal(fclose(f), 0);
	struct stock *s = stock_open(".", NULL, &e);
	assert_non_null(s);
	assert_int_equal(proof_stock(p, s, &entry, block, &e), 0);
	entry.root[0] ^= 1;
	assert_int_equal(proof_stock(p, s, &entry, block, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_string_equal(e.msg,
			    "'x' in '.' is not the file of the manifest: its content differs");
	entry.path = "y";
	assert_int_equal(proof_stock(p, s, &entry, block, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	stock_close(s);
	proof_free(p);
	assert_int_equal(chdir("/"), 0);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(proof_knows_the_file),
	    cmocka_unit_test(proof_refuses_another_file),
	    cmocka_unit_test(proof_asks_for_both_digests),
	    cmocka_unit_test(proof_reads_a_descriptor_from_its_start),
	    cmocka_unit_test(proof_reads_a_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
