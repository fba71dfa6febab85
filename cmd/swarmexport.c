/* swarmexport: what others need to know of a release. See swarmexport(1). */
#include <stdlib.h>
#include <string.h>

#include "swarm/cli.h"
#include "swarm/intake.h"
#include "swarm/jsonl.h"
#include "swarm/nginxmaps.h"
#include "swarm/outfile.h"
#include "swarm/text.h"
#include "swarm/trust.h"
#include "swarm/utc.h"

struct options {
	struct cli_options common;
	struct opt_list trust, match;
	const char *format, *output, *head, *payloads, *url_prefix;
};

static const char *const format_choices[] = {"headers", NULL};

#define AT(field) offsetof(struct options, field), NULL

static const struct opt table[] = {
    {OPT_CHOICE, 0, "format", "headers", "what to write: for nginx, how to serve the release",
     offsetof(struct options, format), format_choices},
    {OPT_STRING, 'o', "output", "FILE", "write it here, not to standard output", AT(output)},
    {OPT_STRINGS, 0, "trust", "PUB",
     "refuse what these public keys have not signed\n(default: those of $SWARM_TRUST, if any)",
     AT(trust)},
    {OPT_STRING, 0, "head", "FILE", "a newer head over the same body: it alone judges", AT(head)},
    {.kind = OPT_SECTION, .help = "For --format headers"},
    {OPT_STRING, 0, "payloads", "DIR", "payloads that swarmdiff has written", AT(payloads)},
    {OPT_STRING, 0, "url-prefix", "P", "what URLs have in front of paths (default: /)",
     AT(url_prefix)},
    {OPT_STRINGS, 0, "match", "GLOB=PATTERN", "the URLs that these files are dictionaries for",
     AT(match)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmexport",
    .usage = "[OPTION]... MANIFEST --format headers [--payloads DIR] [-o FILE]",
    .purpose = "Write what others need to know of a release.\n",
    .options = table,
    .operands = "MANIFEST",
    .operands_min = 1,
    .operands_max = 1,
};

/* --- what is asked for --------------------------------------------------------------------------
 */

static const char *output_of(const struct options *o)
{
	return o->output != NULL ? o->output : "-";
}

static bool is_input(const char *output, const char *input)
{
	return output != NULL && input != NULL && strcmp(output, "-") != 0 &&
	       outfile_is_same(output, input);
}

static int check_options(const struct options *o, const struct cli *cli, struct err *e)
{
	const char *manifest = cli->operands.items[0];

	if (o->format == NULL)
		return err_set(e, ERR_USAGE, "what is to be written? give --format headers");
	if (o->head != NULL && strcmp(o->head, "-") == 0 && strcmp(manifest, "-") == 0)
		return err_set(e, ERR_USAGE,
			       "only one of MANIFEST and --head can be standard input");
	if (o->common.json && strcmp(output_of(o), "-") == 0)
		return err_set(e, ERR_USAGE, "--json needs -o: a document goes to standard output");
	if (is_input(o->output, manifest) || is_input(o->output, o->head))
		return err_set(e, ERR_USAGE, "'%s' cannot be both read and written", o->output);
	return 0;
}

/* *ret is NULL where no key was named: then no signature is looked at. */
static int load_trust(const struct options *o, struct trust **ret, struct err *e)
{
	static const struct opt_number one = {.given = false};
	const char *list = getenv("SWARM_TRUST");

	if (o->trust.count == 0 && (list == NULL || *list == '\0'))
		return 0;
	*ret = trust_load(&o->trust, list, &one, e);
	return *ret != NULL ? 0 : -1;
}

/* --- the run ------------------------------------------------------------------------------------
 */

static void describe(const struct cli *cli, const struct head *head,
		     const struct nginxmaps_counts *c, bool checked)
{
	struct buf text = BUF_INIT;

	buf_addf(&text, "%s %s (%s, serial %llu): ", head->id.product, head->id.version,
		 head->id.channel, (unsigned long long)head->id.serial);
	text_plural(&text, c->files, "file");
	buf_adds(&text, "\npayloads: ");
	text_count(&text, c->dcz);
	buf_adds(&text, " dcz, ");
	text_count(&text, c->zstd);
	buf_adds(&text, " zstd, ");
	text_bytes(&text, c->payload_bytes);
	buf_addc(&text, '\n');
	if (!checked)
		buf_adds(&text, "no signature was checked: there is no --trust\n");
	if (cli->options->verbose > 0) {
		buf_adds(&text, "left out: ");
		text_plural(&text, c->strangers, "payload");
		buf_adds(&text, " of no file here, ");
		text_count(&text, c->useless);
		buf_adds(&text, " not smaller than the file\ndictionaries: ");
		text_count(&text, c->dictionaries);
		buf_adds(&text, ", ");
		text_count(&text, c->shared);
		buf_adds(&text, " of them with a pattern that another has\n");
	}
	cli_say_lines(cli, &text);
	buf_release(&text);
}

static void format(struct buf *to, const struct head *head, const struct nginxmaps_counts *c,
		   bool checked)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_string(&w, "format", "headers");
	jsonl_string(&w, "product", head->id.product);
	jsonl_string(&w, "channel", head->id.channel);
	jsonl_string(&w, "version", head->id.version);
	jsonl_number(&w, "serial", head->id.serial);
	jsonl_bool(&w, "genuine", checked);
	jsonl_number(&w, "files", c->files);
	jsonl_number(&w, "dictionaries", c->dictionaries);
	jsonl_number(&w, "shared", c->shared);
	jsonl_number(&w, "dcz", c->dcz);
	jsonl_number(&w, "zstd", c->zstd);
	jsonl_number(&w, "payload_bytes", c->payload_bytes);
	jsonl_number(&w, "strangers", c->strangers);
	jsonl_number(&w, "useless", c->useless);
	jsonl_close(&w);
	buf_addc(to, '\n');
}

static int put(void *context, const struct entry *entry, struct err *e)
{
	return nginxmaps_add(context, entry, e);
}

static int export_headers(struct cli *cli, const struct options *o, const struct trust *trust,
			  struct err *e)
{
	const struct outfile_options how = {.force = o->common.force};
	const struct nginxmaps_options what = {o->url_prefix, o->payloads, o->match.items,
					       o->match.count};
	const struct intake_options in = {cli->operands.items[0], o->head, trust, utc_now()};
	struct nginxmaps_counts counts;
	struct head head;
	struct buf result = BUF_INIT;
	struct outfile *out = NULL;
	struct nginxmaps *h = nginxmaps_new(&what, e);
	int status = -1;

	if (h == NULL || (out = outfile_open(output_of(o), &how, cli->scratch, e)) == NULL ||
	    intake_read(&in, put, h, &head, e) != 0 ||
	    nginxmaps_write(h, &head.id, head.digest, out, &counts, e) != 0 ||
	    outfile_commit(out, e) != 0)
		goto out;
	describe(cli, &head, &counts, trust != NULL);
	if (o->common.json) {
		format(&result, &head, &counts, trust != NULL);
		cli_put_lines(&result);
	}
	status = 0;
out:
	buf_release(&result);
	outfile_free(out);
	nginxmaps_free(h);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.common = {.help = false}};
	struct err e = {.code = ERR_NONE};
	struct trust *trust = NULL;
	struct cli cli;
	int status = cli_begin(&cli, &program, argc, argv, &o);

	if (status >= 0)
		return status;
	if (check_options(&o, &cli, &e) == 0 && load_trust(&o, &trust, &e) == 0)
		status = export_headers(&cli, &o, trust, &e);
	trust_free(trust);
	return cli_end(&cli, err_result(status, &e), &e);
}
