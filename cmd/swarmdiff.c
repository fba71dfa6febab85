/* swarmdiff: makes deltas from older releases to a new one. See swarmdiff(1). */
#include <stdlib.h>

#include "swarm/bill.h"
#include "swarm/cli.h"
#include "swarm/diff.h"
#include "swarm/errand.h"
#include "swarm/lanes.h"

struct options {
	struct cli_options common;
	struct errand_words words;
	struct opt_number strip;
};

#define AT(field)   offsetof(struct options, field), NULL
#define WORD(field) AT(words.field)

static const struct opt table[] = {
    {OPT_STRING, 'o', "output", "FILE", "write the delta here, not to standard output",
     WORD(output)},
    {.kind = OPT_SECTION, .help = "Content"},
    {OPT_STRINGS, 0, "old-tree", "TREE", "the files of the old release: a directory or an archive",
     WORD(old_trees)},
    {OPT_STRING, 0, "new-tree", "TREE", "the files of the new release", WORD(new_tree)},
    {OPT_NUMBER, 0, "strip-components", "N", "drop N leading components of names in archives",
     AT(strip)},
    {OPT_STRING, 0, "payloads", "DIR", "write a payload for each file that is worth it, into DIR",
     WORD(payloads)},
    {OPT_STRING, 0, "solid", "FILE", "write one payload for all of them, denser, not for browsers",
     WORD(solid)},
    {OPT_NUMBER, 0, "level", "N", "how hard to compress payloads, 1 to 22 (default: 19)",
     WORD(level)},
    {OPT_SIZE, 0, "memory", "BYTES", "how much to use at most, 512M or 4G (default: 1G)",
     WORD(memory)},
    {.kind = OPT_SECTION, .help = "Several older releases"},
    {OPT_STRINGS, 0, "from", "OLD",
     "an older release, each with its --old-tree if there are trees;\n"
     "-o DIR/ is where <old version>-<new version>.delta go;\n"
     "the slash may be left out if the folder exists",
     WORD(from)},
    {.kind = OPT_SECTION, .help = "What it costs"},
    {OPT_FLAG, 0, "summary", NULL,
     "say what changed, what each way of updating costs,\n"
     "and why the most expensive files are so",
     WORD(summary)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmdiff",
    .usage = "[OPTION]... OLD.manifest NEW.manifest [-o DELTA]\n"
	     "[OPTION]... --from OLD.manifest [--from OLD.manifest]... NEW.manifest -o DIR/",
    .purpose =
	"Write what leads from an old release to a new one: a delta of the manifest, and where\n"
	"each file's content comes from. It is for swarmsign to sign.\n",
    .options = table,
    .operands = "OLD.manifest and NEW.manifest",
    .operands_min = 1,
    .operands_max = 2,
    .details = lanes_describe,
};

static void report(const struct cli *cli, const struct options *o, const struct diff *diff)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < diff->count; i++) {
		if (o->words.summary)
			bill_describe(&text, &diff->results[i]);
		else
			bill_brief(&text, &diff->results[i]);
		if (o->words.solid != NULL && diff->results[i].solid_bytes == 0)
			cli_warn(cli, "no new content: '%s' is not written", o->words.solid);
	}
	cli_say_lines(cli, &text);
	buf_clear(&text);
	for (size_t i = 0; i < diff->count && o->common.json; i++) {
		bill_format(&text, &diff->results[i]);
		cli_put_lines(&text);
		buf_clear(&text);
	}
	buf_release(&text);
}

static int diff(const struct cli *cli, struct options *o, struct err *e)
{
	struct diff_options how = {
	    .threads = cli_threads(cli), .force = o->common.force, .progress = cli->progress};
	struct diff made = {.results = NULL};
	struct diff_from *from;
	int status = -1;

	o->words.operands = cli->operands;
	o->words.has_strip = o->strip.given;
	o->words.json = o->common.json;
	from = calloc(errand_from_max(&o->words), sizeof *from);
	if (from == NULL)
		return err_nomem(e);
	if (cli_strip(&o->strip, &how.strip, e) != 0 || errand_read(&o->words, &how, from, e) != 0)
		goto out;
	status = diff_run(&how, cli->scratch, &made, e);
	if (status == 0)
		report(cli, o, &made);
out:
	diff_release(&made);
	free(from);
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
	status = diff(&cli, &o, &e);
	return cli_end(&cli, err_result(status, &e), &e);
}
