#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/nginxmaps.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/arena.h"
#include "swarm/base64.h"
#include "swarm/buf.h"
#include "swarm/glob.h"
#include "swarm/hex.h"
#include "swarm/names.h"
#include "swarm/nginx.h"
#include "swarm/offers.h"
#include "swarm/plain.h"
#include "swarm/urlpattern.h"
#include "swarm/urls.h"

struct item {
	const char *path;
	const char *cache; /* NULL if none */
	uint64_t size;
	uint8_t sha256[SHA256_SIZE];
};

struct nginxmaps {
	struct item *items;
	size_t count, cap;
	const char *cache; /* of the last item that had one: most have the same */
	struct buf prefix;
	struct glob **globs;
	const char **patterns; /* of the globs; "": no dictionary */
	size_t match_count;
	struct offers offers;
	struct arena arena;
};

/* --- what is asked for --------------------------------------------------------------------------
 */

static int read_match(struct nginxmaps *h, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return err_set(e, ERR_USAGE, "'%s' is not of the form GLOB=PATTERN", text);
	const char *why = equals[1] != '\0' ? urlpattern_wrong(equals + 1) : NULL;
	if (why != NULL)
		return err_set(e, ERR_USAGE, "the pattern of '%s' cannot be sent: %s", text, why);
	const char *pattern = arena_copy(&h->arena, equals + 1, strlen(equals + 1));
	char *glob = arena_copy(&h->arena, text, (size_t)(equals - text));
	if (glob == NULL || pattern == NULL)
		return err_nomem(e);
	h->globs[h->match_count] = glob_new(glob, e);
	if (h->globs[h->match_count] == NULL) {
		e->code = ERR_USAGE;
		return err_prefix(e, "'%s'", text);
	}
	h->patterns[h->match_count++] = pattern;
	return 0;
}

static int read_options(struct nginxmaps *h, const struct nginxmaps_options *o, struct err *e)
{
	h->globs = calloc(o->match_count + 1, sizeof *h->globs);
	h->patterns = calloc(o->match_count + 1, sizeof *h->patterns);
	if (h->globs == NULL || h->patterns == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < o->match_count; i++)
		if (read_match(h, o->matches[i], e) != 0)
			return err_prefix(e, "--match");
	const char *prefix = o->url_prefix != NULL ? o->url_prefix : "/";
	if (urls_prefix(&h->prefix, prefix, e) != 0)
		return -1;
	for (size_t i = 0; i < h->prefix.len; i++) {
		unsigned char c = (unsigned char)h->prefix.data[i];
		if (c < ' ' || c == 0x7F)
			return err_set(e, ERR_USAGE,
				       "--url-prefix cannot hold control characters: '%s'", prefix);
	}
	return o->payloads != NULL ? offers_read(o->payloads, &h->offers, e) : 0;
}

struct nginxmaps *nginxmaps_new(const struct nginxmaps_options *options, struct err *e)
{
	struct nginxmaps *h = calloc(1, sizeof *h);

	if (h == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	buf_init(&h->prefix);
	if (read_options(h, options, e) == 0)
		return h;
	nginxmaps_free(h);
	return NULL;
}

void nginxmaps_free(struct nginxmaps *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->match_count; i++)
		glob_free(h->globs[i]);
	free(h->globs);
	free(h->patterns);
	free(h->items);
	offers_release(&h->offers);
	buf_release(&h->prefix);
	arena_release(&h->arena);
	free(h);
}

/* --- files --------------------------------------------------------------------------------------
 */

static int grow(struct nginxmaps *h, struct err *e)
{
	size_t want = h->cap == 0 ? 64 : h->cap * 2;
	struct item *items = reallocarray(h->items, want, sizeof *items);

	if (items == NULL)
		return err_nomem(e);
	h->items = items;
	h->cap = want;
	return 0;
}

int nginxmaps_add(struct nginxmaps *h, const struct entry *entry, struct err *e)
{
	if (plain_check(entry, "by which payloads are named", e) != 0)
		return -1;
	if (h->count == h->cap && grow(h, e) != 0)
		return -1;
	if (offers_claim(&h->offers, entry->sha256, entry->size, e) != 0)
		return -1;
	struct item item = {.size = entry->size};
	memcpy(item.sha256, entry->sha256, SHA256_SIZE);
	item.path = arena_copy(&h->arena, entry->path, strlen(entry->path));
	if (entry->cache != NULL && (h->cache == NULL || strcmp(h->cache, entry->cache) != 0))
		h->cache = arena_copy(&h->arena, entry->cache, strlen(entry->cache));
	item.cache = entry->cache != NULL ? h->cache : NULL;
	if (item.path == NULL || (entry->cache != NULL && item.cache == NULL))
		return err_nomem(e);
	h->items[h->count++] = item;
	return 0;
}

static int by_uri(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return nginx_compare(a->path, b->path);
}

/* Orders the files as nginx compares them. */
static int sort(struct nginxmaps *h, struct err *e)
{
	if (h->count > 0)
		qsort(h->items, h->count, sizeof *h->items, by_uri);
	for (size_t i = 1; i < h->count; i++)
		if (by_uri(&h->items[i - 1], &h->items[i]) == 0)
			return err_set(e, ERR_REFUSED,
				       "'%s' and '%s' differ in case only: nginx cannot tell them "
				       "apart in a map",
				       h->items[i - 1].path, h->items[i].path);
	return 0;
}

/* --- words and lines ----------------------------------------------------------------------------
 */

/* A file being written: the text of it that is still to be flushed, and what it is made of. */
struct sheet {
	const struct nginxmaps *h;
	const char *version;
	struct outfile *out;
	struct buf text;
	struct buf key, value; /* of one line, as they are meant */
	struct buf pattern;    /* of a dictionary */
	struct nginxmaps_counts *counts;
	struct names patterns; /* 2 for those that several files have, else 1 */
};

/* Ends a line of a map; `path` is what it is about. */
static int put_line(struct sheet *s, const char *path, struct err *e)
{
	size_t start, key, value;

	if (buf_check(&s->key, e) != 0 || buf_check(&s->value, e) != 0)
		return -1;
	buf_addc(&s->text, '\t');
	start = s->text.len;
	nginx_add_key(&s->text, s->key.data);
	key = s->text.len - start;
	buf_addc(&s->text, ' ');
	start = s->text.len;
	nginx_add_value(&s->text, s->value.data);
	value = s->text.len - start;
	buf_adds(&s->text, ";\n");
	if (key > NGINX_WORD_MAX || value > NGINX_WORD_MAX)
		return err_set(e, ERR_REFUSED,
			       "'%s' would take a word of over %zu bytes, more than nginx reads",
			       path, NGINX_WORD_MAX);
	return outfile_gather(s->out, &s->text, e);
}

static void begin_line(struct sheet *s)
{
	buf_clear(&s->key);
	buf_clear(&s->value);
}

static void add_uri(struct buf *to, const struct sheet *s, const struct item *item)
{
	buf_add(to, s->h->prefix.data, s->h->prefix.len);
	buf_adds(to, item->path);
}

static void add_hex(struct buf *to, const uint8_t *digest)
{
	char hex[2 * SHA256_SIZE + 1];

	hex_format(hex, digest, SHA256_SIZE);
	buf_adds(to, hex);
}

/* --- maps of files ------------------------------------------------------------------------------
 */

static int put_entry(struct sheet *s, const struct item *item, struct err *e)
{
	begin_line(s);
	add_uri(&s->key, s, item);
	add_uri(&s->value, s, item);
	buf_addc(&s->value, ' ');
	add_hex(&s->value, item->sha256);
	return put_line(s, item->path, e);
}

static int put_cache(struct sheet *s, const struct item *item, struct err *e)
{
	if (item->cache == NULL)
		return 0;
	begin_line(s);
	add_uri(&s->key, s, item);
	buf_adds(&s->value, item->cache);
	return put_line(s, item->path, e);
}

/* The pattern, or nothing where the file is to be no dictionary. */
static void add_pattern(struct buf *to, const struct sheet *s, const struct item *item)
{
	const struct nginxmaps *h = s->h;
	size_t i;

	if (item->size == 0 || item->size > NGINXMAPS_DICTIONARY_MAX)
		return;
	if (glob_list_match(h->globs, h->match_count, item->path, false, GLOB_NEGATES_BELOW, &i))
		buf_adds(to, h->patterns[i]);
	else
		urlpattern_add(to, h->prefix.data, item->path, s->version);
}

/* Counts the files that have it: a browser keeps only one of them. */
static int note_pattern(struct sheet *s, const char *pattern, struct err *e)
{
	size_t n = 0;

	if (names_get(&s->patterns, pattern, &n))
		s->counts->shared += n == 1 ? 2 : 1;
	const char *copy = pattern;
	if (n == 0)
		copy = arena_copy(&s->patterns.arena, pattern, strlen(pattern));
	if (copy == NULL)
		return err_nomem(e);
	return n < 2 ? names_put(&s->patterns, copy, n + 1, e) : 0;
}

static int put_dictionary(struct sheet *s, const struct item *item, struct err *e)
{
	buf_clear(&s->pattern);
	add_pattern(&s->pattern, s, item);
	if (buf_check(&s->pattern, e) != 0)
		return -1;
	if (s->pattern.len == 0)
		return 0;
	s->counts->dictionaries++;
	if (note_pattern(s, s->pattern.data, e) != 0)
		return -1;
	begin_line(s);
	add_uri(&s->key, s, item);
	/* A string of RFC 8941. */
	buf_adds(&s->value, "match=\"");
	for (const char *p = s->pattern.data; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(&s->value, '\\');
		buf_addc(&s->value, *p);
	}
	buf_addc(&s->value, '"');
	return put_line(s, item->path, e);
}

static int put_map(struct sheet *s, const char *from, const char *to,
		   int (*put)(struct sheet *s, const struct item *item, struct err *e),
		   struct err *e)
{
	buf_addf(&s->text, "\nmap %s %s {\n\tvolatile;\n", from, to);
	for (size_t i = 0; i < s->h->count; i++)
		if (put(s, &s->h->items[i], e) != 0)
			return -1;
	buf_adds(&s->text, "}\n");
	return 0;
}

/* --- maps of payloads ---------------------------------------------------------------------------
 */

static int put_dcz(struct sheet *s, const struct offer *offer, struct err *e)
{
	if (!offer->has_base)
		return 0;
	begin_line(s);
	add_hex(&s->key, offer->file);
	buf_addc(&s->key, ' ');
	buf_addc(&s->value, ':');
	base64_format(&s->value, offer->base, SHA256_SIZE);
	buf_addc(&s->value, ':');
	buf_add(&s->key, s->value.data, s->value.len);
	buf_addc(&s->value, ' ');
	offers_name(&s->value, offer);
	return put_line(s, "a payload", e);
}

static int put_zstd(struct sheet *s, const struct offer *offer, struct err *e)
{
	if (offer->has_base)
		return 0;
	begin_line(s);
	add_hex(&s->key, offer->file);
	offers_name(&s->value, offer);
	return put_line(s, "a payload", e);
}

/* The first offer of each file stands for all: those with a base come first. */
static int put_vary(struct sheet *s, const struct offer *offer, struct err *e)
{
	const struct offers *o = &s->h->offers;

	for (const struct offer *p = offer; p-- > o->list;) {
		if (memcmp(p->file, offer->file, SHA256_SIZE) != 0)
			break;
		if (p->useful)
			return 0;
	}
	begin_line(s);
	add_hex(&s->key, offer->file);
	buf_adds(&s->value, "accept-encoding");
	if (offer->has_base)
		buf_adds(&s->value, ", available-dictionary");
	return put_line(s, "a payload", e);
}

static int put_offers(struct sheet *s, const char *from, const char *to,
		      int (*put)(struct sheet *s, const struct offer *offer, struct err *e),
		      struct err *e)
{
	const struct offers *o = &s->h->offers;

	buf_addf(&s->text, "\nmap %s %s {\n\tvolatile;\n", from, to);
	for (size_t i = 0; i < o->count; i++)
		if (o->list[i].useful && put(s, &o->list[i], e) != 0)
			return -1;
	buf_adds(&s->text, "}\n");
	return 0;
}

static void count_offers(const struct offers *o, struct nginxmaps_counts *c)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct offer *offer = &o->list[i];
		if (!offer->claimed) {
			c->strangers++;
		} else if (!offer->useful) {
			c->useless++;
		} else {
			c->dcz += offer->has_base;
			c->zstd += !offer->has_base;
			c->payload_bytes += offer->size;
		}
	}
}

/* --- the whole ----------------------------------------------------------------------------------
 */

/* Neither '$' nor case can be had otherwise; all maps are volatile, for a redirect changes $uri. */
static const char beginning[] = "\ngeo $swarm_dollar {\n\tdefault \"$\";\n}\n";

/* A map does not tell letters of different case apart, so what was looked up is compared. */
static const char exact[] =
    "\nmap \"$uri $swarm_entry\" $swarm_uri {\n"
    "\tvolatile;\n"
    "\t\"~^(?<swarm_exact_uri>.+) \\k<swarm_exact_uri> [0-9a-f]{64}$\" $swarm_exact_uri;\n"
    "}\n"
    "\nmap \"$uri $swarm_entry\" $swarm_sha256 {\n"
    "\tvolatile;\n"
    "\t\"~^(?<swarm_same_uri>.+) \\k<swarm_same_uri> (?<swarm_exact_sha256>[0-9a-f]{64})$\" "
    "$swarm_exact_sha256;\n"
    "}\n";

#define QUALITY "(?:\\s*;\\s*q=(?:0\\.[0-9]*[1-9][0-9]*|1(?:\\.0*)?))?\\s*(?:,|$)"

/* dcz is preferred to zstd, and zstd to the file; nothing is sent that has q=0. */
static const char choice[] = "\nmap \"$http_available_dictionary $swarm_against\" $swarm_dcz {\n"
			     "\tvolatile;\n"
			     "\t\"~^(?<swarm_exact_dictionary>:[^ ]+:) \\k<swarm_exact_dictionary> "
			     "(?<swarm_exact_dcz>[0-9a-f.]+dcz)$\" $swarm_exact_dcz;\n"
			     "}\n"
			     "\nmap $http_accept_encoding $swarm_dcz_taken {\n"
			     "\tvolatile;\n"
			     "\t\"~*(?:^|,)\\s*dcz" QUALITY "\" $swarm_dcz;\n"
			     "}\n"
			     "\nmap $http_accept_encoding $swarm_zstd_taken {\n"
			     "\tvolatile;\n"
			     "\t\"~*(?:^|,)\\s*zstd" QUALITY "\" $swarm_zstd;\n"
			     "}\n"
			     "\nmap $swarm_dcz_taken $swarm_payload {\n"
			     "\tvolatile;\n"
			     "\tdefault $swarm_dcz_taken;\n"
			     "\t\"\" $swarm_zstd_taken;\n"
			     "}\n"
			     "\nmap $swarm_payload $swarm_encoding {\n"
			     "\tvolatile;\n"
			     "\t\"~dcz$\" dcz;\n"
			     "\t\"~zst$\" zstd;\n"
			     "}\n";

/* All forms of a file share a tag, weak where the bytes are not those of the file. */
static const char validators[] =
    "\nmap \"$swarm_sha256 $swarm_encoding\" $swarm_etag {\n"
    "\tvolatile;\n"
    "\t\" \" $sent_http_etag;\n"
    "\t\"~^(?<swarm_tag>[0-9a-f]{64}) $\" \"\\\"$swarm_tag\\\"\";\n"
    "\t\"~^(?<swarm_weak_tag>[0-9a-f]{64}) [a-z]+$\" \"W/\\\"$swarm_weak_tag\\\"\";\n"
    "}\n"
    "\nmap $swarm_sha256 $swarm_last_modified {\n"
    "\tvolatile;\n"
    "\t\"\" $sent_http_last_modified;\n"
    "}\n"
    "\nmap \"$request_method $swarm_sha256 $http_if_none_match\" $swarm_unchanged {\n"
    "\tvolatile;\n"
    "\t\"~^(?:GET|HEAD) (?<swarm_held>[0-9a-f]{64}) (?:.*,)?\\s*(?:W/)?\\\"\\k<swarm_held>\\\""
    "\\s*(?:,|$)\" 1;\n"
    "\t\"~^(?:GET|HEAD) [0-9a-f]{64} \\s*\\*\\s*$\" 1;\n"
    "}\n";

static void add_comment(struct sheet *s, const struct release_id *id, const uint8_t *digest)
{
	buf_addf(&s->text, "# %s %s (%s, serial %llu), manifest body ", id->product, id->version,
		 id->channel, (unsigned long long)id->serial);
	add_hex(&s->text, digest);
	buf_adds(&s->text, "\n# Written by swarmexport --format headers, for nginx's http block: "
			   "see swarmexport(1).\n");
}

static int put_all(struct sheet *s, struct err *e)
{
	buf_adds(&s->text, beginning);
	if (put_map(s, "$uri", "$swarm_entry", put_entry, e) != 0)
		return -1;
	buf_adds(&s->text, exact);
	if (put_map(s, "$swarm_uri", "$swarm_cache_control", put_cache, e) != 0 ||
	    put_map(s, "$swarm_uri", "$swarm_dictionary", put_dictionary, e) != 0 ||
	    put_offers(s, "\"$swarm_sha256 $http_available_dictionary\"", "$swarm_against", put_dcz,
		       e) != 0 ||
	    put_offers(s, "$swarm_sha256", "$swarm_zstd", put_zstd, e) != 0 ||
	    put_offers(s, "$swarm_sha256", "$swarm_vary", put_vary, e) != 0)
		return -1;
	buf_adds(&s->text, choice);
	buf_adds(&s->text, validators);
	return outfile_drain(s->out, &s->text, e);
}

int nginxmaps_write(struct nginxmaps *h, const struct release_id *id,
		    const uint8_t digest[static SHA256_SIZE], struct outfile *out,
		    struct nginxmaps_counts *ret, struct err *e)
{
	struct sheet s = {.h = h,
			  .version = id->version,
			  .out = out,
			  .text = BUF_INIT,
			  .key = BUF_INIT,
			  .value = BUF_INIT,
			  .pattern = BUF_INIT,
			  .counts = ret,
			  .patterns = NAMES_INIT};
	int status = -1;

	*ret = (struct nginxmaps_counts){.files = h->count};
	count_offers(&h->offers, ret);
	if (sort(h, e) == 0) {
		add_comment(&s, id, digest);
		status = put_all(&s, e);
	}
	buf_release(&s.text);
	buf_release(&s.key);
	buf_release(&s.value);
	buf_release(&s.pattern);
	names_release(&s.patterns);
	return status;
}
