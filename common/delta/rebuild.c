#include "swarm/rebuild.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/path.h"
#include "swarm/roll.h"
#include "swarm/sha256.h"

/* The old body and the delta, both read by one line ahead. */
struct rebuild {
	const struct rebuild_sink *sink;
	struct recipe *recipe;
	struct roll *roll;
	struct sha256 *sha; /* of the new body */
	struct arena own;   /* for lines that nobody keeps */
	struct delta_line line;
	int old, change; /* whether there is another one: what the reader's next() returned */
};

static int next_old(struct rebuild *r, struct err *e)
{
	r->old = roll_next(r->roll, e);
	return r->old < 0 ? -1 : 0;
}

static int next_change(struct rebuild *r, struct err *e)
{
	struct arena *arena = r->sink->arena != NULL ? r->sink->arena : &r->own;

	arena_release(&r->own);
	r->change = recipe_next(r->recipe, arena, &r->line, e);
	return r->change < 0 ? -1 : 0;
}

/* A manifest of another release says so in its first line: no need to read it all. */
static int check_start(const struct roll *roll, const struct delta_header *d, struct err *e)
{
	const struct release_id *id = &roll_header(roll)->id;

	if (strcmp(id->product, d->product) == 0 && strcmp(id->channel, d->channel) == 0 &&
	    strcmp(id->version, d->from.version) == 0 && id->serial == d->from.serial)
		return 0;
	return err_set(e, ERR_UNTRUSTED,
		       "'%s' is of %s %s (%s, serial %llu), but the delta starts from %s %s (%s, "
		       "serial %llu)",
		       roll_name(roll), id->product, id->version, id->channel,
		       (unsigned long long)id->serial, d->product, d->from.version, d->channel,
		       (unsigned long long)d->from.serial);
}

static void hash_line(struct rebuild *r, const char *text, size_t len)
{
	sha256_update(r->sha, text, len);
	sha256_update(r->sha, "\n", 1);
}

static int begin(struct rebuild *r, struct err *e)
{
	const struct header *header = &recipe_header(r->recipe)->header;
	struct buf text = BUF_INIT;
	int status;

	header_format(&text, header);
	status = buf_check(&text, e);
	if (status == 0)
		hash_line(r, text.data, text.len);
	if (status == 0 && r->sink->begin != NULL)
		status = r->sink->begin(r->sink->context, header, text.data, text.len, e);
	buf_release(&text);
	return status;
}

static int put(struct rebuild *r, const char *path, const char *text, size_t len,
	       const struct delta_line *line, struct err *e)
{
	hash_line(r, text, len);
	return r->sink->file != NULL ? r->sink->file(r->sink->context, path, text, len, line, e)
				     : 0;
}

static int keep(struct rebuild *r, struct err *e)
{
	size_t len;
	const char *text = roll_line(r->roll, &len);

	if (put(r, roll_path(r->roll), text, len, NULL, e) != 0)
		return -1;
	return next_old(r, e);
}

/* `there`: the old manifest has the path too. */
static int apply(struct rebuild *r, bool there, struct err *e)
{
	const struct delta_line *line = &r->line;
	int status = 0;

	if (!line->remove)
		status = put(r, line->path, line->text, line->text_len, line, e);
	else if (!there)
		status =
		    err_set(e, ERR_MALFORMED, "the delta removes '%s', which '%s' does not name",
			    line->path, roll_name(r->roll));
	if (status != 0 || (there && next_old(r, e) != 0))
		return -1;
	return next_change(r, e);
}

static int merge(struct rebuild *r, struct err *e)
{
	if (next_old(r, e) != 0 || next_change(r, e) != 0)
		return -1;
	while (r->old || r->change) {
		int order = !r->old      ? 1
			    : !r->change ? -1
					 : path_compare(roll_path(r->roll), r->line.path);
		if ((order < 0 ? keep(r, e) : apply(r, order == 0, e)) != 0)
			return -1;
	}
	return 0;
}

static int check_ends(const struct rebuild *r, struct err *e)
{
	const struct delta_header *d = recipe_header(r->recipe);
	uint8_t digest[SHA256_SIZE];
	uint64_t length;

	roll_digest(r->roll, digest, &length);
	if (memcmp(digest, d->from.digest, SHA256_SIZE) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' is not the manifest that the delta starts from: its body has "
			       "another SHA-256",
			       roll_name(r->roll));
	sha256_final(r->sha, digest);
	if (sha256_check(r->sha, e) != 0)
		return -1;
	if (memcmp(digest, d->to.digest, SHA256_SIZE) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "the delta does not lead from '%s' to the manifest that it says",
			       roll_name(r->roll));
	return 0;
}

int rebuild_run(struct document *old, struct recipe *recipe, const struct rebuild_sink *sink,
		struct err *e)
{
	struct rebuild r = {.sink = sink, .recipe = recipe, .own = ARENA_INIT};
	int status = -1;

	r.sha = sha256_new(e);
	r.roll = r.sha != NULL ? roll_open(old, e) : NULL;
	if (r.roll == NULL || check_start(r.roll, recipe_header(recipe), e) != 0)
		goto out;
	if (begin(&r, e) == 0 && merge(&r, e) == 0)
		status = check_ends(&r, e);
out:
	roll_close(r.roll);
	sha256_free(r.sha);
	arena_release(&r.own);
	return status;
}
