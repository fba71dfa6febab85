#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/warrant.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/body.h"
#include "swarm/document.h"
#include "swarm/io.h"
#include "swarm/pledge.h"
#include "swarm/rebuild.h"
#include "swarm/recipe.h"

static int refuse_other(const char *what, const char *delta, const char *head, struct err *e)
{
	return err_set(e, ERR_UNTRUSTED, "the delta is %s %s, but the head is %s", what, delta,
		       head);
}

/* Both are genuine: are they of one release, and is it a later one? */
static int match(const struct pledge *p, const struct head *head, struct err *e)
{
	if (strcmp(p->product, head->id.product) != 0)
		return refuse_other("for the product", p->product, head->id.product, e);
	if (strcmp(p->channel, head->id.channel) != 0)
		return refuse_other("for the channel", p->channel, head->id.channel, e);
	if (p->to.serial != head->id.serial || strcmp(p->to.version, head->id.version) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "the delta leads to %s (serial %llu), but the head is of %s (serial "
			       "%llu)",
			       p->to.version, (unsigned long long)p->to.serial, head->id.version,
			       (unsigned long long)head->id.serial);
	if (memcmp(p->to.digest, head->digest, SHA256_SIZE) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "the delta leads to another manifest of %s than the head has signed",
			       p->to.version);
	if (p->to.serial <= p->from.serial)
		return err_set(
		    e, ERR_REFUSED, "the delta leads from serial %llu to %llu: that is no update",
		    (unsigned long long)p->from.serial, (unsigned long long)p->to.serial);
	return 0;
}

static int check_identity(const struct warrant_options *o, const struct head *head, struct err *e)
{
	struct policy any_serial = o->policy;

	any_serial.min_serial = 0;
	return policy_check(&any_serial, head, e);
}

/* Whether the head is too old, by its serial or by time. */
static int check_currency(const struct warrant_options *o, const struct head *head,
			  struct err *ret_objection, struct err *e)
{
	struct err *serial = o->lenient ? ret_objection : e;

	if (policy_check(&o->policy, head, serial) != 0 ||
	    (o->state != NULL && policy_check_state(o->state, head, serial) != 0))
		return o->lenient ? 0 : -1;
	if (policy_check_expiry(&o->policy, head, ret_objection) == 0)
		ret_objection->code = ERR_NONE;
	return 0;
}

static int read_head(const struct warrant_options *o, struct warrant *w, struct err *e)
{
	struct document *d = document_open(o->head, e);
	int status = -1;

	if (d == NULL || trust_head(o->trust, d, &w->head, &w->signers, e) != 0 ||
	    document_envelope(d, &w->envelope, e) != 0)
		goto out;
	w->objection.code = ERR_NONE;
	if (check_identity(o, &w->head, e) != 0 ||
	    check_currency(o, &w->head, &w->objection, e) != 0)
		(void)err_prefix(e, "'%s'", document_name(d));
	else
		status = 0;
out:
	document_close(d);
	return status;
}

static int read_old(struct document *d, const struct pledge *p, struct warrant *w, struct err *e)
{
	const char *name = document_name(d);

	if (document_kind(d) != DOCUMENT_MANIFEST)
		return err_set(e, ERR_UNTRUSTED, "'%s' is no manifest", name);
	struct body *body = document_body(d, e);
	if (body == NULL)
		return -1;
	int status = listing_read(body, &w->old, e);
	body_close(body);
	if (status != 0)
		return -1;
	if (memcmp(w->old.digest, p->from.digest, SHA256_SIZE) == 0)
		return 0;
	return err_set(e, ERR_UNTRUSTED,
		       "'%s' (%s, serial %llu) is not the manifest that the delta starts from (%s, "
		       "serial %llu)",
		       name, w->old.header.id.version, (unsigned long long)w->old.header.id.serial,
		       p->from.version, (unsigned long long)p->from.serial);
}

/* --- the new manifest ---------------------------------------------------------------------------
 */

struct writer {
	struct warrant *w;
	struct buf text; /* of the body, until there is enough to write */
	size_t room;     /* of the lines */
};

#define WRITE_BLOCK ((size_t)256 * 1024)

static int flush(struct writer *m, struct err *e)
{
	if (buf_check(&m->text, e) != 0 ||
	    io_write(m->w->body, m->text.data, m->text.len, "a temporary file", e) != 0)
		return -1;
	buf_clear(&m->text);
	return 0;
}

static int add_line(struct writer *m, const char *text, size_t len, struct err *e)
{
	buf_add(&m->text, text, len);
	buf_addc(&m->text, '\n');
	return m->text.len >= WRITE_BLOCK || m->text.failed ? flush(m, e) : 0;
}

static int begin(void *context, const struct header *header, const char *text, size_t len,
		 struct err *e)
{
	(void)header;
	return add_line(context, text, len, e);
}

static int grow(struct writer *m, struct err *e)
{
	size_t want = m->room == 0 ? 64 : m->room * 2;
	const struct delta_line **more = reallocarray(m->w->lines, want, sizeof *more);

	if (more == NULL)
		return err_nomem(e);
	m->w->lines = more;
	m->room = want;
	return 0;
}

static int add_file(void *context, const char *path, const char *text, size_t len,
		    const struct delta_line *line, struct err *e)
{
	struct writer *m = context;
	struct warrant *w = m->w;
	struct delta_line *kept = NULL;

	(void)path;
	if (w->line_count == m->room && grow(m, e) != 0)
		return -1;
	if (line != NULL) {
		kept = arena_alloc(&w->arena, sizeof *kept);
		if (kept == NULL)
			return err_nomem(e);
		*kept = *line;
	}
	w->lines[w->line_count++] = kept;
	return add_line(m, text, len, e);
}

/* What is made is read again as strangers' manifests are: it counts only if it is one. */
static int read_new(struct warrant *w, struct err *e)
{
	static const char name[] = "the new manifest";

	if (lseek(w->body, 0, SEEK_SET) != 0)
		return err_sys(e, "cannot rewind a temporary file");
	struct body *body = body_open(w->body, UINT64_MAX, name, e);
	if (body == NULL)
		return -1;
	int status = listing_read(body, &w->new, e);
	if (status == 0)
		status = trust_body(body, name, &w->head, e);
	body_close(body);
	return status;
}

/* Manifests that name two plain digests for the same bytes do not belong together. */
static bool is_copy(const struct entry *a, const struct entry *b)
{
	return entry_same_content(a, b) &&
	       (!a->has_sha256 || !b->has_sha256 || memcmp(a->sha256, b->sha256, SHA256_SIZE) == 0);
}

/* Old paths in the delta are those of the old manifest, and never a result of the delta. */
static int check_lines(const struct warrant *w, struct err *e)
{
	for (size_t i = 0; i < w->line_count; i++) {
		const struct delta_line *line = w->lines[i];
		if (line == NULL || (line->source != DELTA_COPY && line->source != DELTA_DCZ))
			continue;
		const struct entry *from = listing_find(&w->old, line->from);
		if (from == NULL)
			return err_set(e, ERR_MALFORMED,
				       "the delta makes '%s' from '%s', which the old manifest "
				       "does not have",
				       line->path, line->from);
		if (line->source == DELTA_COPY && !is_copy(from, &w->new.entries[i]))
			return err_set(e, ERR_MALFORMED,
				       "the delta copies '%s' from '%s', which has other content",
				       line->path, line->from);
	}
	return 0;
}

static int make_new(struct document *old, struct recipe *recipe, struct warrant *w, struct err *e)
{
	struct writer m = {.w = w, .text = BUF_INIT};
	struct rebuild_sink sink = {
	    .context = &m, .begin = begin, .file = add_file, .arena = &w->arena};
	int status = -1;

	w->body = io_temporary(e);
	if (w->body >= 0 && rebuild_run(old, recipe, &sink, e) == 0 && flush(&m, e) == 0)
		status = 0;
	buf_release(&m.text);
	return status;
}

static int use_delta(const struct warrant_options *o, struct document *delta,
		     const struct pledge *pledge, struct warrant *w, struct err *e)
{
	struct document *old = document_open(o->old_manifest, e);
	struct recipe *recipe = NULL;
	int status = -1;

	if (old == NULL || read_old(old, pledge, w, e) != 0)
		goto out;
	recipe = document_recipe(delta, e);
	if (recipe == NULL)
		goto out;
	w->delta = *recipe_header(recipe);
	if (make_new(old, recipe, w, e) != 0 ||
	    trust_recipe(recipe, document_name(delta), pledge, e) != 0 || read_new(w, e) != 0 ||
	    check_lines(w, e) != 0)
		goto out;
	status = 0;
out:
	recipe_close(recipe);
	document_close(old);
	return status;
}

int warrant_check(const struct warrant_options *o, struct warrant *ret, struct err *e)
{
	struct document *delta = document_open(o->delta, e);
	struct pledge pledge;
	int status = -1;

	if (delta == NULL)
		return -1;
	if (trust_delta(o->trust, delta, &pledge, &ret->delta_signers, e) != 0 ||
	    read_head(o, ret, e) != 0)
		goto out;
	if (match(&pledge, &ret->head, e) != 0) {
		(void)err_prefix(e, "'%s'", document_name(delta));
		goto out;
	}
	status = use_delta(o, delta, &pledge, ret, e);
out:
	document_close(delta);
	return status;
}

void warrant_release(struct warrant *w)
{
	envelope_release(&w->envelope);
	listing_release(&w->old);
	listing_release(&w->new);
	free(w->lines);
	arena_release(&w->arena);
	if (w->body >= 0)
		(void)close(w->body);
	*w = (struct warrant)WARRANT_INIT;
}
