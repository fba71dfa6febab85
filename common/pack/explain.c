#include "swarm/explain.h"

#include <string.h>
#include <unistd.h>

#include "swarm/io.h"
#include "swarm/jsonl.h"
#include "swarm/path.h"
#include "swarm/text.h"

#define LINE_MAX_BYTES ((size_t)65536)

struct explainer {
	const struct explain_options *options;
	FILE *to;
	size_t unlabelled, refused;
};

static const char *verdict_name(const struct rules_verdict *v)
{
	return v->labelled ? label_name(v->label) : "unlabelled";
}

static void put_text(struct buf *to, const char *indent, const struct rules_verdict *v,
		     const char *path)
{
	const char *pattern = v->pattern != NULL ? v->pattern : "-";

	buf_addf(to, "%s%s\t", indent, verdict_name(v));
	rules_describe_place(to, v->rule);
	buf_addc(to, '\t');
	text_printable(to, pattern, strlen(pattern));
	buf_addc(to, '\t');
	text_printable(to, path, strlen(path));
	buf_addc(to, '\n');
}

static void put_members(struct jsonl_writer *w, const struct rules_verdict *v)
{
	struct buf place = BUF_INIT;

	rules_format_place(&place, v->rule);
	jsonl_string(w, "label", verdict_name(v));
	jsonl_any_string(w, "rule", place.data);
	if (v->pattern != NULL)
		jsonl_any_string(w, "pattern", v->pattern);
	buf_release(&place);
}

/* The next rule that matches and does not decide, from *at down to the first; false: no more. */
static bool next_other(const struct explainer *x, size_t *at, const char *path, bool is_directory,
		       const struct rules_verdict *decided, struct rules_verdict *ret)
{
	while (*at > 0) {
		size_t i = --*at;
		if (rules_match(x->options->rules, i, path, is_directory, ret) &&
		    ret->rule != decided->rule)
			return true;
	}
	return false;
}

/* Why a name is not published although it is labelled so; NULL: it is. */
static const char *refusal(const struct explainer *x, const char *path, bool is_directory,
			   const struct rules_verdict *v, const struct guards_guard **ret_guard)
{
	*ret_guard = NULL;
	if (!v->labelled || v->label == LABEL_PRIVATE || is_directory)
		return NULL;
	const char *why = path_unportable(path);
	if (why == NULL && (*ret_guard = guards_judge_name(x->options->guards, path, path)) != NULL)
		why = (*ret_guard)->description;
	return why;
}

static void put_refusal(struct buf *to, const char *path, const char *why,
			const struct guards_guard *guard)
{
	buf_addf(to, "  refused\t%s\t", guard != NULL ? guard->id : "-");
	text_printable(to, why, strlen(why));
	buf_addc(to, '\t');
	text_printable(to, path, strlen(path));
	buf_addc(to, '\n');
}

static void put_path(struct explainer *x, const char *path, const char *shown, bool is_directory,
		     struct buf *to)
{
	struct rules_verdict verdict, other;
	size_t at = rules_count(x->options->rules);
	const struct guards_guard *guard;

	rules_decide(x->options->rules, path, is_directory, &verdict);
	const char *refused = refusal(x, path, is_directory, &verdict, &guard);
	x->unlabelled += !verdict.labelled;
	x->refused += refused != NULL;
	if (!x->options->json) {
		put_text(to, "", &verdict, shown);
		while (next_other(x, &at, path, is_directory, &verdict, &other))
			put_text(to, "  ", &other, shown);
		if (refused != NULL)
			put_refusal(to, shown, refused, guard);
		return;
	}
	struct jsonl_writer w = {.to = to};
	jsonl_open(&w, NULL);
	jsonl_path(&w, "path", shown);
	put_members(&w, &verdict);
	jsonl_open_array(&w, "also");
	while (next_other(x, &at, path, is_directory, &verdict, &other)) {
		jsonl_open(&w, NULL);
		put_members(&w, &other);
		jsonl_close(&w);
	}
	jsonl_close_array(&w);
	if (refused != NULL)
		jsonl_any_string(&w, "refused", refused);
	if (guard != NULL)
		jsonl_string(&w, "guard", guard->id);
	jsonl_close(&w);
	buf_addc(to, '\n');
}

static int explain(struct explainer *x, const char *given, struct err *e)
{
	struct buf path = BUF_INIT, shown = BUF_INIT, out = BUF_INIT;
	int status = -1;

	buf_adds(&path, given);
	bool is_directory = path.len > 1 && path.data[path.len - 1] == '/';
	if (buf_check(&path, e) != 0)
		goto out;
	if (!path_normalize(path.data)) {
		(void)err_set(e, ERR_USAGE, "--explain needs a path in the tree, not '%s'", given);
		goto out;
	}
	path.len = strlen(path.data);
	if (!is_directory && x->options->tree != NULL)
		is_directory = source_type_at(x->options->tree, path.data) == SOURCE_DIRECTORY;
	buf_adds(&shown, path.data);
	buf_adds(&shown, is_directory ? "/" : "");
	if (buf_check(&shown, e) != 0)
		goto out;
	put_path(x, path.data, shown.data, is_directory, &out);
	if (buf_check(&out, e) != 0)
		goto out;
	status = 0;
	if (fwrite(out.data, 1, out.len, x->to) != out.len)
		status = err_sys(e, "cannot write '%s'", "standard output");
out:
	buf_release(&path);
	buf_release(&shown);
	buf_release(&out);
	return status;
}

static int explain_lines(struct explainer *x, struct err *e)
{
	struct io_lines lines;
	const char *line;
	size_t len;
	int got;

	io_lines_init(&lines, STDIN_FILENO, io_name("-"), LINE_MAX_BYTES);
	lines.lax = true;
	while ((got = io_lines_next(&lines, &line, &len, e)) > 0) {
		struct buf path = BUF_INIT;
		buf_add(&path, line, len);
		int status = buf_check(&path, e);
		if (memchr(line, '\0', len) != NULL)
			status = err_set(e, ERR_USAGE, "%s:%llu: a path cannot hold a NUL byte",
					 lines.name, (unsigned long long)lines.number);
		if (status == 0)
			status = explain(x, path.data, e);
		buf_release(&path);
		if (status != 0) {
			got = -1;
			break;
		}
	}
	io_lines_release(&lines);
	if (got < 0 && e->code == ERR_MALFORMED)
		e->code = ERR_USAGE; /* the caller's own list */
	return got;
}

int explain_paths(const struct explain_options *options, const char *const *paths, size_t count,
		  FILE *to, struct err *e)
{
	struct explainer x = {.options = options, .to = to};

	for (size_t i = 0; i < count; i++) {
		int status =
		    strcmp(paths[i], "-") == 0 ? explain_lines(&x, e) : explain(&x, paths[i], e);
		if (status != 0)
			return -1;
	}
	if (x.unlabelled > 0)
		return err_set(e, ERR_REFUSED, "no rule labels %zu of the paths", x.unlabelled);
	if (x.refused > 0)
		return err_set(e, ERR_REFUSED, "%zu of the paths cannot be published", x.refused);
	return 0;
}
