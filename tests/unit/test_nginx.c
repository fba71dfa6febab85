#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/nginx.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void nginx_quotes_words(void **state)
{
	/* Text, as a key, as a value. */
	static const char *const words[][3] = {
	    {"", "\"\"", "\"\""},
	    {"/a b;{c}#'d", "\"/a b;{c}#'d\"", "\"/a b;{c}#'d\""},
	    {"a\"b\\c", "\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\""},
	    {"\\\\\"", "\"\\\\\\\\\\\"\"", "\"\\\\\\\\\\\"\""},
	    {"/$uri$", "\"/$uri$\"", "\"/" NGINX_DOLLAR "uri" NGINX_DOLLAR "\""},
	    {"\xC3\xA9", "\"\xC3\xA9\"", "\"\xC3\xA9\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		struct buf b = BUF_INIT;
		nginx_add_key(&b, words[i][0]);
		assert_string_equal(b.data, words[i][1]);
		buf_clear(&b);
		nginx_add_value(&b, words[i][0]);
		assert_string_equal(b.data, words[i][2]);
		buf_release(&b);
	}
}

static void nginx_compares_regardless_of_ascii_case(void **state)
{
	static const char *const same[][2] = {{"", ""}, {"aZ-", "Az-"}, {"\xC3\xA9", "\xC3\xA9"}};
	static const char *const ascending[] = {"",   "-", "A/", "a0",       "AB",
						"ac", "[", "b{", "\xC3\x89", "\xC3\xA9"};

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++)
		assert_int_equal(nginx_compare(same[i][0], same[i][1]), 0);
	assert_true(nginx_compare("@", "`") < 0);
	assert_true(nginx_compare("[", "{") < 0);
	for (size_t i = 0; i < COUNT(ascending); i++)
		for (size_t k = 0; k < COUNT(ascending); k++) {
			int order = nginx_compare(ascending[i], ascending[k]);
			/* '[' stands before small letters, so where capitals are small ones, too.
			 */
			assert_int_equal(order == 0, i == k);
			assert_int_equal(order<0, nginx_compare(ascending[k], ascending[i])> 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nginx_quotes_words),
	    cmocka_unit_test(nginx_compares_regardless_of_ascii_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
