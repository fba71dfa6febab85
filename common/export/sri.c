#include "swarm/sri.h"

#include "swarm/base64.h"
#include "swarm/plain.h"
#include "swarm/urlpath.h"

struct sri {
	struct format_state state;
	struct buf prefix;
	bool comma;
};

static void stop(void *self)
{
	struct sri *s = self;

	buf_release(&s->prefix);
}

static int start(void *self, struct err *e)
{
	struct sri *s = self;

	buf_init(&s->prefix);
	buf_adds(&s->state.text, "{\n");
	return urlpath_add_prefix(&s->prefix, s->state.job->options->url_prefix, URLPATH_BROWSER,
				  e);
}

/* Nothing that JSON escapes is left of a path once it is percent-encoded. */
static int add(void *self, const struct entry *entry, struct err *e)
{
	struct sri *s = self;
	struct buf *text = &s->state.text;

	if (plain_check(entry, "which is what integrity is told by", e) != 0)
		return -1;
	buf_adds(text, s->comma ? ",\n\"" : "\"");
	s->comma = true;
	buf_add(text, s->prefix.data, s->prefix.len);
	urlpath_add(text, entry->path, URLPATH_BROWSER);
	buf_adds(text, "\":\"" SRI_ALGORITHM);
	base64_format(text, entry->sha256, SHA256_SIZE);
	buf_addc(text, '"');
	return outfile_gather(s->state.job->out, text, e);
}

static int end(void *self, struct err *e)
{
	struct sri *s = self;

	buf_adds(&s->state.text, "\n}\n");
	return buf_check(&s->state.text, e);
}

static const char *const options[] = {"url-prefix", NULL};

const struct format sri_format = {
    .name = "sri",
    .options = options,
    .size = sizeof(struct sri),
    .start = start,
    .add = add,
    .end = end,
    .stop = stop,
};
