#include "swarm/intake.h"

#include "swarm/document.h"
#include "swarm/policy.h"

/* What the head says, whoever has signed it. */
static int read_unsigned(const struct document *d, struct head *ret, struct err *e)
{
	struct envelope v;
	int status = -1;

	envelope_init(&v);
	if (document_envelope(d, &v, e) == 0) {
		status = head_parse(v.payload.data, v.payload.len, ret, e);
		if (status != 0)
			(void)err_prefix(e, "'%s'", document_name(d));
	}
	envelope_release(&v);
	return status;
}

static int judge(const struct intake_options *o, const struct document *d, struct head *ret,
		 struct err *e)
{
	const struct policy policy = {.now = o->now};
	struct trust_signers signers;

	if (o->trust == NULL)
		return read_unsigned(d, ret, e);
	if (trust_head(o->trust, d, ret, &signers, e) != 0)
		return -1;
	if (!o->expired_too && policy_check_expiry(&policy, ret, e) != 0)
		return err_prefix(e, "'%s'", document_name(d));
	return 0;
}

static int read_head(const struct intake_options *o, const struct document *d, struct head *ret,
		     struct err *e)
{
	if (o->head == NULL)
		return judge(o, d, ret, e);
	struct document *apart = document_open(o->head, e);
	if (apart == NULL)
		return -1;
	int status = judge(o, apart, ret, e);
	document_close(apart);
	return status;
}

static int read_body(struct document *d, const struct head *head, const struct intake_sink *sink,
		     struct err *e)
{
	struct arena arena = ARENA_INIT;
	struct entry entry;
	struct body *body = document_body(d, e);
	int got = -1;

	if (body == NULL)
		return -1;
	if (sink->begin(sink->context, body_header(body), head, e) != 0)
		goto out;
	while ((got = body_next(body, &arena, &entry, e)) > 0) {
		if (sink->put(sink->context, &entry, e) != 0)
			got = -1;
		arena_release(&arena);
		if (got < 0)
			break;
	}
	arena_release(&arena);
	if (got == 0)
		got = trust_body(body, document_name(d), head, e);
out:
	body_close(body);
	return got;
}

int intake_read(const struct intake_options *options, const struct intake_sink *sink,
		struct head *ret, struct err *e)
{
	struct document *d = document_open(options->manifest, e);
	int status = -1;

	if (d == NULL)
		return -1;
	enum document_kind kind = document_kind(d);
	if (kind != DOCUMENT_MANIFEST)
		(void)err_set(e, ERR_UNTRUSTED, "'%s' is no manifest, but %s", document_name(d),
			      kind == DOCUMENT_HEAD        ? "a head"
			      : kind == DOCUMENT_INVENTORY ? "an inventory"
							   : "a delta");
	else if (read_head(options, d, ret, e) == 0)
		status = read_body(d, ret, sink, e);
	document_close(d);
	return status;
}
