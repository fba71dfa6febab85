#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "swarm/jsonl.h"
#include "swarm/num.h"
#include "swarm/popularity.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- helpers ---------------------------------------------------------------------------------- */

static char folder[64];

static int enter_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/swarm-test-popularity-XXXXXX");
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return chdir("/") == 0 ? system(command) : -1;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

static void add_line(struct buf *log, const char *time, const char *request, unsigned status,
		     unsigned long long bytes)
{
	buf_addf(log, "1.2.3.4 - - [%s] \"%s\" %u %llu \"-\" \"-\"\n", time, request, status,
		 bytes);
}

#define NOON "23/Nov/2026:12:00:00 +0000"

static void add_get(struct buf *log, const char *path, unsigned long long bytes)
{
	char request[2000];

	(void)snprintf(request, sizeof request, "GET %s HTTP/1.1", path);
	add_line(log, NOON, request, 200, bytes);
}

static struct popularity *new_popularity(struct popularity_file *files, size_t count)
{
	struct err e;
	struct popularity *p = popularity_new(files, count, NULL, 0, &e);

	assert_non_null(p);
	return p;
}

static void read_log(struct popularity *p, const char *path)
{
	struct err e = {.code = ERR_NONE};

	if (popularity_read(p, path, &e) != 0)
		fail_msg("%s", e.msg);
}

static void read_text(struct popularity *p, struct buf *log)
{
	write_file("access.log", log->data, log->len);
	read_log(p, "access.log");
	buf_clear(log);
}

static void rank(struct popularity *p, double fraction)
{
	struct err e = {.code = ERR_NONE};

	if (popularity_rank(p, fraction, &e) != 0)
		fail_msg("%s", e.msg);
}

static void assert_described(const struct popularity *p, const char *want)
{
	struct buf b = BUF_INIT;

	popularity_describe(&b, p);
	assert_string_equal(b.data, want);
	buf_release(&b);
}

/* --- what counts ------------------------------------------------------------------------------ */

static void popularity_counts_what_was_served(void **state)
{
	struct popularity_file files[] = {
	    {.path = "a.png", .size = 100, .is_public = true},
	    {.path = "index.html", .size = 10},
	};
	struct buf log = BUF_INIT;
	struct popularity *p = new_popularity(files, 2);

	(void)state;
	add_line(&log, NOON, "GET /a.png?v=1 HTTP/1.1", 200, 100);
	add_line(&log, NOON, "GET /a.png HTTP/1.1", 206, 30);
	/* Some servers count the header. */
	add_line(&log, NOON, "GET /a.png HTTP/1.1", 304, 5);
	add_line(&log, NOON, "GET / HTTP/2.0", 200, 10);
	add_line(&log, NOON, "GET /other HTTP/1.1", 200, 1000);
	add_line(&log, NOON, "HEAD /a.png HTTP/1.1", 200, 100);
	add_line(&log, NOON, "POST /a.png HTTP/1.1", 200, 100);
	add_line(&log, NOON, "GETX /a.png HTTP/1.1", 200, 100);
	add_line(&log, NOON, "GET /a.png HTTP/1.1", 404, 100);
	add_line(&log, NOON, "GET /a.png HTTP/1.1", 301, 100);
	add_line(&log, NOON, "GET /a.png HTTP/1.1", 499, 100);
	add_line(&log, NOON, "\\x16\\x03", 400, 100);
	buf_adds(&log, "\n# comment\ngarbage\n");
	/* The last line has no line feed. */
	add_line(&log, NOON, "GET /a.png HTTP/1.1", 200, 7);
	log.len--;
	read_text(p, &log);
	rank(p, 1);
	const struct popularity_totals *t = popularity_totals(p);
	assert_int_equal(t->lines, 13);
	assert_int_equal(t->malformed, 1);
	assert_int_equal(t->requests, 6);
	assert_int_equal(t->bytes, 1147);
	assert_int_equal(t->public_requests, 4);
	assert_int_equal(t->public_bytes, 137);
	assert_int_equal(t->origin_requests, 1);
	assert_int_equal(t->origin_bytes, 10);
	assert_int_equal(t->public_files, 1);
	assert_int_equal(t->requested_files, 1);
	assert_int_equal(files[0].requests, 4);
	assert_int_equal(files[0].bytes, 137);
	assert_int_equal(files[1].requests, 1);
	assert_int_equal(files[1].bytes, 10);
	assert_int_equal(files[0].hot, 0);
	assert_int_equal(files[1].hot, -1);
	popularity_free(p);
	popularity_free(NULL);
	buf_release(&log);
}

static void popularity_knows_the_first_time_and_the_last(void **state)
{
	struct popularity_file files[] = {{.path = "a", .is_public = true}};
	struct buf log = BUF_INIT;
	struct popularity *p = new_popularity(files, 1);

	(void)state;
	assert_true(popularity_totals(p)->first == INT64_MIN);
	add_line(&log, "23/Nov/2026:11:07:30 +0000", "GET /x HTTP/1.1", 200, 1);
	add_line(&log, "23/Nov/2026:11:07:29 +0000", "GET /a HTTP/1.1", 200, 1);
	add_line(&log, "23/Nov/2026:11:07:31 +0000", "GET /a HTTP/1.1", 200, 1);
	add_line(&log, "23/Nov/2026:11:07:40 +0000", "GET /a HTTP/1.1", 404, 1);
	read_text(p, &log);
	assert_int_equal(popularity_totals(p)->first, 1795432049);
	assert_int_equal(popularity_totals(p)->last, 1795432051);
	/* A second log, which has a header and tells no time. */
	buf_adds(&log, "#Fields: cs-method cs-uri-stem sc-status sc-bytes\r\nGET /a 200 9\r\n");
	read_text(p, &log);
	assert_int_equal(popularity_totals(p)->first, 1795432049);
	assert_int_equal(files[0].requests, 3);
	assert_int_equal(files[0].bytes, 11);
	/* Nothing of it is left for the next log. */
	buf_adds(&log, "GET /a 200 9\n");
	read_text(p, &log);
	assert_int_equal(popularity_totals(p)->malformed, 1);
	popularity_free(p);
	buf_release(&log);
}

static void popularity_reads_compressed_logs(void **state)
{
	struct popularity_file files[] = {{.path = "a", .is_public = true}};
	struct buf log = BUF_INIT;
	struct err e = {.code = ERR_NONE};
	struct popularity *p = new_popularity(files, 1);

	(void)state;
	for (int i = 0; i < 10000; i++)
		add_get(&log, "/a", 3);
	gzFile gz = gzopen("access.log.gz", "wb");
	assert_int_equal(gzwrite(gz, log.data, (unsigned)log.len), log.len);
	assert_int_equal(gzclose(gz), Z_OK);
	read_log(p, "access.log.gz");
	assert_int_equal(files[0].requests, 10000);
	assert_int_equal(files[0].bytes, 30000);
	assert_int_equal(truncate("access.log.gz", 300), 0);
	assert_int_equal(popularity_read(p, "access.log.gz", &e), -1);
	assert_int_equal(e.code, ERR_MALFORMED);
	assert_string_equal(e.msg, "cannot read the log 'access.log.gz': gzip: it is cut off");
	assert_int_equal(popularity_read(p, "none", &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_string_equal(e.msg, "cannot open 'none': No such file or directory");
	assert_int_equal(popularity_read(p, ".", &e), -1);
	assert_string_equal(e.msg, "cannot read '.': Is a directory");
	popularity_free(p);
	buf_release(&log);
}

static void popularity_reads_standard_input(void **state)
{
	struct popularity_file files[] = {{.path = "a", .is_public = true}};
	struct buf log = BUF_INIT;
	struct popularity *p = new_popularity(files, 1);
	int ends[2], kept = dup(STDIN_FILENO);

	(void)state;
	add_get(&log, "/a", 3);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], log.data, log.len), log.len);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(ends[0]), 0);
	read_log(p, "-");
	assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(kept), 0);
	assert_int_equal(files[0].bytes, 3);
	popularity_free(p);
	buf_release(&log);
}

static void popularity_sums_do_not_wrap(void **state)
{
	struct popularity_file files[] = {
	    {.path = "a", .is_public = true, .size = UINT64_C(1) << 52},
	    {.path = "b", .is_public = true, .size = NUM_MAX},
	    {.path = "c", .is_public = true},
	};
	struct buf log = BUF_INIT;
	struct popularity *p = new_popularity(files, 3);

	(void)state;
	for (int i = 0; i < 5000; i++) {
		add_get(&log, "/a", NUM_MAX);
		add_get(&log, "/b", NUM_MAX - 1);
	}
	add_get(&log, "/c", 1);
	read_text(p, &log);
	rank(p, 1);
	const struct popularity_totals *t = popularity_totals(p);
	assert_true(t->bytes == NUM_MAX && t->public_bytes == NUM_MAX);
	assert_true(files[0].bytes == NUM_MAX);
	assert_int_equal(t->hot_files, 3);
	assert_true(t->hot_bytes == NUM_MAX && t->hot_file_bytes == NUM_MAX);
	assert_true(t->curve[3] <= 1);
	popularity_free(p);
	buf_release(&log);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void popularity_goes_on_behind_garbage(void **state)
{
	struct popularity_file files[] = {{.path = "a", .is_public = true}};
	struct buf log = BUF_INIT;
	struct popularity *p = new_popularity(files, 1);

	(void)state;
	add_get(&log, "/a", 1);
	for (size_t i = 0; i < 100; i++)
		buf_add(&log, "\x16\x03\x01\0\xFF[[\"\\", 9);
	buf_addc(&log, '\n');
	add_get(&log, "/a", 1);
	buf_adds(&log, "1.2.3.4 - - [" NOON "] \"GET /");
	for (size_t i = 0; i < 1000000; i++)
		buf_addc(&log, 'a');
	buf_adds(&log, " HTTP/1.1\" 200 1\n");
	add_get(&log, "/a", 1);
	buf_adds(&log, "1.2.3.4 - - [" NOON "] \"GET /a");
	read_text(p, &log);
	assert_int_equal(popularity_totals(p)->malformed, 3);
	assert_int_equal(files[0].requests, 3);
	popularity_free(p);
	buf_release(&log);
}

/* --- ranks ------------------------------------------------------------------------------------ */

static void popularity_ranks_by_bytes_then_requests_then_order(void **state)
{
	struct popularity_file files[] = {
	    {.path = "a", .is_public = true},
	    {.path = "b", .is_public = true},
	    {.path = "c"},
	    {.path = "d", .is_public = true},
	    {.path = "e", .is_public = true},
	    {.path = "f", .is_public = true},
	};
	struct buf log = BUF_INIT;
	struct popularity *p = new_popularity(files, COUNT(files));

	(void)state;
	add_get(&log, "/a", 10);
	add_get(&log, "/b", 10);
	add_get(&log, "/c", 1000);
	add_get(&log, "/d", 5);
	add_get(&log, "/d", 5);
	add_get(&log, "/e", 70);
	add_get(&log, "/f", 0);
	read_text(p, &log);
	/* e 70, d 10 (2 requests), a 10, b 10 */
	static const struct {
		double fraction;
		int hot[6];
	} cases[] = {
	    {0.001, {-1, -1, -1, -1, 0, -1}}, {0.7, {-1, -1, -1, -1, 0, -1}},
	    {0.701, {-1, -1, -1, 1, 0, -1}},  {0.8, {-1, -1, -1, 1, 0, -1}},
	    {0.81, {1, -1, -1, 1, 0, -1}},    {0.9, {1, -1, -1, 1, 0, -1}},
	    {0.91, {1, 2, -1, 1, 0, -1}},     {1, {1, 2, -1, 1, 0, -1}},
	    {0.5, {-1, -1, -1, -1, 0, -1}},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		rank(p, cases[i].fraction);
		for (size_t k = 0; k < 6; k++)
			if (files[k].hot != cases[i].hot[k])
				fail_msg("%g: '%s' is %d", cases[i].fraction, files[k].path,
					 files[k].hot);
	}
	rank(p, 0.9);
	assert_int_equal(popularity_totals(p)->hot_files, 3);
	assert_int_equal(popularity_totals(p)->hot_bytes, 90);
	popularity_free(p);
	buf_release(&log);
}

static void popularity_refuses_fractions_that_are_none(void **state)
{
	static const double fractions[] = {0, -0.1, 1.0001, NAN, INFINITY, -INFINITY};
	struct popularity_file files[] = {{.path = "a", .is_public = true}};
	struct popularity *p = new_popularity(files, 1);
	struct err e;

	(void)state;
	for (size_t i = 0; i < COUNT(fractions); i++) {
		assert_int_equal(popularity_rank(p, fractions[i], &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
	}
	assert_int_equal(popularity_rank(p, 1e-300, &e), 0);
	popularity_free(p);
}

/* 100 files of one byte: the hot set is as many as there are percent, whatever doubles say. */
static void popularity_takes_exactly_the_share_asked_for(void **state)
{
	struct popularity_file files[100] = {0};
	char names[100][4];
	struct buf log = BUF_INIT;
	char path[8];

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		(void)snprintf(names[i], sizeof names[i], "%02zu", i);
		files[i] = (struct popularity_file){.path = names[i], .size = 3, .is_public = true};
	}
	struct popularity *p = new_popularity(files, 100);
	for (size_t i = 0; i < 100; i++) {
		(void)snprintf(path, sizeof path, "/%02zu", i);
		add_get(&log, path, 1);
	}
	read_text(p, &log);
	for (int percent = 1; percent <= 100; percent++) {
		rank(p, percent / 100.0);
		assert_int_equal(popularity_totals(p)->hot_files, percent);
		assert_int_equal(popularity_totals(p)->hot_file_bytes, percent * 3);
	}
	/* Ranks 1, 2-3, 4-7, ... 64-100. */
	static const int at[][2] = {{0, 0},  {1, 1},  {2, 1},  {3, 2},  {6, 2}, {7, 3},
				    {15, 4}, {31, 5}, {62, 5}, {63, 6}, {99, 6}};
	for (size_t i = 0; i < COUNT(at); i++)
		assert_int_equal(files[at[i][0]].hot, at[i][1]);
	popularity_free(p);
	buf_release(&log);
}

/* At 1, every file with bytes, of large and odd sums too. */
static void popularity_leaves_nothing_out_at_one(void **state)
{
	struct popularity_file files[50] = {0};
	char names[50][4];
	struct buf log = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 50; i++) {
		(void)snprintf(names[i], sizeof names[i], "%zu", i + 10);
		files[i] = (struct popularity_file){.path = names[i], .is_public = true};
	}
	struct popularity *p = new_popularity(files, 50);
	for (size_t i = 0; i < 49; i++) {
		char path[8];
		(void)snprintf(path, sizeof path, "/%zu", i + 10);
		add_get(&log, path, i == 0 ? UINT64_C(9000000000000001) : i);
	}
	read_text(p, &log);
	rank(p, 1);
	assert_int_equal(popularity_totals(p)->hot_files, 49);
	assert_true(popularity_totals(p)->hot_bytes == popularity_totals(p)->public_bytes);
	assert_int_equal(files[49].hot, -1);
	assert_int_equal(files[1].hot, 5);
	popularity_free(p);
	buf_release(&log);
}

static void popularity_draws_the_curve_over_all_public_files(void **state)
{
	struct popularity_file files[30] = {0};
	char names[30][4];
	struct buf log = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		(void)snprintf(names[i], sizeof names[i], "%zu", i + 10);
		/* 25 of them are public; five are asked for. */
		files[i] = (struct popularity_file){.path = names[i], .is_public = i < 25};
	}
	struct popularity *p = new_popularity(files, 30);
	add_get(&log, "/12", 500);
	add_get(&log, "/14", 250);
	add_get(&log, "/16", 125);
	add_get(&log, "/18", 100);
	add_get(&log, "/20", 25);
	add_get(&log, "/39", 9000);
	read_text(p, &log);
	rank(p, 0.95);
	const struct popularity_totals *t = popularity_totals(p);
	/* 1 % of 25 is one file, 5 % are two, 10 % three, 20 % five. */
	static const double want[] = {0.5, 0.75, 0.875, 1};
	for (size_t i = 0; i < 4; i++)
		assert_true(fabs(t->curve[i] - want[i]) < 1e-12);
	assert_int_equal(t->public_files, 25);
	assert_int_equal(t->requested_files, 5);
	assert_true(isnan(t->zipf));
	popularity_free(p);
	buf_release(&log);
}

static void popularity_finds_the_exponent(void **state)
{
	struct popularity_file files[40] = {0};
	char names[40][4], path[8];
	struct buf log = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		(void)snprintf(names[i], sizeof names[i], "%zu", i + 10);
		files[i] = (struct popularity_file){.path = names[i], .is_public = i != 0};
	}
	struct popularity *p = new_popularity(files, 40);
	/* The file of rank r, from behind, is asked for 400 / r times; an origin file often. */
	for (size_t r = 1; r <= 40; r++)
		for (size_t k = 0; k < (r == 40 ? 1000 : 400 / r); k++) {
			(void)snprintf(path, sizeof path, "/%zu", 50 - r);
			add_get(&log, path, r);
		}
	read_text(p, &log);
	rank(p, 1);
	assert_int_equal(popularity_totals(p)->requested_files, 39);
	assert_true(fabs(popularity_totals(p)->zipf - 1) < 0.02);
	popularity_free(p);
	buf_release(&log);
}

/* --- what is said of it ----------------------------------------------------------------------- */

static void popularity_describes_days(void **state)
{
	struct popularity_file files[30] = {0};
	char names[30][4], path[8];
	struct buf log = BUF_INIT, json = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		(void)snprintf(names[i], sizeof names[i], "%zu", i + 10);
		files[i] =
		    (struct popularity_file){.path = names[i], .size = 1000, .is_public = i < 20};
	}
	struct popularity *p = new_popularity(files, 30);
	for (size_t r = 1; r <= 20; r++)
		for (size_t k = 0; k < 1000 / r; k++) {
			(void)snprintf(path, sizeof path, "/%zu", r + 9);
			add_get(&log, path, 1000);
		}
	add_line(&log, "20/Nov/2026:07:12:00 +0000", "GET /39 HTTP/1.1", 200, 5000);
	add_line(&log, "20/Nov/2026:07:12:00 +0000", "GET /none HTTP/1.1", 404, 5000);
	add_line(&log, NOON, "GET /none HTTP/1.1", 200, 5000);
	buf_adds(&log, "x\ny\n");
	read_text(p, &log);
	rank(p, 0.7);
	assert_described(
	    p,
	    "traffic  3,592 requests, 3.6 MB in 3.2 days; 3,590 requests, 3.6 MB for public files\n"
	    "         2 lines could not be read\n"
	    "         1 % of the public files carry 27.9 % of the bytes, 5 % 27.9 %, 10 % 41.8 %, "
	    "20 % 58.0 %\n"
	    "         requests follow a power law with exponent 1.00 (Zipf)\n"
	    "hot      7 files, 7.0 kB, carry 72.2 % of these bytes: 809.7 kB a day off the "
	    "origin\n");
	struct jsonl_writer w = {.to = &json};
	jsonl_open(&w, NULL);
	jsonl_number(&w, "before", 1);
	popularity_format(&w, "traffic", p);
	jsonl_number(&w, "behind", 2);
	jsonl_close(&w);
	assert_string_equal(
	    json.data,
	    "{\"before\":1,\"traffic\":{\"lines\":3593,\"malformed\":2,\"requests\":3592,"
	    "\"bytes\":3600000,\"first\":\"2026-11-20T07:12:00Z\",\"last\":\"2026-11-23T12:00:"
	    "00Z\","
	    "\"public\":{\"requests\":3590,\"bytes\":3590000},"
	    "\"origin\":{\"requests\":1,\"bytes\":5000},\"public_files\":20,\"requested_files\":20,"
	    "\"curve_percent\":[1,5,10,20],\"curve_ppm\":[278552,278552,417827,580223],"
	    "\"zipf_milli\":1003,\"hot\":{\"files\":7,\"size\":7000,\"bytes\":2591000}},"
	    "\"behind\":2}");
	popularity_free(p);
	buf_release(&log);
	buf_release(&json);
}

static void popularity_describes_hours_and_less(void **state)
{
	struct popularity_file files[] = {{.path = "a", .size = 7, .is_public = true}};
	struct buf log = BUF_INIT, json = BUF_INIT;
	struct popularity *p = new_popularity(files, 1);

	(void)state;
	add_line(&log, "23/Nov/2026:11:00:01 +0000", "GET /a HTTP/1.1", 200, 500);
	add_line(&log, NOON, "GET /a HTTP/1.1", 200, 1500);
	read_text(p, &log);
	rank(p, 0.5);
	assert_described(
	    p, "traffic  2 requests, 2.0 kB in the logs; 2 requests, 2.0 kB for public files\n"
	       "         1 % of the public files carry 100.0 % of the bytes, 5 % 100.0 %, 10 % "
	       "100.0 %, 20 % 100.0 %\n"
	       "hot      1 file, 7 bytes, carries 100.0 % of these bytes: 2.0 kB in the logs\n");
	add_line(&log, "23/Nov/2026:11:00:00 +0000", "GET /a HTTP/1.1", 304, 0);
	read_text(p, &log);
	rank(p, 0.5);
	assert_described(
	    p, "traffic  3 requests, 2.0 kB in 1.0 hours; 3 requests, 2.0 kB for public files\n"
	       "         1 % of the public files carry 100.0 % of the bytes, 5 % 100.0 %, 10 % "
	       "100.0 %, 20 % 100.0 %\n"
	       "hot      1 file, 7 bytes, carries 100.0 % of these bytes: 48.0 kB a day off the "
	       "origin\n");
	popularity_free(p);
	buf_release(&log);
	buf_release(&json);
}

static void popularity_says_when_there_is_nothing_to_say(void **state)
{
	static const struct {
		const char *path;
		unsigned long long bytes;
		const char *want;
	} cases[] = {
	    {NULL, 0,
	     "traffic  0 requests, 0 bytes in the logs\n"
	     "         no file was asked for with success: there is no hot set\n"},
	    {"/farm/a", 5,
	     "traffic  1 request, 5 bytes in the logs\n"
	     "         none of them is for a file of this release: does --url-prefix say where its "
	     "files are?\n"},
	    {"/b", 5,
	     "traffic  1 request, 5 bytes in the logs\n"
	     "         none of them is for a public file: there is no hot set\n"},
	    {"/a", 0,
	     "traffic  1 request, 0 bytes in the logs; 1 request, 0 bytes for public files\n"
	     "         the logs tell of no bytes for them: there is no hot set\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct popularity_file files[] = {{.path = "a", .is_public = true}, {.path = "b"}};
		struct buf log = BUF_INIT, json = BUF_INIT;
		struct popularity *p = new_popularity(files, 2);
		if (cases[i].path != NULL)
			add_get(&log, cases[i].path, cases[i].bytes);
		read_text(p, &log);
		rank(p, 1);
		assert_described(p, cases[i].want);
		assert_int_equal(popularity_totals(p)->hot_files, 0);
		assert_int_equal(files[0].hot, -1);
		struct jsonl_writer w = {.to = &json};
		popularity_format(&w, NULL, p);
		assert_null(strstr(json.data, "zipf"));
		assert_true((strstr(json.data, "first") == NULL) == (cases[i].path == NULL));
		popularity_free(p);
		buf_release(&log);
		buf_release(&json);
	}
}

static void popularity_of_no_files_is_nothing(void **state)
{
	struct buf log = BUF_INIT;
	struct popularity *p = new_popularity(NULL, 0);

	(void)state;
	add_get(&log, "/a", 1);
	read_text(p, &log);
	rank(p, 1);
	assert_int_equal(popularity_totals(p)->requests, 1);
	assert_int_equal(popularity_totals(p)->public_files, 0);
	popularity_free(p);
	buf_release(&log);
}

/* Ten times the log takes no more memory. */
static void popularity_takes_no_memory_for_the_log(void **state)
{
	struct popularity_file files[] = {{.path = "a", .is_public = true}};
	struct buf log = BUF_INIT;
	struct rusage before, after;
	struct popularity *p = new_popularity(files, 1);

	(void)state;
	for (int i = 0; i < 50000; i++)
		add_get(&log, "/a", 1);
	write_file("access.log", log.data, log.len);
	read_log(p, "access.log");
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	int fd = open("access.log", O_WRONLY | O_APPEND);
	for (int i = 0; i < 9; i++)
		assert_int_equal(write(fd, log.data, log.len), log.len);
	assert_int_equal(close(fd), 0);
	read_log(p, "access.log");
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	assert_int_equal(files[0].requests, 550000);
	assert_true(after.ru_maxrss - before.ru_maxrss < 1024);
	popularity_free(p);
	buf_release(&log);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(popularity_counts_what_was_served),
	    IN_FOLDER(popularity_knows_the_first_time_and_the_last),
	    IN_FOLDER(popularity_reads_compressed_logs),
	    IN_FOLDER(popularity_reads_standard_input),
	    IN_FOLDER(popularity_sums_do_not_wrap),
	    IN_FOLDER(popularity_goes_on_behind_garbage),
	    IN_FOLDER(popularity_ranks_by_bytes_then_requests_then_order),
	    IN_FOLDER(popularity_refuses_fractions_that_are_none),
	    IN_FOLDER(popularity_takes_exactly_the_share_asked_for),
	    IN_FOLDER(popularity_leaves_nothing_out_at_one),
	    IN_FOLDER(popularity_draws_the_curve_over_all_public_files),
	    IN_FOLDER(popularity_finds_the_exponent),
	    IN_FOLDER(popularity_describes_days),
	    IN_FOLDER(popularity_describes_hours_and_less),
	    IN_FOLDER(popularity_says_when_there_is_nothing_to_say),
	    IN_FOLDER(popularity_of_no_files_is_nothing),
	    IN_FOLDER(popularity_takes_no_memory_for_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
