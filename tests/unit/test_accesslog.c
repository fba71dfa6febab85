#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm/accesslog.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define NGINX "127.0.0.1 - - [23/Nov/2026:11:07:30 +0000] "
#define NOW   1795432050

static struct accesslog *new_log(void)
{
	struct err e;
	struct accesslog *l = accesslog_new(&e);

	assert_non_null(l);
	return l;
}

/* From a block of just its size, so that a read behind it is seen. */
static enum accesslog_line parse(struct accesslog *l, const char *line, size_t len,
				 struct accesslog_request *ret)
{
	static char *exact;
	struct err e;
	enum accesslog_line kind;

	free(exact);
	exact = NULL;
	if (line == NULL)
		return ACCESSLOG_NOTHING;
	exact = malloc(len + (len == 0));
	memcpy(exact, line, len);
	assert_int_equal(accesslog_parse(l, exact, len, &kind, ret, &e), 0);
	return kind;
}

static void forget(void)
{
	(void)parse(NULL, NULL, 0, NULL);
}

/* "GET /path 200 6", "- - 400 157" where there is no request; NULL if it is malformed. */
static void assert_line(struct accesslog *l, const char *line, const char *want)
{
	struct accesslog_request r;
	char got[1000];
	enum accesslog_line kind = parse(l, line, strlen(line), &r);

	if (kind == ACCESSLOG_REQUEST)
		(void)snprintf(
		    got, sizeof got, "%.*s %.*s %u %llu", r.method_len > 0 ? (int)r.method_len : 1,
		    r.method_len > 0 ? r.method : "-", r.path_len > 0 ? (int)r.path_len : 1,
		    r.path_len > 0 ? r.path : "-", r.status, (unsigned long long)r.bytes);
	else
		(void)snprintf(got, sizeof got, "%s",
			       kind == ACCESSLOG_NOTHING ? "nothing" : "malformed");
	if (strcmp(got, want) != 0)
		fail_msg("'%s' is '%s', not '%s'", line, got, want);
}

/* --- common and combined ---------------------------------------------------------------------- */

/* What nginx 1.22 wrote when it was asked for these things. */
static void accesslog_reads_what_nginx_writes(void **state)
{
	static const char *const lines[][2] = {
	    {"\"GET / HTTP/1.1\" 200 6", "GET / 200 6"},
	    {"\"GET /a%20b.png HTTP/1.1\" 200 5000", "GET /a%20b.png 200 5000"},
	    {"\"GET /a b.png HTTP/1.1\" 400 157", "GET /a b.png 400 157"},
	    {"\"GET /\\xC3\\xA9.txt HTTP/1.1\" 200 1", "GET /\xC3\xA9.txt 200 1"},
	    {"\"GET /q\\x22uote.txt?x=\\x221\\x22\\x5C2 HTTP/1.1\" 200 2",
	     "GET /q\"uote.txt 200 2"},
	    {"\"GET /a%20b.png HTTP/1.1\" 206 220", "GET /a%20b.png 206 220"},
	    {"\"HEAD /a%20b.png HTTP/1.1\" 200 0", "HEAD /a%20b.png 200 0"},
	    {"\"GET //dir/.././dir//index.html HTTP/1.1\" 200 2",
	     "GET //dir/.././dir//index.html 200 2"},
	    {"\"GET http://127.0.0.1:28931/index.html HTTP/1.1\" 200 6", "GET /index.html 200 6"},
	    {"\"GET http://127.0.0.1:28931 HTTP/1.1\" 200 6", "GET / 200 6"},
	    {"\"GET /index.html#frag HTTP/1.1\" 200 6", "GET /index.html 200 6"},
	    {"\"GET /index.html\" 200 6", "GET /index.html 200 6"},
	    {"\"POST /index.html HTTP/1.1\" 405 157", "POST /index.html 405 157"},
	    {"\"OPTIONS * HTTP/1.1\" 400 157", "OPTIONS - 400 157"},
	    {"\"CONNECT a:443 HTTP/1.1\" 400 157", "CONNECT - 400 157"},
	    {"\"\\x16\\x03\\x01\\x02\\x00\\xFC\\x03\\x03\\x22\\x5C \" 400 157", "- - 400 157"},
	    {"\"\" 400 0", "- - 400 0"},
	    {"\"garbage\" 400 157", "- - 400 157"},
	    {"\"get /index.html HTTP/1.1\" 400 157", "- - 400 157"},
	    {"\"GET /index.html?a=b/../c HTTP/1.0\" 200 6", "GET /index.html 200 6"},
	    {"\"GET /index.html HTTP/1.1\" 304 0", "GET /index.html 304 0"},
	};
	struct accesslog *l = new_log();
	struct accesslog_request r;
	char line[400];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		(void)snprintf(line, sizeof line, NGINX "%s \"-\" \"q\\x22\\x5C \\xFF\"",
			       lines[i][0]);
		assert_line(l, line, lines[i][1]);
		assert_int_equal(parse(l, line, strlen(line), &r), ACCESSLOG_REQUEST);
		assert_int_equal(r.time, NOW);
		assert_false(r.recoded);
	}
	forget();
	accesslog_free(l);
	accesslog_free(NULL);
}

static void accesslog_reads_what_apache_writes(void **state)
{
	static const char *const lines[][2] = {
	    {"10.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /a.gif HTTP/1.0\" 200 2326",
	     "GET /a.gif 200 2326"},
	    {"h - - [10/Oct/2000:13:55:36 -0700] \"GET /a.gif HTTP/1.0\" 304 -",
	     "GET /a.gif 304 0"},
	    {"h - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/2\" 200 5", "GET /a 200 5"},
	    {"www.x.y:80 h - - [10/Oct/2000:13:55:36 -0700] \"GET /a\\\"b\\\\c\\td\\xc3 HTTP/1.0\" "
	     "200 1 \"-\" \"-\"",
	     "GET /a\"b\\c\td\xC3 200 1"},
	    {"h - - [10/Oct/2000:13:55:36 -0700] \"GET /a\\q\\x4 HTTP/1.0\" 200 1",
	     "GET /a\\q\\x4 200 1"},
	    {"h - - [10/Oct/2000:13:55:36 -0700] \"GET /a\\x3fb\\x23 HTTP/1.0\" 200 1",
	     "GET /a 200 1"},
	    {"h - - [10/Oct/2000:13:55:36 -0700] \"-\" 408 - \"-\" \"-\"", "- - 408 0"},
	    {"h - - [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 200 1\r", "GET /a 200 1"},
	};
	struct accesslog *l = new_log();

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_line(l, lines[i][0], lines[i][1]);
	forget();
	accesslog_free(l);
}

/* The name of a user is whatever somebody sent; its quotation marks are escaped. */
static void accesslog_is_not_led_astray_by_names(void **state)
{
	struct accesslog *l = new_log();

	(void)state;
	assert_line(l,
		    "h - a [10/Oct/2000 [23/Nov/2026:11:07:30 +0000] \"GET /true HTTP/1.1\" 200 6",
		    "GET /true 200 6");
	assert_line(l,
		    "h - [10/Oct/2000:13:55:36 -0700] \\x22GET /x HTTP/1.1\\x22 200 9 "
		    "[23/Nov/2026:11:07:30 +0000] \"GET /true HTTP/1.1\" 200 6",
		    "GET /true 200 6");
	assert_line(l,
		    "h - [10/Oct/2000:13:55:36 -0700] \\\"GET /x HTTP/1.1\\\" 200 9 "
		    "[23/Nov/2026:11:07:30 +0000] \"GET /true?\\\" 200 9 HTTP/1.1\" 200 6",
		    "GET /true 200 6");
	forget();
	accesslog_free(l);
}

static void accesslog_counts_what_is_no_line(void **state)
{
	static const char *const lines[] = {
	    "x",
	    "\x16\x03\x01",
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	    NGINX,
	    NGINX "\"",
	    NGINX "\"GET /a HTTP/1.1",
	    NGINX "\"GET /a HTTP/1.1\"",
	    NGINX "\"GET /a HTTP/1.1\" 200",
	    NGINX "\"GET /a HTTP/1.1\" 200 ",
	    NGINX "\"GET /a HTTP/1.1\" 2x0 5",
	    NGINX "\"GET /a HTTP/1.1\" 20 5",
	    NGINX "\"GET /a HTTP/1.1\" 200 5x",
	    NGINX "\"GET /a HTTP/1.1\" 200 -5",
	    NGINX "\"GET /a HTTP/1.1\" 200 9007199254740992",
	    NGINX "\"GET /a HTTP/1.1\" 200 99999999999999999999999",
	    NGINX "\"GET /a HTTP/1.1\\\" 200 5",
	    NGINX "\"GET /a HTTP/1.1\\",
	    "h - - [31/Feb/2026:11:07:30 +0000] \"GET /a HTTP/1.1\" 200 5",
	    "h - - [23/Foo/2026:11:07:30 +0000] \"GET /a HTTP/1.1\" 200 5",
	    "h - - [23/Nov/2026:25:07:30 +0000] \"GET /a HTTP/1.1\" 200 5",
	    "h - - [23/Nov/2026:11:07:30 ?0000] \"GET /a HTTP/1.1\" 200 5",
	    "h - - [01/Jan/1970:00:00:00 +0100] \"GET /a HTTP/1.1\" 200 5",
	    "h - - [23/Nov/2026:11:07:30+00000] \"GET /a HTTP/1.1\" 200 5",
	};
	struct accesslog *l = new_log();

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_line(l, lines[i], "malformed");
	assert_line(l, NGINX "\"GET /a HTTP/1.1\" 200 9007199254740991",
		    "GET /a 200 9007199254740991");
	assert_line(l, "", "nothing");
	assert_line(l, "\r", "nothing");
	assert_line(l, "# a comment", "nothing");
	forget();
	accesslog_free(l);
}

/* Whatever is missing behind, no line is read that the log did not have, and no byte behind it. */
static void accesslog_survives_lines_that_are_cut_off(void **state)
{
	static const char line[] = NGINX "\"GET /a\\x22b%20c?x HTTP/1.1\" 200 5000 \"-\" \"-\"";
	static const char fields[] =
	    "#Fields: date time cs-method cs-uri-stem sc-status sc-bytes x";
	static const char w3c[] = "2026-11-23\t11:07:30\tGET\t/a\t200\t5000\tx";
	struct accesslog *l = new_log();
	struct accesslog_request r;
	size_t whole = (size_t)(strstr(line, " 5000") + 2 - line);

	(void)state;
	for (size_t len = 1; len < sizeof line; len++)
		assert_int_equal(parse(l, line, len, &r),
				 len < whole ? ACCESSLOG_MALFORMED : ACCESSLOG_REQUEST);
	for (size_t len = 0; len < sizeof fields; len++)
		(void)parse(l, fields, len, &r);
	whole = (size_t)(strstr(w3c, "\t5000") + 2 - w3c);
	for (size_t len = 1; len < sizeof w3c; len++)
		assert_int_equal(parse(l, w3c, len, &r),
				 len < whole ? ACCESSLOG_MALFORMED : ACCESSLOG_REQUEST);
	forget();
	accesslog_free(l);
}

static void accesslog_tells_times_in_utc(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} times[] = {
	    {"10/Oct/2000:13:55:36 -0700", 971211336}, {"23/Nov/2026:11:07:30 +0000", NOW},
	    {"23/Nov/2026:11:07:31 +0000", NOW + 1},   {"23/Nov/2026:12:07:30 +0100", NOW},
	    {"23/Nov/2026:16:52:30 +0545", NOW},       {"23/Nov/2026:11:07:30 +0000", NOW},
	    {"01/Jan/1970:00:00:00 +0000", 0},         {"29/Feb/2024:00:00:00 +0000", 1709164800},
	};
	struct accesslog *l = new_log();
	struct accesslog_request r;
	char line[200];

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		(void)snprintf(line, sizeof line, "h - - [%s] \"GET / HTTP/1.1\" 200 1",
			       times[i].text);
		for (int round = 0; round < 2; round++) {
			assert_int_equal(parse(l, line, strlen(line), &r), ACCESSLOG_REQUEST);
			assert_int_equal(r.time, times[i].want);
		}
	}
	forget();
	accesslog_free(l);
}

/* --- W3C extended ----------------------------------------------------------------------------- */

static void accesslog_reads_what_cloudfront_writes(void **state)
{
	struct accesslog *l = new_log();
	struct accesslog_request r;
	static const char line[] =
	    "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t"
	    "/in%2520dex.html\t200\t-\tMozilla/5.0%20(Windows)\tx=1\t-\tHit\tq==\tq\thttps\t23";

	(void)state;
	assert_line(l, line, "malformed");
	assert_line(l, "#Version: 1.0", "nothing");
	assert_line(l,
		    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) "
		    "cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query",
		    "nothing");
	assert_line(l, line, "GET /in%2520dex.html 200 392");
	assert_int_equal(parse(l, line, sizeof line - 1, &r), ACCESSLOG_REQUEST);
	assert_true(r.recoded);
	assert_int_equal(r.time, 1575493351);
	assert_line(l, "2019-12-04\t21:02:31\tLAX1\t-\tx\tGET\tx\t/a\t000\t-", "GET /a 0 0");
	assert_line(l, "2019-12-04\t21:02:31\tLAX1\t\tx\tGET\tx\t/a\t200\t-", "malformed");
	assert_line(l, "2019-12-04\t21:02:31\tLAX1\t1\tx\tGET\tx\t/a\t200", "GET /a 200 1");
	assert_line(l, "2019-12-04\t21:02:31\tLAX1\t1\tx\tGET\tx\t/a", "malformed");
	assert_line(l, "2019-13-04\t21:02:31\tLAX1\t1\tx\tGET\tx\t/a\t200", "malformed");
	assert_line(l, "2019-12-04\t21:02:31\tLAX1\t1\tx\t-\tx\t-\t400\t-", "- - 400 1");
	forget();
	accesslog_free(l);
}

static void accesslog_reads_what_iis_writes(void **state)
{
	struct accesslog *l = new_log();
	struct accesslog_request r;

	(void)state;
	assert_line(l,
		    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port "
		    "cs(User-Agent) sc-status sc-bytes\r",
		    "nothing");
	assert_line(l, "2026-11-23 11:07:30 ::1 GET /my+file#1.txt x=1 80 Mozilla/5.0+(x) 200 77\r",
		    "GET /my+file#1.txt 200 77");
	assert_line(l, "2026-11-23  11:07:30 ::1 GET /a - 80 \"a \"\"b c\" 200 78",
		    "GET /a 200 78");
	assert_line(l, "2026-11-23 11:07:30 ::1 GET /a - 80 \"a b 200 78", "malformed");
	assert_line(l, "2026-11-23 11:07:30 ::1 GET /a - 80 \"\"\"", "malformed");
	/* A later directive replaces it: here without bytes and times. */
	assert_line(l, "#Fields:\tcs-uri\tsc-status cs-method", "nothing");
	static const char line[] = "/b?x=/c 200 GET";
	assert_line(l, line, "GET /b 200 0");
	assert_int_equal(parse(l, line, sizeof line - 1, &r), ACCESSLOG_REQUEST);
	assert_true(r.time == INT64_MIN);
	assert_line(l, "#Fields: date time", "nothing");
	assert_line(l, "2026-11-23 11:07:30", "malformed");
	assert_line(l, "#Fields:", "nothing");
	assert_line(l, "2026-11-23 11:07:30", "malformed");
	forget();
	accesslog_free(l);
}

static void accesslog_reads_both_families_in_one_file(void **state)
{
	struct accesslog *l = new_log();

	(void)state;
	assert_line(l, NGINX "\"GET /a HTTP/1.1\" 200 5", "GET /a 200 5");
	assert_line(l, "#Fields: cs-method cs-uri-stem sc-status", "nothing");
	assert_line(l, "GET /b 200", "GET /b 200 0");
	assert_line(l, NGINX "\"GET /a HTTP/1.1\" 200 5", "GET /a 200 5");
	forget();
	accesslog_free(l);
}

static void accesslog_takes_any_number_of_columns(void **state)
{
	struct accesslog *l = new_log();
	struct accesslog_request r;
	char *fields = malloc(60000);
	size_t len = 0;

	(void)state;
	len += (size_t)sprintf(fields, "#Fields: cs-method cs-uri-stem sc-status");
	while (len < 59000)
		len += (size_t)sprintf(fields + len, " x");
	(void)sprintf(fields + len, " sc-bytes");
	assert_int_equal(parse(l, fields, strlen(fields), &r), ACCESSLOG_NOTHING);
	assert_line(l, "GET /b 200", "GET /b 200 0");
	free(fields);
	forget();
	accesslog_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accesslog_reads_what_nginx_writes),
	    cmocka_unit_test(accesslog_reads_what_apache_writes),
	    cmocka_unit_test(accesslog_is_not_led_astray_by_names),
	    cmocka_unit_test(accesslog_counts_what_is_no_line),
	    cmocka_unit_test(accesslog_survives_lines_that_are_cut_off),
	    cmocka_unit_test(accesslog_tells_times_in_utc),
	    cmocka_unit_test(accesslog_reads_what_cloudfront_writes),
	    cmocka_unit_test(accesslog_reads_what_iis_writes),
	    cmocka_unit_test(accesslog_reads_both_families_in_one_file),
	    cmocka_unit_test(accesslog_takes_any_number_of_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
