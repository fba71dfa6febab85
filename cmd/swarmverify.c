/* swarmverify: audits a copy of a release. See swarmverify(1). */
#include <stdlib.h>
#include <string.h>

#include "swarm/cli.h"
#include "swarm/glob.h"
#include "swarm/lanes.h"
#include "swarm/trust.h"
#include "swarm/verdict.h"
#include "swarm/verify.h"

struct options {
	struct cli_options common;
	struct opt_list trust, only;
	const char *head, *product, *channel, *at, *state, *extra, *modes;
	struct opt_number threshold, min_serial, strip;
	bool fast, roots_only;
};

static const char *const extra_choices[] = {"error", "ignore", NULL};
static const char *const modes_choices[] = {"warn", "error", NULL};

#define AT(field) offsetof(struct options, field), NULL

static const struct opt table[] = {
    {OPT_STRINGS, 0, "trust", "PUB", "public keys to believe (default: those of $SWARM_TRUST)",
     AT(trust)},
    {OPT_NUMBER, 0, "threshold", "N", "how many of them must have signed (default: 1)",
     AT(threshold)},
    {OPT_STRING, 0, "head", "FILE", "a newer head over the same body: it alone judges", AT(head)},
    {OPT_STRING, 0, "product", "NAME", "refuse any other product", AT(product)},
    {OPT_STRING, 0, "channel", "NAME", "refuse any other channel", AT(channel)},
    {OPT_NUMBER, 0, "min-serial", "N", "refuse any serial below N", AT(min_serial)},
    {OPT_STRING, 0, "state", "FILE", "remember the newest release seen, and refuse older ones",
     AT(state)},
    {OPT_STRING, 0, "at", "TIME", "judge the expiry as of TIME; leaves the state alone", AT(at)},
    {.kind = OPT_SECTION, .help = "What of the bundle is checked"},
    {OPT_STRINGS, 0, "only", "GLOB", "only the files that this gitignore pattern matches",
     AT(only)},
    {OPT_FLAG, 0, "fast", NULL, "compare names and sizes, read no content (verifies nothing)",
     AT(fast)},
    {OPT_FLAG, 0, "roots-only", NULL, "check piece hashes, not the plain digests", AT(roots_only)},
    {OPT_CHOICE, 0, "extra", "error|ignore", "what files are that the manifest does not name",
     offsetof(struct options, extra), extra_choices},
    {OPT_CHOICE, 0, "modes", "warn|error", "what a wrong executable bit is",
     offsetof(struct options, modes), modes_choices},
    {OPT_NUMBER, 0, "strip-components", "N", "drop N leading components of names in the bundle",
     AT(strip)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmverify",
    .usage = "[OPTION]... MANIFEST [BUNDLE] --trust PUB\n"
	     "[OPTION]... HEAD|DELTA --trust PUB",
    .purpose =
	"Check who signed a release and whether BUNDLE (a directory, an archive, or - for one\n"
	"on standard input) is a true copy of it. Nothing is written to BUNDLE.\n",
    .options = table,
    .operands = "MANIFEST, HEAD or DELTA",
    .operands_min = 1,
    .operands_max = 2,
    .details = lanes_describe,
};

/* --- what is asked for --------------------------------------------------------------------------
 */

static int check_options(const struct options *o, const struct cli *cli, struct err *e)
{
	bool copy = cli->operands.count > 1;

	if (!copy && (o->fast || o->roots_only || o->only.count > 0 || o->extra != NULL ||
		      o->modes != NULL || o->strip.given))
		return err_set(e, ERR_USAGE, "missing operand: BUNDLE (an option speaks of it)");
	if (o->fast && o->roots_only)
		return err_set(e, ERR_USAGE, "--fast and --roots-only exclude each other");
	size_t from_stdin = o->head != NULL && strcmp(o->head, "-") == 0;
	for (size_t i = 0; i < cli->operands.count; i++)
		from_stdin += strcmp(cli->operands.items[i], "-") == 0;
	if (from_stdin > 1)
		return err_set(e, ERR_USAGE,
			       "only one of MANIFEST, BUNDLE and --head can be "
			       "standard input");
	return 0;
}

static bool says(const char *choice, const char *word)
{
	return choice != NULL && strcmp(choice, word) == 0;
}

static int read_options(const struct options *o, const struct cli *cli, struct glob *const *only,
			struct verify_options *ret, struct err *e)
{
	*ret = (struct verify_options){
	    .document = cli->operands.items[0],
	    .head = o->head,
	    .copy = cli->operands.count > 1 ? cli->operands.items[1] : NULL,
	    .policy = {o->product, o->channel, o->min_serial.value, 0},
	    .state = o->state,
	    .keep_state = o->at != NULL,
	    .audit = {.fast = o->fast,
		      .roots_only = o->roots_only,
		      .ignore_extra = says(o->extra, "ignore"),
		      .strict_modes = says(o->modes, "error"),
		      .only = only,
		      .only_count = o->only.count,
		      .threads = cli_threads(cli),
		      .progress = cli->progress},
	};
	if (cli_strip(&o->strip, &ret->audit.strip, e) != 0)
		return -1;
	return cli_time(o->at, &ret->policy.now, e);
}

/* --- the run ------------------------------------------------------------------------------------
 */

/* The text's last line, without its line feed, which is cut off. */
static const char *last_line(struct buf *text)
{
	if (text->len > 0)
		buf_truncate(text, text->len - 1);
	const char *feed = strrchr(text->data, '\n');
	return feed != NULL ? feed + 1 : text->data;
}

static int verify(struct cli *cli, const struct options *o, struct err *e)
{
	struct glob **only = NULL;
	struct trust *trust = NULL;
	struct verify_options how;
	struct verdict verdict;
	struct buf text = BUF_INIT;
	bool verbose = cli->options->verbose > 0;

	verdict_init(&verdict);
	if (check_options(o, cli, e) != 0 ||
	    (only = glob_list_new("--only", o->only.items, o->only.count, e)) == NULL ||
	    read_options(o, cli, only, &how, e) != 0 ||
	    (trust = trust_load(&o->trust, getenv("SWARM_TRUST"), &o->threshold, e)) == NULL)
		goto out;
	how.trust = trust;
	(void)!verify_run(&how, cli->scratch, &verdict, e);
out:
	verdict.status = e->code != ERR_NONE ? err_status(e->code) : verdict.status;
	verdict_describe(&text, &verdict, verbose);
	cli_say_lines(cli, &text);
	/* Without the summary, one line has to do. */
	if (cli->options->quiet && !cli->options->json && verdict.status != 0 &&
	    e->code == ERR_NONE)
		(void)err_set(e, ERR_REFUSED, "%s", last_line(&text));
	if (o->common.json) {
		buf_clear(&text);
		verdict_format(&text, &verdict, e, verbose);
		cli_put_lines(&text);
		cli->reported = true;
	}
	buf_release(&text);
	int status = verdict.status;
	verdict_release(&verdict);
	glob_list_free(only, o->only.count);
	trust_free(trust);
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
	status = verify(&cli, &o, &e);
	return cli_end(&cli, status, &e);
}
