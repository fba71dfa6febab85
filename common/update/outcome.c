#include "swarm/outcome.h"

#include <string.h>

#include "swarm/hex.h"
#include "swarm/jsonl.h"
#include "swarm/label.h"
#include "swarm/text.h"

#define SHOWN 20

void outcome_release(struct outcome *o)
{
	if (o->planned)
		plan_release(&o->plan);
	supply_release(&o->supply);
	warrant_release(&o->warrant);
	faults_release(&o->wrong);
	buf_release(&o->leftover);
	*o = (struct outcome)OUTCOME_INIT;
}

/* --- counting -----------------------------------------------------------------------------------
 */

/* The files that were made in one way. */
struct share {
	size_t files;
	uint64_t bytes;
};

struct shares {
	struct share ways[PLAN_WAYS];
	struct share resumed, fallen;
	size_t linked, cloned;
	uint64_t fetched; /* bytes of payloads */
};

static void add(struct share *t, const struct plan_item *item)
{
	t->files++;
	t->bytes += item->file->size;
}

static void take_stock(const struct outcome *o, struct shares *ret)
{
	*ret = (struct shares){.fetched = 0};
	for (size_t i = 0; i < o->plan.count; i++) {
		const struct plan_item *item = &o->plan.items[i];
		bool resumed = item->made == PLAN_RESUMED;
		add(resumed ? &ret->resumed : &ret->ways[item->way], item);
		if (item->failed != NULL)
			add(&ret->fallen, item);
		ret->linked += item->made == PLAN_LINKED;
		ret->cloned += item->made == PLAN_CLONED;
		if (item->way == PLAN_PAYLOAD && !resumed)
			ret->fetched += item->line->size;
	}
}

static bool is_needed(const struct plan_item *item)
{
	return item->way == PLAN_NOWHERE && item->made == PLAN_NOT_YET;
}

size_t outcome_needed(const struct outcome *o, uint64_t *ret_bytes)
{
	struct share sum = {.files = 0};

	for (size_t i = 0; o->planned && i < o->plan.count; i++)
		if (is_needed(&o->plan.items[i]))
			add(&sum, &o->plan.items[i]);
	*ret_bytes = sum.bytes;
	return sum.files;
}

/* --- for people ---------------------------------------------------------------------------------
 */

static void describe_release(struct buf *to, const struct outcome *o)
{
	const struct delta_header *d = &o->warrant.delta;

	buf_addf(to, "%s %s -> %s (%s, serial %llu -> %llu), signed by %zu of ", d->product,
		 d->from.version, d->to.version, d->channel, (unsigned long long)d->from.serial,
		 (unsigned long long)d->to.serial, o->warrant.signers.count);
	text_plural(to, o->trusted_keys, "trusted key");
	buf_addc(to, '\n');
}

static void describe_share(struct buf *to, const char *what, const struct share *t)
{
	if (t->files == 0)
		return;
	buf_adds(to, "  ");
	text_plural(to, t->files, "file");
	buf_addf(to, " %s, ", what);
	text_bytes(to, t->bytes);
	buf_addc(to, '\n');
}

static void describe_ways(struct buf *to, const struct outcome *o)
{
	struct shares t;

	take_stock(o, &t);
	struct share old = {t.ways[PLAN_COPY].files + t.ways[PLAN_EMPTY].files,
			    t.ways[PLAN_COPY].bytes};
	describe_share(to, "untouched", &t.ways[PLAN_STAYS]);
	describe_share(to, "as in the old release", &old);
	if (t.ways[PLAN_PAYLOAD].files > 0) {
		struct buf what = BUF_INIT;
		buf_adds(&what, "of payloads of ");
		text_bytes(&what, t.fetched);
		describe_share(to, what.data, &t.ways[PLAN_PAYLOAD]);
		buf_release(&what);
	}
	describe_share(to, "of the solid payload", &t.ways[PLAN_SOLID]);
	describe_share(to, "whole", &t.ways[PLAN_WHOLE]);
	describe_share(to, "made by an interrupted run", &t.resumed);
	describe_share(to, "needed from elsewhere", &t.ways[PLAN_NOWHERE]);
}

static void describe_rest(struct buf *to, size_t count, bool verbose)
{
	if (!verbose && count > SHOWN)
		buf_addf(to, "  and %zu more (-v lists them)\n", count - SHOWN);
}

/* Lists lines of `text`, the first ones only unless `verbose`. */
static void describe_lines(struct buf *to, const char *text, bool verbose)
{
	size_t count = 0;

	for (const char *at = text; *at != '\0'; count++) {
		size_t n = strcspn(at, "\n");
		if (verbose || count < SHOWN)
			buf_addf(to, "  %.*s\n", (int)n, at);
		at += n + (at[n] == '\n');
	}
	describe_rest(to, count, verbose);
}

static void describe_wrong(struct buf *to, const struct faults *wrong, bool verbose)
{
	for (size_t i = 0; i < wrong->count && (verbose || i < SHOWN); i++) {
		const char *what = wrong->items[i].what;
		buf_adds(to, "  ");
		text_printable(to, what, strlen(what));
		buf_addc(to, '\n');
	}
	describe_rest(to, wrong->count, verbose);
}

static void describe_needed(struct buf *to, const struct outcome *o, bool verbose)
{
	struct buf lines = BUF_INIT, payload = BUF_INIT;

	for (size_t i = 0; i < o->plan.count; i++) {
		const struct plan_item *item = &o->plan.items[i];
		if (!is_needed(item))
			continue;
		buf_addf(&lines, "%s: ", item->file->path);
		text_bytes(&lines, item->file->size);
		buf_clear(&payload);
		if ((item->line->source == DELTA_DCZ || item->line->source == DELTA_ZSTD) &&
		    supply_payload_name(item->file, item->base, &payload)) {
			buf_adds(&lines, ", or a payload of ");
			text_bytes(&lines, item->line->size);
			if (verbose)
				buf_addf(&lines, ": %s", payload.data);
		}
		if (item->line->solid)
			buf_adds(&lines, ", or the solid payload");
		buf_addc(&lines, '\n');
	}
	describe_lines(to, lines.data, verbose);
	buf_release(&lines);
	buf_release(&payload);
}

static void describe_fallen(struct buf *to, const struct outcome *o)
{
	for (size_t i = 0; i < o->plan.count; i++)
		if (o->plan.items[i].failed != NULL)
			buf_addf(to, "  made in another way, since %s\n", o->plan.items[i].failed);
}

static void describe_end(struct buf *to, const struct outcome *o)
{
	const char *version = o->warrant.delta.to.version;

	switch (o->end) {
	case OUTCOME_FAILED: break;
	case OUTCOME_POSSIBLE:
		buf_adds(to, o->waiting ? "an update that was begun waits to be finished: nothing "
					  "has to be fetched; nothing was written\n"
					: "everything needed is there; nothing was written\n");
		break;
	case OUTCOME_MANIFEST:
		buf_addf(to, "the manifest of %s was made, and no tree\n", version);
		break;
	case OUTCOME_DONE: buf_addf(to, "patched: %s is %s\n", o->tree, version); break;
	case OUTCOME_FINISHED:
		buf_addf(to, "patched: %s is %s, as an interrupted run had begun it\n", o->tree,
			 version);
		break;
	case OUTCOME_ALREADY:
		buf_addf(to, "nothing to do: %s is %s already\n", o->tree, version);
		break;
	}
}

void outcome_describe(struct buf *to, const struct outcome *o, bool verbose)
{
	uint64_t bytes;
	bool needed = o->wrong.count == 0 && outcome_needed(o, &bytes) > 0;

	if (o->genuine)
		describe_release(to, o);
	if (needed || (o->end == OUTCOME_POSSIBLE && !o->waiting) || o->end == OUTCOME_DONE)
		describe_ways(to, o);
	describe_wrong(to, &o->wrong, verbose);
	if (o->planned && verbose)
		describe_fallen(to, o);
	if (needed)
		describe_needed(to, o, verbose);
	if (o->end == OUTCOME_FAILED && o->leftover.len > 0)
		buf_addf(to, "what was made is kept in %s for the next run\n", o->leftover.data);
	describe_end(to, o);
}

/* --- for programs -------------------------------------------------------------------------------
 */

static void format_needed(struct buf *to, const struct plan_item *item)
{
	struct jsonl_writer w = {.to = to};
	struct buf payload = BUF_INIT;

	jsonl_open(&w, NULL);
	jsonl_path(&w, "path", item->file->path);
	jsonl_bool(&w, "needed", true);
	jsonl_number(&w, "size", item->file->size);
	if (item->file->has_sha256)
		jsonl_hex(&w, "sha256", item->file->sha256, SHA256_SIZE);
	jsonl_string(&w, "label", label_name(item->file->label));
	if ((item->line->source == DELTA_DCZ || item->line->source == DELTA_ZSTD) &&
	    supply_payload_name(item->file, item->base, &payload)) {
		jsonl_string(&w, "payload", payload.data);
		jsonl_number(&w, "payload_size", item->line->size);
		jsonl_hex(&w, "payload_sha256", item->line->sha256, SHA256_SIZE);
	}
	if (item->line->solid)
		jsonl_bool(&w, "solid", true);
	jsonl_close(&w);
	buf_addc(to, '\n');
	buf_release(&payload);
}

static void format_wrong(struct buf *to, const struct fault *fault)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_path(&w, "path", fault->path);
	jsonl_any_string(&w, "wrong", fault->what);
	jsonl_close(&w);
	buf_addc(to, '\n');
}

static void format_share(struct jsonl_writer *w, const char *name, const struct share *t)
{
	jsonl_open(w, name);
	jsonl_number(w, "files", t->files);
	jsonl_number(w, "bytes", t->bytes);
	jsonl_close(w);
}

static void format_ways(struct jsonl_writer *w, const struct outcome *o)
{
	static const char *const names[PLAN_WAYS] = {
	    [PLAN_STAYS] = "untouched", [PLAN_EMPTY] = "empty", [PLAN_COPY] = "copied",
	    [PLAN_PAYLOAD] = "patched", [PLAN_SOLID] = "solid", [PLAN_WHOLE] = "whole",
	    [PLAN_NOWHERE] = "needed"};
	struct shares t;

	take_stock(o, &t);
	jsonl_number(w, "files", o->warrant.new.header.files);
	jsonl_number(w, "bytes", o->warrant.new.header.bytes);
	jsonl_open(w, "ways");
	for (int way = 0; way < PLAN_WAYS; way++)
		format_share(w, names[way], &t.ways[way]);
	format_share(w, "resumed", &t.resumed);
	jsonl_close(w);
	jsonl_number(w, "payload_bytes", t.fetched);
	jsonl_number(w, "fallen_back", t.fallen.files);
	jsonl_number(w, "linked", t.linked);
	jsonl_number(w, "cloned", t.cloned);
}

static void format_end(struct jsonl_writer *w, const char *name, const struct delta_end *end)
{
	jsonl_open(w, name);
	jsonl_string(w, "version", end->version);
	jsonl_number(w, "serial", end->serial);
	jsonl_hex(w, "sha256", end->digest, SHA256_SIZE);
	jsonl_close(w);
}

static void format_result(struct buf *to, const struct outcome *o, const struct err *e)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_bool(&w, "patched", o->end >= OUTCOME_DONE);
	if (o->end == OUTCOME_POSSIBLE)
		jsonl_bool(&w, "possible", true);
	if (o->waiting)
		jsonl_bool(&w, "waiting", true);
	if (o->end == OUTCOME_ALREADY)
		jsonl_bool(&w, "already", true);
	if (o->end == OUTCOME_FINISHED)
		jsonl_bool(&w, "finished", true);
	if (o->genuine) {
		jsonl_string(&w, "product", o->warrant.delta.product);
		jsonl_string(&w, "channel", o->warrant.delta.channel);
		format_end(&w, "from", &o->warrant.delta.from);
		format_end(&w, "to", &o->warrant.delta.to);
	}
	if (o->planned)
		format_ways(&w, o);
	if (e->code != ERR_NONE)
		jsonl_any_string(&w, "error", e->msg);
	jsonl_number(&w, "status", (uint64_t)err_status(e->code));
	jsonl_close(&w);
	buf_addc(to, '\n');
}

void outcome_format(struct buf *to, const struct outcome *o, const struct err *e)
{
	for (size_t i = 0; o->planned && i < o->plan.count; i++)
		if (is_needed(&o->plan.items[i]))
			format_needed(to, &o->plan.items[i]);
	for (size_t i = 0; i < o->wrong.count; i++)
		format_wrong(to, &o->wrong.items[i]);
	format_result(to, o, e);
}
