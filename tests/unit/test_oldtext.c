#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "swarm/oldtext.h"

/* More files than are kept open; each third one is empty, each fifth one not chosen. */
#define FILES 200

static char home[64], text[FILES * FILES];
static size_t length;
static char names[FILES][16];
static struct entry entries[FILES];
static struct context_file files[FILES];
static struct listing listing = {.entries = entries, .count = FILES};
static struct stock *stock;

static void write_file(size_t i, size_t size)
{
	FILE *f = fopen(names[i], "w");

	assert_non_null(f);
	for (size_t k = 0; k < size; k++) {
		char c = (char)('a' + (i + k) % 26);
		assert_int_equal(fputc(c, f), c);
		if (files[i].chosen)
			text[length++] = c;
	}
	assert_int_equal(fclose(f), 0);
}

static int enter_home(void **state)
{
	struct err e;

	(void)state;
	(void)snprintf(home, sizeof home, "/tmp/swarm-test-oldtext-XXXXXX");
	if (mkdtemp(home) == NULL || chdir(home) != 0)
		return -1;
	length = 0;
	for (size_t i = 0; i < FILES; i++) {
		size_t size = i % 3 == 0 ? 0 : i;
		(void)snprintf(names[i], sizeof names[i], "f%04zu", i);
		entries[i] = (struct entry){.path = names[i], .size = size};
		files[i] = (struct context_file){.size = size, .chosen = i % 5 != 0};
		write_file(i, size);
	}
	stock = stock_open(".", NULL, &e);
	return stock != NULL ? 0 : -1;
}

static int leave_home(void **state)
{
	char command[128];

	(void)state;
	stock_close(stock);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", home);
	return chdir("/") == 0 ? system(command) : -1;
}

static void oldtext_is_the_chosen_files_in_order(void **state)
{
	struct err e;
	static char got[sizeof text];
	struct oldtext *o = oldtext_new(stock, &listing, files, &e);
	unsigned seed = 1;

	(void)state;
	assert_non_null(o);
	assert_int_equal(oldtext_read(o, 0, got, length, &e), 0);
	assert_memory_equal(got, text, length);
	for (int i = 0; i < 5000; i++) {
		seed = seed * 1103515245 + 12345;
		size_t at = (seed >> 8) % length, len = (seed >> 4) % 500;
		if (len > length - at)
			len = length - at;
		assert_int_equal(oldtext_read(o, at, got, len, &e), 0);
		assert_memory_equal(got, text + at, len);
	}
	assert_int_equal(oldtext_read(o, length, got, 0, &e), 0);
	oldtext_free(o);
	oldtext_free(NULL);
}

static void oldtext_notices_what_is_missing(void **state)
{
	struct err e = {.code = ERR_NONE};
	char got[400];
	struct oldtext *o = oldtext_new(stock, &listing, files, &e);

	(void)state;
	assert_non_null(o);
	assert_int_equal(truncate(names[199], 50), 0);
	assert_int_equal(oldtext_read(o, length - 300, got, 300, &e), -1);
	assert_int_equal(e.code, ERR_CHANGED);
	assert_int_equal(unlink(names[1]), 0);
	assert_int_equal(oldtext_read(o, 0, got, 1, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	oldtext_free(o);
}

static void oldtext_may_be_empty(void **state)
{
	struct err e;
	char none;

	(void)state;
	for (size_t i = 0; i < FILES; i++)
		files[i].chosen = false;
	struct oldtext *o = oldtext_new(stock, &listing, files, &e);
	assert_non_null(o);
	assert_int_equal(oldtext_read(o, 0, &none, 0, &e), 0);
	oldtext_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(oldtext_is_the_chosen_files_in_order, enter_home,
					    leave_home),
	    cmocka_unit_test_setup_teardown(oldtext_notices_what_is_missing, enter_home,
					    leave_home),
	    cmocka_unit_test_setup_teardown(oldtext_may_be_empty, enter_home, leave_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
