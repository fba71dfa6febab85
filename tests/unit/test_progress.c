#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "swarm/progress.h"

struct shown {
	FILE *to;
	char *text;
	size_t len;
	struct progress *progress;
};

static void start(struct shown *s, bool live)
{
	struct err e;

	*s = (struct shown){.text = NULL};
	s->to = open_memstream(&s->text, &s->len);
	assert_non_null(s->to);
	s->progress = progress_new(s->to, live, &e);
	assert_non_null(s->progress);
}

static void finish(struct shown *s)
{
	progress_free(s->progress);
	assert_int_equal(fclose(s->to), 0);
}

static void wait_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL);
}

static void progress_of_none_does_nothing(void **state)
{
	(void)state;
	progress_begin(NULL, "step", 7);
	progress_add(NULL, 7);
	progress_end(NULL);
	progress_free(NULL);
}

static void progress_shows_nothing_of_what_is_quick(void **state)
{
	struct shown s;

	(void)state;
	start(&s, false);
	progress_add(s.progress, 1);
	progress_begin(s.progress, "hashing", 100);
	progress_add(s.progress, 100);
	progress_end(s.progress);
	progress_end(s.progress);
	finish(&s);
	assert_string_equal(s.text, "");
	free(s.text);
}

static void progress_draws_one_line_over_and_wipes_it(void **state)
{
	struct shown s;

	(void)state;
	start(&s, true);
	progress_begin(s.progress, "hashing", 2000);
	wait_ms(120);
	progress_add(s.progress, 500);
	wait_ms(120);
	progress_add(s.progress, 500);
	/* Too soon. */
	progress_add(s.progress, 1);
	progress_end(s.progress);
	progress_add(s.progress, 1);
	finish(&s);
	assert_int_equal(strncmp(s.text, "\r\033[Khashing  25 %  500 bytes, ", 29), 0);
	assert_non_null(strstr(s.text, "\r\033[Khashing  50 %  1.0 kB, "));
	assert_null(strchr(s.text, '\n'));
	assert_string_equal(s.text + strlen(s.text) - 4, "\r\033[K");
	size_t draws = 0;
	for (const char *p = s.text; (p = strstr(p, "hashing")) != NULL; p++)
		draws++;
	/* A machine that is very busy may come to the third. */
	assert_in_range(draws, 2, 3);
	free(s.text);
}

static void progress_writes_a_line_a_second_into_logs(void **state)
{
	struct shown s;

	(void)state;
	start(&s, false);
	progress_begin(s.progress, "checking", 0);
	progress_add(s.progress, 500);
	wait_ms(1050);
	progress_add(s.progress, 500);
	progress_add(s.progress, 500);
	finish(&s);
	/* No part of a total that nobody knows; no escapes. */
	assert_int_equal(strncmp(s.text, "checking 1.0 kB, ", 17), 0);
	assert_null(strchr(s.text, '\r'));
	assert_null(strchr(s.text, '%'));
	assert_ptr_equal(strchr(s.text, '\n'), s.text + strlen(s.text) - 1);
	free(s.text);
}

static void progress_starts_over_with_each_step(void **state)
{
	struct shown s;

	(void)state;
	start(&s, true);
	progress_begin(s.progress, "first", 1000);
	progress_add(s.progress, 900);
	progress_begin(s.progress, "second", 1000);
	wait_ms(120);
	progress_add(s.progress, 100);
	finish(&s);
	assert_non_null(strstr(s.text, "second  10 %  100 bytes"));
	assert_null(strstr(s.text, "first"));
	free(s.text);
}

static void *add_many(void *progress)
{
	for (int i = 0; i < 20000; i++)
		progress_add(progress, 1);
	return NULL;
}

static void progress_counts_from_all_threads(void **state)
{
	struct shown s;
	pthread_t threads[4];

	(void)state;
	start(&s, true);
	progress_begin(s.progress, "hashing", 80001);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, s.progress), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	wait_ms(120);
	progress_add(s.progress, 1);
	finish(&s);
	assert_non_null(strstr(s.text, "hashing 100 %  80.0 kB"));
	free(s.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(progress_of_none_does_nothing),
	    cmocka_unit_test(progress_shows_nothing_of_what_is_quick),
	    cmocka_unit_test(progress_draws_one_line_over_and_wipes_it),
	    cmocka_unit_test(progress_writes_a_line_a_second_into_logs),
	    cmocka_unit_test(progress_starts_over_with_each_step),
	    cmocka_unit_test(progress_counts_from_all_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
