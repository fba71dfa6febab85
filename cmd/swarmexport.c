/* swarmexport: a release, as others want to be told of it. See swarmexport(1). */
#include <stdlib.h>
#include <string.h>

#include "swarm/cli.h"
#include "swarm/exporter.h"
#include "swarm/handover.h"
#include "swarm/headers.h"
#include "swarm/storekey.h"
#include "swarm/torrent.h"
#include "swarm/trust.h"

struct options {
	struct cli_options common;
	struct opt_list trust;
	const char *output, *head, *at;
	struct format_options what;
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
     offsetof(struct options, what.layout), storekey_layouts},
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

static int read_options(const struct options *o, struct cli *cli, struct handover_options *ret,
			struct err *e)
{
	*ret = (struct handover_options){
	    .job = {.options = &o->what,
		    .manifest = cli->operands.items[0],
		    .head = o->head,
		    .progress = cli->progress,
		    .threads = cli_threads(cli)},
	    .output = o->output != NULL ? o->output : "-",
	    .force = o->common.force,
	    .keys = &o->trust,
	};
	if (o->what.format == NULL)
		return err_set(e, ERR_USAGE, "what is to be written? give --format");
	if (o->common.json && strcmp(ret->output, "-") == 0)
		return err_set(e, ERR_USAGE, "--json needs -o: a document goes to standard output");
	if (exporter_check(table, o, o->what.format, e) != 0 || handover_check(ret, e) != 0)
		return -1;
	return cli_time(o->at, &ret->job.now, e);
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

static void report(const struct cli *cli, const struct handover *made)
{
	struct buf text = BUF_INIT;

	handover_describe(&text, made, cli->options->verbose > 0);
	cli_say_lines(cli, &text);
	buf_clear(&text);
	if (cli->options->json) {
		handover_format(&text, made);
		cli_put_lines(&text);
	}
	buf_release(&text);
}

static int export(struct cli *cli, const struct options *o, struct err *e)
{
	struct handover_options how;
	struct handover made = {.exporter = NULL};
	struct trust *trust = NULL;
	int status = -1;

	if (read_options(o, cli, &how, e) != 0 || load_trust(o, &trust, e) != 0)
		goto out;
	how.trust = trust;
	status = handover_run(&how, cli->scratch, &made, e);
	if (status == 0)
		report(cli, &made);
out:
	handover_release(&made);
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
	status = export(&cli, &o, &e);
	return cli_end(&cli, err_result(status, &e), &e);
}
