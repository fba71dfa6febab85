/* swarmpack: labels, hashes and packs a tree of assets. See swarmpack(1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/bundle.h"
#include "swarm/cli.h"
#include "swarm/explain.h"
#include "swarm/guards.h"
#include "swarm/header.h"
#include "swarm/num.h"
#include "swarm/outputs.h"
#include "swarm/pack.h"
#include "swarm/rules.h"
#include "swarm/source.h"
#include "swarm/summary.h"
#include "swarm/utc.h"

#define SHOWN 20 /* of a list, without -v */
#define HOT   0.95

struct options {
	struct cli_options common;
	struct opt_list rules, explain, logs, url_prefixes;
	const char *output, *bundle, *report, *like, *against, *piece_length, *hot;
	struct opt_number strip;
	bool dry_run, no_sha256, no_new_public;
};

#define AT(field) offsetof(struct options, field), NULL

static const struct opt table[] = {
    {OPT_STRINGS, 'r', "rules", "FILE",
     "label rules, see swarm-rules(5); later files outrank earlier", AT(rules)},
    {OPT_STRING, 'o', "output", "FILE", "write the inventory here, not to standard output",
     AT(output)},
    {OPT_STRING, 'b', "bundle", "PATH",
     "also write the files as .tar, .tar.gz, .tar.zst or .zip,\nor into a directory if PATH ends "
     "in /",
     AT(bundle)},
    {OPT_STRING, 0, "piece-length", "N|auto", "a power of two from 16K to 128M (default: auto)",
     AT(piece_length)},
    {OPT_STRING, 0, "like", "MANIFEST", "take the piece length of an earlier release", AT(like)},
    {OPT_NUMBER, 0, "strip-components", "N", "drop N leading components of every name", AT(strip)},
    {OPT_FLAG, 0, "no-sha256", NULL, "leave out the plain digests (roots only)", AT(no_sha256)},
    {.kind = OPT_SECTION, .help = "What is published, and why"},
    {OPT_STRINGS, 0, "explain", "PATH",
     "say which rule labels PATH (- reads paths from standard input),\nand do nothing else",
     AT(explain)},
    {OPT_FLAG, 'n', "dry-run", NULL, "judge all names, read no content, then stop", AT(dry_run)},
    {OPT_STRING, 0, "report", "FILE", "write every path with its label and why, private ones too",
     AT(report)},
    {OPT_STRING, 0, "against", "MANIFEST",
     "say what is newly published since an earlier release,\nwhat no longer, and what changed its "
     "label",
     AT(against)},
    {OPT_FLAG, 0, "no-new-public", NULL, "refuse what was not public in --against's release",
     AT(no_new_public)},
    {.kind = OPT_SECTION, .help = "What is asked for most"},
    {OPT_STRINGS, 0, "access-log", "FILE",
     "mark the hot set, by a web server's log, plain or compressed", AT(logs)},
    {OPT_STRINGS, 0, "url-prefix", "P",
     "what URLs in the logs have in front of our paths (default: /)", AT(url_prefixes)},
    {OPT_STRING, 0, "hot", "FRACTION",
     "share of the bytes that the hot set carries (default: 0.95)", AT(hot)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmpack",
    .usage = "[OPTION]... TREE --rules FILE\n[OPTION]... [TREE] --rules FILE --explain PATH",
    .purpose =
	"Label every file of TREE (a directory, an archive, or - for one on standard input) by\n"
	"rules, hash what is to be published, and write the inventory of a release.\n",
    .options = table,
    .operands = "TREE",
    .operands_min = 0,
    .operands_max = 1,
};

/* --- what was found -----------------------------------------------------------------------------
 */

static size_t shown(const struct cli *cli)
{
	return cli->options->verbose > 0 ? SIZE_MAX : SHOWN;
}

static void report_problems(const struct cli *cli, const struct scan *scan, struct err *e)
{
	struct buf text = BUF_INIT;

	summary_problems(&text, scan, shown(cli));
	cli_complain(cli, &text);
	buf_clear(&text);
	if (cli->options->json) {
		summary_format_problems(&text, scan);
		cli_put_lines(&text);
	}
	buf_release(&text);
	if (e->code == ERR_REFUSED && scan->problem_count > shown(cli))
		(void)err_set(e, ERR_REFUSED,
			      "%zu paths cannot be released (%zu more than shown: -v shows all)",
			      scan->problem_count, scan->problem_count - SHOWN);
}

/* What names alone have told. */
static void report_plan(const struct cli *cli, const struct pack_plan *plan)
{
	struct buf text = BUF_INIT;

	usage_describe_dead(&text, &plan->scan.usage);
	cli_warn_lines(cli, &text);
	buf_clear(&text);
	if (plan->has_review) {
		review_describe(&text, &plan->review, shown(cli));
		cli_say_lines(cli, &text);
		buf_clear(&text);
	}
	if (plan->has_review && cli->options->json) {
		review_format(&text, &plan->review);
		cli_put_lines(&text);
	}
	buf_release(&text);
}

static void report_success(const struct cli *cli, const struct pack_plan *plan, bool dry_run)
{
	struct buf text = BUF_INIT;

	summary_describe(&text, &plan->scan);
	if (plan->traffic != NULL)
		popularity_describe(&text, plan->traffic);
	cli_say_lines(cli, &text);
	buf_clear(&text);
	if (cli->options->json) {
		summary_format(&text, &plan->scan, plan->traffic, plan->piece_length, dry_run);
		cli_put_lines(&text);
	}
	buf_release(&text);
}

/* --- what is to be done -------------------------------------------------------------------------
 */

static size_t count_stdin(const struct opt_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		n += strcmp(list->items[i], "-") == 0;
	return n;
}

static bool is_stdin(const char *path)
{
	return path != NULL && strcmp(path, "-") == 0;
}

static int check_explain(const struct options *o, struct err *e)
{
	if (o->output == NULL && o->bundle == NULL && o->report == NULL && o->against == NULL &&
	    o->logs.count == 0 && !o->dry_run && !o->strip.given)
		return 0;
	return err_set(e, ERR_USAGE,
		       "--explain does nothing else, and takes names as they are in the release: "
		       "leave out outputs, --dry-run, --against, --access-log and "
		       "--strip-components");
}

static int check_options(const struct options *o, const struct cli *cli, struct err *e)
{
	const char *to = o->output != NULL ? o->output : "-";

	if (o->rules.count == 0)
		return err_set(e, ERR_USAGE, "no rules, no release: give --rules FILE");
	if (cli->operands.count == 0 && o->explain.count == 0)
		return err_set(e, ERR_USAGE, "missing operand: TREE");
	if (count_stdin(&cli->operands) + count_stdin(&o->rules) + count_stdin(&o->explain) +
		count_stdin(&o->logs) + is_stdin(o->like) + is_stdin(o->against) >
	    1)
		return err_set(e, ERR_USAGE,
			       "only one of TREE, --rules, --explain, --like, --against and "
			       "--access-log can be standard input");
	if (o->explain.count > 0)
		return check_explain(o, e);
	if (o->like != NULL && o->piece_length != NULL)
		return err_set(e, ERR_USAGE, "--like and --piece-length exclude each other");
	if (o->no_new_public && o->against == NULL)
		return err_set(e, ERR_USAGE, "--no-new-public needs --against MANIFEST");
	if (o->logs.count == 0 && (o->hot != NULL || o->url_prefixes.count > 0))
		return err_set(e, ERR_USAGE, "--%s needs --access-log FILE",
			       o->hot != NULL ? "hot" : "url-prefix");
	if (o->bundle != NULL && !bundle_is_name(o->bundle))
		return err_set(
		    e, ERR_USAGE,
		    "cannot tell the format of the bundle '%s': it ends in none of .tar, "
		    ".tar.gz, .tar.zst, .zip and /",
		    o->bundle);
	if (o->common.json && ((!o->dry_run && strcmp(to, "-") == 0) || is_stdin(o->report)))
		return err_set(e, ERR_USAGE, "--json needs %s",
			       is_stdin(o->report)
				   ? "a file for --report: that goes to standard output"
				   : "-o: the inventory goes to standard output");
	return 0;
}

static int read_numbers(const struct options *o, struct pack_options *how, struct err *e)
{
	how->hot = HOT;
	if (o->hot != NULL && !num_parse_share(o->hot, &how->hot))
		return err_set(e, ERR_USAGE,
			       "--hot needs a fraction above 0 and up to 1, such as 0.95, not '%s'",
			       o->hot);
	if (o->piece_length != NULL && strcmp(o->piece_length, "auto") != 0 &&
	    (!num_parse_size(o->piece_length, &how->piece_length) ||
	     !header_is_piece_length(how->piece_length)))
		return err_set(
		    e, ERR_USAGE,
		    "--piece-length needs a power of two from 16K to 128M, or auto, not '%s'",
		    o->piece_length);
	if (cli_strip(&o->strip, &how->strip, e) != 0)
		return -1;
	return utc_epoch(BUNDLE_MTIME, &how->mtime, e);
}

static int check_outputs(const struct options *o, const struct pack_options *how,
			 const struct source *source, struct err *e)
{
	struct outputs_input *inputs = calloc(o->logs.count + 2, sizeof *inputs);
	struct outputs outputs = {how->inventory, how->bundle, how->report, inputs,
				  o->logs.count + 2};

	if (inputs == NULL)
		return err_nomem(e);
	inputs[0] = (struct outputs_input){o->like, "--like's release"};
	inputs[1] = (struct outputs_input){o->against, "--against's release"};
	for (size_t i = 0; i < o->logs.count; i++)
		inputs[i + 2] = (struct outputs_input){o->logs.items[i], "an access log"};
	int status = outputs_check(&outputs, source, how->rules, how->strip, e);
	free(inputs);
	return status;
}

static int pack(struct cli *cli, const struct options *o, const struct rules *rules,
		const struct guards *guards, struct err *e)
{
	struct pack_options how = {.rules = rules,
				   .guards = guards,
				   .like = o->like,
				   .against = o->against,
				   .no_new_public = o->no_new_public,
				   .logs = {o->logs.items, o->logs.count},
				   .url_prefixes = {o->url_prefixes.items, o->url_prefixes.count},
				   .dry_run = o->dry_run,
				   .plain = !o->no_sha256,
				   .inventory = o->output != NULL ? o->output : "-",
				   .bundle = o->bundle,
				   .report = o->report,
				   .force = o->common.force,
				   .threads = cli_threads(cli),
				   .progress = cli->progress,
				   .scratch = cli->scratch};
	struct pack_plan plan = {.scan = {.arena = ARENA_INIT}};
	struct source *source = NULL;
	int status = -1;

	if (read_numbers(o, &how, e) != 0)
		goto out;
	source = source_open(cli->operands.items[0], 2, e);
	if (source == NULL || check_outputs(o, &how, source, e) != 0)
		goto out;
	status = pack_plan(source, &how, &plan, e);
	report_plan(cli, &plan);
	if (status == 0 && !o->dry_run)
		status = pack_run(source, &how, &plan, e);
	if (plan.scan.problem_count > 0)
		report_problems(cli, &plan.scan, e);
	if (status == 0)
		report_success(cli, &plan, o->dry_run);
out:
	pack_release(&plan);
	source_close(source);
	return status;
}

static int explain(const struct cli *cli, const struct options *o, const struct rules *rules,
		   const struct guards *guards, struct err *e)
{
	struct explain_options how = {.rules = rules, .guards = guards, .json = o->common.json};
	struct source *tree = NULL;

	if (cli->operands.count > 0 && (tree = source_open(cli->operands.items[0], 1, e)) == NULL)
		return -1;
	how.tree = tree;
	int status = explain_paths(&how, o->explain.items, o->explain.count, stdout, e);
	source_close(tree);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.common = {.help = false}};
	struct err e = {.code = ERR_NONE};
	struct cli cli;
	int status = cli_begin(&cli, &program, argc, argv, &o);

	if (status >= 0)
		return status;
	struct rules *rules = NULL;
	struct guards *guards = NULL;
	if (check_options(&o, &cli, &e) == 0)
		rules = rules_load(o.rules.items, o.rules.count, &e);
	if (rules != NULL)
		guards = guards_new(rules_guards(rules), &e);
	if (guards != NULL)
		status = o.explain.count > 0 ? explain(&cli, &o, rules, guards, &e)
					     : pack(&cli, &o, rules, guards, &e);
	guards_free(guards);
	rules_free(rules);
	return cli_end(&cli, err_result(status, &e), &e);
}
