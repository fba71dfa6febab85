#include "swarm/popularity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/accesslog.h"
#include "swarm/jsonl.h"
#include "swarm/loglines.h"
#include "swarm/num.h"
#include "swarm/text.h"
#include "swarm/urls.h"
#include "swarm/utc.h"
#include "swarm/zipf.h"

#define HOUR   INT64_C(3600)
#define DAY    (24 * HOUR)
#define MARGIN "         "
/* A fraction is counted in these. */
#define PARTS UINT64_C(1000000000)

const unsigned popularity_curve[POPULARITY_CURVE] = {1, 5, 10, 20};

struct popularity {
	struct popularity_file *files;
	size_t count;
	struct urls *urls;
	struct popularity_totals totals;
	const struct popularity_file **ranking; /* of the public files */
};

struct popularity *popularity_new(struct popularity_file *files, size_t count,
				  const char *const *prefixes, size_t n, struct err *e)
{
	struct popularity *p = calloc(1, sizeof *p);

	if (p == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	p->files = files;
	p->count = count;
	p->totals.first = p->totals.last = INT64_MIN;
	p->totals.zipf = NAN;
	p->urls = urls_new(prefixes, n, count, e);
	if (p->urls == NULL) {
		popularity_free(p);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		files[i].requests = files[i].bytes = 0;
		files[i].hot = -1;
		p->totals.public_files += files[i].is_public;
		urls_add(p->urls, files[i].path, i);
	}
	return p;
}

void popularity_free(struct popularity *p)
{
	if (p == NULL)
		return;
	urls_free(p->urls);
	free(p->ranking);
	free(p);
}

const struct popularity_totals *popularity_totals(const struct popularity *p)
{
	return &p->totals;
}

/* --- reading ------------------------------------------------------------------------------------
 */

/* Both are at most NUM_MAX, and so is what comes out. */
static void add(uint64_t *sum, uint64_t n)
{
	*sum = n > NUM_MAX - *sum ? NUM_MAX : *sum + n;
}

static bool counts(const struct accesslog_request *r)
{
	return r->method_len == 3 && memcmp(r->method, "GET", 3) == 0 &&
	       (r->status == 200 || r->status == 206 || r->status == 304);
}

static void count_request(struct popularity *p, const struct accesslog_request *r)
{
	struct popularity_totals *t = &p->totals;
	/* What some servers log of a 304 is its header. */
	uint64_t bytes = r->status == 304 ? 0 : r->bytes;

	t->requests++;
	add(&t->bytes, bytes);
	if (r->time != INT64_MIN && (t->first == INT64_MIN || r->time < t->first))
		t->first = r->time;
	if (r->time > t->last)
		t->last = r->time;
	size_t i = urls_find(p->urls, r->path, r->path_len, r->recoded);
	if (i == URLS_NONE)
		return;
	p->files[i].requests++;
	add(&p->files[i].bytes, bytes);
	bool is_public = p->files[i].is_public;
	(*(is_public ? &t->public_requests : &t->origin_requests))++;
	add(is_public ? &t->public_bytes : &t->origin_bytes, bytes);
}

static int count_line(struct popularity *p, struct accesslog *l, const char *line, size_t len,
		      struct err *e)
{
	enum accesslog_line kind = ACCESSLOG_MALFORMED;
	struct accesslog_request request;

	if (line != NULL && accesslog_parse(l, line, len, &kind, &request, e) != 0)
		return -1;
	p->totals.malformed += kind == ACCESSLOG_MALFORMED;
	p->totals.lines += kind == ACCESSLOG_REQUEST;
	if (kind == ACCESSLOG_REQUEST && counts(&request))
		count_request(p, &request);
	return 0;
}

int popularity_read(struct popularity *p, const char *log, struct err *e)
{
	struct accesslog *l = accesslog_new(e);
	struct loglines *lines = l != NULL ? loglines_open(log, e) : NULL;
	const char *line;
	size_t len;
	int status = -1;

	if (lines == NULL)
		goto out;
	while ((status = loglines_next(lines, &line, &len, e)) > 0)
		if (count_line(p, l, line, len, e) != 0) {
			status = -1;
			break;
		}
out:
	loglines_close(lines);
	accesslog_free(l);
	return status;
}

/* --- ranking ------------------------------------------------------------------------------------
 */

/* `files` are in order, so that where they stand in memory is the last word. */
static int by_bytes(const void *left, const void *right)
{
	const struct popularity_file *a = *(const struct popularity_file *const *)left;
	const struct popularity_file *b = *(const struct popularity_file *const *)right;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	if (a->requests != b->requests)
		return a->requests < b->requests ? 1 : -1;
	return (a > b) - (a < b);
}

static int descending(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a < *b) - (*a > *b);
}

static int estimate_zipf(struct popularity *p, struct err *e)
{
	size_t n = 0;
	uint64_t *requests = calloc(p->count + 1, sizeof *requests);

	if (requests == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p->count; i++)
		if (p->files[i].is_public && p->files[i].requests > 0)
			requests[n++] = p->files[i].requests;
	qsort(requests, n, sizeof *requests, descending);
	p->totals.requested_files = n;
	p->totals.zipf = zipf_exponent(requests, n);
	free(requests);
	return 0;
}

static void draw_curve(struct popularity *p)
{
	struct popularity_totals *t = &p->totals;
	uint64_t sum = 0, rank = 0;

	for (size_t i = 0; i < POPULARITY_CURVE; i++) {
		uint64_t percent = popularity_curve[i];
		uint64_t end =
		    t->public_files / 100 * percent + (t->public_files % 100 * percent + 99) / 100;
		for (; rank < end; rank++)
			add(&sum, p->ranking[rank]->bytes);
		t->curve[i] = t->public_bytes > 0 ? (double)sum / (double)t->public_bytes : 0;
	}
}

static int floor_log2(uint64_t n)
{
	int log = -1;

	for (; n > 0; n /= 2)
		log++;
	return log;
}

/* Whole numbers: a double of 0.55 is above 0.55, and 55 bytes of 100 would not reach it. */
static uint64_t share_of(uint64_t bytes, uint64_t parts)
{
	return bytes / PARTS * parts + (bytes % PARTS * parts + PARTS - 1) / PARTS;
}

static void choose_hot(struct popularity *p, double fraction)
{
	struct popularity_totals *t = &p->totals;
	uint64_t parts = (uint64_t)(fraction * (double)PARTS + 0.5);
	uint64_t want = share_of(t->public_bytes, parts > 0 ? parts : 1);

	for (size_t i = 0; i < p->count; i++)
		p->files[i].hot = -1;
	t->hot_files = t->hot_file_bytes = t->hot_bytes = 0;
	for (size_t i = 0; i < t->public_files && p->ranking[i]->bytes > 0; i++) {
		/* With sums that stopped at NUM_MAX, all files with bytes are still hot at 1. */
		if (t->hot_bytes >= want && parts < PARTS)
			break;
		const struct popularity_file *file = p->ranking[i];
		p->files[file - p->files].hot = floor_log2(i + 1);
		t->hot_files++;
		add(&t->hot_file_bytes, file->size);
		add(&t->hot_bytes, file->bytes);
	}
}

int popularity_rank(struct popularity *p, double fraction, struct err *e)
{
	size_t n = 0;

	if (!(fraction > 0 && fraction <= 1))
		return err_set(e, ERR_USAGE,
			       "the share of the hot set must be above 0 and at most 1");
	if (p->ranking == NULL)
		p->ranking = calloc(p->count + 1, sizeof *p->ranking);
	if (p->ranking == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < p->count; i++)
		if (p->files[i].is_public)
			p->ranking[n++] = &p->files[i];
	qsort(p->ranking, n, sizeof *p->ranking, by_bytes);
	draw_curve(p);
	choose_hot(p, fraction);
	return estimate_zipf(p, e);
}

/* --- results ------------------------------------------------------------------------------------
 */

/* 0 if the logs do not tell, or too little to speak of days. */
static int64_t span_of(const struct popularity_totals *t)
{
	if (t->first == INT64_MIN || t->last - t->first < HOUR)
		return 0;
	return t->last - t->first;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole > 0 ? 100 * (double)part / (double)whole : 0;
}

static void put_requests(struct buf *to, uint64_t requests, uint64_t bytes)
{
	text_plural(to, requests, "request");
	buf_adds(to, ", ");
	text_bytes(to, bytes);
}

static void describe_traffic(struct buf *to, const struct popularity_totals *t)
{
	int64_t span = span_of(t);

	buf_adds(to, "traffic  ");
	put_requests(to, t->requests, t->bytes);
	if (span >= 2 * DAY)
		buf_addf(to, " in %.1f days", (double)span / (double)DAY);
	else if (span > 0)
		buf_addf(to, " in %.1f hours", (double)span / (double)HOUR);
	else
		buf_adds(to, " in the logs");
	if (t->public_requests > 0) {
		buf_adds(to, "; ");
		put_requests(to, t->public_requests, t->public_bytes);
		buf_adds(to, " for public files");
	}
	buf_addc(to, '\n');
	if (t->malformed > 0) {
		buf_adds(to, MARGIN);
		text_plural(to, t->malformed, "line");
		buf_adds(to, " could not be read\n");
	}
}

static void describe_curve(struct buf *to, const struct popularity_totals *t)
{
	buf_adds(to, MARGIN);
	for (size_t i = 0; i < POPULARITY_CURVE; i++)
		buf_addf(to,
			 i == 0 ? "%u %% of the public files carry %.1f %% of the bytes"
				: ", %u %% %.1f %%",
			 popularity_curve[i], 100 * t->curve[i]);
	buf_addc(to, '\n');
	if (!isnan(t->zipf))
		buf_addf(to, MARGIN "requests follow a power law with exponent %.2f (Zipf)\n",
			 t->zipf);
}

static void describe_hot(struct buf *to, const struct popularity_totals *t)
{
	int64_t span = span_of(t);

	buf_adds(to, "hot      ");
	text_plural(to, t->hot_files, "file");
	buf_adds(to, ", ");
	text_bytes(to, t->hot_file_bytes);
	buf_addf(to, ", %s %.1f %% of these bytes: ", t->hot_files == 1 ? "carries" : "carry",
		 percent(t->hot_bytes, t->public_bytes));
	if (span > 0) {
		double daily = (double)t->hot_bytes * (double)DAY / (double)span;
		text_bytes(to, (uint64_t)daily);
		buf_adds(to, " a day off the origin\n");
	} else {
		text_bytes(to, t->hot_bytes);
		buf_adds(to, " in the logs\n");
	}
}

void popularity_describe(struct buf *to, const struct popularity *p)
{
	const struct popularity_totals *t = &p->totals;

	describe_traffic(to, t);
	if (t->requests == 0)
		buf_adds(to, MARGIN "no file was asked for with success: there is no hot set\n");
	else if (t->public_requests + t->origin_requests == 0)
		buf_adds(to, MARGIN "none of them is for a file of this release: "
				    "does --url-prefix say where its files are?\n");
	else if (t->public_requests == 0)
		buf_adds(to, MARGIN "none of them is for a public file: there is no hot set\n");
	else if (t->public_bytes == 0)
		buf_adds(to, MARGIN "the logs tell of no bytes for them: there is no hot set\n");
	if (t->public_bytes > 0) {
		describe_curve(to, t);
		describe_hot(to, t);
	}
}

static void format_sums(struct jsonl_writer *w, const char *key, uint64_t requests, uint64_t bytes)
{
	jsonl_open(w, key);
	jsonl_number(w, "requests", requests);
	jsonl_number(w, "bytes", bytes);
	jsonl_close(w);
}

static void format_times(struct jsonl_writer *w, const struct popularity_totals *t)
{
	char text[UTC_SIZE];

	if (t->first == INT64_MIN)
		return;
	utc_format(text, t->first);
	jsonl_string(w, "first", text);
	utc_format(text, t->last);
	jsonl_string(w, "last", text);
}

static void format_curve(struct jsonl_writer *w, const struct popularity_totals *t)
{
	jsonl_open_array(w, "curve_percent");
	for (size_t i = 0; i < POPULARITY_CURVE; i++)
		jsonl_number(w, NULL, popularity_curve[i]);
	jsonl_close_array(w);
	jsonl_open_array(w, "curve_ppm");
	for (size_t i = 0; i < POPULARITY_CURVE; i++)
		jsonl_number(w, NULL, (uint64_t)(t->curve[i] * 1e6 + 0.5));
	jsonl_close_array(w);
	if (!isnan(t->zipf))
		jsonl_number(w, "zipf_milli", (uint64_t)(t->zipf * 1000 + 0.5));
}

void popularity_format(struct jsonl_writer *w, const char *key, const struct popularity *p)
{
	const struct popularity_totals *t = &p->totals;

	jsonl_open(w, key);
	jsonl_number(w, "lines", t->lines);
	jsonl_number(w, "malformed", t->malformed);
	jsonl_number(w, "requests", t->requests);
	jsonl_number(w, "bytes", t->bytes);
	format_times(w, t);
	format_sums(w, "public", t->public_requests, t->public_bytes);
	format_sums(w, "origin", t->origin_requests, t->origin_bytes);
	jsonl_number(w, "public_files", t->public_files);
	jsonl_number(w, "requested_files", t->requested_files);
	format_curve(w, t);
	jsonl_open(w, "hot");
	jsonl_number(w, "files", t->hot_files);
	jsonl_number(w, "size", t->hot_file_bytes);
	jsonl_number(w, "bytes", t->hot_bytes);
	jsonl_close(w);
	jsonl_close(w);
}
