#include "swarm/nginxmaps.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/arena.h"
#include "swarm/base64.h"
#include "swarm/buf.h"
#include "swarm/dictionaries.h"
#include "swarm/grow.h"
#include "swarm/hex.h"
#include "swarm/nginx.h"
#include "swarm/nginxfixed.h"
#include "swarm/offers.h"
#include "swarm/plain.h"
#include "swarm/urls.h"

struct item {
	const char *path;
	const char *cache; /* NULL if none */
	uint64_t size;
	uint8_t sha256[SHA256_SIZE];
};

struct nginxmaps {
	struct item *items;
	size_t count, room;
	const char *cache; /* of the last item that had one: most have the same */
	struct buf prefix;
	struct dictionaries *dictionaries;
	struct offers offers;
	struct arena arena;
};

/* --- what is asked for --------------------------------------------------------------------------
 */

static int read_options(struct nginxmaps *h, const struct nginxmaps_options *o, struct err *e)
{
	h->dictionaries = dictionaries_new(o->matches, o->match_count, e);
	if (h->dictionaries == NULL)
		return -1;
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
	dictionaries_free(h->dictionaries);
	free(h->items);
	offers_release(&h->offers);
	buf_release(&h->prefix);
	arena_release(&h->arena);
	free(h);
}

/* --- files --------------------------------------------------------------------------------------
 */

int nginxmaps_add(struct nginxmaps *h, const struct entry *entry, struct err *e)
{
	if (plain_check(entry, "by which payloads are named", e) != 0)
		return -1;
	struct item *items = grow_for_one(h->items, h->count, &h->room, sizeof *items, e);
	if (items == NULL)
		return -1;
	h->items = items;
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
};

/* Ends a line of a map; `path` is what it is about. */
static int put_line(struct sheet *s, const char *path, struct err *e)
{
	if (buf_check(&s->key, e) != 0 || buf_check(&s->value, e) != 0)
		return -1;
	if (!nginx_add_line(&s->text, s->key.data, s->value.data))
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

static int put_dictionary(struct sheet *s, const struct item *item, struct err *e)
{
	const struct nginxmaps *h = s->h;

	if (dictionaries_pattern(h->dictionaries, h->prefix.data, item->path, item->size,
				 s->version, &s->pattern, e) != 0)
		return -1;
	if (s->pattern.len == 0)
		return 0;
	begin_line(s);
	add_uri(&s->key, s, item);
	dictionaries_value(&s->value, s->pattern.data);
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
	buf_adds(&s->text, nginxfixed_start);
	if (put_map(s, "$uri", "$swarm_entry", put_entry, e) != 0)
		return -1;
	buf_adds(&s->text, nginxfixed_exact);
	if (put_map(s, "$swarm_uri", "$swarm_cache_control", put_cache, e) != 0 ||
	    put_map(s, "$swarm_uri", "$swarm_dictionary", put_dictionary, e) != 0 ||
	    put_offers(s, "\"$swarm_sha256 $http_available_dictionary\"", "$swarm_against", put_dcz,
		       e) != 0 ||
	    put_offers(s, "$swarm_sha256", "$swarm_zstd", put_zstd, e) != 0 ||
	    put_offers(s, "$swarm_sha256", "$swarm_vary", put_vary, e) != 0)
		return -1;
	buf_adds(&s->text, nginxfixed_choice);
	buf_adds(&s->text, nginxfixed_validators);
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
			  .pattern = BUF_INIT};
	int status = -1;

	*ret = (struct nginxmaps_counts){.files = h->count};
	count_offers(&h->offers, ret);
	if (sort(h, e) == 0) {
		add_comment(&s, id, digest);
		status = put_all(&s, e);
	}
	ret->dictionaries = dictionaries_count(h->dictionaries);
	ret->shared = dictionaries_shared(h->dictionaries);
	buf_release(&s.text);
	buf_release(&s.key);
	buf_release(&s.value);
	buf_release(&s.pattern);
	return status;
}
