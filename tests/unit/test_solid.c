#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/solid.h"

#include "patience.h"

#define MEMORY (UINT64_C(1) << 30)

/* --- texts ------------------------------------------------------------------------------------ */

static uint32_t seed;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

/* Words of a small language, which look like a program more than noise does. */
static void add_words(struct buf *b, size_t len)
{
	static const char *const words[] = {"function ", "return ", "const ", "texture", "matrix",
					    "( ",        " );\n",   " = ",    "this.",   "update"};
	size_t end = b->len + len;

	while (b->len < end) {
		buf_adds(b, words[any(10)]);
		if (any(4) == 0)
			buf_addf(b, "%u", any(1000));
	}
	buf_truncate(b, end);
}

static void add_noise(struct buf *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_addc(b, (char)any(256));
}

/* --- both ways -------------------------------------------------------------------------------- */

struct ends {
	const struct buf *old;
	struct buf made;
	unsigned refuse_read, refuse_put; /* the call that fails, from 1 */
};

static int read_old(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	struct ends *ends = context;

	assert_true(offset <= ends->old->len && len <= ends->old->len - offset);
	if (ends->refuse_read > 0 && --ends->refuse_read == 0)
		return err_set(e, ERR_SYSTEM, "the disk is gone");
	memcpy(to, ends->old->data + offset, len);
	return 0;
}

static int put(void *context, const void *bytes, size_t len, struct err *e)
{
	struct ends *ends = context;

	if (ends->refuse_put > 0 && --ends->refuse_put == 0)
		return err_set(e, ERR_SYSTEM, "the disk is full");
	buf_add(&ends->made, bytes, len);
	return buf_check(&ends->made, e);
}

static void encode_with(const struct buf *old, const struct buf *new, unsigned threads,
			uint64_t memory, struct buf *ret)
{
	struct solid_text from = {(const uint8_t *)old->data, old->len};
	struct solid_text to = {(const uint8_t *)new->data, new->len};
	struct solid_options options = {threads, memory};
	struct err e;

	assert_int_equal(solid_encode(&from, &to, &options, ret, &e), 0);
}

/* 0 with the text in ends->made, or the code of the error. The payload lies in a block of its size.
 */
static enum err_code decode(const struct buf *payload, struct ends *ends, uint64_t new_len,
			    uint64_t memory)
{
	uint8_t *exact = malloc(payload->len + (payload->len == 0));
	struct solid_io io = {ends, read_old, put};
	struct err e = {0};

	assert_non_null(exact);
	memcpy(exact, payload->data, payload->len);
	int result = solid_decode(exact, payload->len, ends->old->len, new_len, memory, &io, &e);
	free(exact);
	assert_true(result == 0 || (e.code != ERR_NONE && e.msg[0] != '\0'));
	return result == 0 ? ERR_NONE : e.code;
}

static void assert_gives(const struct buf *payload, const struct buf *old, const struct buf *new)
{
	struct ends ends = {.old = old, .made = BUF_INIT};

	assert_int_equal(decode(payload, &ends, new->len, MEMORY), ERR_NONE);
	assert_int_equal(ends.made.len, new->len);
	assert_memory_equal(ends.made.data, new->data, new->len);
	buf_release(&ends.made);
}

/* There and back; returns the payload's length. */
static size_t round_trip_with(const struct buf *old, const struct buf *new, uint64_t memory)
{
	struct buf payload = BUF_INIT;
	size_t len;

	encode_with(old, new, 1, memory, &payload);
	assert_gives(&payload, old, new);
	len = payload.len;
	buf_release(&payload);
	return len;
}

static size_t round_trip(const struct buf *old, const struct buf *new)
{
	return round_trip_with(old, new, MEMORY);
}

/* --- what comes back -------------------------------------------------------------------------- */

static void empty_and_tiny_texts(void **state)
{
	(void)state;
	for (size_t old_len = 0; old_len < 20; old_len++) {
		for (size_t new_len = 0; new_len < 20; new_len += 1 + new_len / 4) {
			struct buf old = BUF_INIT, new = BUF_INIT;
			buf_add(&old, "abababcabababcabababc", old_len);
			buf_add(&new, "ababcababababcabababa", new_len);
			(void)round_trip(&old, &new);
			buf_release(&old);
			buf_release(&new);
		}
	}
}

static void same_text_costs_next_to_nothing(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	seed = 1;
	add_noise(&text, 300000);
	assert_in_range(round_trip(&text, &text), 1, 100);
	buf_release(&text);
}

static void text_without_an_old_one(void **state)
{
	struct buf none = BUF_INIT, text = BUF_INIT;

	(void)state;
	seed = 2;
	add_words(&text, 100000);
	assert_in_range(round_trip(&none, &text), 1000, 30000);
	buf_release(&text);
}

static void renamed_names_are_learned(void **state)
{
	struct buf old = BUF_INIT, new = BUF_INIT;

	(void)state;
	seed = 3;
	for (unsigned i = 0; i < 5000; i++) {
		unsigned words = any(40);
		buf_addf(&old, "a.%u(Xy,q)%u;", words, i);
		buf_addf(&new, "b.%u(Xyz,q)%u;", words, i);
	}
	/* Each line has two changes; what takes its byte is where they are, not what. */
	assert_in_range(round_trip(&old, &new), 1, 7500);
	buf_release(&old);
	buf_release(&new);
}

static void new_text_is_a_source_too(void **state)
{
	struct buf old = BUF_INIT, once = BUF_INIT, twice = BUF_INIT;

	(void)state;
	seed = 4;
	add_words(&old, 1000);
	add_noise(&once, 40000);
	buf_add(&twice, once.data, once.len);
	buf_add(&twice, once.data, once.len);
	assert_in_range(round_trip(&old, &twice), 40000, round_trip(&old, &once) + 30);
	buf_release(&old);
	buf_release(&once);
	buf_release(&twice);
}

static void source_close_behind(void **state)
{
	struct buf old = BUF_INIT, new = BUF_INIT;

	(void)state;
	for (size_t apart = 1; apart <= patience(40, 10); apart++) {
		for (size_t i = 0; i < 500; i++)
			buf_addc(&new, (char)('a' + i % apart));
		(void)round_trip(&old, &new);
	}
	buf_release(&new);
}

/* One of the things that happen to files. */
static void edit(struct buf *new, const struct buf *old)
{
	size_t at = any((uint32_t)old->len), len = any(3000);

	if (len > old->len - at)
		len = old->len - at;
	switch (any(6)) {
	case 0: add_words(new, any(300)); break;
	case 1: add_noise(new, any(100)); break;
	case 2: /* a byte here and there is another */
		buf_add(new, old->data + at, len);
		for (size_t i = new->len - len; i < new->len; i += 1 + any(200))
			new->data[i] ^= (char)(1 + any(3));
		break;
	case 3: /* something that was just made */
		if (new->len > len) {
			struct buf again = BUF_INIT;
			buf_add(&again, new->data + any((uint32_t)(new->len - len)), len);
			buf_add(new, again.data, again.len);
			buf_release(&again);
		}
		break;
	case 4:
		for (size_t n = any(400); n > 0; n--)
			buf_addc(new, 'z');
		break;
	default: buf_add(new, old->data + at, len);
	}
}

static void random_edits(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < patience(40, 8); i++) {
		struct buf old = BUF_INIT, new = BUF_INIT;
		seed = 1000 + i;
		add_words(&old, 1 + any(20000));
		add_noise(&old, any(5000));
		for (unsigned n = any(60); n > 0; n--)
			edit(&new, &old);
		(void)round_trip(&old, &new);
		/* Without the room for a suffix array too. */
		(void)round_trip_with(&old, &new, 0);
		buf_release(&old);
		buf_release(&new);
	}
}

static void little_memory_still_finds_long_pieces(void **state)
{
	const size_t len = patience(2000000, 500000);
	struct buf old = BUF_INIT, new = BUF_INIT;

	(void)state;
	seed = 5;
	add_noise(&old, len);
	for (size_t at = len - 100000; at > 0; at -= 100000)
		buf_add(&new, old.data + at, 100000);
	assert_in_range(round_trip_with(&old, &new, 0), 1, 2000);
	buf_release(&old);
	buf_release(&new);
}

static void long_noise_is_bulk(void **state)
{
	struct buf old = BUF_INIT, new = BUF_INIT;

	(void)state;
	seed = 6;
	add_words(&old, 50000);
	buf_add(&new, old.data, 20000);
	add_noise(&new, 700000);
	buf_add(&new, old.data + 20000, 30000);
	add_noise(&new, 100000);
	/* What the noise takes, and no model makes it longer. */
	assert_in_range(round_trip(&old, &new), 800000, 800300);
	/* A source in bulk is one too. */
	buf_add(&new, new.data + 300000, 200000);
	assert_in_range(round_trip(&old, &new), 800000, 800400);
	buf_release(&old);
	buf_release(&new);
}

static void what_the_model_has_no_time_for_is_bulk(void **state)
{
	struct buf old = BUF_INIT, new = BUF_INIT, payload = BUF_INIT;

	(void)state;
	/* 8 MiB through the model would take valgrind a quarter of an hour. */
	if (patience(2, 1) == 1)
		skip();
	seed = 7;
	add_words(&old, 1000);
	/* Letters without a repetition, just over what the model takes. */
	for (size_t i = 0; i < (8U << 20) + 1000; i++)
		buf_addc(&new, (char)('a' + any(26)));
	encode_with(&old, &new, 2, MEMORY, &payload);
	assert_gives(&payload, &old, &new);
	assert_memory_equal(payload.data + 34, "\x28\xb5\x2f\xfd", 4);
	buf_release(&old);
	buf_release(&new);
	buf_release(&payload);
}

static void threads_make_no_difference(void **state)
{
	struct buf old = BUF_INIT, new = BUF_INIT, one = BUF_INIT, many = BUF_INIT;

	(void)state;
	seed = 8;
	add_words(&old, 30000);
	buf_add(&new, old.data, old.len);
	add_noise(&new, 200000);
	add_words(&new, 30000);
	encode_with(&old, &new, 1, MEMORY, &one);
	for (unsigned threads = 0; threads < 5; threads += 2) {
		buf_clear(&many);
		encode_with(&old, &new, threads, MEMORY, &many);
		assert_int_equal(one.len, many.len);
		assert_memory_equal(one.data, many.data, one.len);
	}
	buf_release(&old);
	buf_release(&new);
	buf_release(&one);
	buf_release(&many);
}

static void payload_is_appended(void **state)
{
	struct buf text = BUF_INIT, payload = BUF_INIT;

	(void)state;
	seed = 9;
	add_words(&text, 1000);
	buf_adds(&payload, "before");
	encode_with(&text, &text, 1, MEMORY, &payload);
	assert_memory_equal(payload.data, "before", 6);
	buf_consume(&payload, 6);
	assert_gives(&payload, &text, &text);
	buf_release(&text);
	buf_release(&payload);
}

/* --- what is refused -------------------------------------------------------------------------- */

struct sample {
	struct buf old, new, payload;
};

static void sample_make(struct sample *s)
{
	*s = (struct sample){BUF_INIT, BUF_INIT, BUF_INIT};
	seed = 10;
	add_words(&s->old, 3000);
	buf_add(&s->new, s->old.data, 1000);
	add_noise(&s->new, 70000);
	buf_add(&s->new, s->old.data + 1500, 1500);
	add_words(&s->new, 300);
	encode_with(&s->old, &s->new, 1, MEMORY, &s->payload);
}

static void sample_release(struct sample *s)
{
	buf_release(&s->old);
	buf_release(&s->new);
	buf_release(&s->payload);
}

/* Whatever was done to the payload, it gives exactly new_len bytes or an error. */
static enum err_code spoilt(const struct sample *s, const struct buf *payload)
{
	struct ends ends = {.old = &s->old, .made = BUF_INIT};
	enum err_code code = decode(payload, &ends, s->new.len, MEMORY);

	assert_true(ends.made.len <= s->new.len);
	assert_true(code == ERR_MALFORMED || (code == ERR_NONE && ends.made.len == s->new.len));
	buf_release(&ends.made);
	return code;
}

static void every_truncation_is_refused(void **state)
{
	struct sample s;

	(void)state;
	sample_make(&s);
	for (size_t len = 0; len < s.payload.len;
	     len += len < 100 || s.payload.len - len < 20 ? 1 : 4999) {
		struct buf cut = BUF_INIT;
		buf_add(&cut, s.payload.data, len);
		assert_int_equal(spoilt(&s, &cut), ERR_MALFORMED);
		buf_release(&cut);
	}
	sample_release(&s);
}

static void bytes_behind_the_end_are_refused(void **state)
{
	struct sample s;

	(void)state;
	sample_make(&s);
	for (unsigned i = 0; i < 20; i++) {
		buf_addc(&s.payload, 0);
		assert_int_equal(spoilt(&s, &s.payload), ERR_MALFORMED);
	}
	sample_release(&s);
}

static void flipped_bits_do_no_harm(void **state)
{
	struct sample s;
	unsigned refused = 0;

	(void)state;
	sample_make(&s);
	for (unsigned i = 0; i < 150; i++) {
		size_t at = i < 75 ? i : s.payload.len - 1 - any(500);
		char before = s.payload.data[at];
		s.payload.data[at] ^= (char)(1 << any(8));
		refused += spoilt(&s, &s.payload) == ERR_MALFORMED;
		s.payload.data[at] = before;
	}
	/* Nothing but the head says what is right: the delta has a digest of it all. */
	assert_in_range(refused, 33, 150);
	assert_gives(&s.payload, &s.old, &s.new);
	sample_release(&s);
}

static void every_byte_of_the_head_counts(void **state)
{
	struct sample s;

	(void)state;
	sample_make(&s);
	for (size_t i = 0; i < 34; i++) {
		if (i == 9) /* another reach can be as good */
			continue;
		s.payload.data[i] ^= 1;
		assert_int_equal(spoilt(&s, &s.payload), ERR_MALFORMED);
		s.payload.data[i] ^= 1;
	}
	for (unsigned reach = 0; reach < 256; reach++) {
		if (reach >= 16 && reach <= 28)
			continue;
		s.payload.data[9] = (char)reach;
		assert_int_equal(spoilt(&s, &s.payload), ERR_MALFORMED);
	}
	sample_release(&s);
}

static void noise_behind_a_head_does_no_harm(void **state)
{
	struct sample s;

	(void)state;
	sample_make(&s);
	for (unsigned i = 0; i < 60; i++) {
		struct buf b = BUF_INIT;
		buf_add(&b, s.payload.data, 26);
		buf_add(&b, "\0\0\0\0\0\0\0\0", 8);
		add_noise(&b, 1 + any(4000));
		(void)spoilt(&s, &b);
		buf_release(&b);
	}
	sample_release(&s);
}

static void other_lengths_are_refused(void **state)
{
	struct sample s;
	struct ends ends;

	(void)state;
	sample_make(&s);
	ends = (struct ends){.old = &s.old, .made = BUF_INIT};
	assert_int_equal(decode(&s.payload, &ends, s.new.len + 1, MEMORY), ERR_MALFORMED);
	assert_int_equal(decode(&s.payload, &ends, s.new.len - 1, MEMORY), ERR_MALFORMED);
	ends.old = &s.new;
	assert_int_equal(decode(&s.payload, &ends, s.new.len, MEMORY), ERR_MALFORMED);
	assert_int_equal(ends.made.len, 0);
	buf_release(&ends.made);
	sample_release(&s);
}

static void too_little_memory_is_refused(void **state)
{
	struct sample s;
	struct ends ends;

	(void)state;
	sample_make(&s);
	ends = (struct ends){.old = &s.old, .made = BUF_INIT};
	assert_int_equal(decode(&s.payload, &ends, s.new.len, 1 << 20), ERR_REFUSED);
	/* A payload that asks for more than it needs gets no more. */
	s.payload.data[9] = 28;
	assert_int_equal(decode(&s.payload, &ends, s.new.len, UINT64_C(256) << 20), ERR_REFUSED);
	assert_int_equal(ends.made.len, 0);
	buf_release(&ends.made);
	sample_release(&s);
}

static void failures_of_the_caller_come_back(void **state)
{
	struct sample s;

	(void)state;
	sample_make(&s);
	for (unsigned call = 1; call <= 2; call++) {
		struct ends reads = {.old = &s.old, .made = BUF_INIT, .refuse_read = call};
		struct ends puts = {.old = &s.old, .made = BUF_INIT, .refuse_put = call};
		assert_int_equal(decode(&s.payload, &reads, s.new.len, MEMORY), ERR_SYSTEM);
		assert_int_equal(decode(&s.payload, &puts, s.new.len, MEMORY), ERR_SYSTEM);
		buf_release(&reads.made);
		buf_release(&puts.made);
	}
	sample_release(&s);
}

static void memory_is_told(void **state)
{
	(void)state;
	/* Four bytes for each of the old text, and what does not depend on it. */
	assert_in_range(solid_encode_memory(150000000, 60000000), 600000000, 900000000);
	assert_true(solid_encode_memory(0, 0) < 200000000);
	assert_true(solid_encode_memory(UINT64_C(5) << 30, 1000) < 400000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_and_tiny_texts),
	    cmocka_unit_test(same_text_costs_next_to_nothing),
	    cmocka_unit_test(text_without_an_old_one),
	    cmocka_unit_test(renamed_names_are_learned),
	    cmocka_unit_test(new_text_is_a_source_too),
	    cmocka_unit_test(source_close_behind),
	    cmocka_unit_test(random_edits),
	    cmocka_unit_test(little_memory_still_finds_long_pieces),
	    cmocka_unit_test(long_noise_is_bulk),
	    cmocka_unit_test(what_the_model_has_no_time_for_is_bulk),
	    cmocka_unit_test(threads_make_no_difference),
	    cmocka_unit_test(payload_is_appended),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(bytes_behind_the_end_are_refused),
	    cmocka_unit_test(flipped_bits_do_no_harm),
	    cmocka_unit_test(every_byte_of_the_head_counts),
	    cmocka_unit_test(noise_behind_a_head_does_no_harm),
	    cmocka_unit_test(other_lengths_are_refused),
	    cmocka_unit_test(too_little_memory_is_refused),
	    cmocka_unit_test(failures_of_the_caller_come_back),
	    cmocka_unit_test(memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
