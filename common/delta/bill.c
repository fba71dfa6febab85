#include "swarm/bill.h"

#include <string.h>

#include "swarm/cause.h"
#include "swarm/jsonl.h"
#include "swarm/text.h"

/* Details line up behind paths of up to this many bytes. */
#define PATH_COLUMN  40
#define NAME_COLUMN  16
#define BYTES_COLUMN 9

static const char *bare_name(enum payloads_bare bare)
{
	switch (bare) {
	case PAYLOADS_MADE: return "made";
	case PAYLOADS_NOT_NEEDED: return "not-needed";
	case PAYLOADS_TOO_LARGE: return "too-large";
	case PAYLOADS_NO_MEMORY: return "no-memory";
	case PAYLOADS_NO_GAIN: return "no-gain";
	}
	return "other";
}

static const char *bare_reason(enum payloads_bare bare)
{
	switch (bare) {
	case PAYLOADS_TOO_LARGE: return "no payload: larger than browsers can decode";
	case PAYLOADS_NO_MEMORY: return "no payload: it would take more than --memory";
	case PAYLOADS_NO_GAIN: return "no payload: it would cost over 95 % of the file";
	case PAYLOADS_MADE:
	case PAYLOADS_NOT_NEEDED: break;
	}
	return "";
}

/* --- for people ---------------------------------------------------------------------------------
 */

static void put_releases(struct buf *to, const struct changes *c)
{
	buf_addf(to, "%s %s -> %s (%s, serial %llu -> %llu)", c->to.id.product, c->from.id.version,
		 c->to.id.version, c->to.id.channel, (unsigned long long)c->from.id.serial,
		 (unsigned long long)c->to.id.serial);
}

static void put_kinds(struct buf *to, const struct changes *c)
{
	static const char *const words[] = {
	    "added", "duplicated", "renamed", "changed", "with other attributes", "removed"};
	size_t start = to->len;

	for (int kind = 0; kind < CHANGES_KINDS; kind++) {
		if (c->kinds[kind] == 0)
			continue;
		buf_adds(to, to->len > start ? ", " : "");
		text_count(to, c->kinds[kind]);
		buf_addf(to, " %s", words[kind]);
	}
	buf_adds(to, to->len > start ? ", " : "");
	text_count(to, c->kept);
	buf_adds(to, " kept");
}

void bill_brief(struct buf *to, const struct diff_result *result)
{
	put_releases(to, &result->changes);
	buf_adds(to, ": ");
	put_kinds(to, &result->changes);
	buf_adds(to, "; delta of ");
	text_bytes(to, result->delta_bytes);
	buf_addc(to, '\n');
}

/* Pads what stands behind `start` to a column, and two spaces. */
static void put_column(struct buf *to, size_t start, size_t column)
{
	size_t used = to->len - start;

	buf_addf(to, "%*s", (int)((used < column ? column - used : 0) + 2), "");
}

/* "  whole files     1.2 MB    " */
static void put_way(struct buf *to, const char *name, uint64_t bytes)
{
	size_t start = to->len;

	buf_addf(to, "  %s", name);
	put_column(to, start, NAME_COLUMN);
	start = to->len;
	text_bytes(to, bytes);
	put_column(to, start, BYTES_COLUMN);
}

static void put_ways(struct buf *to, const struct cost *c)
{
	buf_adds(to, "to fetch, each way:\n");
	put_way(to, "whole files", c->whole_bytes);
	text_plural(to, c->fetched, "file");
	buf_addc(to, '\n');
	put_way(to, "missing pieces", c->missing_bytes);
	text_count(to, c->missing);
	buf_adds(to, " of ");
	text_plural(to, c->pieces, "piece");
	buf_addc(to, '\n');
	if (c->payloads != NULL) {
		put_way(to, "payloads", c->payload_bytes);
		text_plural(to, c->fetched - c->bare, "payload");
		if (c->bare > 0) {
			buf_adds(to, " and ");
			text_plural(to, c->bare, "whole file");
		}
		buf_addc(to, '\n');
	}
	if (c->solid_bytes > 0) {
		put_way(to, "solid payload", c->solid_bytes);
		buf_adds(to, "all of it in one file\n");
	}
	buf_adds(to, "and before that:\n");
	put_way(to, "delta", c->delta_bytes);
	buf_adds(to, "instead of the manifest, ");
	text_bytes(to, c->manifest_bytes);
	buf_addc(to, '\n');
}

static void put_cause(struct buf *to, const struct cost_top *top)
{
	buf_adds(to, cause_name(top->cause.kind));
	if (top->cause.detail[0] != '\0') {
		buf_adds(to, ": ");
		buf_adds(to, top->cause.detail);
	}
}

/* Why it costs what it costs, as far as that is known. */
static void put_why(struct buf *to, const struct cost *c, const struct cost_top *top)
{
	const struct changes_item *item = &c->changes->items[top->item];
	const struct cost_file *f = &c->files[top->item];
	const char *bare = c->payloads != NULL ? bare_reason(c->payloads[top->item].bare) : "";

	if (*bare != '\0')
		buf_addf(to, "%s; ", bare);
	if (top->known)
		put_cause(to, top);
	else if (f->missing < f->pieces)
		buf_addf(to, "%llu of %llu pieces are missing", (unsigned long long)f->missing,
			 (unsigned long long)f->pieces);
	else
		buf_adds(to, item->kind == CHANGES_CONTENT ? "changed" : "new");
	if (top->base != NULL && strcmp(top->base, item->path) != 0) {
		buf_adds(to, " (beside '");
		text_printable(to, top->base, strlen(top->base));
		buf_adds(to, "')");
	}
}

static size_t find_column(const struct cost *c)
{
	size_t column = 0;

	for (size_t i = 0; i < c->top_count; i++) {
		size_t len = strlen(c->changes->items[c->top[i].item].path);
		if (len <= PATH_COLUMN && len > column)
			column = len;
	}
	return column;
}

static void put_top(struct buf *to, const struct cost *c)
{
	size_t column = find_column(c);

	if (c->top_count == 0)
		return;
	buf_adds(to, c->fetched > c->top_count ? "the most expensive files:\n" : "file by file:\n");
	for (size_t i = 0; i < c->top_count; i++) {
		const char *path = c->changes->items[c->top[i].item].path;
		size_t start = to->len + 2;
		buf_adds(to, "  ");
		text_bytes(to, c->top[i].bytes);
		put_column(to, start, BYTES_COLUMN);
		start = to->len;
		text_printable(to, path, strlen(path));
		put_column(to, start, column);
		put_why(to, c, &c->top[i]);
		buf_addc(to, '\n');
	}
}

void bill_describe(struct buf *to, const struct diff_result *result)
{
	put_releases(to, &result->changes);
	buf_addc(to, '\n');
	buf_adds(to, "  ");
	put_kinds(to, &result->changes);
	buf_addc(to, '\n');
	put_ways(to, &result->cost);
	put_top(to, &result->cost);
}

/* --- as JSON ------------------------------------------------------------------------------------
 */

static void format_payload(struct jsonl_writer *w, const struct payloads_item *p)
{
	if (p->bare == PAYLOADS_NOT_NEEDED)
		return;
	if (p->bare != PAYLOADS_MADE) {
		jsonl_string(w, "bare", bare_name(p->bare));
		return;
	}
	jsonl_open(w, "payload");
	jsonl_string(w, "codec", delta_source_name(p->source));
	if (p->base != NULL)
		jsonl_string(w, "base", p->base->path);
	jsonl_number(w, "size", p->size);
	jsonl_hex(w, "sha256", p->sha256, SHA256_SIZE);
	jsonl_string(w, "label", label_name(p->label));
	jsonl_close(w);
}

static void format_cause(struct jsonl_writer *w, const struct cost *c, size_t item)
{
	for (size_t i = 0; i < c->top_count; i++) {
		const struct cost_top *top = &c->top[i];
		if (top->item != item || !top->known)
			continue;
		jsonl_open(w, "cause");
		jsonl_string(w, "kind", cause_name(top->cause.kind));
		if (top->base != NULL)
			jsonl_string(w, "base", top->base);
		jsonl_number(w, "shared", top->cause.shared);
		if (top->cause.detail[0] != '\0')
			jsonl_any_string(w, "detail", top->cause.detail);
		jsonl_close(w);
	}
}

static void format_item(struct buf *to, const struct diff_result *result, size_t i)
{
	struct jsonl_writer w = {.to = to};
	const struct changes_item *item = &result->changes.items[i];
	const struct cost *c = &result->cost;

	jsonl_open(&w, NULL);
	jsonl_string(&w, "from", result->changes.from.id.version);
	jsonl_string(&w, "path", item->path);
	jsonl_string(&w, "change", changes_kind_name(item->kind));
	jsonl_number(&w, "size", item->text != NULL ? item->file.size : item->old.size);
	if (item->copy != NULL)
		jsonl_string(&w, "copy", item->copy);
	if (changes_is_fetched(item)) {
		jsonl_number(&w, "pieces", c->files[i].pieces);
		jsonl_number(&w, "missing", c->files[i].missing);
		jsonl_number(&w, "missing_bytes", c->files[i].missing_bytes);
		if (c->payloads != NULL)
			format_payload(&w, &c->payloads[i]);
		format_cause(&w, c, i);
	}
	jsonl_close(&w);
	buf_addc(to, '\n');
}

static void format_end(struct jsonl_writer *w, const char *key, const struct header *h)
{
	jsonl_open(w, key);
	jsonl_string(w, "version", h->id.version);
	jsonl_number(w, "serial", h->id.serial);
	jsonl_close(w);
}

static void format_totals(struct buf *to, const struct diff_result *result)
{
	struct jsonl_writer w = {.to = to};
	const struct changes *changes = &result->changes;
	const struct cost *c = &result->cost;

	jsonl_open(&w, NULL);
	jsonl_string(&w, "product", changes->to.id.product);
	jsonl_string(&w, "channel", changes->to.id.channel);
	format_end(&w, "from", &changes->from);
	format_end(&w, "to", &changes->to);
	for (int kind = 0; kind < CHANGES_KINDS; kind++)
		jsonl_number(&w, changes_kind_name((enum changes_kind)kind), changes->kinds[kind]);
	jsonl_number(&w, "kept", changes->kept);
	jsonl_number(&w, "fetched", c->fetched);
	jsonl_open(&w, "bytes");
	jsonl_number(&w, "whole", c->whole_bytes);
	jsonl_number(&w, "pieces", c->missing_bytes);
	if (c->payloads != NULL)
		jsonl_number(&w, "payloads", c->payload_bytes);
	if (c->solid_bytes > 0)
		jsonl_number(&w, "solid", c->solid_bytes);
	jsonl_number(&w, "manifest", c->manifest_bytes);
	jsonl_number(&w, "delta", c->delta_bytes);
	jsonl_close(&w);
	jsonl_close(&w);
	buf_addc(to, '\n');
}

void bill_format(struct buf *to, const struct diff_result *result)
{
	for (size_t i = 0; i < result->changes.count; i++)
		format_item(to, result, i);
	format_totals(to, result);
}
