#include "swarm/headers.h"

#include <stdlib.h>

#include "swarm/nginxmaps.h"
#include "swarm/text.h"

struct headers {
	struct outfile *out;
	struct head head;
	struct nginxmaps *maps;
	struct nginxmaps_counts counts;
};

static void stop(void *self)
{
	struct headers *h = self;

	nginxmaps_free(h->maps);
	free(h);
}

static void *start(const struct exporter_job *job, struct err *e)
{
	const struct exporter_options *o = job->options;
	const struct nginxmaps_options how = {o->url_prefix, o->payloads, o->match.items,
					      o->match.count};
	struct headers *h = calloc(1, sizeof *h);

	if (h == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	h->out = job->out;
	h->maps = nginxmaps_new(&how, e);
	if (h->maps != NULL)
		return h;
	stop(h);
	return NULL;
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

	return nginxmaps_add(h->maps, entry, e);
}

static int end(void *self, struct err *e)
{
	struct headers *h = self;

	return nginxmaps_write(h->maps, &h->head.id, h->head.digest, h->out, &h->counts, e);
}

static void describe(const void *self, bool verbose, struct buf *text)
{
	const struct headers *h = self;
	const struct nginxmaps_counts *c = &h->counts;

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

	jsonl_number(w, "dictionaries", c->dictionaries);
	jsonl_number(w, "shared", c->shared);
	jsonl_number(w, "dcz", c->dcz);
	jsonl_number(w, "zstd", c->zstd);
	jsonl_number(w, "payload_bytes", c->payload_bytes);
	jsonl_number(w, "strangers", c->strangers);
	jsonl_number(w, "useless", c->useless);
}

static const char *const options[] = {"payloads", "url-prefix", "match", NULL};

const struct exporter_format headers_format = {
    .name = "headers",
    .options = options,
    .start = start,
    .begin = begin,
    .add = add,
    .end = end,
    .describe = describe,
    .members = members,
    .stop = stop,
};
