/* swarmsign: makes signed manifests, heads and deltas. See swarmsign(1). */
#include <string.h>

#include "swarm/cli.h"
#include "swarm/document.h"
#include "swarm/endorse.h"
#include "swarm/key.h"
#include "swarm/release.h"
#include "swarm/request.h"
#include "swarm/ring.h"
#include "swarm/utc.h"

struct options {
	struct cli_options common;
	struct request_words words;
	const char *output, *head, *generate, *passphrase_env;
	struct opt_number passphrase_fd;
};

#define AT(field) offsetof(struct options, field), NULL

static const struct opt table[] = {
    {OPT_STRINGS, 'k', "key", "FILE|env:NAME",
     "private key to sign with, PEM; several make several signatures", AT(words.keys)},
    {OPT_NUMBER, 0, "passphrase-fd", "N", "read the keys' passphrase from file descriptor N",
     AT(passphrase_fd)},
    {OPT_STRING, 0, "passphrase-env", "NAME", "take the keys' passphrase from $NAME",
     AT(passphrase_env)},
    {OPT_STRING, 'o', "output", "FILE", "write the document here, not to standard output",
     AT(output)},
    {OPT_STRING, 0, "head", "FILE", "also write the head to a file of its own, last", AT(head)},
    {.kind = OPT_SECTION, .help = "A new release"},
    {OPT_STRING, 0, "product", "NAME", "what is released (default: that of MANIFEST)",
     AT(words.product)},
    {OPT_STRING, 0, "channel", "NAME", "to whom (default: that of MANIFEST, else stable)",
     AT(words.channel)},
    {OPT_STRING, 0, "release", "VERSION", "its version, for people", AT(words.version)},
    {OPT_STRING, 0, "serial", "N|next", "its number, for roll-back protection; next: previous + 1",
     AT(words.serial)},
    {OPT_STRING, 0, "previous", "FILE", "the current manifest or head of the channel",
     AT(words.previous)},
    {OPT_STRINGS, 0, "trust", "PUB", "public keys, besides --key's, that make inputs genuine",
     AT(words.trust)},
    {OPT_STRING, 0, "torrent", "FILE", "a hybrid torrent of its files: the head is to name it",
     AT(words.torrent)},
    {OPT_STRING, 0, "expires", "30d|TIME", "when clients stop believing the head (default: 30d)",
     AT(words.expires)},
    {OPT_STRING, 0, "rollout-start", "TIME", "when clients may switch (default: at once)",
     AT(words.rollout_start)},
    {OPT_DURATION, 0, "rollout-window", "4h", "how long they spread the switch over (default: 4h)",
     AT(words.rollout_window)},
    {.kind = OPT_SECTION, .help = "Other tasks"},
    {OPT_FLAG, 0, "resign", NULL, "issue a manifest or head again: new expiry, same release",
     AT(words.resign)},
    {OPT_FLAG, 0, "add-signature", NULL, "add signatures to a signed document as it is",
     AT(words.add_signature)},
    {OPT_STRING, 0, "generate-key", "PREFIX", "make an Ed25519 key: PREFIX.key and PREFIX.pub",
     AT(generate)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmsign",
    .usage = "[OPTION]... INVENTORY --key FILE --product NAME --release VERSION --serial N\n"
	     "[OPTION]... MANIFEST --key FILE --release VERSION --serial next --previous HEAD\n"
	     "[OPTION]... MANIFEST|HEAD --key FILE --resign|--add-signature\n"
	     "[OPTION]... DELTA --key FILE [--add-signature]\n"
	     "--generate-key PREFIX",
    .purpose =
	"Make a signed manifest of an inventory, and the head that clients poll; sign a delta.\n",
    .options = table,
    .operands = "INVENTORY, MANIFEST, HEAD or DELTA",
    .operands_min = 0,
    .operands_max = 1,
};

static const char *output_of(const struct options *o)
{
	return o->output != NULL ? o->output : "-";
}

/* --- keys ---------------------------------------------------------------------------------------
 */

static const char *text_or_null(const struct buf *passphrase)
{
	return passphrase->len > 0 ? passphrase->data : NULL;
}

static int generate(const struct cli *cli, const struct options *o, const struct buf *passphrase,
		    struct err *e)
{
	char keyid[KEY_ID_SIZE];
	struct buf text = BUF_INIT;
	bool other = cli->operands.count > 0 || o->words.keys.count > 0 ||
		     o->words.trust.count > 0 || o->output != NULL || o->head != NULL ||
		     !request_is_empty(&o->words);

	if (other)
		return err_set(
		    e, ERR_USAGE,
		    "--generate-key makes a key and does nothing else: leave out operands "
		    "and other options");
	if (ring_generate(o->generate, text_or_null(passphrase), o->common.force, cli->scratch,
			  keyid, e) != 0)
		return -1;
	cli_say(cli, "%s.key: the secret key, %s", o->generate,
		passphrase->len > 0 ? "encrypted" : "not encrypted");
	cli_say(cli, "%s.pub: for those who verify; keyid %s", o->generate, keyid);
	if (o->common.json) {
		ring_format_key(&text, o->generate, passphrase->len > 0, keyid);
		cli_put_lines(&text);
	}
	buf_release(&text);
	return 0;
}

static int load_ring(const struct cli *cli, const struct options *o, const struct buf *passphrase,
		     struct ring *ret, struct err *e)
{
	struct ring_options how = {o->words.keys.items, o->words.keys.count, o->words.trust.items,
				   o->words.trust.count, text_or_null(passphrase)};

	/* Not even with --force. */
	if (ring_check_output(&how, output_of(o), e) != 0 ||
	    ring_check_output(&how, o->head, e) != 0 || ring_load(&how, ret, e) != 0)
		return -1;
	for (size_t i = 0; i < ret->exposed_count; i++)
		cli_warn(cli, "the key '%s' can be read by others: chmod 600 it", ret->exposed[i]);
	return 0;
}

/* --- what is asked for --------------------------------------------------------------------------
 */

static int check_options(const struct options *o, const struct cli *cli, struct err *e)
{
	if (cli->operands.count == 0)
		return err_set(e, ERR_USAGE, "missing operand: %s", program.operands);
	if (o->words.keys.count == 0)
		return err_set(e, ERR_USAGE, "no key to sign with: give --key FILE");
	if (request_check_operand(&o->words, cli->operands.items[0], e) != 0)
		return -1;
	if (o->common.json && strcmp(output_of(o), "-") == 0)
		return err_set(e, ERR_USAGE, "--json needs -o: a document goes to standard output");
	return request_check_names(&o->words, e);
}

/* --- the run ------------------------------------------------------------------------------------
 */

static void report(const struct cli *cli, struct buf *said, const struct buf *json,
		   const struct ring *ring)
{
	for (size_t i = 0; i < ring->count; i++)
		buf_addf(said, "by key %s (%s)\n", key_id(ring->keys[i]),
			 key_algorithm(ring->keys[i]));
	cli_say_lines(cli, said);
	if (cli->options->json)
		cli_put_lines(json);
}

static int sign_release(const struct cli *cli, const struct options *o, const struct ring *ring,
			struct document *in, struct buf *said, struct buf *json, struct err *e)
{
	const struct release_files files = {
	    .out = output_of(o), .head = o->head, .force = o->common.force};
	const struct release_summary how = {.only_signatures = o->words.add_signature,
					    .verbose = cli->options->verbose > 0,
					    .now = utc_now()};
	struct request request;
	struct head head;
	int status = request_open(&o->words, ring, &request, e);

	if (status == 0)
		status = release_run(in, &files, &request.release, cli->scratch, &head, e);
	if (status == 0) {
		release_describe(said, &head, &how);
		release_format(json, &head);
	}
	request_close(&request);
	return status;
}

static int sign_delta(const struct cli *cli, const struct options *o, const struct ring *ring,
		      struct document *in, struct buf *said, struct buf *json, struct err *e)
{
	const struct endorse_request request = {.add_signature = o->words.add_signature,
						.keys = ring->keys,
						.key_count = ring->count,
						.trust = ring->trust,
						.out = output_of(o),
						.force = o->common.force};
	struct endorse endorse;

	if (o->head != NULL)
		return err_set(e, ERR_USAGE, "a delta has no head: --head is for a manifest");
	if (request_check_delta(&o->words, e) != 0 ||
	    endorse_run(in, &request, cli->scratch, &endorse, e) != 0)
		return -1;
	endorse_describe(said, &endorse, o->words.add_signature);
	endorse_format(json, &endorse);
	return 0;
}

static int sign(const struct cli *cli, const struct options *o, const struct ring *ring,
		struct err *e)
{
	struct buf said = BUF_INIT, json = BUF_INIT;
	struct document *in = document_open(cli->operands.items[0], e);
	int status = -1;

	if (in != NULL && document_kind(in) == DOCUMENT_DELTA)
		status = sign_delta(cli, o, ring, in, &said, &json, e);
	else if (in != NULL)
		status = sign_release(cli, o, ring, in, &said, &json, e);
	if (status == 0)
		report(cli, &said, &json, ring);
	document_close(in);
	buf_release(&said);
	buf_release(&json);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.common = {.help = false}};
	struct err e = {.code = ERR_NONE};
	struct ring ring = {.keys = NULL};
	struct buf passphrase = BUF_INIT;
	struct cli cli;
	int status = cli_begin(&cli, &program, argc, argv, &o);

	if (status >= 0)
		return status;
	if (ring_passphrase(o.passphrase_env, &o.passphrase_fd, &passphrase, &e) != 0)
		goto out;
	if (o.generate != NULL)
		status = generate(&cli, &o, &passphrase, &e);
	else if (check_options(&o, &cli, &e) == 0 &&
		 load_ring(&cli, &o, &passphrase, &ring, &e) == 0)
		status = sign(&cli, &o, &ring, &e);
out:
	buf_wipe(&passphrase);
	ring_release(&ring);
	return cli_end(&cli, err_result(status, &e), &e);
}
