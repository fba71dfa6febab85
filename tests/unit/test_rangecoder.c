#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/rangecoder.h"

#define BITS 200000

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static uint32_t probability(uint32_t *seed)
{
	static const uint32_t odd[] = {1, 2, 255, 256, 32768, 65279, 65534, 65535};
	uint32_t n = next(seed);

	return n % 3 == 0 ? odd[n / 3 % 8] : 1 + n % 65535;
}

/* Bits as likely as they are said to be, or as unlikely. */
static unsigned bit_of(uint32_t *seed, uint32_t p, bool likely)
{
	unsigned bit = next(seed) % 65536 < p;

	return likely ? bit : !bit;
}

static void write_bits(struct buf *b, size_t count, bool likely)
{
	struct rangecoder c;
	uint32_t seed = 1;

	rangecoder_write(&c, b);
	for (size_t i = 0; i < count; i++) {
		uint32_t p = probability(&seed);
		unsigned bit = bit_of(&seed, p, likely);
		assert_int_equal(rangecoder_bit(&c, bit, p), bit);
	}
	rangecoder_finish(&c);
}

static void read_bits(const struct buf *b, size_t count, bool likely)
{
	struct rangecoder c;
	uint32_t seed = 1;

	rangecoder_read(&c, (const uint8_t *)b->data, b->len);
	for (size_t i = 0; i < count; i++) {
		uint32_t p = probability(&seed);
		unsigned bit = bit_of(&seed, p, likely);
		assert_int_equal(rangecoder_bit(&c, !bit, p), bit);
		assert_false(rangecoder_overrun(&c));
	}
	assert_true(rangecoder_ended(&c));
}

static void bits_come_back(void **state)
{
	(void)state;
	for (int likely = 0; likely < 2; likely++) {
		for (size_t count = 0; count < BITS; count += 1 + count * 2) {
			struct buf b = BUF_INIT;
			write_bits(&b, count, likely);
			read_bits(&b, count, likely);
			buf_release(&b);
		}
	}
}

static void sure_bits_cost_next_to_nothing(void **state)
{
	struct buf b = BUF_INIT;
	struct rangecoder c;

	(void)state;
	rangecoder_write(&c, &b);
	for (size_t i = 0; i < 1000000; i++)
		(void)rangecoder_bit(&c, i % 2, i % 2 ? 65535 : 1);
	rangecoder_finish(&c);
	/* 2.2e-5 bits each */
	assert_in_range(b.len, 2, 5);
	buf_release(&b);
}

static bool ends(const uint8_t *bytes, size_t len, size_t bits, bool *overrun)
{
	struct rangecoder c;

	rangecoder_read(&c, bytes, len);
	for (size_t i = 0; i < bits; i++)
		(void)rangecoder_bit(&c, 0, 32768);
	*overrun = rangecoder_overrun(&c);
	return rangecoder_ended(&c);
}

static void other_ends_are_noticed(void **state)
{
	struct buf b = BUF_INIT;
	struct rangecoder c;
	bool overrun;

	(void)state;
	rangecoder_write(&c, &b);
	for (size_t i = 0; i < 800; i++)
		(void)rangecoder_bit(&c, i % 3 == 0, 32768);
	rangecoder_finish(&c);
	assert_in_range(b.len, 100, 101);
	assert_true(ends((const uint8_t *)b.data, b.len, 800, &overrun));
	assert_false(overrun);
	assert_false(ends((const uint8_t *)b.data, b.len - 1, 800, &overrun));
	assert_true(overrun);
	buf_addc(&b, 0);
	assert_false(ends((const uint8_t *)b.data, b.len, 800, &overrun));
	assert_false(overrun);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bits_come_back),
	    cmocka_unit_test(sure_bits_cost_next_to_nothing),
	    cmocka_unit_test(other_ends_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
