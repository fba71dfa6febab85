#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "swarm/gate.h"

#define LIMIT   UINT64_C(10)
#define THREADS 8
#define ROUNDS  2000

struct crowd {
	struct gate *gate;
	atomic_uint_fast64_t inside, most;
	atomic_bool refused;
};

static void *pass(void *context)
{
	struct crowd *c = context;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t amount = 1 + i % LIMIT;
		if (!gate_enter(c->gate, amount)) {
			atomic_store(&c->refused, true);
			return NULL;
		}
		uint64_t now = atomic_fetch_add(&c->inside, amount) + amount;
		uint64_t most = atomic_load(&c->most);
		while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now))
			;
		atomic_fetch_sub(&c->inside, amount);
		gate_leave(c->gate, amount);
	}
	return NULL;
}

static void gate_lets_in_what_there_is_room_for(void **state)
{
	struct err e;
	struct crowd c = {.gate = gate_new(LIMIT, &e)};
	pthread_t threads[THREADS];

	(void)state;
	assert_non_null(c.gate);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, pass, &c), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_false(atomic_load(&c.refused));
	assert_int_equal(atomic_load(&c.inside), 0);
	assert_true(atomic_load(&c.most) <= LIMIT);
	/* All of it is free again. */
	assert_true(gate_enter(c.gate, LIMIT));
	gate_free(c.gate);
}

static void gate_refuses_what_can_never_be(void **state)
{
	struct err e;
	struct gate *g = gate_new(LIMIT, &e);

	(void)state;
	assert_non_null(g);
	assert_false(gate_enter(g, LIMIT + 1));
	assert_false(gate_enter(g, UINT64_MAX));
	assert_true(gate_enter(g, LIMIT));
	assert_true(gate_enter(g, 0));
	assert_false(gate_enter(g, LIMIT + 1));
	gate_free(g);
	gate_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gate_lets_in_what_there_is_room_for),
	    cmocka_unit_test(gate_refuses_what_can_never_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
