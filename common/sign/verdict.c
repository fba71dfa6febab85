#include "swarm/verdict.h"

#include <stdint.h>
#include <string.h>

#include "swarm/hex.h"
#include "swarm/jsonl.h"
#include "swarm/report.h"
#include "swarm/text.h"
#include "swarm/utc.h"

#define FINDINGS_SHOWN 20

void verdict_init(struct verdict *v)
{
	*v = (struct verdict){.audit = AUDIT_INIT, .listing = {.arena = ARENA_INIT}};
}

void verdict_release(struct verdict *v)
{
	audit_release(&v->audit);
	listing_release(&v->listing);
	verdict_init(v);
}

static int status_of_audit(const struct verdict *v)
{
	const struct audit *a = &v->audit;
	uint64_t wrong = 0;

	for (int kind = 0; kind < FINDING_KINDS; kind++)
		if (kind != FINDING_UNREADABLE &&
		    audit_is_wrong(&v->audit_options, (enum finding_kind)kind))
			wrong += a->findings.counts[kind];
	if (wrong > 0)
		return 1;
	/* Nothing is known to be wrong, but not all could be looked at. */
	return a->findings.counts[FINDING_UNREADABLE] > 0 ? 2 : 0;
}

void verdict_settle(struct verdict *v, struct err *e)
{
	v->status = err_status(e->code);
	if (e->code != ERR_NONE)
		return;
	if (v->audited && v->audit.failure.code != ERR_NONE)
		*e = v->audit.failure;
	else if (v->expired.code != ERR_NONE)
		*e = v->expired;
	v->status = e->code != ERR_NONE ? err_status(e->code) : v->audited ? status_of_audit(v) : 0;
}

/* --- for people ---------------------------------------------------------------------------------
 */

static void describe_signers(struct buf *to, const struct verdict *v)
{
	buf_addf(to, ", signed by %zu of ", v->signers.count);
	text_plural(to, v->trusted_keys, "trusted key");
	buf_addc(to, '\n');
}

static void describe_keys(struct buf *to, const struct verdict *v)
{
	for (size_t i = 0; i < v->signers.count; i++)
		buf_addf(to, "keyid  %s\n", v->signers.keyids[i]);
}

static void describe_head(struct buf *to, const struct verdict *v)
{
	const struct head *head = &v->head;
	char issued[UTC_SIZE], expires[UTC_SIZE];

	utc_format(issued, head->issued);
	utc_format(expires, head->expires);
	buf_addf(to, "%s %s (%s, serial %llu)", head->id.product, head->id.version,
		 head->id.channel, (unsigned long long)head->id.serial);
	describe_signers(to, v);
	buf_addf(to, "issued %s, expires %s\n", issued, expires);
}

static void describe_hex(struct buf *to, const char *name, const uint8_t *hash)
{
	char hex[2 * SHA256_SIZE + 1];

	hex_format(hex, hash, SHA256_SIZE);
	buf_addf(to, "%s %s\n", name, hex);
}

/* More of it, where there is no copy to talk about. */
static void describe_details(struct buf *to, const struct verdict *v)
{
	const struct head *head = &v->head;
	char text[UTC_SIZE];

	text_plural(to, head->files, "file");
	buf_addf(to, ", manifest body of %llu bytes\n", (unsigned long long)head->bytes);
	describe_hex(to, "sha256", head->digest);
	if (head->has_btmh)
		describe_hex(to, "btmh  ", head->btmh);
	describe_keys(to, v);
	if (head->has_previous)
		buf_addf(to, "follows %s (serial %llu)\n", head->previous.version,
			 (unsigned long long)head->previous.serial);
	if (head->has_rollout) {
		utc_format(text, head->rollout_start);
		buf_addf(to, "clients switch from %s on, spread over %llu seconds\n", text,
			 (unsigned long long)head->rollout_window);
	}
}

static void describe_amount(struct buf *to, const struct verdict *v)
{
	text_plural(to, v->audit.checked, "file");
	buf_adds(to, ", ");
	text_bytes(to, v->audit.checked_bytes);
	if (v->audit.checked < v->head.files) {
		buf_adds(to, " (of ");
		text_plural(to, v->head.files, "file");
		buf_adds(to, " in all)");
	}
}

static void describe_audit(struct buf *to, const struct verdict *v, bool verbose)
{
	const struct audit *a = &v->audit;
	struct report_options how = {.shown = verbose ? SIZE_MAX : FINDINGS_SHOWN, .ok = verbose};

	report_findings(to, a, &how);
	if (a->verified && v->status == 0)
		buf_adds(to, "verified: ");
	else if (a->verified)
		buf_adds(to, "NOT VERIFIED, although the content is right: ");
	else if (v->status == 0)
		buf_adds(to, "names and sizes are right, NOTHING WAS VERIFIED: ");
	else
		buf_adds(to, "NOT VERIFIED: ");
	describe_amount(to, v);
	if (v->status != 0 && !a->verified) {
		buf_adds(to, ": ");
		report_counts(to, a);
	} else if (a->verified && v->audit_options.roots_only) {
		buf_adds(to, " (by piece hashes, not the plain digests)");
	}
	buf_addc(to, '\n');
}

static void describe_delta(struct buf *to, const struct verdict *v)
{
	const struct endorse *delta = &v->delta;

	endorse_name(to, &delta->pledge);
	describe_signers(to, v);
	if (v->status != 0)
		return;
	tally_describe(to, &delta->tally, &delta->header);
	describe_hex(to, "from  ", delta->pledge.from.digest);
	describe_hex(to, "to    ", delta->pledge.to.digest);
	buf_addf(to, "delta of %llu bytes\n", (unsigned long long)delta->pledge.bytes);
	describe_hex(to, "sha256", delta->pledge.digest);
	describe_keys(to, v);
}

void verdict_describe(struct buf *to, const struct verdict *v, bool verbose)
{
	if (!v->genuine)
		return;
	if (v->is_delta) {
		describe_delta(to, v);
		return;
	}
	describe_head(to, v);
	if (v->audited)
		describe_audit(to, v, verbose);
	else if (v->status == 0)
		describe_details(to, v);
}

/* --- for programs -------------------------------------------------------------------------------
 */

static void put_counts(struct jsonl_writer *w, const struct audit *a)
{
	jsonl_number(w, "files", a->checked);
	jsonl_number(w, "bytes", a->checked_bytes);
	jsonl_open(w, "findings");
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		jsonl_number(w, finding_name((enum finding_kind)kind), a->findings.counts[kind]);
	jsonl_close(w);
}

static void put_head(struct jsonl_writer *w, const struct verdict *v)
{
	const struct head *head = &v->head;
	char expires[UTC_SIZE];

	utc_format(expires, head->expires);
	jsonl_string(w, "product", head->id.product);
	jsonl_string(w, "channel", head->id.channel);
	jsonl_string(w, "version", head->id.version);
	jsonl_number(w, "serial", head->id.serial);
	jsonl_hex(w, "sha256", head->digest, SHA256_SIZE);
	jsonl_string(w, "expires", expires);
}

/* Of one that is not right, nobody knows what it brings. */
static void put_delta(struct jsonl_writer *w, const struct verdict *v)
{
	endorse_put(w, &v->delta.pledge);
	if (v->status == 0)
		tally_format(w, &v->delta.tally, &v->delta.header);
}

static void put_keys(struct jsonl_writer *w, const struct verdict *v)
{
	jsonl_open_array(w, "keyids");
	for (size_t i = 0; i < v->signers.count; i++)
		jsonl_string(w, NULL, v->signers.keyids[i]);
	jsonl_close_array(w);
}

void verdict_format(struct buf *to, const struct verdict *v, const struct err *e, bool verbose)
{
	struct jsonl_writer w = {.to = to};

	for (size_t i = 0; v->audited && i < v->audit.findings.count; i++) {
		if (v->audit.findings.items[i].kind == FINDING_OK && !verbose)
			continue;
		finding_format(to, &v->audit.findings.items[i]);
		buf_addc(to, '\n');
	}
	jsonl_open(&w, NULL);
	jsonl_bool(&w, "verified", v->status == 0 && (!v->audited || v->audit.verified));
	if (v->audited)
		put_counts(&w, &v->audit);
	if (v->genuine && v->is_delta)
		put_delta(&w, v);
	else if (v->genuine)
		put_head(&w, v);
	if (v->genuine)
		put_keys(&w, v);
	if (e->code != ERR_NONE)
		jsonl_any_string(&w, "error", e->msg);
	jsonl_number(&w, "status", (uint64_t)v->status);
	jsonl_close(&w);
	buf_addc(to, '\n');
}
