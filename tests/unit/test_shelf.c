#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/shelf.h"

static void shelf_keeps_the_first_of_an_id(void **state)
{
	const uint8_t a[SHA256_SIZE] = {1}, b[SHA256_SIZE] = {1, [SHA256_SIZE - 1] = 1};
	char key[] = "key", headers[] = "headers";
	struct shelf s = SHELF_INIT;
	struct err e;

	(void)state;
	assert_null(shelf_find(&s, a));
	assert_int_equal(shelf_put(&s, a, key, headers, &e), 0);
	assert_int_equal(shelf_put(&s, a, "other", "", &e), 0);
	assert_null(shelf_find(&s, b));
	assert_int_equal(shelf_put(&s, b, "b", "headers", &e), 0);
	memset(key, 'x', sizeof key - 1);
	memset(headers, 'x', sizeof headers - 1);
	assert_int_equal(s.count, 2);
	assert_string_equal(shelf_find(&s, a)->key, "key");
	assert_string_equal(shelf_find(&s, a)->headers, "headers");
	assert_int_equal(shelf_find(&s, a)->mark, 0);
	assert_string_equal(shelf_find(&s, b)->key, "b");
	assert_ptr_equal(shelf_find(&s, a)->headers, shelf_find(&s, b)->headers);
	shelf_release(&s);
	assert_null(shelf_find(&s, a));
}

static void shelf_gives_other_headers(void **state)
{
	const uint8_t a[SHA256_SIZE] = {1}, b[SHA256_SIZE] = {2};
	struct shelf s = SHELF_INIT;
	struct err e;

	(void)state;
	assert_int_equal(shelf_put(&s, a, "a", "one", &e), 0);
	assert_int_equal(shelf_put(&s, b, "b", "one", &e), 0);
	assert_int_equal(shelf_rewrite(&s, shelf_find(&s, a), "two", &e), 0);
	assert_string_equal(shelf_find(&s, a)->headers, "two");
	assert_string_equal(shelf_find(&s, b)->headers, "one");
	shelf_release(&s);
}

/* Ids whose beginnings are alike are the worst case. */
static void shelf_finds_each_of_many_in_their_order(void **state)
{
	struct shelf s = SHELF_INIT;
	uint8_t id[SHA256_SIZE] = {0};
	char key[32];
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		id[0] = (uint8_t)i;
		id[SHA256_SIZE - 1] = (uint8_t)(i >> 8);
		(void)snprintf(key, sizeof key, "%u", i);
		assert_int_equal(shelf_put(&s, id, key, "", &e), 0);
	}
	assert_int_equal(s.count, 5000);
	for (unsigned i = 0; i < 5000; i++) {
		id[0] = (uint8_t)i;
		id[SHA256_SIZE - 1] = (uint8_t)(i >> 8);
		(void)snprintf(key, sizeof key, "%u", i);
		assert_string_equal(shelf_find(&s, id)->key, key);
		assert_ptr_equal(shelf_find(&s, id), &s.items[i]);
	}
	id[SHA256_SIZE - 2] = 1;
	assert_null(shelf_find(&s, id));
	shelf_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shelf_keeps_the_first_of_an_id),
	    cmocka_unit_test(shelf_gives_other_headers),
	    cmocka_unit_test(shelf_finds_each_of_many_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
