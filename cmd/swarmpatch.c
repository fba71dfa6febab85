/* swarmpatch: turns one release into the next. See swarmpatch(1). */
#include <stdlib.h>
#include <string.h>

#include "swarm/cli.h"
#include "swarm/gate.h"
#include "swarm/lanes.h"
#include "swarm/outcome.h"
#include "swarm/patch.h"
#include "swarm/trust.h"

struct options {
	struct cli_options common;
	struct opt_list trust;
	const char *old_manifest, *old_tree, *head, *output, *payloads, *solid, *from;
	const char *new_manifest, *product, *channel, *at, *state;
	struct opt_number threshold, min_serial, memory;
	bool in_place, link, dry_run;
};

#define AT(field) offsetof(struct options, field), NULL

static const struct opt table[] = {
    {OPT_STRING, 0, "old-manifest", "FILE", "the manifest of the release that is there",
     AT(old_manifest)},
    {OPT_STRING, 0, "old-tree", "TREE", "its files: a directory or an archive", AT(old_tree)},
    {OPT_STRING, 'o', "output", "NEWTREE", "make the new release here, a directory", AT(output)},
    {OPT_FLAG, 0, "in-place", NULL, "turn the old tree into the new one", AT(in_place)},
    {OPT_FLAG, 0, "link", NULL, "hard-link files that do not change to the old tree's", AT(link)},
    {OPT_STRING, 0, "new-manifest", "FILE", "write the new manifest here", AT(new_manifest)},
    {OPT_FLAG, 'n', "dry-run", NULL, "write nothing; say what would be done and what is needed",
     AT(dry_run)},
    {OPT_SIZE, 0, "memory", "BYTES", "what payloads may take of it (default: 1 GiB)", AT(memory)},
    {.kind = OPT_SECTION, .help = "Where new content comes from"},
    {OPT_STRING, 0, "payloads", "DIR", "a directory with payloads of single files", AT(payloads)},
    {OPT_STRING, 0, "solid", "FILE", "the solid payload", AT(solid)},
    {OPT_STRING, 0, "from", "TREE", "a directory or an archive with whole new files", AT(from)},
    {.kind = OPT_SECTION, .help = "What is believed"},
    {OPT_STRING, 0, "head", "FILE", "the head of the new release (or its manifest)", AT(head)},
    {OPT_STRINGS, 0, "trust", "PUB", "public keys to believe (default: those of $SWARM_TRUST)",
     AT(trust)},
    {OPT_NUMBER, 0, "threshold", "N", "how many of them must have signed (default: 1)",
     AT(threshold)},
    {OPT_STRING, 0, "product", "NAME", "refuse any other product", AT(product)},
    {OPT_STRING, 0, "channel", "NAME", "refuse any other channel", AT(channel)},
    {OPT_NUMBER, 0, "min-serial", "N", "refuse any serial below N", AT(min_serial)},
    {OPT_STRING, 0, "state", "FILE", "remember the newest release seen, and refuse older ones",
     AT(state)},
    {OPT_STRING, 0, "at", "TIME", "judge the expiry as of TIME; leaves the state alone", AT(at)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmpatch",
    .usage = "[OPTION]... DELTA --old-manifest FILE --old-tree TREE --head FILE -o NEWTREE\n"
	     "[OPTION]... DELTA --old-manifest FILE --old-tree TREE --head FILE --in-place\n"
	     "[OPTION]... DELTA --old-manifest FILE --head FILE --new-manifest FILE",
    .purpose = "Make the next release of the one that is there, a delta, and what changed.\n",
    .options = table,
    .operands = "DELTA",
    .operands_min = 1,
    .operands_max = 1,
    .details = lanes_describe,
};

/* --- what is asked for --------------------------------------------------------------------------
 */

static bool is_url(const char *name)
{
	return name != NULL &&
	       (strncmp(name, "http://", 7) == 0 || strncmp(name, "https://", 8) == 0);
}

/* Where nothing is said of trees, and nothing that only matters to one. */
static bool is_manifest_only(const struct options *o)
{
	return o->new_manifest != NULL && o->old_tree == NULL && o->output == NULL &&
	       o->payloads == NULL && o->solid == NULL && o->from == NULL && !o->in_place &&
	       !o->link && !o->dry_run;
}

static int check_target(const struct options *o, struct err *e)
{
	if (o->in_place && o->output != NULL)
		return err_set(e, ERR_USAGE, "--in-place and -o exclude each other");
	if (o->in_place && o->link)
		return err_set(e, ERR_USAGE, "--in-place and --link exclude each other");
	if (!o->in_place && o->output == NULL && !is_manifest_only(o))
		return err_set(e, ERR_USAGE, "give -o NEWTREE, or --in-place");
	if (o->output != NULL && strcmp(o->output, "-") == 0)
		return err_set(e, ERR_USAGE, "a tree cannot be written to standard output");
	if (o->new_manifest != NULL && strcmp(o->new_manifest, "-") == 0 && o->common.json)
		return err_set(e, ERR_USAGE,
			       "--json and --new-manifest - both want standard output");
	return 0;
}

static int check_options(const struct options *o, const struct cli *cli, struct err *e)
{
	const char *const inputs[] = {cli->operands.items[0], o->old_manifest, o->old_tree, o->head,
				      o->from};
	size_t from_stdin = 0;

	if (o->old_manifest == NULL)
		return err_set(e, ERR_USAGE, "missing option: --old-manifest FILE");
	if (o->old_tree == NULL && !is_manifest_only(o))
		return err_set(e, ERR_USAGE, "missing option: --old-tree TREE");
	if (o->head == NULL)
		return err_set(e, ERR_USAGE, "missing option: --head FILE");
	if (is_url(o->from))
		return err_set(e, ERR_USAGE,
			       "--from needs a directory or an archive, not the URL '%s'", o->from);
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
		from_stdin += inputs[i] != NULL && strcmp(inputs[i], "-") == 0;
	if (from_stdin > 1)
		return err_set(e, ERR_USAGE, "only one input can be standard input");
	return check_target(o, e);
}

static int read_options(const struct options *o, const struct cli *cli, struct patch_options *ret,
			struct err *e)
{
	*ret = (struct patch_options){
	    .delta = cli->operands.items[0],
	    .old_manifest = o->old_manifest,
	    .head = o->head,
	    .policy = {o->product, o->channel, o->min_serial.value, 0},
	    .state = o->state,
	    .keep_state = o->at != NULL,
	    .supply = {o->old_tree, o->payloads, o->solid, o->from},
	    .out = o->in_place ? NULL : o->output,
	    .manifest_only = is_manifest_only(o),
	    .force = o->common.force,
	    .link = o->link,
	    .new_manifest = o->new_manifest,
	    .dry_run = o->dry_run,
	    .memory = o->memory.given ? o->memory.value : GATE_MEMORY_DEFAULT,
	    .threads = cli_threads(cli),
	    .progress = cli->progress,
	};
	return cli_time(o->at, &ret->policy.now, e);
}

/* --- the run ------------------------------------------------------------------------------------
 */

static void report(struct cli *cli, const struct outcome *outcome, const struct err *e)
{
	struct buf text = BUF_INIT;

	outcome_describe(&text, outcome, cli->options->verbose > 0);
	cli_say_lines(cli, &text);
	if (cli->options->json) {
		buf_clear(&text);
		outcome_format(&text, outcome, e);
		cli_put_lines(&text);
		cli->reported = true;
	}
	buf_release(&text);
}

static int patch(struct cli *cli, const struct options *o, struct err *e)
{
	struct trust *trust = NULL;
	struct patch_options how;
	struct outcome outcome = OUTCOME_INIT;
	int status = -1;

	if (check_options(o, cli, e) == 0 && read_options(o, cli, &how, e) == 0 &&
	    (trust = trust_load(&o->trust, getenv("SWARM_TRUST"), &o->threshold, e)) != NULL) {
		how.trust = trust;
		status = patch_run(&how, cli->scratch, &outcome, e);
	}
	report(cli, &outcome, e);
	outcome_release(&outcome);
	trust_free(trust);
	return err_result(status, e);
}

int main(int argc, char **argv)
{
	struct options o = {.common = {.help = false}};
	struct err e = {.code = ERR_NONE};
	struct cli cli;
	int status = cli_begin(&cli, &program, argc, argv, &o);

	if (status >= 0)
		return status;
	status = patch(&cli, &o, &e);
	return cli_end(&cli, status, &e);
}
