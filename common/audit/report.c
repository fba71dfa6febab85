#include "swarm/report.h"

#include <string.h>

#include "swarm/text.h"

/* Details line up behind paths of up to this many bytes. */
#define PATH_COLUMN 40

static const char *heading(enum finding_kind kind)
{
	switch (kind) {
	case FINDING_CORRUPT: return "corrupt: not the content that was released";
	case FINDING_MISSING: return "missing";
	case FINDING_WRONG_TYPE: return "wrong type: something else stands in a file's place";
	case FINDING_UNSAFE_PATH: return "unsafe path: a name that no release can have";
	case FINDING_UNREADABLE: return "unreadable: nothing is known of these";
	case FINDING_MOVED: return "moved: the right content under another name";
	case FINDING_EXTRA: return "extra: not part of the release";
	case FINDING_WRONG_MODE: return "wrong mode";
	case FINDING_OK: return "ok";
	}
	return "other";
}

/* The length of the longest path that is not too long to line up behind. */
static size_t find_column(const struct audit *audit)
{
	size_t column = 0;

	for (size_t i = 0; i < audit->findings.count; i++) {
		size_t len = strlen(audit->findings.items[i].path);
		if (audit->findings.items[i].kind != FINDING_OK && len <= PATH_COLUMN &&
		    len > column)
			column = len;
	}
	return column;
}

static void put_finding(struct buf *to, const struct finding *f, size_t column)
{
	struct buf detail = BUF_INIT;
	size_t start;

	finding_describe(&detail, f);
	buf_adds(to, "  ");
	start = to->len;
	text_printable(to, f->path, strlen(f->path));
	if (detail.len > 0) {
		size_t used = to->len - start;
		buf_addf(to, "%*s  ", used < column ? (int)(column - used) : 0, "");
		buf_add(to, detail.data, detail.len);
	}
	buf_addc(to, '\n');
	buf_release(&detail);
}

static void put_group(struct buf *to, const struct audit *audit, enum finding_kind kind,
		      size_t column, const struct report_options *options)
{
	size_t shown = 0;

	buf_addf(to, "%s (", heading(kind));
	text_count(to, audit->findings.counts[kind]);
	buf_adds(to, ")\n");
	for (size_t i = 0; i < audit->findings.count && shown < options->shown; i++) {
		if (audit->findings.items[i].kind == kind) {
			put_finding(to, &audit->findings.items[i], column);
			shown++;
		}
	}
	if (shown < audit->findings.counts[kind]) {
		buf_adds(to, "  and ");
		text_count(to, audit->findings.counts[kind] - shown);
		buf_adds(to, " more (-v shows all)\n");
	}
}

void report_findings(struct buf *to, const struct audit *audit,
		     const struct report_options *options)
{
	size_t column = find_column(audit);

	for (int kind = 0; kind < FINDING_KINDS; kind++)
		if (audit->findings.counts[kind] > 0 && (kind != FINDING_OK || options->ok))
			put_group(to, audit, (enum finding_kind)kind, column, options);
}

void report_counts(struct buf *to, const struct audit *audit)
{
	size_t start = to->len;

	for (int kind = 0; kind < FINDING_KINDS; kind++) {
		if (audit->findings.counts[kind] == 0)
			continue;
		buf_adds(to, to->len > start ? ", " : "");
		text_count(to, audit->findings.counts[kind]);
		buf_addf(to, " %s", finding_name((enum finding_kind)kind));
	}
}
