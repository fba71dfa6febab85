/* swarmsign: makes signed manifests and heads. See swarmsign(1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/cli.h"
#include "swarm/document.h"
#include "swarm/header.h"
#include "swarm/hex.h"
#include "swarm/jsonl.h"
#include "swarm/key.h"
#include "swarm/num.h"
#include "swarm/outfile.h"
#include "swarm/release.h"
#include "swarm/text.h"
#include "swarm/trust.h"
#include "swarm/utc.h"

struct options {
	struct cli_options common;
	struct opt_list keys, trust;
	const char *output, *head, *product, *channel, *version, *serial, *previous, *expires;
	const char *rollout_start, *generate, *passphrase_env;
	struct opt_number rollout_window, passphrase_fd;
	bool resign, add_signature;
};

#define AT(field) offsetof(struct options, field), NULL

static const struct opt table[] = {
    {OPT_STRINGS, 'k', "key", "FILE|env:NAME",
     "private key to sign with, PEM; several make several signatures", AT(keys)},
    {OPT_NUMBER, 0, "passphrase-fd", "N", "read the keys' passphrase from file descriptor N",
     AT(passphrase_fd)},
    {OPT_STRING, 0, "passphrase-env", "NAME", "take the keys' passphrase from $NAME",
     AT(passphrase_env)},
    {OPT_STRING, 'o', "output", "FILE", "write the manifest (or head) here, not to standard output",
     AT(output)},
    {OPT_STRING, 0, "head", "FILE", "also write the head to a file of its own, last", AT(head)},
    {.kind = OPT_SECTION, .help = "A new release"},
    {OPT_STRING, 0, "product", "NAME", "what is released (default: that of MANIFEST)", AT(product)},
    {OPT_STRING, 0, "channel", "NAME", "to whom (default: that of MANIFEST, else stable)",
     AT(channel)},
    {OPT_STRING, 0, "release", "VERSION", "its version, for people", AT(version)},
    {OPT_STRING, 0, "serial", "N|next", "its number, for roll-back protection; next: previous + 1",
     AT(serial)},
    {OPT_STRING, 0, "previous", "FILE", "the current manifest or head of the channel", AT(previous)},
    {OPT_STRINGS, 0, "trust", "PUB", "public keys, besides --key's, that make inputs genuine",
     AT(trust)},
    {OPT_STRING, 0, "expires", "30d|TIME", "when clients stop believing the head (default: 30d)",
     AT(expires)},
    {OPT_STRING, 0, "rollout-start", "TIME", "when clients may switch (default: at once)",
     AT(rollout_start)},
    {OPT_DURATION, 0, "rollout-window", "4h", "how long they spread the switch over (default: 4h)",
     AT(rollout_window)},
    {.kind = OPT_SECTION, .help = "Other tasks"},
    {OPT_FLAG, 0, "resign", NULL, "issue a manifest or head again: new expiry, same release",
     AT(resign)},
    {OPT_FLAG, 0, "add-signature", NULL, "add signatures to a manifest or head as it is",
     AT(add_signature)},
    {OPT_STRING, 0, "generate-key", "PREFIX", "make an Ed25519 key: PREFIX.key and PREFIX.pub",
     AT(generate)},
    OPT_END,
};

static const struct opt_program program = {
    .name = "swarmsign",
    .usage = "[OPTION]... INVENTORY --key FILE --product NAME --release VERSION --serial N\n"
	     "[OPTION]... MANIFEST --key FILE --release VERSION --serial next --previous HEAD\n"
	     "[OPTION]... MANIFEST|HEAD --key FILE --resign|--add-signature\n"
	     "--generate-key PREFIX",
    .purpose = "Make a signed manifest of an inventory, and the head that clients poll.\n",
    .options = table,
    .operands = "INVENTORY, MANIFEST or HEAD",
    .operands_min = 0,
    .operands_max = 1,
};

/* --- keys --------------------------------------------------------------------------------------- */

struct ring {
	struct key **keys;
	size_t count;
	struct trust *trust;
};

static void ring_release(struct ring *r)
{
	trust_free(r->trust);
	for (size_t i = 0; i < r->count; i++)
		key_free(r->keys[i]);
	free(r->keys);
}

static int read_passphrase(const struct options *o, struct buf *to, struct err *e)
{
	if (o->passphrase_env != NULL && o->passphrase_fd.given)
		return err_set(e, ERR_USAGE, "--passphrase-fd and --passphrase-env exclude each other");
	if (o->passphrase_env != NULL)
		return key_passphrase_env(o->passphrase_env, to, e);
	if (o->passphrase_fd.given)
		return key_passphrase_fd((int)o->passphrase_fd.value, to, e);
	return 0;
}

static const char *passphrase_text(const struct buf *passphrase)
{
	return passphrase->len > 0 ? passphrase->data : NULL;
}

static int load_keys(const struct cli *cli, const struct options *o, struct ring *r, struct err *e)
{
	struct buf passphrase = BUF_INIT;
	int status = -1;

	r->keys = calloc(o->keys.count + 1, sizeof *r->keys);
	r->trust = trust_new(e);
	if (r->keys == NULL)
		(void)err_nomem(e);
	if (r->keys == NULL || r->trust == NULL || read_passphrase(o, &passphrase, e) != 0)
		goto out;
	for (size_t i = 0; i < o->keys.count; i++) {
		bool exposed = false;
		struct key *key = key_load_private(o->keys.items[i], passphrase_text(&passphrase),
						   &exposed, e);
		if (key == NULL)
			goto out;
		r->keys[r->count++] = key;
		if (exposed)
			cli_warn(cli, "the key '%s' can be read by others: chmod 600 it",
				 o->keys.items[i]);
		if (trust_add_key(r->trust, key, e) != 0)
			goto out;
	}
	for (size_t i = 0; i < o->trust.count; i++)
		if (trust_add_file(r->trust, o->trust.items[i], e) != 0)
			goto out;
	status = 0;
out:
	buf_wipe(&passphrase);
	return status;
}

static int write_text(const struct cli *cli, const char *prefix, const char *suffix,
		      const struct buf *text, mode_t mode, struct outfile **ret, struct err *e)
{
	struct outfile_options how = {.force = cli->options->force, .mode = mode};
	struct buf path = BUF_INIT;
	int status = -1;

	buf_addf(&path, "%s%s", prefix, suffix);
	if (buf_check(&path, e) == 0) {
		*ret = outfile_open(path.data, &how, cli->scratch, e);
		if (*ret != NULL && outfile_write(*ret, text->data, text->len, e) == 0)
			status = outfile_sync(*ret, e);
	}
	buf_release(&path);
	return status;
}

static int generate(const struct cli *cli, const struct options *o, struct err *e)
{
	struct buf passphrase = BUF_INIT, secret = BUF_INIT, open = BUF_INIT;
	struct outfile *key_file = NULL, *pub_file = NULL;
	int status = -1;
	struct key *key = key_generate(e);

	if (key == NULL || read_passphrase(o, &passphrase, e) != 0)
		goto out;
	if (key_format_private(key, passphrase_text(&passphrase), &secret, e) != 0 ||
	    key_format_public(key, &open, e) != 0)
		goto out;
	if (write_text(cli, o->generate, ".key", &secret, 0600, &key_file, e) != 0 ||
	    write_text(cli, o->generate, ".pub", &open, 0666, &pub_file, e) != 0)
		goto out;
	if (outfile_commit(key_file, e) != 0 || outfile_commit(pub_file, e) != 0)
		goto out;
	cli_say(cli, "%s.key  keep it secret; %s", o->generate,
		passphrase.len > 0 ? "encrypted" : "not encrypted");
	cli_say(cli, "%s.pub  hand it to those who verify; keyid %s", o->generate, key_id(key));
	status = 0;
out:
	outfile_free(key_file);
	outfile_free(pub_file);
	buf_wipe(&passphrase);
	buf_wipe(&secret);
	buf_release(&open);
	key_free(key);
	return status;
}

/* --- what is asked for -------------------------------------------------------------------------- */

static int check_words(const struct options *o, struct err *e)
{
	if (o->product != NULL && !header_is_name(o->product))
		return err_set(e, ERR_USAGE, "'%s' cannot be a product: 1-32 of A-Z a-z 0-9 . _ -",
			       o->product);
	if (o->channel != NULL && !header_is_name(o->channel))
		return err_set(e, ERR_USAGE, "'%s' cannot be a channel: 1-32 of A-Z a-z 0-9 . _ -",
			       o->channel);
	if (o->version != NULL && !header_is_version(o->version))
		return err_set(e, ERR_USAGE,
			       "'%s' cannot be a version: 1-48 of A-Z a-z 0-9 . + _ -", o->version);
	return 0;
}

static int check_options(const struct options *o, const struct cli *cli, struct err *e)
{
	bool again = o->resign || o->add_signature;
	const char *to = o->output != NULL ? o->output : "-";

	if (cli->operands.count == 0)
		return err_set(e, ERR_USAGE, "missing operand: %s", program.operands);
	if (o->keys.count == 0)
		return err_set(e, ERR_USAGE, "no key to sign with: give --key FILE");
	if (o->resign && o->add_signature)
		return err_set(e, ERR_USAGE, "--resign and --add-signature exclude each other");
	if (again && (o->product != NULL || o->channel != NULL || o->version != NULL ||
		      o->serial != NULL || o->previous != NULL))
		return err_set(e, ERR_USAGE,
			       "--%s leaves the release as it is: --product, --channel, --release, "
			       "--serial and --previous are for a new one",
			       o->resign ? "resign" : "add-signature");
	if (o->add_signature && (o->expires != NULL || o->rollout_start != NULL ||
				 o->rollout_window.given))
		return err_set(e, ERR_USAGE, "--add-signature leaves the head as it is: --expires and "
					     "--rollout-* are for --resign");
	if (!again && o->version == NULL)
		return err_set(e, ERR_USAGE, "what release is it? give --release VERSION");
	if (!again && o->serial == NULL)
		return err_set(e, ERR_USAGE,
			       "give --serial N, or --serial next with --previous (a first release "
			       "has --serial 1)");
	if (o->common.json && strcmp(to, "-") == 0)
		return err_set(e, ERR_USAGE, "--json needs -o: a document goes to standard output");
	return check_words(o, e);
}

static int read_expiry(const struct options *o, int64_t issued, int64_t *ret, struct err *e)
{
	int64_t seconds = RELEASE_LIFE;

	if (o->expires != NULL && utc_parse(o->expires, ret)) {
		if (*ret <= issued)
			return err_set(e, ERR_USAGE, "--expires %s is not after the time of issue",
				       o->expires);
		return 0;
	}
	if (o->expires != NULL && (!utc_parse_duration(o->expires, &seconds) || seconds == 0))
		return err_set(e, ERR_USAGE,
			       "--expires needs a duration such as 30d or a time such as "
			       "2026-12-31T00:00:00Z, not '%s'",
			       o->expires);
	if (seconds > UTC_MAX - issued)
		return err_set(e, ERR_USAGE, "--expires %s lies beyond the year 9999", o->expires);
	*ret = issued + seconds;
	return 0;
}

static int read_times(const struct options *o, struct release_request *ret, struct err *e)
{
	if (utc_epoch(utc_now(), &ret->issued, e) != 0 ||
	    read_expiry(o, ret->issued, &ret->expires, e) != 0)
		return -1;
	ret->has_rollout = o->rollout_start != NULL || o->rollout_window.given;
	ret->rollout_start = ret->issued;
	if (o->rollout_start != NULL && !utc_parse(o->rollout_start, &ret->rollout_start))
		return err_set(e, ERR_USAGE,
			       "--rollout-start needs a time such as 2026-12-31T00:00:00Z, not '%s'",
			       o->rollout_start);
	ret->rollout_window =
	    o->rollout_window.given ? o->rollout_window.value : RELEASE_WINDOW;
	return 0;
}

static int read_serial(const struct options *o, struct release_request *ret, struct err *e)
{
	if (o->serial == NULL)
		return 0;
	if (strcmp(o->serial, "next") == 0) {
		if (o->previous == NULL)
			return err_set(e, ERR_USAGE, "--serial next needs --previous");
		return 0;
	}
	if (!num_parse(o->serial, &ret->serial) || ret->serial == 0)
		return err_set(e, ERR_USAGE, "--serial needs a number from 1, or next, not '%s'",
			       o->serial);
	return 0;
}

/* --- the run ------------------------------------------------------------------------------------ */

static void report(const struct cli *cli, const struct options *o, const struct head *head,
		   const struct ring *ring)
{
	char expires[UTC_SIZE], digest[2 * SHA256_SIZE + 1];
	struct buf files = BUF_INIT, line = BUF_INIT;
	struct jsonl_writer w = {.to = &line};

	utc_format(expires, head->expires);
	text_plural(&files, head->files, "file");
	cli_say(cli, "%s %s %s (%s, serial %llu): %s, expires %s",
		o->add_signature ? "added a signature to" : "signed", head->id.product,
		head->id.version, head->id.channel, (unsigned long long)head->id.serial, files.data,
		expires);
	for (size_t i = 0; i < ring->count; i++)
		cli_say(cli, "key %s (%s)", key_id(ring->keys[i]), key_algorithm(ring->keys[i]));
	if (cli->options->json) {
		jsonl_open(&w, NULL);
		jsonl_string(&w, "product", head->id.product);
		jsonl_string(&w, "channel", head->id.channel);
		jsonl_string(&w, "version", head->id.version);
		jsonl_number(&w, "serial", head->id.serial);
		jsonl_number(&w, "files", head->files);
		jsonl_hex(&w, "sha256", head->digest, SHA256_SIZE);
		if (head->has_btmh)
			jsonl_hex(&w, "btmh", head->btmh, SHA256_SIZE);
		jsonl_string(&w, "expires", expires);
		jsonl_close(&w);
		cli_put(&line);
	}
	if (cli->options->verbose > 0 && head->has_btmh) {
		hex_format(digest, head->btmh, SHA256_SIZE);
		cli_say(cli, "btmh %s", digest);
	}
	buf_release(&files);
	buf_release(&line);
}

static int make(const struct options *o, struct document *in, struct release_request *request,
		struct outfile *out, struct buf *line, struct head *head, struct err *e)
{
	if (o->add_signature)
		return release_add_signature(in, request, out, line, head, e);
	if (o->resign)
		return release_resign(in, request, out, line, head, e);
	return release_make(in, request, out, line, head, e);
}

static int sign(const struct cli *cli, const struct options *o, const struct ring *ring,
		struct err *e)
{
	struct release_request request = {.keys = ring->keys,
					  .key_count = ring->count,
					  .trust = ring->trust,
					  .product = o->product,
					  .channel = o->channel,
					  .version = o->version};
	struct outfile_options how = {.force = o->common.force};
	struct outfile *out = NULL, *head_file = NULL;
	struct document *in = NULL;
	struct buf line = BUF_INIT;
	struct head head, previous;
	int status = -1;

	if (read_times(o, &request, e) != 0 || read_serial(o, &request, e) != 0)
		goto out;
	if (o->previous != NULL) {
		if (release_previous(o->previous, ring->trust, &previous, e) != 0)
			goto out;
		request.previous = &previous;
	}
	in = document_open(cli->operands.items[0], e);
	if (in == NULL)
		goto out;
	bool is_head = document_kind(in) == DOCUMENT_HEAD;
	if (is_head && o->head != NULL) {
		(void)err_set(e, ERR_USAGE, "a head goes to -o or standard output, not to --head");
		goto out;
	}
	out = outfile_open(o->output != NULL ? o->output : "-", &how, cli->scratch, e);
	if (out == NULL)
		goto out;
	if (o->head != NULL && (head_file = outfile_open(o->head, &how, cli->scratch, e)) == NULL)
		goto out;
	if (make(o, in, &request, out, &line, &head, e) != 0)
		goto out;
	buf_addc(&line, '\n');
	if (head_file != NULL && (buf_check(&line, e) != 0 ||
				  outfile_write(head_file, line.data, line.len, e) != 0 ||
				  outfile_sync(head_file, e) != 0))
		goto out;
	if (outfile_commit(out, e) != 0 || (head_file != NULL && outfile_commit(head_file, e) != 0))
		goto out;
	report(cli, o, &head, ring);
	status = 0;
out:
	buf_release(&line);
	outfile_free(out);
	outfile_free(head_file);
	document_close(in);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.common = {.help = false}};
	struct err e = {.code = ERR_NONE};
	struct ring ring = {.keys = NULL};
	struct cli cli;
	int status = cli_begin(&cli, &program, argc, argv, &o);

	if (status >= 0)
		return status;
	if (o.generate != NULL)
		status = generate(&cli, &o, &e);
	else if (check_options(&o, &cli, &e) == 0 && load_keys(&cli, &o, &ring, &e) == 0)
		status = sign(&cli, &o, &ring, &e);
	ring_release(&ring);
	return cli_end(&cli, status == 0 ? 0 : err_status(e.code), &e);
}
