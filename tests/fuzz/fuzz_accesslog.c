/*
 * Input: a log. What is read of each line keeps the promises of accesslog.h, and a path that names
 * a file still does when it is spelled in another way.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/accesslog.h"
#include "swarm/num.h"
#include "swarm/urls.h"
#include "swarm/utc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const prefixes[] = {"/", "p", "https://x.y/p/q%20r/"};
static const char *const files[] = {"a",          "a b",      "b/c",  "b/index.html",
				    "index.html", "\xC3\xA9", "x+y/z"};

#define FILES (sizeof files / sizeof *files)

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_request(const struct accesslog_request *r)
{
	check(r->status <= 999);
	check(r->bytes <= NUM_MAX);
	check(r->time == INT64_MIN || (r->time >= 0 && r->time <= UTC_MAX));
	check(r->path_len == 0 || (r->path[0] == '/' && r->method_len > 0));
	for (size_t i = 0; i < r->method_len; i++)
		check((r->method[i] >= 'A' && r->method[i] <= 'Z') || r->method[i] == '-' ||
		      r->method[i] == '_');
	if (!r->recoded)
		check(r->path_len == 0 || (memchr(r->path, '?', r->path_len) == NULL &&
					   memchr(r->path, '#', r->path_len) == NULL));
}

/* Each byte percent-encoded, with "/." in front. */
static void check_spelling(struct urls *u, const char *path, size_t len, size_t found)
{
	static const char digits[] = "0123456789abcdef";
	char *other = malloc(len * 3 + 2);

	check(other != NULL);
	memcpy(other, "/.", 2);
	for (size_t i = 0; i < len; i++) {
		char *to = other + 2 + 3 * i;
		to[0] = '%';
		to[1] = digits[(unsigned char)path[i] >> 4];
		to[2] = digits[(unsigned char)path[i] & 15];
	}
	if (memchr(path, '%', len) == NULL && len * 3 + 2 <= URLS_PATH_MAX)
		check(urls_find(u, other, len * 3 + 2, false) == found);
	free(other);
}

static void check_line(struct accesslog *l, struct urls *u, const char *line, size_t len)
{
	struct err e;
	enum accesslog_line kind;
	struct accesslog_request r;
	/* From a block of just its size, so that a read behind it is seen. */
	char *exact = malloc(len + (len == 0));

	check(exact != NULL);
	memcpy(exact, line, len);
	check(accesslog_parse(l, exact, len, &kind, &r, &e) == 0);
	if (kind == ACCESSLOG_REQUEST) {
		check_request(&r);
		size_t found = urls_find(u, r.path, r.path_len, false);
		check(found == URLS_NONE || found < FILES);
		check_spelling(u, r.path, r.path_len, found);
		if (found != URLS_NONE)
			check(urls_find(u, r.path, r.path_len, true) == found);
		else
			(void)urls_find(u, r.path, r.path_len, true);
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;
	struct accesslog *l = accesslog_new(&e);
	struct urls *u = urls_new(prefixes, sizeof prefixes / sizeof *prefixes, FILES, &e);

	check(l != NULL && u != NULL);
	for (size_t i = 0; i < FILES; i++)
		urls_add(u, files[i], i);
	for (const char *p = (const char *)data, *end = p + size; p < end;) {
		const char *feed = memchr(p, '\n', (size_t)(end - p));
		size_t len = feed != NULL ? (size_t)(feed - p) : (size_t)(end - p);
		check_line(l, u, p, len);
		p += len + (feed != NULL);
	}
	urls_free(u);
	accesslog_free(l);
	return 0;
}
