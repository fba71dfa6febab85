#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/cause.h"

#define SIZE   ((size_t)60000)
#define MEMORY (UINT64_C(16) << 20)

/* --- helpers ------------------------------------------------------------------------------------
 */

/* Words, so that it can be compressed. */
static void fill(uint8_t *to, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		to[i] = (uint8_t)("etaoin shrdlu\n"[(seed >> 16) % 14] + (seed >> 28 == 0));
	}
}

static uint8_t text[SIZE], other[SIZE];

static int set_up(void **state)
{
	(void)state;
	fill(text, SIZE, 1);
	fill(other, SIZE, 2);
	return 0;
}

static struct cause find(const struct buf *old, const struct buf *new, uint64_t memory)
{
	struct cause c;
	struct err e = {.code = ERR_NONE};

	if (cause_find((const uint8_t *)old->data, old->len, (const uint8_t *)new->data, new->len,
		       memory, &c, &e) != 0)
		fail_msg("%s", e.msg);
	assert_true(c.shared <= new->len);
	return c;
}

/* Releases both. */
static void assert_cause(struct buf *old, struct buf *new, enum cause_kind kind, const char *detail)
{
	struct cause c = find(old, new, MEMORY);

	if (c.kind != kind || strstr(c.detail, detail) == NULL)
		fail_msg("expected %s: %s, got %s: %s", cause_name(kind), detail,
			 cause_name(c.kind), c.detail);
	buf_release(old);
	buf_release(new);
}

static void deflate_to(struct buf *to, const uint8_t *bytes, size_t len, int bits, int level)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (unsigned)len};

	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t room = deflateBound(&z, len);
	z.next_out = (Bytef *)buf_room(to, room);
	z.avail_out = (unsigned)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_grew(to, room - z.avail_out);
	assert_int_equal(deflateEnd(&z), Z_OK);
}

static void put_gzip(struct buf *to, const uint8_t *bytes, size_t len, int level)
{
	deflate_to(to, bytes, len, 15 + 16, level);
}

static void put_big32(struct buf *to, uint64_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_addc(to, (char)(n >> shift));
}

static void put_chunk(struct buf *to, const char *type, const char *bytes, size_t len)
{
	put_big32(to, len);
	buf_adds(to, type);
	buf_add(to, bytes, len);
	put_big32(to, 0); /* nobody checks it */
}

/* The stream in two chunks, as large pictures have it. */
static void put_png(struct buf *to, const uint8_t *bytes, size_t len, int level)
{
	struct buf stream = BUF_INIT;

	deflate_to(&stream, bytes, len, 15, level);
	buf_add(to, "\x89PNG\r\n\x1A\n", 8);
	put_chunk(to, "IHDR", "0123456789012", 13);
	put_chunk(to, "IDAT", stream.data, stream.len / 3);
	put_chunk(to, "IDAT", stream.data + stream.len / 3, stream.len - stream.len / 3);
	put_chunk(to, "IEND", "", 0);
	buf_release(&stream);
}

struct member {
	char name;
	const uint8_t *bytes;
	size_t len;
};

static void put_little(struct buf *to, uint64_t n, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_addc(to, (char)(i < 8 ? n >> 8 * i : 0));
}

static void put_zip(struct buf *to, const struct member *members, size_t count, int level,
		    unsigned time)
{
	struct buf directory = BUF_INIT, packed = BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		const struct member *m = &members[i];
		size_t at = to->len;
		buf_clear(&packed);
		deflate_to(&packed, m->bytes, m->len, -15, level);
		struct buf common = BUF_INIT;
		put_little(&common, 20, 2);
		put_little(&common, 0, 2);
		put_little(&common, 8, 2);
		put_little(&common, time, 4);
		put_little(&common, crc32(0, m->bytes, (unsigned)m->len), 4);
		put_little(&common, packed.len, 4);
		put_little(&common, m->len, 4);
		put_little(&common, 1, 2);
		put_little(&common, 0, 2);
		buf_add(to, "PK\x03\x04", 4);
		buf_add(to, common.data, common.len);
		buf_addc(to, m->name);
		buf_add(to, packed.data, packed.len);
		buf_add(&directory, "PK\x01\x02\x14\0", 6);
		buf_add(&directory, common.data, common.len);
		put_little(&directory, 0, 10);
		put_little(&directory, at, 4);
		buf_addc(&directory, m->name);
		buf_release(&common);
	}
	size_t at = to->len;
	buf_add(to, directory.data, directory.len);
	buf_add(to, "PK\x05\x06\0\0\0\0", 8);
	put_little(to, count, 2);
	put_little(to, count, 2);
	put_little(to, directory.len, 4);
	put_little(to, at, 4);
	put_little(to, 0, 2);
	buf_release(&directory);
	buf_release(&packed);
}

/* --- bytes as they are --------------------------------------------------------------------------
 */

static void cause_of_a_file_without_base_is_new(void **state)
{
	struct cause c;
	struct err e;

	(void)state;
	assert_int_equal(cause_find(NULL, 0, text, SIZE, MEMORY, &c, &e), 0);
	assert_int_equal(c.kind, CAUSE_NEW);
	assert_int_equal(c.shared, 0);
	assert_string_equal(c.detail, "");
}

static void cause_tells_how_bytes_differ(void **state)
{
	struct buf old = BUF_INIT, new = BUF_INIT;

	(void)state;
	buf_add(&old, text, SIZE);
	buf_add(&new, other, SIZE);
	assert_cause(&old, &new, CAUSE_REWRITTEN, "0 % of its bytes");

	buf_add(&old, text, SIZE);
	buf_add(&new, "inserted", 8);
	buf_add(&new, text, SIZE);
	assert_cause(&old, &new, CAUSE_SHIFTED,
		     "99 % of its bytes stand in the old file, elsewhere");

	buf_add(&old, text, SIZE);
	buf_add(&new, text, SIZE);
	new.data[SIZE / 2] ^= 1;
	assert_cause(&old, &new, CAUSE_EDITED, "1 place differs, 99 %");

	buf_add(&old, text, SIZE);
	buf_add(&new, text, SIZE);
	buf_add(&new, other, SIZE / 2);
	assert_cause(&old, &new, CAUSE_GROWN, "50 % more");

	buf_add(&old, text, SIZE);
	buf_add(&new, text, SIZE / 3);
	assert_cause(&old, &new, CAUSE_SHORTENED, "the beginning of the old content, 33 % of it");
	buf_add(&old, text, SIZE);
	buf_add(&new, text, SIZE / 3);
	new.data[SIZE / 4] ^= 1;
	assert_cause(&old, &new, CAUSE_EDITED, "1 place differs, 99 %");

	/* Four bytes in every hundred, as when addresses move. */
	buf_add(&old, text, SIZE);
	buf_add(&new, text, SIZE);
	for (size_t at = 0; at + 4 <= SIZE; at += 100)
		memset(new.data + at, '#', 4);
	assert_cause(&old, &new, CAUSE_SCATTERED, "9");

	/* So dense that no run is left. */
	buf_add(&old, text, SIZE);
	buf_add(&new, text, SIZE);
	for (size_t at = 0; at < SIZE; at += 8)
		new.data[at] = '#';
	assert_cause(&old, &new, CAUSE_SCATTERED, "87 %");
}

static void cause_of_a_tar_in_another_order(void **state)
{
	struct buf old = BUF_INIT, new = BUF_INIT;
	static char header[512];

	(void)state;
	memcpy(header + 257, "ustar", 6);
	buf_add(&old, header, sizeof header);
	buf_add(&old, text, SIZE);
	buf_add(&new, header, sizeof header);
	buf_add(&new, text + SIZE / 2, SIZE / 2);
	buf_add(&new, text, SIZE / 2);
	assert_cause(&old, &new, CAUSE_REORDERED, "tar, with");
}

/* --- compressed formats -------------------------------------------------------------------------
 */

static void cause_looks_into_streams(void **state)
{
	static void (*const put[])(struct buf *, const uint8_t *, size_t, int) = {put_gzip,
										  put_png};
	static const char *const names[] = {"gzip", "PNG"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buf old = BUF_INIT, new = BUF_INIT, edited = BUF_INIT, wanted = BUF_INIT;
		buf_add(&edited, "!", 1);
		buf_add(&edited, text, SIZE - 1);

		put[i](&old, text, SIZE, 1);
		put[i](&new, text, SIZE, 9);
		buf_addf(&wanted, "%s, with the same content inside", names[i]);
		assert_cause(&old, &new, CAUSE_RECOMPRESSED, wanted.data);

		put[i](&old, text, SIZE, 9);
		put[i](&new, (const uint8_t *)edited.data, edited.len, 9);
		buf_clear(&wanted);
		buf_addf(&wanted, "%s, in which 99 %% of the content", names[i]);
		assert_cause(&old, &new, CAUSE_TINY_CHANGE, wanted.data);

		put[i](&old, text, SIZE, 9);
		put[i](&new, other, SIZE, 9);
		buf_clear(&wanted);
		buf_addf(&wanted, "%s, in which 0 %% of the content", names[i]);
		assert_cause(&old, &new, CAUSE_COMPRESSED, wanted.data);
		buf_release(&edited);
		buf_release(&wanted);
	}
}

static void cause_of_what_cannot_be_seen(void **state)
{
	struct buf old = BUF_INIT, new = BUF_INIT;

	(void)state;
	/* Cut off; damaged; of another format before; of none that is looked into. */
	put_gzip(&old, text, SIZE, 1);
	put_gzip(&new, text, SIZE, 9);
	buf_truncate(&new, new.len - 1);
	assert_cause(&old, &new, CAUSE_COMPRESSED, "cannot be seen");
	put_gzip(&old, text, SIZE, 1);
	put_gzip(&new, text, SIZE, 9);
	new.data[new.len / 2] ^= 0x10;
	assert_cause(&old, &new, CAUSE_COMPRESSED, "cannot be seen");
	buf_add(&old, text, SIZE);
	put_gzip(&new, text, SIZE, 9);
	assert_cause(&old, &new, CAUSE_COMPRESSED, "gzip, of which");
	buf_adds(&old, "\x28\xB5\x2F\xFD");
	buf_add(&old, text, 5000);
	buf_adds(&new, "\x28\xB5\x2F\xFD");
	buf_add(&new, other, 5000);
	assert_cause(&old, &new, CAUSE_COMPRESSED, "zstd, of which");
}

/* A bomb: 50 MB of zeros in 50 KB. */
static void cause_stays_within_its_memory(void **state)
{
	size_t len = 50000000;
	uint8_t *zeros = calloc(1, len);
	struct buf old = BUF_INIT, new = BUF_INIT;

	(void)state;
	assert_non_null(zeros);
	put_gzip(&old, text, SIZE, 1);
	put_gzip(&new, zeros, len, 9);
	struct cause c = find(&old, &new, UINT64_C(1) << 20);
	assert_int_equal(c.kind, CAUSE_COMPRESSED);
	assert_string_equal(c.detail, "gzip, whose content cannot be seen");
	c = find(&old, &new, 0);
	assert_int_equal(c.kind, CAUSE_COMPRESSED);
	free(zeros);
	buf_release(&old);
	buf_release(&new);
}

static void cause_compares_zip_members(void **state)
{
	const struct member ab[] = {{'a', text, SIZE / 2}, {'b', other, SIZE / 2}},
			    ba[] = {ab[1], ab[0]}, ac[] = {ab[0], {'b', text + SIZE / 2, 1000}},
			    cd[] = {{'a', text + 7, 30000}, {'b', other + 7, 20000}};
	struct buf old = BUF_INIT, new = BUF_INIT;

	(void)state;
	put_zip(&old, ab, 2, 9, 1);
	put_zip(&new, ba, 2, 9, 1);
	assert_cause(&old, &new, CAUSE_REORDERED, "the same 2 members in another order");
	put_zip(&old, ab, 2, 9, 1);
	put_zip(&new, ab, 2, 9, 2);
	assert_cause(&old, &new, CAUSE_REORDERED, "the same 2 members and other times");
	put_zip(&old, ab, 2, 9, 1);
	put_zip(&new, ab, 2, 1, 1);
	assert_cause(&old, &new, CAUSE_RECOMPRESSED, "the same 2 members, packed otherwise");
	put_zip(&old, ab, 2, 9, 1);
	put_zip(&new, ac, 2, 1, 1);
	assert_cause(&old, &new, CAUSE_TINY_CHANGE, "1 of 2 members are the same");
	put_zip(&old, ab, 2, 9, 1);
	put_zip(&new, cd, 2, 9, 1);
	assert_cause(&old, &new, CAUSE_COMPRESSED, "0 of 2 members are the same");
}

/* Every byte of it may be hostile: none of them may lead out of the file. */
static void cause_survives_damage(void **state)
{
	const struct member ab[] = {{'a', text, 300}, {'b', other, 200}};
	struct buf files[3] = {BUF_INIT, BUF_INIT, BUF_INIT};

	(void)state;
	put_zip(&files[0], ab, 2, 9, 1);
	put_png(&files[1], text, 600, 9);
	put_gzip(&files[2], text, 600, 9);
	for (size_t f = 0; f < 3; f++) {
		for (size_t i = 4; i < files[f].len; i++) {
			struct buf damaged = BUF_INIT;
			buf_add(&damaged, files[f].data, files[f].len);
			for (int with = 0; with < 3; with++) {
				damaged.data[i] = (char)(with == 0 ? 0xFF : with == 1 ? 0 : 0x7F);
				(void)find(&files[f], &damaged, MEMORY);
				(void)find(&damaged, &files[f], MEMORY);
			}
			buf_truncate(&damaged, i);
			(void)find(&files[f], &damaged, MEMORY);
			buf_release(&damaged);
		}
		buf_release(&files[f]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cause_of_a_file_without_base_is_new),
	    cmocka_unit_test(cause_tells_how_bytes_differ),
	    cmocka_unit_test(cause_of_a_tar_in_another_order),
	    cmocka_unit_test(cause_looks_into_streams),
	    cmocka_unit_test(cause_of_what_cannot_be_seen),
	    cmocka_unit_test(cause_stays_within_its_memory),
	    cmocka_unit_test(cause_compares_zip_members),
	    cmocka_unit_test(cause_survives_damage),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
