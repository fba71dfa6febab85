#include "swarm/accesslog.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/num.h"
#include "swarm/utc.h"

/* "10/Oct/2000:13:55:36 -0700" */
#define TIME_LEN   ((size_t)26)
#define METHOD_MAX ((size_t)32)
/* Columns behind these are not looked at; CloudFront has 33. */
#define COLUMN_MAX ((size_t)128)

enum role {
	ROLE_NONE,
	ROLE_DATE,
	ROLE_TIME,
	ROLE_METHOD,
	ROLE_STEM,
	ROLE_URI,
	ROLE_STATUS,
	ROLE_BYTES,
	ROLES,
};

struct text {
	const char *at; /* NULL if there is none */
	size_t len;
};

struct accesslog {
	struct buf path; /* with its escapes undone */
	/* The time read last: most lines have that of the line before. */
	char last[TIME_LEN];
	int64_t time;
	bool is_w3c;
	uint8_t roles[COLUMN_MAX];
	size_t columns; /* behind which no role stands */
};

struct accesslog *accesslog_new(struct err *e)
{
	struct accesslog *l = calloc(1, sizeof *l);

	if (l == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	buf_init(&l->path);
	return l;
}

void accesslog_free(struct accesslog *l)
{
	if (l == NULL)
		return;
	buf_release(&l->path);
	free(l);
}

static bool equals(struct text t, const char *word)
{
	return t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* --- parts of a line ----------------------------------------------------------------------------
 */

/* `-` is 0. */
static bool read_bytes(struct text t, uint64_t *ret)
{
	*ret = 0;
	if (equals(t, "-"))
		return true;
	for (size_t i = 0; i < t.len; i++) {
		if (!is_digit(t.at[i]))
			return false;
		*ret = *ret * 10 + (uint64_t)(t.at[i] - '0');
		if (*ret > NUM_MAX)
			return false;
	}
	return t.len > 0;
}

static bool read_status(struct text t, unsigned *ret)
{
	if (t.len != 3 || !is_digit(t.at[0]) || !is_digit(t.at[1]) || !is_digit(t.at[2]))
		return false;
	*ret = (unsigned)((t.at[0] - '0') * 100 + (t.at[1] - '0') * 10 + (t.at[2] - '0'));
	return true;
}

static bool is_method(struct text t)
{
	if (t.len == 0 || t.len > METHOD_MAX)
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (!((t.at[i] >= 'A' && t.at[i] <= 'Z') || t.at[i] == '-' || t.at[i] == '_'))
			return false;
	return t.at[0] != '-';
}

/* The path of an absolute or relative URL; empty if it has none. */
static struct text path_of(struct text url)
{
	const char *p = url.at, *end = url.at + url.len;

	if (url.len > 0 && *p == '/')
		return url;
	while (p < end && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || is_digit(*p) ||
			   *p == '+' || *p == '-' || *p == '.'))
		p++;
	if (p == url.at || end - p < 3 || memcmp(p, "://", 3) != 0)
		return (struct text){"", 0};
	p += 3;
	while (p < end && *p != '/' && *p != '?' && *p != '#')
		p++;
	if (p == end || *p != '/')
		return (struct text){"/", 1};
	return (struct text){p, (size_t)(end - p)};
}

static struct text cut_at(struct text t, char c)
{
	const char *at = memchr(t.at, c, t.len);

	if (at != NULL)
		t.len = (size_t)(at - t.at);
	return t;
}

static void set_path(struct accesslog_request *ret, struct text path)
{
	ret->path = path.at;
	ret->path_len = path.len;
}

/* --- common and combined ------------------------------------------------------------------------
 */

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads what stands behind a backslash; the number of its bytes, 0 if it is no escape. */
static size_t escape(const char *p, size_t len, char *ret)
{
	static const char letters[] = "bfnrtv\"\\", meanings[] = "\b\f\n\r\t\v\"\\";

	if (len >= 3 && (*p == 'x' || *p == 'X') && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
		*ret = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
		return 3;
	}
	const char *at = len > 0 && *p != '\0' ? strchr(letters, *p) : NULL;
	if (at == NULL)
		return 0;
	*ret = meanings[at - letters];
	return 1;
}

static int unescape(struct accesslog *l, struct text *t, struct err *e)
{
	if (memchr(t->at, '\\', t->len) == NULL)
		return 0;
	buf_clear(&l->path);
	char *to = buf_room(&l->path, t->len);
	if (to == NULL)
		return err_nomem(e);
	size_t len = 0;
	for (size_t i = 0; i < t->len; i++) {
		to[len] = t->at[i];
		if (t->at[i] == '\\')
			i += escape(t->at + i + 1, t->len - i - 1, &to[len]);
		len++;
	}
	buf_grew(&l->path, len);
	*t = (struct text){l->path.data, len};
	return 0;
}

/*
 * What stands behind `[TIME] "` in a line. Nobody who asks for something can forge that: servers
 * escape the quotation marks of what they were sent, the user's name included.
 */
static struct text find_time(struct text line)
{
	const size_t need = TIME_LEN + 4;

	while (line.len > need) {
		const char *p = memchr(line.at, '[', line.len - need);
		if (p == NULL)
			break;
		if (memcmp(p + 1 + TIME_LEN, "] \"", 3) == 0 && p[3] == '/' && p[7] == '/' &&
		    p[12] == ':')
			return (struct text){p + 1, TIME_LEN};
		line.len -= (size_t)(p + 1 - line.at);
		line.at = p + 1;
	}
	return (struct text){NULL, 0};
}

static bool read_zone(const char *t, int64_t *ret)
{
	if ((t[0] != '+' && t[0] != '-') || !is_digit(t[1]) || !is_digit(t[2]) || !is_digit(t[3]) ||
	    !is_digit(t[4]))
		return false;
	*ret = ((t[1] - '0') * 10 + (t[2] - '0')) * 3600 + ((t[3] - '0') * 10 + (t[4] - '0')) * 60;
	if (t[0] == '-')
		*ret = -*ret;
	return true;
}

static bool read_time(struct accesslog *l, const char *t, int64_t *ret)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char iso[UTC_SIZE] = "yyyy-mm-ddThh:mm:ssZ";
	size_t month = 0;
	int64_t zone;

	*ret = l->time;
	if (memcmp(l->last, t, TIME_LEN) == 0)
		return true;
	while (month < 12 && memcmp(months + 3 * month, t + 3, 3) != 0)
		month++;
	month++;
	memcpy(iso, t + 7, 4);
	iso[5] = (char)('0' + month / 10);
	iso[6] = (char)('0' + month % 10);
	memcpy(iso + 8, t, 2);
	memcpy(iso + 11, t + 12, 8);
	if (t[20] != ' ' || !read_zone(t + 21, &zone) || !utc_parse(iso, ret))
		return false;
	*ret -= zone;
	if (*ret < 0 || *ret > UTC_MAX)
		return false;
	memcpy(l->last, t, TIME_LEN);
	l->time = *ret;
	return true;
}

/* Up to the quotation mark that ends the request; NULL if there is none. */
static const char *closing(const char *p, const char *end)
{
	const char *quote = memchr(p, '"', (size_t)(end - p));

	while (quote != NULL) {
		const char *slash = memchr(p, '\\', (size_t)(quote - p));
		if (slash == NULL)
			break;
		p = slash + 2;
		if (p > quote)
			quote = p < end ? memchr(p, '"', (size_t)(end - p)) : NULL;
	}
	return quote;
}

/* Drops " HTTP/1.1" or " HTTP/2". */
static struct text without_version(struct text t)
{
	static const size_t lengths[] = {sizeof " HTTP/1.1" - 1, sizeof " HTTP/2" - 1};

	for (size_t i = 0; i < 2; i++) {
		size_t n = lengths[i];
		if (t.len >= n && memcmp(t.at + t.len - n, " HTTP/", 6) == 0) {
			t.len -= n;
			break;
		}
	}
	return t;
}

static int read_request(struct accesslog *l, struct text t, struct accesslog_request *ret,
			struct err *e)
{
	struct text method = cut_at(t, ' ');

	if (method.len == t.len || !is_method(method))
		return 0;
	ret->method = method.at;
	ret->method_len = method.len;
	struct text url =
	    without_version((struct text){t.at + method.len + 1, t.len - method.len - 1});
	struct text path = path_of(url);
	if (unescape(l, &path, e) != 0)
		return -1;
	path = cut_at(cut_at(path, '?'), '#');
	set_path(ret, path);
	return 0;
}

static int parse_common(struct accesslog *l, struct text line, enum accesslog_line *ret_kind,
			struct accesslog_request *ret, struct err *e)
{
	const char *end = line.at + line.len;
	struct text time = find_time(line);

	*ret_kind = ACCESSLOG_MALFORMED;
	if (time.at == NULL || !read_time(l, time.at, &ret->time))
		return 0;
	const char *start = time.at + TIME_LEN + 3, *quote = closing(start, end);
	/* `" 200 1`, at the least */
	if (quote == NULL || end - quote < 7 || quote[1] != ' ' || quote[5] != ' ')
		return 0;
	struct text rest = {quote + 6, (size_t)(end - quote - 6)};
	if (!read_status((struct text){quote + 2, 3}, &ret->status) ||
	    !read_bytes(cut_at(rest, ' '), &ret->bytes))
		return 0;
	*ret_kind = ACCESSLOG_REQUEST;
	return read_request(l, (struct text){start, (size_t)(quote - start)}, ret, e);
}

/* --- W3C extended -------------------------------------------------------------------------------
 */

/* Behind a text in quotation marks, in which they are doubled; NULL if it does not end. */
static const char *behind_quotes(const char *p, const char *end)
{
	do {
		p = memchr(p + 1, '"', (size_t)(end - p - 1));
		if (p == NULL)
			return NULL;
		p++;
	} while (p < end && *p == '"');
	return p;
}

/* The next column, which *rest then stands behind; at == NULL at the end of the line. */
static struct text next_column(struct text *rest, bool tabs)
{
	const struct text none = {NULL, 0};

	if (rest->at == NULL)
		return none;
	const char *p = rest->at, *end = rest->at + rest->len, *from;
	while (!tabs && p < end && *p == ' ')
		p++;
	if (!tabs && p == end)
		return none;
	from = !tabs && *p == '"' ? behind_quotes(p, end) : p;
	if (from == NULL)
		return none;
	const char *stop = memchr(from, tabs ? '\t' : ' ', (size_t)(end - from));
	*rest = stop != NULL ? (struct text){stop + 1, (size_t)(end - stop - 1)} : none;
	return (struct text){p, (size_t)((stop != NULL ? stop : end) - p)};
}

static enum role role_of(struct text name)
{
	static const char *const names[ROLES] = {
	    [ROLE_NONE] = "",
	    [ROLE_DATE] = "date",
	    [ROLE_TIME] = "time",
	    [ROLE_METHOD] = "cs-method",
	    [ROLE_STEM] = "cs-uri-stem",
	    [ROLE_URI] = "cs-uri",
	    [ROLE_STATUS] = "sc-status",
	    [ROLE_BYTES] = "sc-bytes",
	};

	for (enum role role = ROLE_DATE; role < ROLES; role++)
		if (equals(name, names[role]))
			return role;
	return ROLE_NONE;
}

static void read_directive(struct accesslog *l, struct text line)
{
	static const char fields[] = "#Fields:";
	const size_t len = sizeof fields - 1;

	if (line.len < len || memcmp(line.at, fields, len) != 0)
		return;
	const char *p = line.at + len, *end = line.at + line.len;
	l->is_w3c = true;
	l->columns = 0;
	for (size_t i = 0; i < COLUMN_MAX && p < end; i++) {
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		const char *from = p;
		while (p < end && *p != ' ' && *p != '\t')
			p++;
		l->roles[i] = (uint8_t)role_of((struct text){from, (size_t)(p - from)});
		if (l->roles[i] != ROLE_NONE)
			l->columns = i + 1;
	}
}

/* INT64_MIN where there is none. */
static bool read_date(struct accesslog *l, struct text date, struct text time, int64_t *ret)
{
	char iso[UTC_SIZE] = "yyyy-mm-ddThh:mm:ssZ";

	*ret = INT64_MIN;
	if (date.at == NULL || time.at == NULL || equals(date, "-") || equals(time, "-"))
		return true;
	if (date.len != 10 || time.len < 8 || (time.len > 8 && time.at[8] != '.'))
		return false;
	memcpy(iso, date.at, 10);
	memcpy(iso + 11, time.at, 8);
	*ret = l->time;
	if (memcmp(l->last, iso, sizeof iso) == 0)
		return true;
	if (!utc_parse(iso, ret))
		return false;
	memcpy(l->last, iso, sizeof iso);
	l->time = *ret;
	return true;
}

static void parse_w3c(struct accesslog *l, struct text line, enum accesslog_line *ret_kind,
		      struct accesslog_request *ret)
{
	struct text column[ROLES] = {0}, rest = line;
	bool tabs = memchr(line.at, '\t', line.len) != NULL;

	*ret_kind = ACCESSLOG_MALFORMED;
	for (size_t i = 0; i < l->columns; i++) {
		struct text t = next_column(&rest, tabs);
		if (t.at == NULL)
			return;
		if (column[l->roles[i]].at == NULL)
			column[l->roles[i]] = t;
	}
	bool has_stem = column[ROLE_STEM].at != NULL;
	struct text method = column[ROLE_METHOD], url = column[has_stem ? ROLE_STEM : ROLE_URI];
	if (method.at == NULL || url.at == NULL || column[ROLE_STATUS].at == NULL ||
	    !read_status(column[ROLE_STATUS], &ret->status) ||
	    !read_date(l, column[ROLE_DATE], column[ROLE_TIME], &ret->time) ||
	    (column[ROLE_BYTES].at != NULL && !read_bytes(column[ROLE_BYTES], &ret->bytes)))
		return;
	*ret_kind = ACCESSLOG_REQUEST;
	ret->recoded = true;
	if (!is_method(method))
		return;
	ret->method = method.at;
	ret->method_len = method.len;
	struct text path = path_of(url);
	/* IIS decodes the stem, so that a '#' in it is one of the file's name. */
	set_path(ret, has_stem ? path : cut_at(cut_at(path, '?'), '#'));
}

int accesslog_parse(struct accesslog *l, const char *line, size_t len,
		    enum accesslog_line *ret_kind, struct accesslog_request *ret, struct err *e)
{
	struct text t = {line, len};
	const struct accesslog_request none = {.method = "", .path = "", .time = INT64_MIN};

	*ret_kind = ACCESSLOG_NOTHING;
	*ret = none;
	if (t.len > 0 && t.at[t.len - 1] == '\r')
		t.len--;
	if (t.len == 0)
		return 0;
	if (*t.at == '#') {
		read_directive(l, t);
		return 0;
	}
	if (l->is_w3c) {
		parse_w3c(l, t, ret_kind, ret);
		if (*ret_kind == ACCESSLOG_REQUEST)
			return 0;
		*ret = none;
	}
	/* A log of the other family may stand behind it in one file. */
	return parse_common(l, t, ret_kind, ret, e);
}
