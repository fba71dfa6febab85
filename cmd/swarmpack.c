/* swarmpack: labels, hashes and packs a tree of assets. See swarmpack(1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/bundle.h"
#include "swarm/cli.h"
#include "swarm/explain.h"
#include "swarm/header.h"
#include "swarm/num.h"
#include "swarm/outfile.h"
#include "swarm/pack.h"
#include "swarm/rules.h"
#include "swarm/scan.h"
#include "swarm/source.h"
#include "swarm/summary.h"
#include "swarm/utc.h"

#define PROBLEMS_SHOWN 20

struct options {
	struct cli_options common;
	struct opt_list rules, explain;
	const char *output, *bundle, *like, *piece_length;
	struct opt_number strip;
	bool dry_run, no_sha256;
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
    {OPT_STRINGS, 0, "explain", "PATH",
     "say which rule labels PATH (- reads paths from standard input),\nand do nothing else",
     AT(explain)},
    {OPT_FLAG, 'n', "dry-run", NULL, "label everything, then stop", AT(dry_run)},
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

static void warn_of_dead_rules(const struct cli *cli, const struct rules *rules,
			       const struct scan *scan)
{
	for (size_t i = 0; i < rules_count(rules); i++) {
		const struct rule *rule = rules_get(rules, i);
		if (scan->rule_hits[i] == 0)
			cli_warn(cli, "%s:%u:%u: this rule labels nothing in the tree",
				 rule->place.file, rule->place.line, rule->place.column);
	}
}

static int report_problems(const struct cli *cli, const struct scan *scan, struct err *e)
{
	bool all = cli->options->verbose > 0 || scan->problem_count <= PROBLEMS_SHOWN;
	struct buf text = BUF_INIT;

	summary_problems(&text, scan, all ? scan->problem_count : PROBLEMS_SHOWN);
	cli_complain(cli, &text);
	buf_clear(&text);
	if (cli->options->json) {
		summary_format_problems(&text, scan);
		cli_put_lines(&text);
	}
	buf_release(&text);
	const char *paths = scan->problem_count == 1 ? "path" : "paths";
	if (all)
		return err_set(e, ERR_REFUSED, "%zu %s cannot be released", scan->problem_count,
			       paths);
	return err_set(e, ERR_REFUSED,
		       "%zu %s cannot be released (%zu more than shown: -v shows all)",
		       scan->problem_count, paths, scan->problem_count - PROBLEMS_SHOWN);
}

static void report_success(const struct cli *cli, const struct scan *scan)
{
	struct buf text = BUF_INIT;

	summary_describe(&text, scan);
	cli_say_lines(cli, &text);
	buf_release(&text);
}

static void report_json(const struct scan *scan, uint64_t piece_length, bool dry_run)
{
	struct buf text = BUF_INIT;

	summary_format(&text, scan, piece_length, dry_run);
	cli_put_lines(&text);
	buf_release(&text);
}

/* --- what is to be done -------------------------------------------------------------------------
 */

/* 0 stands for `auto`. */
static int read_piece_length(const struct options *o, uint64_t *ret, struct err *e)
{
	*ret = 0;
	if (o->like != NULL)
		return pack_like(o->like, ret, e);
	if (o->piece_length == NULL || strcmp(o->piece_length, "auto") == 0)
		return 0;
	if (!num_parse_size(o->piece_length, ret) || !header_is_piece_length(*ret))
		return err_set(
		    e, ERR_USAGE,
		    "--piece-length needs a power of two from 16K to 128M, or auto, not '%s'",
		    o->piece_length);
	return 0;
}

static size_t count_stdin(const struct opt_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		n += strcmp(list->items[i], "-") == 0;
	return n;
}

static int check_options(const struct options *o, const struct cli *cli, struct err *e)
{
	const char *to = o->output != NULL ? o->output : "-";

	if (o->rules.count == 0)
		return err_set(e, ERR_USAGE, "no rules, no release: give --rules FILE");
	if (cli->operands.count == 0 && o->explain.count == 0)
		return err_set(e, ERR_USAGE, "missing operand: TREE");
	size_t from_stdin = count_stdin(&cli->operands) + count_stdin(&o->rules) +
			    count_stdin(&o->explain) +
			    (o->like != NULL && strcmp(o->like, "-") == 0);
	if (from_stdin > 1)
		return err_set(e, ERR_USAGE,
			       "only one of TREE, --rules, --explain and --like can be "
			       "standard input");
	if (o->explain.count > 0 &&
	    (o->output != NULL || o->bundle != NULL || o->dry_run || o->strip.given))
		return err_set(e, ERR_USAGE,
			       "--explain does nothing else, and takes names as they are "
			       "in the release: leave out outputs, --dry-run and "
			       "--strip-components");
	if (o->like != NULL && outfile_is_same(to, o->like) && strcmp(to, "-") != 0)
		return err_set(e, ERR_USAGE, "the output '%s' is --like's release as well", to);
	if (o->like != NULL && o->piece_length != NULL)
		return err_set(e, ERR_USAGE, "--like and --piece-length exclude each other");
	if (o->bundle != NULL && !bundle_is_name(o->bundle))
		return err_set(
		    e, ERR_USAGE,
		    "cannot tell the format of the bundle '%s': it ends in none of .tar, "
		    ".tar.gz, .tar.zst, .zip and /",
		    o->bundle);
	if (o->common.json && !o->dry_run && o->explain.count == 0 && strcmp(to, "-") == 0)
		return err_set(e, ERR_USAGE,
			       "--json needs -o: the inventory goes to standard output");
	return 0;
}

static int write_release(struct cli *cli, const struct options *o, struct source *source,
			 const struct scan *scan, uint64_t piece_length, struct err *e)
{
	struct pack_options how = {.piece_length = piece_length,
				   .plain = !o->no_sha256,
				   .inventory = o->output != NULL ? o->output : "-",
				   .bundle = o->bundle,
				   .force = o->common.force,
				   .threads = cli_threads(cli),
				   .progress = cli->progress};

	if (utc_epoch(BUNDLE_MTIME, &how.mtime, e) != 0)
		return -1;
	return pack_run(source, scan, &how, cli->scratch, e);
}

static int pack(struct cli *cli, const struct options *o, const struct rules *rules, struct err *e)
{
	struct scan_options how = {.rules = rules};
	struct scan scan = {.arena = ARENA_INIT};
	const char *to = o->output != NULL ? o->output : "-";
	uint64_t piece_length = 0;
	int status = -1;
	struct source *source = NULL;

	if (cli_strip(&o->strip, &how.strip, e) != 0 || read_piece_length(o, &piece_length, e) != 0)
		goto out;
	source = source_open(cli->operands.items[0], 2, e);
	if (source == NULL || pack_check_outputs(source, &how, to, o->bundle, e) != 0)
		goto out;
	if (scan_run(source, &how, &scan, e) != 0)
		goto out;
	warn_of_dead_rules(cli, rules, &scan);
	if (scan.problem_count > 0) {
		(void)report_problems(cli, &scan, e);
		goto out;
	}
	if (scan.count == 0) {
		(void)err_set(e, ERR_REFUSED, "nothing in '%s' is to be published",
			      source_name(source));
		goto out;
	}
	if (piece_length == 0)
		piece_length = scan_piece_length(&scan);
	status = o->dry_run ? 0 : write_release(cli, o, source, &scan, piece_length, e);
	if (status == 0)
		report_success(cli, &scan);
	if (status == 0 && o->common.json)
		report_json(&scan, piece_length, o->dry_run);
out:
	scan_release(&scan);
	source_close(source);
	return status;
}

static int explain(const struct cli *cli, const struct options *o, const struct rules *rules,
		   struct err *e)
{
	struct explain_options how = {.rules = rules, .json = o->common.json};
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
	if (check_options(&o, &cli, &e) == 0)
		rules = rules_load(o.rules.items, o.rules.count, &e);
	if (rules != NULL && o.explain.count > 0)
		status = explain(&cli, &o, rules, &e);
	else if (rules != NULL)
		status = pack(&cli, &o, rules, &e);
	rules_free(rules);
	return cli_end(&cli, err_result(status, &e), &e);
}
