#include "swarm/verify.h"

#include <string.h>

#include "swarm/document.h"
#include "swarm/source.h"

/* The head that judges: a newer one, else the document's own. */
static int read_head(const struct verify_options *o, const struct document *d, struct verdict *v,
		     struct err *e)
{
	struct document *apart = NULL;

	if (o->head != NULL && (apart = document_open(o->head, e)) == NULL)
		return -1;
	int status = trust_head(o->trust, apart != NULL ? apart : d, &v->head, &v->signers, e);
	document_close(apart);
	v->genuine = status == 0;
	v->trusted_keys = trust_count(o->trust);
	return status;
}

static int apply_policy(const struct verify_options *o, const struct policy_file *state,
			struct verdict *v, struct err *e)
{
	/* Another product, or an older release: there is no point in comparing a copy with it. */
	if (policy_check(&o->policy, &v->head, e) != 0)
		return err_prefix(e, "'%s'", o->head != NULL ? o->head : o->document);
	if (state != NULL && policy_check_state(policy_file_state(state), &v->head, e) != 0)
		return err_prefix(e, "'%s'", o->head != NULL ? o->head : o->document);
	/* Expired: the copy may be right all the same, and somebody wants to know. */
	if (policy_check_expiry(&o->policy, &v->head, &v->expired) == 0)
		v->expired.code = ERR_NONE;
	return 0;
}

static int audit_copy(const struct verify_options *o, struct verdict *v, struct err *e)
{
	struct source *copy = source_open(o->copy, 1, e);

	if (copy == NULL)
		return -1;
	v->audit_options = o->audit;
	int status = audit_run(&v->listing, copy, &o->audit, &v->audit, e);
	v->audited = status == 0;
	source_close(copy);
	return status;
}

/* A delta leads to a release, and stands for none. */
static int check_words_of_delta(const struct verify_options *o, const char *name, struct err *e)
{
	if (o->copy != NULL)
		return err_set(e, ERR_USAGE,
			       "'%s' is a delta: a bundle is checked against the new manifest",
			       name);
	if (o->head != NULL)
		return err_set(e, ERR_USAGE, "'%s' is a delta: --head goes with a manifest", name);
	if (o->state != NULL)
		return err_set(e, ERR_USAGE,
			       "'%s' is a delta, which authorises nothing: --state is for a "
			       "manifest or a head",
			       name);
	if (o->keep_state)
		return err_set(e, ERR_USAGE,
			       "'%s' is a delta, which does not expire: leave out --at", name);
	return 0;
}

static int read_delta(struct document *d, struct verdict *v, struct err *e)
{
	struct recipe *recipe = document_recipe(d, e);
	int status = -1;

	if (recipe != NULL && endorse_read(recipe, &v->delta, e) == 0)
		status = trust_recipe(recipe, document_name(d), &v->delta.pledge, e);
	recipe_close(recipe);
	return status;
}

static int examine_delta(const struct verify_options *o, struct document *d, struct verdict *v,
			 struct err *e)
{
	const struct pledge *p = &v->delta.pledge;
	struct release_id id;

	v->is_delta = true;
	v->trusted_keys = trust_count(o->trust);
	if (check_words_of_delta(o, document_name(d), e) != 0 ||
	    trust_delta(o->trust, d, &v->delta.pledge, &v->signers, e) != 0)
		return -1;
	v->genuine = true;
	memcpy(id.product, p->product, sizeof id.product);
	memcpy(id.channel, p->channel, sizeof id.channel);
	memcpy(id.version, p->to.version, sizeof id.version);
	id.serial = p->to.serial;
	if (policy_check_id(&o->policy, &id, e) != 0)
		return err_prefix(e, "'%s'", document_name(d));
	return read_delta(d, v, e);
}

static int examine(const struct verify_options *o, struct document *d,
		   const struct policy_file *state, struct verdict *v, struct err *e)
{
	if (document_kind(d) == DOCUMENT_INVENTORY)
		return err_set(e, ERR_UNTRUSTED, "'%s' is an inventory: nobody has signed it",
			       document_name(d));
	if (document_kind(d) == DOCUMENT_DELTA)
		return examine_delta(o, d, v, e);
	if (document_kind(d) == DOCUMENT_HEAD && o->head != NULL)
		return err_set(e, ERR_USAGE, "'%s' is a head itself: --head goes with a manifest",
			       document_name(d));
	if (read_head(o, d, v, e) != 0 || apply_policy(o, state, v, e) != 0)
		return -1;
	if (document_kind(d) == DOCUMENT_HEAD && o->copy != NULL)
		return err_set(
		    e, ERR_USAGE,
		    "'%s' is a head, which lists no files: give the manifest (and --head "
		    "%s)",
		    document_name(d), document_name(d));
	if (document_kind(d) != DOCUMENT_HEAD && trust_listing(d, &v->head, &v->listing, e) != 0)
		return -1;
	return o->copy != NULL ? audit_copy(o, v, e) : 0;
}

/* A partial check is no reason to believe that this release has been seen and found right. */
static bool may_update(const struct verify_options *o, const struct verdict *v)
{
	return v->status == 0 && !o->keep_state && !o->audit.fast && o->audit.only_count == 0;
}

int verify_run(const struct verify_options *options, struct scratch *scratch, struct verdict *ret,
	       struct err *e)
{
	struct policy_file *state = NULL;
	struct document *d = NULL;
	int status = -1;

	if (options->state != NULL && (state = policy_file_open(options->state, e)) == NULL)
		goto out;
	d = document_open(options->document, e);
	if (d == NULL || examine(options, d, state, ret, e) != 0)
		goto out;
	verdict_settle(ret, e);
	if (e->code != ERR_NONE)
		goto out;
	if (state != NULL && may_update(options, ret) &&
	    policy_file_update(state, &ret->head, scratch, e) != 0)
		goto out;
	status = 0;
out:
	if (status != 0 && e->code == ERR_NONE)
		(void)err_set(e, ERR_SYSTEM, "it failed for an unknown reason");
	if (status != 0)
		verdict_settle(ret, e);
	document_close(d);
	policy_file_close(state);
	return status;
}
