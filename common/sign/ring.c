#include "swarm/ring.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "swarm/jsonl.h"
#include "swarm/outfile.h"

int ring_passphrase(const char *env, const struct opt_number *fd, struct buf *ret, struct err *e)
{
	if (env != NULL && fd->given)
		return err_set(e, ERR_USAGE,
			       "--passphrase-fd and --passphrase-env exclude each other");
	if (env != NULL)
		return key_passphrase_env(env, ret, e);
	if (!fd->given)
		return 0;
	if (fd->value > INT_MAX)
		return err_set(e, ERR_USAGE, "--passphrase-fd needs a file descriptor");
	return key_passphrase_fd((int)fd->value, ret, e);
}

static int check_output(const char *output, const char *const *keys, size_t count, struct err *e)
{
	/* A key may come from standard input, and something else go to standard output. */
	if (strcmp(output, "-") == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (outfile_is_same(output, keys[i]))
			return err_set(e, ERR_USAGE, "the key '%s' cannot be an output", keys[i]);
	return 0;
}

int ring_check_output(const struct ring_options *options, const char *output, struct err *e)
{
	if (output == NULL || check_output(output, options->keys, options->key_count, e) != 0)
		return output == NULL ? 0 : -1;
	return check_output(output, options->trust, options->trust_count, e);
}

static bool has_key(const struct ring *r, const char *id)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(key_id(r->keys[i]), id) == 0)
			return true;
	return false;
}

int ring_load(const struct ring_options *options, struct ring *ret, struct err *e)
{
	*ret = (struct ring){.keys = calloc(options->key_count + 1, sizeof *ret->keys),
			     .exposed = calloc(options->key_count + 1, sizeof *ret->exposed)};
	if (ret->keys == NULL || ret->exposed == NULL)
		return err_nomem(e);
	ret->trust = trust_new(e);
	if (ret->trust == NULL)
		return -1;
	for (size_t i = 0; i < options->key_count; i++) {
		bool exposed = false;
		struct key *key =
		    key_load_private(options->keys[i], options->passphrase, &exposed, e);
		if (key == NULL)
			return -1;
		/* It is one key, however often it is named, and makes one signature. */
		if (has_key(ret, key_id(key))) {
			key_free(key);
			continue;
		}
		ret->keys[ret->count++] = key;
		if (exposed)
			ret->exposed[ret->exposed_count++] = options->keys[i];
		if (trust_add_key(ret->trust, key, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < options->trust_count; i++)
		if (trust_add_file(ret->trust, options->trust[i], e) != 0)
			return -1;
	return 0;
}

void ring_release(struct ring *r)
{
	trust_free(r->trust);
	for (size_t i = 0; i < r->count; i++)
		key_free(r->keys[i]);
	free(r->keys);
	free(r->exposed);
	*r = (struct ring){.keys = NULL};
}

static struct outfile *open_part(const char *prefix, const char *suffix,
				 const struct outfile_options *how, struct scratch *scratch,
				 struct err *e)
{
	struct buf path = BUF_INIT;
	struct outfile *out = NULL;

	buf_addf(&path, "%s%s", prefix, suffix);
	if (buf_check(&path, e) == 0)
		out = outfile_open(path.data, how, scratch, e);
	buf_release(&path);
	return out;
}

static int fill(struct outfile *out, const struct buf *text, struct err *e)
{
	if (outfile_write(out, text->data, text->len, e) != 0)
		return -1;
	return outfile_sync(out, e);
}

int ring_generate(const char *prefix, const char *passphrase, bool force, struct scratch *scratch,
		  char *ret_keyid, struct err *e)
{
	struct outfile_options secret_how = {.force = force, .mode = 0600};
	struct outfile_options open_how = {.force = force};
	struct outfile *secret_file = NULL, *open_file = NULL;
	struct buf secret = BUF_INIT, open = BUF_INIT;
	size_t len = strlen(prefix);
	int status = -1;

	if (len == 0 || prefix[len - 1] == '/')
		return err_set(e, ERR_USAGE, "'%s' names no key: give a name, such as '%srelease'",
			       prefix, prefix);
	struct key *key = key_generate(e);
	if (key == NULL || key_format_private(key, passphrase, &secret, e) != 0 ||
	    key_format_public(key, &open, e) != 0)
		goto out;
	secret_file = open_part(prefix, ".key", &secret_how, scratch, e);
	open_file = secret_file != NULL ? open_part(prefix, ".pub", &open_how, scratch, e) : NULL;
	if (open_file == NULL || fill(secret_file, &secret, e) != 0 ||
	    fill(open_file, &open, e) != 0)
		goto out;
	if (outfile_commit(secret_file, e) != 0 || outfile_commit(open_file, e) != 0)
		goto out;
	memcpy(ret_keyid, key_id(key), KEY_ID_SIZE);
	status = 0;
out:
	outfile_free(secret_file);
	outfile_free(open_file);
	buf_wipe(&secret);
	buf_release(&open);
	key_free(key);
	return status;
}

static void put_name(struct jsonl_writer *w, const char *member, const char *prefix,
		     const char *suffix)
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s%s", prefix, suffix);
	jsonl_any_string(w, member, name.data);
	buf_release(&name);
}

void ring_format_key(struct buf *to, const char *prefix, bool encrypted, const char *keyid)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	put_name(&w, "key", prefix, ".key");
	put_name(&w, "public", prefix, ".pub");
	jsonl_bool(&w, "encrypted", encrypted);
	jsonl_string(&w, "keyid", keyid);
	jsonl_close(&w);
	buf_addc(to, '\n');
}
