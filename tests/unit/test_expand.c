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

#include <archive.h>
#include <archive_entry.h>

#include "swarm/buf.h"
#include "swarm/expand.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int (*const filters[])(struct archive *) = {
    archive_write_add_filter_gzip, archive_write_add_filter_bzip2, archive_write_add_filter_xz,
    archive_write_add_filter_lzma, archive_write_add_filter_zstd,  archive_write_add_filter_lz4,
};

static int file_of(const void *bytes, size_t len)
{
	int fd = memfd_create("x", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static size_t compress(int (*filter)(struct archive *), const char *text, size_t len, char *to,
		       size_t room)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t used = 0;

	assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
	assert_int_equal(filter(a), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_per_block(a, 0), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, to, room, &used), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, text, len), len);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	archive_entry_free(entry);
	return used;
}

/* All of it, appended; 0 or -1. `before` bytes are read first, as somebody does who sniffs. */
static int expand_all(const char *bytes, size_t len, size_t before, struct buf *to, struct err *e)
{
	int fd = file_of(bytes, len), status = -1;
	const void *run;
	char first[EXPAND_MAGIC];
	ssize_t n = -1;

	assert_int_equal(read(fd, first, before), before);
	struct expand *x = expand_new(fd, "x.log", "log", first, before, e);
	while (x != NULL && (n = expand_next(x, &run, e)) > 0)
		buf_add(to, run, (size_t)n);
	if (n == 0) {
		/* The end stays the end. */
		assert_int_equal(expand_next(x, &run, e), 0);
		status = 0;
	}
	expand_free(x);
	assert_int_equal(close(fd), 0);
	return status;
}

/* Compresses to some size, and takes several blocks. */
static char *sample(size_t len)
{
	char *text = malloc(len);
	unsigned seed = 1;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		text[i] = (char)('a' + (seed >> 16) % 8);
	}
	return text;
}

static void expand_gives_back_what_was_compressed(void **state)
{
	const size_t len = 700000;
	char *text = sample(len), *packed = malloc(len);
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < COUNT(filters); i++) {
		size_t used = compress(filters[i], text, len, packed, len);
		assert_true(expand_knows(packed, EXPAND_MAGIC));
		assert_false(expand_knows(packed, 1));
		for (size_t before = 0; before <= EXPAND_MAGIC; before += 4) {
			struct buf b = BUF_INIT;
			if (expand_all(packed, used, before, &b, &e) != 0)
				fail_msg("%s", e.msg);
			assert_int_equal(b.len, len);
			assert_memory_equal(b.data, text, len);
			buf_release(&b);
		}
	}
	free(text);
	free(packed);
}

static void expand_hands_through_what_is_not_compressed(void **state)
{
	static const char *const starts[] = {"",   "a",  "1.2.3.4 - - [", "#Fields: ", "PK\3\4",
					     "BZ", "LZI"};
	const size_t len = 600000;
	char *text = sample(len);
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < COUNT(starts); i++) {
		struct buf b = BUF_INIT;
		assert_false(expand_knows(starts[i], strlen(starts[i])));
		memcpy(text, starts[i], strlen(starts[i]));
		assert_int_equal(expand_all(text, len, 8, &b, &e), 0);
		assert_int_equal(b.len, len);
		assert_memory_equal(b.data, text, len);
		buf_clear(&b);
		assert_int_equal(expand_all(text, strlen(starts[i]), 0, &b, &e), 0);
		assert_string_equal(b.data, starts[i]);
		buf_release(&b);
	}
	free(text);
}

/* A log of a day without requests is rotated and compressed like any other. */
static void expand_takes_what_was_empty(void **state)
{
	/* By the lz4 command: libarchive crashes where it should write this. */
	static const char lz4[] = "\x04\x22\x4D\x18\x64\x40\xA7\0\0\0\0\x05\x5D\xCC\x02";
	char packed[1000];
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < COUNT(filters); i++) {
		struct buf b = BUF_INIT;
		size_t used = sizeof lz4 - 1;
		memcpy(packed, lz4, used);
		if (filters[i] != archive_write_add_filter_lz4)
			used = compress(filters[i], "", 0, packed, sizeof packed);
		assert_true(used > 4);
		if (expand_all(packed, used, 0, &b, &e) != 0)
			fail_msg("%zu: %s", i, e.msg);
		assert_int_equal(b.len, 0);
		buf_release(&b);
	}
}

static void expand_takes_several_streams_for_one(void **state)
{
	char packed[1000];
	struct err e = {.code = ERR_NONE};

	(void)state;
	for (size_t i = 0; i < COUNT(filters); i++) {
		struct buf b = BUF_INIT;
		if (filters[i] == archive_write_add_filter_lzma)
			continue;
		size_t used = compress(filters[i], "one\n", 4, packed, sizeof packed);
		used += compress(filters[i], "two\n", 4, packed + used, sizeof packed - used);
		if (expand_all(packed, used, 0, &b, &e) != 0)
			fail_msg("%zu: %s", i, e.msg);
		assert_string_equal(b.data, "one\ntwo\n");
		buf_release(&b);
	}
}

/* Never is it taken for whole; and nobody calls a log an archive. */
static void expand_notices_what_is_cut_off(void **state)
{
	static const char wanted[] = "cannot read the log 'x.log': ";
	char packed[4000], *text = sample(2000);

	(void)state;
	for (size_t i = 0; i < COUNT(filters); i++) {
		size_t used = compress(filters[i], text, 2000, packed, sizeof packed);
		for (size_t len = 20; len < used; len++) {
			struct err e = {.code = ERR_NONE};
			struct buf b = BUF_INIT;
			/* LZMA alone does not always say where it ends. */
			if (filters[i] == archive_write_add_filter_lzma && used - len < 8)
				continue;
			if (expand_all(packed, len, 0, &b, &e) == 0)
				fail_msg("filter %zu cut to %zu of %zu: taken", i, len, used);
			assert_int_equal(e.code, ERR_MALFORMED);
			assert_memory_equal(e.msg, wanted, sizeof wanted - 1);
			assert_true(strlen(e.msg) > sizeof wanted - 1);
			assert_memory_equal(b.data, text, b.len);
			buf_release(&b);
		}
	}
	free(text);
}

static void expand_notices_damage(void **state)
{
	char packed[4000], *text = sample(2000);

	(void)state;
	for (size_t i = 0; i < COUNT(filters); i++) {
		struct err e = {.code = ERR_NONE};
		struct buf b = BUF_INIT;
		/* It has no check sum. */
		if (filters[i] == archive_write_add_filter_lzma)
			continue;
		size_t used = compress(filters[i], text, 2000, packed, sizeof packed);
		packed[used / 2] ^= 4;
		int status = expand_all(packed, used, 0, &b, &e);
		/* A frame of lz4 or zstd may lack one. */
		if (status == 0 && (b.len != 2000 || memcmp(b.data, text, 2000) != 0) && i < 3)
			fail_msg("filter %zu: taken", i);
		if (status != 0)
			assert_int_equal(e.code, ERR_MALFORMED);
		buf_release(&b);
	}
	free(text);
}

static void expand_keeps_the_name_in_its_messages(void **state)
{
	static const char gzip[] = "\x1F\x8B\x08\0\0\0\0\0\0\3";
	static const char *const names[] = {"x", "a': b", "cannot read the archive 'x': y", ""};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct err e = {.code = ERR_NONE};
		const void *run;
		char want[200];
		int fd = file_of(gzip, sizeof gzip - 1);
		struct expand *x = expand_new(fd, names[i], "log", NULL, 0, &e);
		assert_non_null(x);
		assert_true(expand_is_compressed(x));
		assert_int_equal(expand_next(x, &run, &e), -1);
		(void)snprintf(want, sizeof want, "cannot read the log '%s': gzip: it is cut off",
			       names[i]);
		assert_string_equal(e.msg, want);
		expand_free(x);
		assert_int_equal(close(fd), 0);
	}
	expand_free(NULL);
}

static void expand_tells_what_the_system_refused(void **state)
{
	struct err e = {.code = ERR_NONE};

	(void)state;
	assert_null(expand_new(-1, "x", "log", NULL, 0, &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot read 'x': Bad file descriptor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(expand_gives_back_what_was_compressed),
	    cmocka_unit_test(expand_hands_through_what_is_not_compressed),
	    cmocka_unit_test(expand_takes_what_was_empty),
	    cmocka_unit_test(expand_takes_several_streams_for_one),
	    cmocka_unit_test(expand_notices_what_is_cut_off),
	    cmocka_unit_test(expand_notices_damage),
	    cmocka_unit_test(expand_keeps_the_name_in_its_messages),
	    cmocka_unit_test(expand_tells_what_the_system_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
