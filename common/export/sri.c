#include "swarm/sri.h"

#include <stdlib.h>

#include "swarm/base64.h"
#include "swarm/plain.h"
#include "swarm/urlpath.h"

struct sri {
	struct outfile *out;
	struct buf prefix;
	struct buf text;
	bool comma;
};

static void stop(void *self)
{
	struct sri *s = self;

	buf_release(&s->prefix);
	buf_release(&s->text);
	free(s);
}

static void *start(const struct exporter_job *job, struct err *e)
{
	struct sri *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	s->out = job->out;
	buf_init(&s->prefix);
	buf_init(&s->text);
	if (urlpath_add_prefix(&s->prefix, job->options->url_prefix, URLPATH_BROWSER, e) == 0)
		return s;
	stop(s);
	return NULL;
}

static int begin(void *self, const struct header *header, const struct head *head, struct err *e)
{
	struct sri *s = self;

	(void)header;
	(void)head;
	(void)e;
	buf_adds(&s->text, "{\n");
	return 0;
}

/* Nothing that JSON escapes is left of a path once it is percent-encoded. */
static int add(void *self, const struct entry *entry, struct err *e)
{
	struct sri *s = self;

	if (plain_check(entry, "which is what integrity is told by", e) != 0)
		return -1;
	buf_adds(&s->text, s->comma ? ",\n\"" : "\"");
	s->comma = true;
	buf_add(&s->text, s->prefix.data, s->prefix.len);
	urlpath_add(&s->text, entry->path, URLPATH_BROWSER);
	buf_adds(&s->text, "\":\"" SRI_ALGORITHM);
	base64_format(&s->text, entry->sha256, SHA256_SIZE);
	buf_addc(&s->text, '"');
	return outfile_gather(s->out, &s->text, e);
}

static int end(void *self, struct err *e)
{
	struct sri *s = self;

	buf_adds(&s->text, "\n}\n");
	return outfile_drain(s->out, &s->text, e);
}

static const char *const options[] = {"url-prefix", NULL};

const struct exporter_format sri_format = {
    .name = "sri",
    .options = options,
    .start = start,
    .begin = begin,
    .add = add,
    .end = end,
    .stop = stop,
};
