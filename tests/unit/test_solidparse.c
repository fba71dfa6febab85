#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/buf.h"
#include "swarm/solidparse.h"

static uint32_t seed;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

static void add_words(struct buf *b, size_t count)
{
	static const char *const words[] = {"let ", "x", "yy", " = ", ";\n", "(", ")", "call", "0"};

	for (size_t i = 0; i < count; i++)
		buf_adds(b, words[any(9)]);
}

/* What the steps cost in bytes that have to be told; checks that they can be walked. */
static size_t told(const struct solidparse_text *t, const struct solidparse_step *steps,
		   size_t count)
{
	size_t sum = 0;

	assert_true(t->new_len == 0 ? count == 0 : count > 0 && steps[0].at == 0);
	for (size_t i = 0; i < count; i++) {
		uint64_t end = i + 1 < count ? steps[i + 1].at : t->new_len;
		uint64_t source = steps[i].source;
		assert_true(steps[i].at < end);
		if (source == SOLIDPARSE_LITERAL) {
			sum += end - steps[i].at;
			continue;
		}
		for (uint64_t at = steps[i].at; at < end; at++, source++) {
			uint8_t guess;
			if (source & SOLIDPARSE_NEW) {
				uint64_t back = at - (source & ~SOLIDPARSE_NEW);
				assert_in_range(back, SOLIDPARSE_APART, t->reach);
				guess = t->new[at - back];
			} else {
				assert_true(source < t->old_len);
				guess = t->old[source];
			}
			assert_true(at > steps[i].at || guess == t->new[at]);
			sum += guess != t->new[at];
		}
	}
	return sum;
}

static size_t parse(const struct buf *old, const struct buf *new, uint64_t reach, uint64_t memory)
{
	struct solidparse_text t = {(const uint8_t *)old->data, (const uint8_t *)new->data,
				    old->len, new->len, reach};
	struct solidparse_step *steps = NULL;
	size_t count;
	struct err e;
	struct solidindex *index = solidindex_new(t.old, t.old_len, t.new, t.new_len, memory, &e);

	assert_non_null(index);
	assert_int_equal(solidparse_run(&t, index, &steps, &count, &e), 0);
	size_t sum = told(&t, steps, count);
	free(steps);
	solidindex_free(index);
	return sum;
}

static void nothing_has_no_steps(void **state)
{
	struct buf old = BUF_INIT, none = BUF_INIT;

	(void)state;
	buf_adds(&old, "something");
	assert_int_equal(parse(&old, &none, 1000, UINT64_MAX), 0);
	assert_int_equal(parse(&none, &none, 1000, UINT64_MAX), 0);
	assert_int_equal(parse(&none, &old, 1000, UINT64_MAX), 9);
	buf_release(&old);
}

static void steps_stay_in_reach(void **state)
{
	(void)state;
	for (uint64_t reach = 16; reach <= 65536; reach *= 4) {
		for (uint32_t i = 0; i < 10; i++) {
			struct buf old = BUF_INIT, new = BUF_INIT;
			seed = i + 1;
			add_words(&old, 300);
			for (unsigned n = 0; n < 30; n++) {
				size_t at = any((uint32_t)old.len);
				size_t len = any((uint32_t)(old.len - at));
				add_words(&new, any(20));
				buf_add(&new, old.data + at, len / (1 + n % 3));
			}
			size_t full = parse(&old, &new, reach, UINT64_MAX);
			assert_in_range(full, 0, new.len / 4);
			/* The rough index finds less. */
			(void)parse(&old, &new, reach, 0);
			buf_release(&old);
			buf_release(&new);
		}
	}
}

static void moved_blocks_cost_nothing(void **state)
{
	struct buf old = BUF_INIT, new = BUF_INIT;

	(void)state;
	seed = 99;
	for (unsigned i = 0; i < 20000; i++)
		buf_addc(&old, (char)any(256));
	for (size_t at = 20000; at >= 1000; at -= 1000)
		buf_add(&new, old.data + at - 1000, 1000);
	assert_in_range(parse(&old, &new, 65536, UINT64_MAX), 0, 20);
	/* A byte here and there is replaced, without another source for it. */
	for (size_t at = 100; at < new.len; at += 200)
		new.data[at] ^= 1;
	assert_in_range(parse(&old, &new, 65536, UINT64_MAX), 100, 140);
	buf_release(&old);
	buf_release(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_has_no_steps),
	    cmocka_unit_test(steps_stay_in_reach),
	    cmocka_unit_test(moved_blocks_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
