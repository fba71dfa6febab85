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

#include "swarm/listing.h"

/* A body of `count` files f000000, f000002, ..., whose header says `said`. */
static int body_of(size_t count, size_t said)
{
	struct buf b = BUF_INIT;
	int fd = memfd_create("body", MFD_CLOEXEC);

	buf_addf(&b,
		 "{\"swarm\":\"inventory/1\",\"piece_length\":16384,\"files\":%zu,\"bytes\":0}\n",
		 said);
	for (size_t i = 0; i < count; i++)
		buf_addf(&b, "{\"path\":\"d/f%06zu\",\"size\":0,\"label\":\"public\"}\n", 2 * i);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b.data, b.len), b.len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	buf_release(&b);
	return fd;
}

static void listing_holds_all_files(void **state)
{
	/* Around the sizes at which its array grows. */
	static const size_t counts[] = {1, 2, 63, 64, 65, 127, 128, 129, 3000};

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct listing l;
		struct err e;
		int fd = body_of(counts[i], counts[i]);
		struct body *b = body_open(fd, UINT64_MAX, "x", &e);
		assert_non_null(b);
		if (listing_read(b, &l, &e) != 0)
			fail_msg("%s", e.msg);
		body_close(b);
		assert_int_equal(close(fd), 0);
		/* It stands on its own from here on. */
		assert_int_equal(l.count, counts[i]);
		assert_int_equal(l.header.files, counts[i]);
		assert_true(l.bytes > 0);
		for (size_t k = 0; k < l.count; k++) {
			char path[32];
			(void)snprintf(path, sizeof path, "d/f%06zu", 2 * k);
			assert_string_equal(l.entries[k].path, path);
			assert_ptr_equal(listing_find(&l, path), &l.entries[k]);
			(void)snprintf(path, sizeof path, "d/f%06zu", 2 * k + 1);
			assert_null(listing_find(&l, path));
		}
		assert_null(listing_find(&l, ""));
		assert_null(listing_find(&l, "d"));
		assert_null(listing_find(&l, "d/f"));
		assert_null(listing_find(&l, "z"));
		listing_release(&l);
		listing_release(&l);
		assert_null(listing_find(&l, "d/f000000"));
	}
}

static void listing_may_be_released_after_a_failure(void **state)
{
	struct listing l;
	struct err e = {.code = ERR_NONE};
	int fd = body_of(100, 101);
	struct body *b = body_open(fd, UINT64_MAX, "x", &e);

	(void)state;
	assert_non_null(b);
	assert_int_equal(listing_read(b, &l, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_string_equal(e.msg, "'x' holds 100 files, but its first line says 101");
	listing_release(&l);
	body_close(b);
	assert_int_equal(close(fd), 0);
}

/* A header that promises the moon costs nothing before its lines come. */
static void listing_does_not_believe_the_header(void **state)
{
	struct listing l;
	struct err e = {.code = ERR_NONE};
	int fd = body_of(1, 9007199254740991);
	struct body *b = body_open(fd, UINT64_MAX, "x", &e);

	(void)state;
	assert_non_null(b);
	assert_int_equal(listing_read(b, &l, &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	listing_release(&l);
	body_close(b);
	assert_int_equal(close(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(listing_holds_all_files),
	    cmocka_unit_test(listing_may_be_released_after_a_failure),
	    cmocka_unit_test(listing_does_not_believe_the_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
