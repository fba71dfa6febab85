/* swarmpack: labels, hashes and packs a tree of assets. See swarmpack(1). */
#include <stdio.h>

#include "swarm/brief.h"
#include "swarm/cli.h"
#include "swarm/explain.h"
#include "swarm/guards.h"
#include "swarm/lanes.h"
#include "swarm/merge.h"
#include "swarm/pack.h"
#include "swarm/rules.h"
#include "swarm/source.h"
#include "swarm/summary.h"

#define SHOWN 20 /* of a list, without -v */

struct options {
	struct cli_options common;
	struct brief_words words;
	struct opt_number strip;
};

#define AT(field)   offsetof(struct options, field), NULL
#define WORD(field) AT(words.field)

static const struct opt table[] = {
    {OPT_STRINGS, 'r', "rules", "FILE",
     "label rules, see swarm-rules(5); later files outrank earlier", WORD(rules)},
    {OPT_STRING, 'o', "output", "FILE", "write the inventory here, not to standard output",
     WORD(output)},
    {OPT_STRING, 'b', "bundle", "PATH",
     "also write the files as .tar, .tar.gz, .tar.zst or .zip,\nor into a directory if PATH ends "
     "in /",
     WORD(bundle)},
    {OPT_STRING, 0, "piece-length", "N|auto", "a power of two from 16K to 128M (default: auto)",
     WORD(piece_length)},
    {OPT_STRING, 0, "like", "MANIFEST", "take the piece length of an earlier release", WORD(like)},
    {OPT_NUMBER, 0, "strip-components", "N", "drop N leading components of every name", AT(strip)},
    {OPT_STRING, 0, "cache", "FILE", "remember digests here, and read only files that have changed",
     WORD(cache)},
    {OPT_FLAG, 0, "no-sha256", NULL, "leave out the plain digests (roots only)", WORD(no_sha256)},
    {.kind = OPT_SECTION, .help = "What is published, and why"},
    {OPT_STRINGS, 0, "explain", "PATH",
     "say which rule labels PATH (- reads paths from standard input),\nand do nothing else",
     WORD(explain)},
    {OPT_FLAG, 'n', "dry-run", NULL, "judge all names, read no content, then stop", WORD(dry_run)},
    {OPT_STRING, 0, "report", "FILE", "write every path with its label and why, private ones too",
     WORD(report)},
    {OPT_STRING, 0, "against", "MANIFEST",
     "say what is newly published since an earlier release,\nwhat no longer, and what changed its "
     "label",
     WORD(against)},
    {OPT_FLAG, 0, "no-new-public", NULL, "refuse what was not public in --against's release",
     WORD(no_new_public)},
    {.kind = OPT_SECTION, .help = "Spread over machines"},
    {OPT_STRING, 0, "shard", "K/N", "hash the K-th of N shares of TREE, and write a part",
     WORD(shard)},
    {OPT_FLAG, 0, "merge", NULL, "join all N parts to the inventory that one machine would write",
     WORD(merge)},
    {.kind = OPT_SECTION, .help = "What is asked for most"},
    {OPT_STRINGS, 0, "access-log", "FILE",
     "mark the hot set, by a web server's log, plain or compressed", WORD(logs)},
    {OPT_STRINGS, 0, "url-prefix", "P",
     "what URLs in the logs have in front of our paths (default: /)", WORD(url_prefixes)},
    {OPT_STRING, 0, "hot", "FRACTION",
     "share of the bytes that the hot set carries (default: 0.95)", WORD(hot)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmpack",
    .usage = "[OPTION]... TREE --rules FILE\n[OPTION]... [TREE] --rules FILE --explain "
	     "PATH\n[OPTION]... --merge PART...",
    .purpose =
	"Label every file of TREE (a directory, an archive, or - for one on standard input) by\n"
	"rules, hash what is to be published, and write the inventory of a release.\n",
    .options = table,
    .operands = "TREE",
    .operands_min = 0,
    .operands_max = SIZE_MAX, /* parts; brief_check() knows what goes with what */
    .details = lanes_describe,
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
	if (e->code == ERR_REFUSED)
		summary_refuse(scan, shown(cli), e);
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
	const struct part *part = plan->part.shard.count > 0 ? &plan->part : NULL;

	if (plan->traffic != NULL && popularity_totals(plan->traffic)->hot_files == 0)
		cli_warn(cli, "the hot set is empty: the logs tell of no bytes of a public file");
	summary_describe(&text, &plan->scan, part);
	if (plan->traffic != NULL)
		popularity_describe(&text, plan->traffic);
	cli_say_lines(cli, &text);
	buf_clear(&text);
	if (cli->options->json) {
		summary_format(&text, &plan->scan, plan->traffic, plan->piece_length, part,
			       dry_run);
		cli_put_lines(&text);
	}
	buf_release(&text);
}

/* --- what is to be done -------------------------------------------------------------------------
 */

static int pack(struct cli *cli, const struct options *o, const struct rules *rules,
		const struct guards *guards, struct err *e)
{
	struct pack_options how = {.rules = rules,
				   .guards = guards,
				   .force = o->common.force,
				   .threads = cli_threads(cli),
				   .progress = cli->progress,
				   .scratch = cli->scratch};
	struct pack_plan plan = {.scan = {.arena = ARENA_INIT}, .warnings = BUF_INIT};
	struct source *source = NULL;
	int status = -1;

	if (brief_read(&o->words, &how, e) != 0 || cli_strip(&o->strip, &how.strip, e) != 0)
		goto out;
	source = source_open(cli->operands.items[0], 2, e);
	if (source == NULL)
		goto out;
	status = pack_plan(source, &how, &plan, e);
	report_plan(cli, &plan);
	if (status == 0 && !how.dry_run)
		status = pack_run(source, &how, &plan, e);
	cli_warn_lines(cli, &plan.warnings);
	if (plan.scan.problem_count > 0)
		report_problems(cli, &plan.scan, e);
	if (status == 0)
		report_success(cli, &plan, how.dry_run);
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
	int status = explain_paths(&how, o->words.explain.items, o->words.explain.count, stdout, e);
	source_close(tree);
	return status;
}

static int merge(const struct cli *cli, const struct options *o, struct err *e)
{
	const struct merge_options how = {.parts = cli->operands.items,
					  .count = cli->operands.count,
					  .inventory =
					      o->words.output != NULL ? o->words.output : "-",
					  .force = o->common.force,
					  .progress = cli->progress,
					  .scratch = cli->scratch};
	struct merge_result result;
	struct buf text = BUF_INIT;

	cli_allow_files(how.count);
	if (merge_run(&how, &result, e) != 0)
		return -1;
	merge_describe(&text, &result);
	cli_say_lines(cli, &text);
	buf_clear(&text);
	if (o->common.json) {
		merge_format(&text, &result);
		cli_put_lines(&text);
	}
	buf_release(&text);
	return 0;
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
	o.words.strip = o.strip.given;
	if (brief_check(&o.words, &cli.operands, o.common.json, &e) != 0)
		return cli_end(&cli, err_result(-1, &e), &e);
	if (o.words.merge)
		status = merge(&cli, &o, &e);
	else
		rules = rules_load(o.words.rules.items, o.words.rules.count, &e);
	if (rules != NULL)
		guards = guards_new(rules_guards(rules), &e);
	if (guards != NULL)
		status = o.words.explain.count > 0 ? explain(&cli, &o, rules, guards, &e)
						   : pack(&cli, &o, rules, guards, &e);
	guards_free(guards);
	rules_free(rules);
	return cli_end(&cli, err_result(status, &e), &e);
}
