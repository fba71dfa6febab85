/* swarmverify: audits a copy of a release. See swarmverify(1). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/audit.h"
#include "swarm/cli.h"
#include "swarm/document.h"
#include "swarm/glob.h"
#include "swarm/hex.h"
#include "swarm/jsonl.h"
#include "swarm/listing.h"
#include "swarm/policy.h"
#include "swarm/report.h"
#include "swarm/source.h"
#include "swarm/text.h"
#include "swarm/trust.h"
#include "swarm/utc.h"

#define FINDINGS_SHOWN 20

struct options {
	struct cli_options common;
	struct opt_list trust, only;
	const char *head, *product, *channel, *at, *state, *extra, *modes;
	struct opt_number threshold, min_serial, strip;
	bool fast, roots_only;
};

static const char *const extra_choices[] = {"error", "ignore", NULL};
static const char *const modes_choices[] = {"warn", "error", NULL};

#define AT(field) offsetof(struct options, field), NULL

static const struct opt table[] = {
    {OPT_STRINGS, 0, "trust", "PUB", "public keys to believe (default: those of $SWARM_TRUST)",
     AT(trust)},
    {OPT_NUMBER, 0, "threshold", "N", "how many of them must have signed (default: 1)",
     AT(threshold)},
    {OPT_STRING, 0, "head", "FILE", "a newer head over the same body: it alone judges", AT(head)},
    {OPT_STRING, 0, "product", "NAME", "refuse any other product", AT(product)},
    {OPT_STRING, 0, "channel", "NAME", "refuse any other channel", AT(channel)},
    {OPT_NUMBER, 0, "min-serial", "N", "refuse any serial below N", AT(min_serial)},
    {OPT_STRING, 0, "state", "FILE", "remember the newest release seen, and refuse older ones",
     AT(state)},
    {OPT_STRING, 0, "at", "TIME", "judge the expiry as of TIME; leaves the state alone", AT(at)},
    {.kind = OPT_SECTION, .help = "What of the bundle is checked"},
    {OPT_STRINGS, 0, "only", "GLOB", "only the files that this gitignore pattern matches", AT(only)},
    {OPT_FLAG, 0, "fast", NULL, "compare names and sizes, read no content (verifies nothing)",
     AT(fast)},
    {OPT_FLAG, 0, "roots-only", NULL, "check piece hashes, not the plain digests", AT(roots_only)},
    {OPT_CHOICE, 0, "extra", "error|ignore", "what files are that the manifest does not name",
     offsetof(struct options, extra), extra_choices},
    {OPT_CHOICE, 0, "modes", "warn|error", "what a wrong executable bit is",
     offsetof(struct options, modes), modes_choices},
    {OPT_NUMBER, 0, "strip-components", "N", "drop N leading components of names in the bundle",
     AT(strip)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmverify",
    .usage = "[OPTION]... MANIFEST [BUNDLE] --trust PUB\n"
	     "[OPTION]... HEAD --trust PUB",
    .purpose = "Check who signed a release and whether BUNDLE (a directory, an archive, or - for one\n"
	       "on standard input) is a true copy of it. Nothing is written to BUNDLE.\n",
    .options = table,
    .operands = "MANIFEST or HEAD",
    .operands_min = 1,
    .operands_max = 2,
};

/* What is known by the end of a run. */
struct verdict {
	struct head head;
	struct trust_signers signers;
	bool genuine;	     /* signed as asked for, and `head` says what it says */
	struct err objection; /* why it is not the release wanted although it is genuine */
	struct audit audit;
	bool audited;
};

/* --- the document ------------------------------------------------------------------------------- */

static struct trust *load_trust(const struct options *o, struct err *e)
{
	const char *environment = getenv("SWARM_TRUST");
	struct trust *t = trust_new(e);
	int status = t != NULL ? 0 : -1;

	for (size_t i = 0; i < o->trust.count && status == 0; i++)
		status = trust_add_file(t, o->trust.items[i], e);
	if (status == 0 && o->trust.count == 0 && environment != NULL && *environment != '\0')
		status = trust_add_list(t, environment, e);
	if (status == 0 && trust_count(t) == 0)
		status = err_set(e, ERR_USAGE,
				 "no key to believe: give --trust PUB or set SWARM_TRUST");
	if (status == 0 && o->threshold.given)
		status = trust_set_threshold(t, o->threshold.value, e);
	if (status == 0)
		return t;
	trust_free(t);
	return NULL;
}

/* The head that judges: --head's, else the document's own. */
static int read_head(const struct options *o, const struct trust *trust, const struct document *d,
		     struct verdict *v, struct err *e)
{
	struct document *apart = NULL;
	int status = -1;

	if (o->head != NULL) {
		apart = document_open(o->head, e);
		if (apart == NULL)
			return -1;
	}
	status = trust_head(trust, apart != NULL ? apart : d, &v->head, &v->signers, e);
	document_close(apart);
	v->genuine = status == 0;
	return status;
}

/* A genuine head may still be another than the one wanted. The first objection is kept. */
static int apply_policy(const struct options *o, struct policy_file *state, struct verdict *v,
			struct err *e)
{
	struct policy policy = {.product = o->product,
				.channel = o->channel,
				.min_serial = o->min_serial.value,
				.now = utc_now()};

	if (o->at != NULL && !utc_parse(o->at, &policy.now))
		return err_set(e, ERR_USAGE, "--at needs a time such as 2026-12-31T00:00:00Z, not '%s'",
			       o->at);
	/* Another product, or an older release: there is no point in comparing the bundle with it. */
	if (policy_check(&policy, &v->head, e) != 0)
		return -1;
	if (state != NULL && policy_check_state(policy_file_state(state), &v->head, e) != 0)
		return -1;
	/* Expired: the bundle may be right all the same, and somebody wants to know. */
	if (policy_check_expiry(&policy, &v->head, &v->objection) != 0)
		return 0;
	v->objection.code = ERR_NONE;
	return 0;
}

/* --- the bundle --------------------------------------------------------------------------------- */

struct globs {
	struct glob **list;
	size_t count;
};

static void globs_release(struct globs *g)
{
	for (size_t i = 0; i < g->count; i++)
		glob_free(g->list[i]);
	free(g->list);
}

static int read_globs(const struct options *o, struct globs *ret, struct err *e)
{
	ret->list = calloc(o->only.count + 1, sizeof *ret->list);
	if (ret->list == NULL)
		return err_nomem(e);
	for (; ret->count < o->only.count; ret->count++) {
		ret->list[ret->count] = glob_new(o->only.items[ret->count], e);
		if (ret->list[ret->count] == NULL) {
			e->code = ERR_USAGE;
			return err_prefix(e, "--only '%s'", o->only.items[ret->count]);
		}
	}
	return 0;
}

static bool says(const char *choice, const char *word)
{
	return choice != NULL && strcmp(choice, word) == 0;
}

static int audit(const struct cli *cli, const struct options *o, const struct listing *listing,
		 struct verdict *v, struct err *e)
{
	struct globs only = {.list = NULL};
	struct source *copy = NULL;
	int status = -1;

	if (read_globs(o, &only, e) != 0)
		goto out;
	struct audit_options how = {.fast = o->fast,
				    .roots_only = o->roots_only,
				    .ignore_extra = says(o->extra, "ignore"),
				    .strict_modes = says(o->modes, "error"),
				    .strip = (unsigned)o->strip.value,
				    .only = only.list,
				    .only_count = only.count,
				    .threads = cli_threads(cli),
				    .progress = cli->progress};
	copy = source_open(cli->operands.items[1], 1, e);
	if (copy == NULL || audit_run(listing, copy, &how, &v->audit, e) != 0)
		goto out;
	v->audited = true;
	status = 0;
out:
	source_close(copy);
	globs_release(&only);
	return status;
}

/* --- the report --------------------------------------------------------------------------------- */

static void say_head(const struct cli *cli, const struct verdict *v, const struct trust *trust)
{
	const struct head *head = &v->head;
	char issued[UTC_SIZE], expires[UTC_SIZE];

	utc_format(issued, head->issued);
	utc_format(expires, head->expires);
	cli_say(cli, "%s %s (%s, serial %llu), signed by %zu of %zu trusted keys",
		head->id.product, head->id.version, head->id.channel,
		(unsigned long long)head->id.serial, v->signers.count, trust_count(trust));
	cli_say(cli, "issued %s, expires %s", issued, expires);
}

/* More of it, where there is no bundle to talk about. */
static void say_details(const struct cli *cli, const struct verdict *v)
{
	const struct head *head = &v->head;
	struct buf line = BUF_INIT;
	char text[UTC_SIZE], hex[2 * SHA256_SIZE + 1];

	text_plural(&line, head->files, "file");
	hex_format(hex, head->digest, SHA256_SIZE);
	cli_say(cli, "%s, manifest body %llu bytes, sha256 %s", line.data,
		(unsigned long long)head->bytes, hex);
	for (size_t i = 0; i < v->signers.count; i++)
		cli_say(cli, "key %s", v->signers.keyids[i]);
	if (head->has_rollout) {
		utc_format(text, head->rollout_start);
		cli_say(cli, "rollout from %s over %llu seconds", text,
			(unsigned long long)head->rollout_window);
	}
	if (head->has_previous)
		cli_say(cli, "follows %s (serial %llu)", head->previous.version,
			(unsigned long long)head->previous.serial);
	if (head->has_btmh) {
		hex_format(hex, head->btmh, SHA256_SIZE);
		cli_say(cli, "btmh %s", hex);
	}
	buf_release(&line);
}

static void say_audit(const struct cli *cli, const struct options *o, const struct verdict *v)
{
	const struct audit *a = &v->audit;
	struct report_options how = {
	    .shown = cli->options->verbose > 0 ? SIZE_MAX : FINDINGS_SHOWN,
	    .ok = cli->options->verbose > 0};
	struct buf text = BUF_INIT, line = BUF_INIT, counts = BUF_INIT;

	report_counts(&counts, a);
	report_findings(&text, a, &how);
	for (const char *p = text.data; *p != '\0';) {
		size_t n = strcspn(p, "\n");
		cli_say(cli, "%.*s", (int)n, p);
		p += n + (p[n] == '\n');
	}
	text_plural(&line, a->checked, "file");
	buf_adds(&line, ", ");
	text_bytes(&line, a->checked_bytes);
	if (o->only.count > 0) {
		buf_adds(&line, " (of ");
		text_plural(&line, v->head.files, "file");
		buf_adds(&line, ": --only)");
	}
	if (o->fast)
		cli_say(cli, "not verified: %s, compared by name and size only", line.data);
	else if (a->verified && v->objection.code == ERR_NONE)
		cli_say(cli, "verified: %s%s", line.data,
			o->roots_only ? " (piece hashes only, not the plain digests)" : "");
	else if (a->verified)
		cli_say(cli, "the content is right: %s; NOT VERIFIED all the same", line.data);
	else
		cli_say(cli, "NOT VERIFIED: %s: %s", line.data, counts.data);
	buf_release(&text);
	buf_release(&line);
	buf_release(&counts);
}

static void put_findings(const struct cli *cli, const struct audit *a)
{
	for (size_t i = 0; i < a->count; i++) {
		struct buf line = BUF_INIT;
		if (a->findings[i].kind != FINDING_OK || cli->options->verbose > 0) {
			finding_format(&line, &a->findings[i]);
			cli_put(&line);
		}
		buf_release(&line);
	}
}

static void put_counts(struct jsonl_writer *w, const struct audit *a)
{
	jsonl_number(w, "files", a->checked);
	jsonl_number(w, "bytes", a->checked_bytes);
	jsonl_open(w, "findings");
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		jsonl_number(w, finding_name((enum finding_kind)kind), a->counts[kind]);
	jsonl_close(w);
}

/* The last line of --json, whatever happened. */
static void put_verdict(struct cli *cli, const struct options *o, const struct verdict *v, int status,
			const struct err *e)
{
	struct buf line = BUF_INIT;
	struct jsonl_writer w = {.to = &line};
	char expires[UTC_SIZE];

	if (v->audited)
		put_findings(cli, &v->audit);
	jsonl_open(&w, NULL);
	jsonl_bool(&w, "verified", status == 0 && !o->fast);
	if (v->audited)
		put_counts(&w, &v->audit);
	if (v->genuine) {
		utc_format(expires, v->head.expires);
		jsonl_string(&w, "product", v->head.id.product);
		jsonl_string(&w, "channel", v->head.id.channel);
		jsonl_string(&w, "version", v->head.id.version);
		jsonl_number(&w, "serial", v->head.id.serial);
		jsonl_string(&w, "expires", expires);
		jsonl_open_array(&w, "keyids");
		for (size_t i = 0; i < v->signers.count; i++)
			jsonl_string(&w, NULL, v->signers.keyids[i]);
		jsonl_close_array(&w);
	}
	if (v->audited && v->audit.failure.code != ERR_NONE)
		jsonl_any_string(&w, "error", v->audit.failure.msg);
	else if (status != 0 && e->code != ERR_NONE)
		jsonl_any_string(&w, "error", e->msg);
	jsonl_number(&w, "status", (uint64_t)status);
	jsonl_close(&w);
	cli_put(&line);
	cli->reported = true;
	buf_release(&line);
}

/* --- the run ------------------------------------------------------------------------------------ */

static int check_options(const struct options *o, const struct cli *cli, struct err *e)
{
	bool bundle = cli->operands.count > 1;

	if (!bundle && (o->fast || o->roots_only || o->only.count > 0 || o->extra != NULL ||
			o->modes != NULL || o->strip.given))
		return err_set(e, ERR_USAGE, "missing operand: BUNDLE (an option speaks of it)");
	if (o->fast && o->roots_only)
		return err_set(e, ERR_USAGE, "--fast and --roots-only exclude each other");
	if (bundle && strcmp(cli->operands.items[0], "-") == 0 &&
	    strcmp(cli->operands.items[1], "-") == 0)
		return err_set(e, ERR_USAGE, "only one of MANIFEST and BUNDLE can be standard input");
	return 0;
}

/* 0 or the exit status; `e` says why where there is more to say than the report does. */
static int judge(const struct options *o, const struct verdict *v, struct err *e)
{
	const struct audit *a = &v->audit;

	if (v->audited && a->failure.code != ERR_NONE) {
		*e = a->failure;
		return 1;
	}
	if (v->objection.code != ERR_NONE) {
		*e = v->objection;
		return 1;
	}
	if (!v->audited)
		return 0;
	struct audit_options how = {.strict_modes = says(o->modes, "error")};
	uint64_t wrong = 0;
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		if (kind != FINDING_UNREADABLE && audit_is_wrong(&how, (enum finding_kind)kind))
			wrong += a->counts[kind];
	if (wrong > 0)
		return 1;
	return a->counts[FINDING_UNREADABLE] > 0 ? 2 : 0;
}

static int verify(struct cli *cli, const struct options *o, struct verdict *v, struct err *e)
{
	struct listing listing = {.arena = ARENA_INIT};
	struct policy_file *state = NULL;
	struct document *d = NULL;
	int status = 2;
	bool bundle = cli->operands.count > 1;
	struct trust *trust = load_trust(o, e);

	if (trust == NULL)
		goto out;
	if (o->state != NULL && (state = policy_file_open(o->state, e)) == NULL)
		goto out;
	d = document_open(cli->operands.items[0], e);
	if (d == NULL || read_head(o, trust, d, v, e) != 0)
		goto out;
	say_head(cli, v, trust);
	if (apply_policy(o, state, v, e) != 0)
		goto out;
	if (bundle && document_kind(d) == DOCUMENT_HEAD) {
		(void)err_set(e, ERR_USAGE,
			      "a head does not list files: give the manifest (with --head %s)",
			      document_name(d));
		goto out;
	}
	if (document_kind(d) != DOCUMENT_HEAD && trust_listing(d, &v->head, &listing, e) != 0)
		goto out;
	if (bundle && audit(cli, o, &listing, v, e) != 0)
		goto out;
	status = judge(o, v, e);
	if (bundle)
		say_audit(cli, o, v);
	else
		say_details(cli, v);
	bool full = status == 0 && o->at == NULL && !o->fast && o->only.count == 0;
	if (full && state != NULL && policy_file_update(state, &v->head, cli->scratch, e) != 0)
		status = 2;
out:
	if (e->code != ERR_NONE && status != 1)
		status = err_status(e->code);
	if (o->common.json)
		put_verdict(cli, o, v, status, e);
	listing_release(&listing);
	document_close(d);
	policy_file_close(state);
	/* The verdict's keyids are the trust's. */
	v->signers.count = 0;
	trust_free(trust);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.common = {.help = false}};
	struct err e = {.code = ERR_NONE};
	struct verdict v = {.genuine = false, .audit = {.arena = ARENA_INIT}};
	struct cli cli;
	int status = cli_begin(&cli, &program, argc, argv, &o);

	if (status >= 0)
		return status;
	status = check_options(&o, &cli, &e) == 0 ? verify(&cli, &o, &v, &e) : 2;
	audit_release(&v.audit);
	return cli_end(&cli, status, &e);
}
