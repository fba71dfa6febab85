#define _GNU_SOURCE /* memfd_create() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "swarm/relatives.h"
#include "swarm/sha1.h"

#include "manifests.h"

/* --- heads --------------------------------------------------------------------------------------
 */

/* A head whose hashes start with these bytes and go on with others; 0: it has none. */
static void write_head(const char *path, uint8_t btmh, uint8_t hybrid_btmh, uint8_t hybrid_btih)
{
	struct header header = make_header(1);
	struct buf body = BUF_INIT, text = BUF_INIT;
	struct head head = head_of(&header, &body);
	struct envelope v;
	struct err e;

	head.bytes = 1;
	head.files = 1;
	head.has_btmh = btmh != 0;
	head.has_hybrid = hybrid_btmh != 0;
	memset(head.btmh, 0xEE, sizeof head.btmh);
	memset(head.hybrid_btmh, 0xEE, sizeof head.hybrid_btmh);
	memset(head.hybrid_btih, 0xEE, sizeof head.hybrid_btih);
	head.btmh[0] = btmh;
	head.hybrid_btmh[0] = hybrid_btmh;
	head.hybrid_btih[0] = hybrid_btih;
	envelope_init(&v);
	head_format(&v.payload, &head);
	assert_int_equal(envelope_add(&v, "00", (const uint8_t *)"nobody", 6, &e), 0);
	envelope_format(&text, &v);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text.data, 1, text.len, f), text.len);
	assert_int_equal(fclose(f), 0);
	envelope_release(&v);
	buf_release(&text);
}

static void read_head(struct relatives *r, uint8_t btmh, uint8_t hybrid_btmh, uint8_t hybrid_btih)
{
	char path[] = "/tmp/test_relatives.XXXXXX";
	int fd = mkstemp(path);
	struct err e;

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	write_head(path, btmh, hybrid_btmh, hybrid_btih);
	int status = relatives_read(r, path, &e);
	assert_int_equal(unlink(path), 0);
	if (status != 0)
		fail_msg("%s", e.msg);
}

/* The list, by what its hashes start with. */
static void assert_list(const struct relatives *r, const char *want)
{
	assert_int_equal(r->count, strlen(want));
	for (size_t i = 0; i < r->count; i++) {
		assert_int_equal(r->list[i][0], (uint8_t)want[i]);
		for (size_t k = 1; k < RELATIVES_SIZE; k++)
			assert_int_equal(r->list[i][k], 0xEE);
	}
}

/* --- tests --------------------------------------------------------------------------------------
 */

static const uint8_t nobody[RELATIVES_SIZE], no_other[RELATIVES_SIZE];
static const uint8_t *const strangers[] = {nobody, no_other};

static void relatives_are_all_hashes_of_heads(void **state)
{
	struct relatives r = {.count = 0};

	(void)state;
	read_head(&r, 'm', 'b', 'z');
	read_head(&r, 0, 0, 0);
	read_head(&r, 'a', 0, 0);
	read_head(&r, 0, 0xFF, 'c');
	relatives_settle(&r, strangers, 2);
	assert_list(&r, "abcmz\xFF");
	relatives_release(&r);
	relatives_release(&r);
}

static void relatives_are_told_once_and_not_of_oneself(void **state)
{
	struct relatives r = {.count = 0};
	uint8_t self[RELATIVES_SIZE];
	const uint8_t *const selves[] = {self, nobody};

	(void)state;
	memset(self, 0xEE, sizeof self);
	self[0] = 'b';
	for (int i = 0; i < 3; i++)
		read_head(&r, 'b', 'a', 'c');
	read_head(&r, 'c', 'b', 'd');
	relatives_settle(&r, selves, 2);
	assert_list(&r, "acd");
	relatives_release(&r);
	read_head(&r, 'b', 'b', 'b');
	relatives_settle(&r, selves, 2);
	assert_list(&r, "");
	relatives_release(&r);
}

static void relatives_of_nobody_are_none(void **state)
{
	struct relatives r = {.count = 0};

	(void)state;
	relatives_settle(&r, strangers, 2);
	assert_list(&r, "");
	relatives_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(relatives_are_all_hashes_of_heads),
	    cmocka_unit_test(relatives_are_told_once_and_not_of_oneself),
	    cmocka_unit_test(relatives_of_nobody_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
