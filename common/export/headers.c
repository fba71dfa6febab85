#include "swarm/headers.h"

#include <string.h>

#include "swarm/headerrules.h"
#include "swarm/nginxmaps.h"
#include "swarm/text.h"

/* One of the two is there: the maps are nginx's. */
struct headers {
	struct format_state state;
	struct head head;
	struct nginxmaps *maps;
	struct nginxmaps_counts counts;
	struct headerrules *rules;
	uint64_t rule_count;
};

static void stop(void *self)
{
	struct headers *h = self;

	nginxmaps_free(h->maps);
	headerrules_free(h->rules);
}

static int start_maps(struct headers *h, const struct format_options *o, struct err *e)
{
	const struct nginxmaps_options how = {o->url_prefix, o->payloads, o->match.items,
					      o->match.count};

	h->maps = nginxmaps_new(&how, e);
	return h->maps != NULL ? 0 : -1;
}

/* Rules for folders have to know of all files. */
static int start_rules(struct headers *h, const struct format_options *o, struct err *e)
{
	bool netlify = strcmp(o->server, "netlify") == 0;

	if (o->payloads != NULL || o->match.count > 0)
		return err_set(e, ERR_USAGE, "--%s is for --server nginx, not %s",
			       o->payloads != NULL ? "payloads" : "match", o->server);
	if (o->only.count > 0 || o->label != NULL)
		return err_set(e, ERR_USAGE,
			       "--%s is not for --server %s: a rule for a folder is for all files "
			       "in it",
			       o->only.count > 0 ? "only" : "label", o->server);
	h->rules =
	    headerrules_new(netlify ? HEADERTREE_NETLIFY : HEADERTREE_CLOUDFLARE, o->url_prefix, e);
	return h->rules != NULL ? 0 : -1;
}

static int start(void *self, struct err *e)
{
	struct headers *h = self;
	const struct format_options *o = h->state.job->options;
	bool maps = o->server == NULL || strcmp(o->server, "nginx") == 0;

	return maps ? start_maps(h, o, e) : start_rules(h, o, e);
}

static int begin(void *self, const struct header *header, const struct head *head, struct err *e)
{
	struct headers *h = self;

	(void)header;
	(void)e;
	h->head = *head;
	return 0;
}

static int add(void *self, const struct entry *entry, struct err *e)
{
	struct headers *h = self;

	return h->maps != NULL ? nginxmaps_add(h->maps, entry, e)
			       : headerrules_add(h->rules, entry, e);
}

static int end(void *self, struct err *e)
{
	struct headers *h = self;
	struct outfile *out = h->state.job->out;

	if (h->maps == NULL)
		return headerrules_write(h->rules, &h->head, out, &h->rule_count, e);
	return nginxmaps_write(h->maps, &h->head.id, h->head.digest, out, &h->counts, e);
}

static void describe(const void *self, bool verbose, struct buf *text)
{
	const struct headers *h = self;
	const struct nginxmaps_counts *c = &h->counts;

	if (h->maps == NULL) {
		text_plural(text, h->rule_count, "rule");
		buf_addc(text, '\n');
		return;
	}
	buf_adds(text, "payloads: ");
	text_count(text, c->dcz);
	buf_adds(text, " dcz, ");
	text_count(text, c->zstd);
	buf_adds(text, " zstd, ");
	text_bytes(text, c->payload_bytes);
	buf_addc(text, '\n');
	if (!verbose)
		return;
	buf_adds(text, "left out: ");
	text_plural(text, c->strangers, "payload");
	buf_adds(text, " of no file here, ");
	text_count(text, c->useless);
	buf_adds(text, " not smaller than the file\ndictionaries: ");
	text_count(text, c->dictionaries);
	buf_adds(text, ", ");
	text_count(text, c->shared);
	buf_adds(text, " of them with a pattern that another has\n");
}

static void members(const void *self, struct jsonl_writer *w)
{
	const struct headers *h = self;
	const struct nginxmaps_counts *c = &h->counts;

	if (h->maps == NULL) {
		jsonl_number(w, "rules", h->rule_count);
		return;
	}
	jsonl_number(w, "dictionaries", c->dictionaries);
	jsonl_number(w, "shared", c->shared);
	jsonl_number(w, "dcz", c->dcz);
	jsonl_number(w, "zstd", c->zstd);
	jsonl_number(w, "payload_bytes", c->payload_bytes);
	jsonl_number(w, "strangers", c->strangers);
	jsonl_number(w, "useless", c->useless);
}

static const char *const options[] = {"server", "payloads", "url-prefix", "match", NULL};

const char *const headers_servers[] = {"nginx", "netlify", "cloudflare", NULL};

const struct format headers_format = {
    .name = "headers",
    .options = options,
    .size = sizeof(struct headers),
    .start = start,
    .begin = begin,
    .add = add,
    .end = end,
    .describe = describe,
    .members = members,
    .stop = stop,
};
