#define _DEFAULT_SOURCE /* mkdtemp() */
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

#include "swarm/hex.h"
#include "swarm/offers.h"

#define FRAME "\x28\xB5\x2F\xFD"
#define MAGIC "\x5E\x2A\x4D\x18\x20\0\0\0"

static char folder[] = "/tmp/swarm-test-offers-XXXXXX";
static char names[16][160];
static size_t name_count;

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int clear(void **state)
{
	char path[256];

	(void)state;
	for (; name_count > 0; name_count--) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[name_count - 1]);
		if (unlink(path) != 0)
			return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void put(const char *name, const void *bytes, size_t len)
{
	char path[256];

	(void)snprintf(names[name_count++], sizeof names[0], "%s", name);
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

/* A digest of one byte over and over; a file's name from two of them, base 0 for none. */
static void digest_of(uint8_t ret[static SHA256_SIZE], int byte)
{
	memset(ret, byte, SHA256_SIZE);
}

static void name_of(char ret[static 160], int file, int base)
{
	struct offer offer = {.has_base = base != 0};
	struct buf b = BUF_INIT;

	digest_of(offer.file, file);
	digest_of(offer.base, base);
	offers_name(&b, &offer);
	(void)snprintf(ret, 160, "%s", b.data);
	buf_release(&b);
}

static void put_payload(int file, int base, const char *more)
{
	uint8_t bytes[128] = MAGIC;
	char name[160];
	size_t len = base != 0 ? 40 : 0;

	if (base != 0)
		digest_of(bytes + 8, base);
	memcpy(bytes + len, FRAME, 4);
	memcpy(bytes + len + 4, more, strlen(more));
	name_of(name, file, base);
	put(name, bytes, len + 4 + strlen(more));
}

static size_t claimed(const struct offers *o)
{
	size_t count = 0;

	for (size_t i = 0; i < o->count; i++)
		count += o->list[i].claimed;
	return count;
}

static void offers_are_those_of_a_file(void **state)
{
	struct offers o;
	struct err e;
	uint8_t digest[SHA256_SIZE];

	(void)state;
	put_payload(5, 0, "");
	put_payload(5, 9, "abc");
	put_payload(5, 1, "");
	put_payload(4, 1, "");
	put_payload(6, 0, "");
	put("notes.txt", "", 0);
	assert_int_equal(offers_read(folder, &o, &e), 0);
	assert_int_equal(o.count, 5);

	digest_of(digest, 5);
	assert_int_equal(offers_claim(&o, digest, 45, &e), 0);
	static const int bases[] = {1, 9};
	static const bool useful[] = {true, false, true};
	static const uint64_t sizes[] = {44, 47, 4};
	for (size_t i = 0; i < 3; i++) {
		const struct offer *offer = &o.list[1 + i];
		assert_true(offer->claimed);
		assert_int_equal(offer->useful, useful[i]);
		assert_int_equal(offer->size, sizes[i]);
		assert_int_equal(offer->has_base, i < 2);
		if (i < 2)
			assert_int_equal(offer->base[31], bases[i]);
	}
	assert_false(o.list[0].claimed);
	assert_false(o.list[4].claimed);
	/* Another path may have the same content. */
	assert_int_equal(offers_claim(&o, digest, 45, &e), 0);
	assert_int_equal(claimed(&o), 3);
	for (int other = 3; other <= 7; other += 4) {
		digest_of(digest, other);
		assert_int_equal(offers_claim(&o, digest, 45, &e), 0);
		assert_int_equal(claimed(&o), 3);
	}
	offers_release(&o);
	offers_release(&o);
}

static void offers_ignore_other_names(void **state)
{
	static const char *const endings[] = {"", ".zs", ".zstd", "zst", ".zst.tmp", ".dcz", ".gz"};
	char name[160], hex[65], long_name[160];
	struct offers o;
	struct err e;

	(void)state;
	name_of(name, 0xAB, 0);
	(void)snprintf(hex, sizeof hex, "%.64s", name);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		(void)snprintf(long_name, sizeof long_name, "%s%s", hex, endings[i]);
		put(long_name, "", 0);
	}
	(void)snprintf(long_name, sizeof long_name, "%s_%s.dcz", hex, hex);
	put(long_name, "", 0);
	(void)snprintf(long_name, sizeof long_name, "%s.%sdcz", hex, hex);
	put(long_name, "", 0);
	(void)snprintf(long_name, sizeof long_name, "%.63s.zst", hex);
	put(long_name, "", 0);
	(void)snprintf(long_name, sizeof long_name, "A%.63s.zst", hex);
	put(long_name, "", 0);
	(void)snprintf(long_name, sizeof long_name, "%s.g%.63s.dcz", hex, hex);
	put(long_name, "", 0);
	assert_int_equal(offers_read(folder, &o, &e), 0);
	assert_int_equal(o.count, 0);
	offers_release(&o);
}

static void refused(int file, const char *why)
{
	uint8_t digest[SHA256_SIZE];
	struct offers o;
	struct err e = {.code = ERR_NONE};

	assert_int_equal(offers_read(folder, &o, &e), 0);
	digest_of(digest, file);
	assert_int_equal(offers_claim(&o, digest, 1000, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	if (strstr(e.msg, why) == NULL)
		fail_msg("'%s' does not say '%s'", e.msg, why);
	assert_false(o.list[0].claimed);
	offers_release(&o);
	assert_int_equal(clear(NULL), 0);
}

static void offers_must_begin_as_their_name_says(void **state)
{
	uint8_t good[44] = MAGIC;
	char name[160];

	(void)state;
	digest_of(good + 8, 2);
	memcpy(good + 40, FRAME, 4);
	name_of(name, 1, 2);
	/* Whatever byte is wrong, and wherever it is cut. */
	for (size_t i = 0; i < sizeof good; i++) {
		uint8_t bytes[44];
		memcpy(bytes, good, sizeof good);
		bytes[i] ^= 1;
		put(name, bytes, sizeof bytes);
		refused(1, i < 8 ? "as dcz does" : i < 40 ? "another file" : "no frame of zstd");
		put(name, good, i);
		refused(1, i < 40 ? "as dcz does" : "no frame of zstd");
	}
	name_of(name, 1, 0);
	put(name, FRAME, 3);
	refused(1, "no frame of zstd");
	put(name, "\x28\xB5\x2F\xFC", 4);
	refused(1, "no frame of zstd");
}

static void offers_need_a_folder(void **state)
{
	struct offers o;
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_int_equal(offers_read("/nothing/here", &o, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	offers_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(offers_are_those_of_a_file, clear),
	    cmocka_unit_test_teardown(offers_ignore_other_names, clear),
	    cmocka_unit_test_teardown(offers_must_begin_as_their_name_says, clear),
	    cmocka_unit_test(offers_need_a_folder),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
