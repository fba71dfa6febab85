#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/sha.h>

#include "swarm/ipsecmb.h"

#include "trees.h"

#define MESSAGES_MAX ((size_t)600)
/* Behind each digest, where nothing may be written. */
#define FENCE 32
#define MARK  0xA5

/* --- helpers ---------------------------------------------------------------------------------- */

static uint8_t *content; /* IPSECMB_LEN_MAX bytes and some */
#define CONTENT (IPSECMB_LEN_MAX + 4096)

struct set {
	struct ipsecmb *manager;
	struct sha256_message messages[MESSAGES_MAX];
	size_t count;
	uint8_t digests[MESSAGES_MAX][SHA256_SIZE + FENCE];
};

static struct set set;

static void add(const void *bytes, size_t len)
{
	assert_true(set.count < MESSAGES_MAX);
	set.messages[set.count] = (struct sha256_message){bytes, len, set.digests[set.count]};
	set.count++;
}

/* Hashes what was added, and starts over. */
static void assert_hashed(void)
{
	static const uint8_t none[1];

	memset(set.digests, MARK, sizeof set.digests);
	assert_int_equal(ipsecmb_hash(set.manager, set.messages, set.count), 0);
	for (size_t i = 0; i < MESSAGES_MAX; i++) {
		uint8_t want[SHA256_SIZE + FENCE];
		const struct sha256_message *m = &set.messages[i];
		memset(want, MARK, sizeof want);
		if (i < set.count)
			SHA256(m->len > 0 ? m->bytes : none, m->len, want);
		if (memcmp(set.digests[i], want, sizeof want) != 0)
			fail_msg("message %zu of %zu, of %zu bytes", i, set.count, m->len);
	}
	set.count = 0;
}

/* A kind that this processor lacks is skipped, where everybody sees it. */
static enum ipsecmb_kind need(void **state)
{
	enum ipsecmb_kind kind = *(const enum ipsecmb_kind *)*state;

	if (!ipsecmb_has(kind))
		skip();
	return kind;
}

static int start(void **state)
{
	enum ipsecmb_kind kind = *(const enum ipsecmb_kind *)*state;
	struct err e;

	set.count = 0;
	set.manager = NULL;
	if (ipsecmb_has(kind) && (set.manager = ipsecmb_new(kind, &e)) == NULL)
		return -1;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	ipsecmb_free(set.manager);
	return 0;
}

/* --- lengths ---------------------------------------------------------------------------------- */

static void digests_are_right_for_every_short_length(void **state)
{
	(void)need(state);
	for (size_t len = 0; len <= 300; len++)
		add(content + len, len);
	assert_hashed();
	for (size_t len = 0; len <= 300; len++) {
		add(content + len, len);
		assert_hashed();
	}
}

static void digests_are_right_around_the_ends_of_blocks(void **state)
{
	(void)need(state);
	for (size_t end = 64; end <= 1100; end += 64)
		for (size_t len = end - 2; len <= end + 2; len++)
			add(content + 1, len);
	assert_hashed();
	/* Where the padding begins to need a block more. */
	for (size_t end = 55; end <= 1100; end += 64)
		for (size_t len = end - 1; len <= end + 2; len++)
			add(content + 1, len);
	assert_hashed();
}

static void digests_are_right_for_long_messages(void **state)
{
	static const size_t lengths[] = {16384, 64 * KIB, 128 * KIB, MIB};

	(void)need(state);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		for (size_t len = lengths[i] - 2; len <= lengths[i] + 2; len++)
			add(content + i, len);
		assert_hashed();
	}
	for (size_t len = IPSECMB_LEN_MAX - 66; len <= IPSECMB_LEN_MAX; len += 11)
		add(content + len % 64, len);
	assert_hashed();
}

/* All lanes full of the longest there may be. */
static void digests_are_right_for_many_of_the_longest(void **state)
{
	size_t lanes = ipsecmb_lanes(need(state));

	for (size_t i = 0; i <= lanes; i++)
		add(content + i, IPSECMB_LEN_MAX);
	assert_hashed();
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void any_number_of_messages_is_hashed(void **state)
{
	size_t lanes = ipsecmb_lanes(need(state));
	const size_t counts[] = {
	    0, 1, 2, lanes - 1, lanes, lanes + 1, 2 * lanes, 3 * lanes + 1, 255, 256, 257, 600};

	for (size_t i = 0; i < COUNT(counts); i++) {
		for (size_t k = 0; k < counts[i]; k++)
			add(content + k, 1000);
		assert_hashed();
		for (size_t k = 0; k < counts[i]; k++)
			add(content + k, (k * 7919 + i) % 1500);
		assert_hashed();
	}
}

/* More short ones than a manager keeps in mind while the long one goes on. */
static void one_long_message_may_stand_anywhere(void **state)
{
	static const size_t places[] = {0, 1, 7, 300, 599};

	(void)need(state);
	for (size_t i = 0; i < COUNT(places); i++) {
		for (size_t k = 0; k < 600; k++)
			add(content + k, k == places[i] ? MIB + 13 : (k * 31) % 200);
		assert_hashed();
	}
}

static void mixed_lengths_are_hashed(void **state)
{
	unsigned seed = 7;

	(void)need(state);
	for (int round = 0; round < 30; round++) {
		for (size_t k = 0; k < 70; k++) {
			seed = seed * 1103515245 + 12345;
			size_t most = (size_t)1 << (seed >> 16 & 15);
			add(content + k, (seed >> 8) % (most + 1));
		}
		assert_hashed();
	}
}

/* --- where they stand ------------------------------------------------------------------------- */

static void messages_may_stand_at_any_address(void **state)
{
	(void)need(state);
	for (size_t len = 1; len <= 129; len += 64) {
		for (size_t at = 0; at < 64; at++)
			add(content + at, len);
		assert_hashed();
	}
}

static void nothing_behind_a_message_is_read(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)need(state);
	uint8_t *room =
	    mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(room != MAP_FAILED);
	memcpy(room, content, page);
	/* Whoever reads a byte too many dies. */
	assert_int_equal(mprotect(room + page, page, PROT_NONE), 0);
	for (size_t len = 0; len <= 300; len++) {
		add(room + page - len, len);
		assert_hashed();
	}
	for (size_t len = 0; len <= 300; len++)
		add(room + page - len, len);
	assert_hashed();
	assert_int_equal(munmap(room, 2 * page), 0);
}

static void digests_may_stand_at_any_address(void **state)
{
	static uint8_t room[64 * (SHA256_SIZE + 1) + 64];

	(void)need(state);
	for (size_t shift = 0; shift < 64; shift++) {
		memset(room, MARK, sizeof room);
		for (size_t i = 0; i < 64; i++) {
			add(content + i, 100 + i);
			set.messages[i].digest = room + shift + i * (SHA256_SIZE + 1);
		}
		assert_int_equal(ipsecmb_hash(set.manager, set.messages, set.count), 0);
		set.count = 0;
		for (size_t i = 0; i < 64; i++) {
			uint8_t want[SHA256_SIZE + 1] = {[SHA256_SIZE] = MARK};
			SHA256(content + i, 100 + i, want);
			assert_memory_equal(room + shift + i * sizeof want, want, sizeof want);
		}
		for (size_t i = 0; i < shift; i++)
			assert_int_equal(room[i], MARK);
	}
}

static void nothing_may_stand_nowhere(void **state)
{
	(void)need(state);
	add(NULL, 0);
	assert_hashed();
	for (size_t i = 0; i < 40; i++)
		add(i % 3 == 0 ? NULL : content, i % 3 == 0 ? 0 : i);
	assert_hashed();
}

/* --- managers --------------------------------------------------------------------------------- */

static void managers_do_not_disturb_each_other(void **state)
{
	enum ipsecmb_kind kind = need(state);
	struct err e;
	struct ipsecmb *first = set.manager, *other = ipsecmb_new(kind, &e);

	assert_non_null(other);
	for (int round = 0; round < 20; round++) {
		set.manager = round % 2 == 0 ? first : other;
		for (size_t k = 0; k < 21; k++)
			add(content + k, 64 * k + (size_t)round);
		assert_hashed();
	}
	ipsecmb_free(other);
	set.manager = first;
}

/* --- without a manager ------------------------------------------------------------------------ */

static void a_manager_is_to_be_had_of_just_the_kinds_that_are_there(void **state)
{
	(void)state;
	for (enum ipsecmb_kind kind = 0; kind < IPSECMB_KINDS; kind++) {
		struct err e = {.code = ERR_NONE};
		struct ipsecmb *m = ipsecmb_new(kind, &e);
		assert_int_equal(m != NULL, ipsecmb_has(kind));
		assert_int_equal(e.code, m != NULL ? ERR_NONE : ERR_SYSTEM);
		ipsecmb_free(m);
	}
}

static void kinds_have_names_and_lanes(void **state)
{
	(void)state;
	assert_string_equal(ipsecmb_kind_name(IPSECMB_SHANI), "SHA extensions");
	assert_string_equal(ipsecmb_kind_name(IPSECMB_AVX2), "AVX2");
	assert_string_equal(ipsecmb_kind_name(IPSECMB_AVX512), "AVX-512");
	assert_int_equal(ipsecmb_lanes(IPSECMB_SHANI), 2);
	assert_int_equal(ipsecmb_lanes(IPSECMB_AVX2), 8);
	assert_int_equal(ipsecmb_lanes(IPSECMB_AVX512), 16);
#ifdef SWARM_IPSECMB
	assert_true(ipsecmb_version()[0] >= '0' && ipsecmb_version()[0] <= '9');
#else
	assert_string_equal(ipsecmb_version(), "");
#endif
	ipsecmb_free(NULL);
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
	static enum ipsecmb_kind kinds[] = {IPSECMB_SHANI, IPSECMB_AVX2, IPSECMB_AVX512};
#define OF_KIND(test, kind)                                                \
	{                                                                  \
#test "_" #kind, test, start, stop, &kinds[IPSECMB_##kind] \
	}
#define OF_EACH(test) OF_KIND(test, SHANI), OF_KIND(test, AVX2), OF_KIND(test, AVX512)
	const struct CMUnitTest tests[] = {
	    OF_EACH(digests_are_right_for_every_short_length),
	    OF_EACH(digests_are_right_around_the_ends_of_blocks),
	    OF_EACH(digests_are_right_for_long_messages),
	    OF_EACH(digests_are_right_for_many_of_the_longest),
	    OF_EACH(any_number_of_messages_is_hashed),
	    OF_EACH(one_long_message_may_stand_anywhere),
	    OF_EACH(mixed_lengths_are_hashed),
	    OF_EACH(messages_may_stand_at_any_address),
	    OF_EACH(nothing_behind_a_message_is_read),
	    OF_EACH(digests_may_stand_at_any_address),
	    OF_EACH(nothing_may_stand_nowhere),
	    OF_EACH(managers_do_not_disturb_each_other),
	    cmocka_unit_test(a_manager_is_to_be_had_of_just_the_kinds_that_are_there),
	    cmocka_unit_test(kinds_have_names_and_lanes),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
