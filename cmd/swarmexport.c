/* swarmexport: a release, as others want to be told of it. See swarmexport(1). */
#include <stdlib.h>
#include <string.h>

#include "swarm/cli.h"
#include "swarm/exporter.h"
#include "swarm/headers.h"
#include "swarm/intake.h"
#include "swarm/jsonl.h"
#include "swarm/outfile.h"
#include "swarm/text.h"
#include "swarm/torrent.h"
#include "swarm/trust.h"
#include "swarm/utc.h"

struct options {
	struct cli_options common;
	struct opt_list trust;
	const char *output, *head, *at;
	struct exporter_options what;
};

#define AT(field) offsetof(struct options, field), NULL

static const struct opt table[] = {
    {OPT_CHOICE, 0, "format", "F",
     "what to write: torrent, metalink, sha256sums, sri,\nworkbox, headers, upload or inventory",
     offsetof(struct options, what.format), exporter_names},
    {OPT_STRING, 'o', "output", "FILE", "write it here, not to standard output", AT(output)},
    {OPT_STRINGS, 0, "trust", "PUB",
     "refuse what these public keys have not signed\n(default: those of $SWARM_TRUST, if any)",
     AT(trust)},
    {OPT_STRING, 0, "head", "FILE", "a newer head over the same body: it alone judges", AT(head)},
    {OPT_STRING, 0, "at", "TIME", "judge the expiry as of TIME", AT(at)},
    {OPT_STRINGS, 0, "only", "GLOB", "only the files that this gitignore pattern matches",
     AT(what.only)},
    {OPT_CHOICE, 0, "label", "L", "only files of this label: public, origin, or all",
     offsetof(struct options, what.label), exporter_labels},
    {.kind = OPT_SECTION, .help = "For some formats"},
    {OPT_CHOICE, 0, "kind", "K", "the torrent: v2 (the default), hybrid or v1",
     offsetof(struct options, what.kind), torrent_kinds},
    {OPT_STRING, 0, "tree", "DIR", "the content: a directory, or for torrents an archive",
     AT(what.tree)},
    {OPT_STRINGS, 0, "web-seed", "URL", "where PRODUCT-VERSION/ with the files is on the web",
     AT(what.web_seed)},
    {OPT_STRINGS, 0, "tracker", "URL", "a tracker; of several, the first is asked first",
     AT(what.tracker)},
    {OPT_STRINGS, 0, "previous", "FILE", "a manifest or head of an earlier release",
     AT(what.previous)},
    {OPT_FLAG, 0, "magnet", NULL, "write the magnet link, not the torrent", AT(what.magnet)},
    {OPT_FLAG, 0, "oversize", NULL, "write a torrent that is too large for most clients",
     AT(what.oversize)},
    {OPT_STRINGS, 0, "mirror", "URL", "where the files are on the web; of several, the best first",
     AT(what.mirror)},
    {OPT_STRING, 0, "url-prefix", "P", "what URLs have in front of paths", AT(what.url_prefix)},
    {OPT_CHOICE, 0, "server", "S", "who is to send the headers: nginx, netlify or cloudflare",
     offsetof(struct options, what.server), headers_servers},
    {OPT_STRING, 0, "payloads", "DIR", "payloads that swarmdiff has written", AT(what.payloads)},
    {OPT_STRINGS, 0, "match", "GLOB=PATTERN", "the URLs that these files are dictionaries for",
     AT(what.match)},
    {OPT_STRINGS, 0, "delta", "FILE", "a delta that leads to the release", AT(what.delta)},
    {OPT_STRING, 0, "prefix", "P", "what the keys of objects have in front", AT(what.prefix)},
    {OPT_CHOICE, 0, "layout", "L", "what keys are made of: release (the default) or hash",
     offsetof(struct options, what.layout), exporter_layouts},
    {OPT_FLAG, 0, "prune", NULL, "delete what only the --previous ones need", AT(what.prune)},
    {OPT_STRINGS, 0, "keep", "MANIFEST", "a release that --prune is to spare, too", AT(what.keep)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmexport",
    .usage = "[OPTION]... MANIFEST --format F [-o FILE]",
    .purpose = "Hand a release to those who know nothing of manifests.\n",
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

static bool is_among(const char *output, const struct opt_list *inputs)
{
	for (size_t i = 0; i < inputs->count; i++)
		if (is_input(output, inputs->items[i]))
			return true;
	return false;
}

static int read_time(const char *at, int64_t *ret, struct err *e)
{
	*ret = utc_now();
	if (at == NULL || utc_parse(at, ret))
		return 0;
	return err_set(e, ERR_USAGE, "--at needs a time such as 2026-12-31T00:00:00Z, not '%s'",
		       at);
}

static int check_options(const struct options *o, const struct cli *cli, struct err *e)
{
	const char *manifest = cli->operands.items[0];

	if (o->what.format == NULL)
		return err_set(e, ERR_USAGE, "what is to be written? give --format");
	if (o->head != NULL && strcmp(o->head, "-") == 0 && strcmp(manifest, "-") == 0)
		return err_set(e, ERR_USAGE,
			       "only one of MANIFEST and --head can be standard input");
	if (o->common.json && strcmp(output_of(o), "-") == 0)
		return err_set(e, ERR_USAGE, "--json needs -o: a document goes to standard output");
	if (is_input(o->output, manifest) || is_input(o->output, o->head) ||
	    is_among(o->output, &o->what.previous) || is_among(o->output, &o->what.keep) ||
	    is_among(o->output, &o->what.delta))
		return err_set(e, ERR_USAGE, "'%s' cannot be both read and written", o->output);
	return exporter_check(table, o, o->what.format, e);
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

static void report(const struct cli *cli, const struct options *o, const struct exporter *x,
		   const struct head *head, bool checked)
{
	struct buf text = BUF_INIT;
	struct jsonl_writer w = {.to = &text};

	exporter_describe(x, cli->options->verbose > 0, &text);
	if (!checked)
		buf_adds(&text, "no signature was checked: there is no --trust\n");
	cli_say_lines(cli, &text);
	buf_clear(&text);
	if (o->common.json) {
		jsonl_open(&w, NULL);
		jsonl_string(&w, "format", o->what.format);
		jsonl_string(&w, "product", head->id.product);
		jsonl_string(&w, "channel", head->id.channel);
		jsonl_string(&w, "version", head->id.version);
		jsonl_number(&w, "serial", head->id.serial);
		jsonl_bool(&w, "genuine", checked);
		exporter_members(x, &w);
		jsonl_close(&w);
		buf_addc(&text, '\n');
		cli_put_lines(&text);
	}
	buf_release(&text);
}

static int begin(void *context, const struct header *header, const struct head *head, struct err *e)
{
	return exporter_begin(context, header, head, e);
}

static int put(void *context, const struct entry *entry, struct err *e)
{
	return exporter_add(context, entry, e);
}

/* An earlier release, on its way to the exporter. */
struct earlier {
	struct exporter *x;
	const char *manifest;
	bool keep;
};

static int begin_earlier(void *context, const struct header *header, const struct head *head,
			 struct err *e)
{
	const struct earlier *earlier = context;

	(void)header;
	return exporter_earlier(earlier->x, earlier->manifest, earlier->keep, head, e);
}

static int put_earlier(void *context, const struct entry *entry, struct err *e)
{
	return exporter_earlier_file(((const struct earlier *)context)->x, entry, e);
}

/* What is in the past may have expired. */
static int read_earlier(struct exporter *x, const struct opt_list *manifests, bool keep,
			const struct trust *trust, struct err *e)
{
	struct head head;

	if (!exporter_looks_back(x))
		return 0;
	for (size_t i = 0; i < manifests->count; i++) {
		struct earlier earlier = {x, manifests->items[i], keep};
		const struct intake_options in = {.manifest = earlier.manifest,
						  .trust = trust,
						  .now = utc_now(),
						  .expired_too = true};
		const struct intake_sink sink = {&earlier, begin_earlier, put_earlier};
		if (intake_read(&in, &sink, &head, e) != 0)
			return -1;
	}
	return 0;
}

static int export(struct cli *cli, const struct options *o, const struct trust *trust, int64_t now,
		  struct err *e)
{
	const char *manifest = cli->operands.items[0];
	const struct outfile_options how = {.force = o->common.force};
	const struct intake_options in = {
	    .manifest = manifest, .head = o->head, .trust = trust, .now = now};
	struct exporter_job job = {.options = &o->what,
				   .manifest = manifest,
				   .head = o->head,
				   .progress = cli->progress,
				   .threads = cli_threads(cli),
				   .now = now};
	struct exporter *x = NULL;
	struct head head;
	int status = -1;

	job.out = outfile_open(output_of(o), &how, cli->scratch, e);
	if (job.out == NULL || (x = exporter_new(&job, e)) == NULL)
		goto out;
	const struct intake_sink sink = {x, begin, put};
	if (read_earlier(x, &o->what.previous, false, trust, e) != 0 ||
	    read_earlier(x, &o->what.keep, true, trust, e) != 0)
		goto out;
	if (intake_read(&in, &sink, &head, e) != 0 || exporter_end(x, e) != 0 ||
	    outfile_commit(job.out, e) != 0)
		goto out;
	report(cli, o, x, &head, trust != NULL);
	status = 0;
out:
	exporter_free(x);
	outfile_free(job.out);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.common = {.help = false}};
	struct err e = {.code = ERR_NONE};
	struct trust *trust = NULL;
	struct cli cli;
	int64_t now;
	int status = cli_begin(&cli, &program, argc, argv, &o);

	if (status >= 0)
		return status;
	if (check_options(&o, &cli, &e) == 0 && read_time(o.at, &now, &e) == 0 &&
	    load_trust(&o, &trust, &e) == 0)
		status = export(&cli, &o, trust, now, &e);
	trust_free(trust);
	return cli_end(&cli, err_result(status, &e), &e);
}
