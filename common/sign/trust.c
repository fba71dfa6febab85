#include "swarm/trust.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/hex.h"

#define KEYS_MAX  64
#define IDS_SHOWN 3
#define ID_SHOWN  8

struct trusted {
	const struct key *key;
	struct key *owned; /* the same, or NULL where it is borrowed */
};

struct trust {
	struct trusted keys[KEYS_MAX];
	size_t count;
	uint64_t threshold;
};

struct trust *trust_new(struct err *e)
{
	struct trust *t = calloc(1, sizeof *t);

	if (t == NULL)
		(void)err_nomem(e);
	else
		t->threshold = 1;
	return t;
}

void trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		key_free(t->keys[i].owned);
	free(t);
}

static bool is_trusted(const struct trust *t, const char *id)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(key_id(t->keys[i].key), id) == 0)
			return true;
	return false;
}

/* Takes `owned` over where it is not NULL, also on failure. */
static int add(struct trust *t, const struct key *key, struct key *owned, struct err *e)
{
	if (is_trusted(t, key_id(key))) {
		key_free(owned);
		return 0;
	}
	if (t->count == KEYS_MAX) {
		key_free(owned);
		return err_set(e, ERR_CONFIG, "more than %d keys to trust", KEYS_MAX);
	}
	t->keys[t->count++] = (struct trusted){.key = key, .owned = owned};
	return 0;
}

int trust_add_key(struct trust *t, const struct key *key, struct err *e)
{
	return add(t, key, NULL, e);
}

int trust_add_file(struct trust *t, const char *path, struct err *e)
{
	int status = 0;
	size_t count = 0;
	struct key **keys = key_load_public(path, &count, e);

	if (keys == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (status == 0)
			status = add(t, keys[i], keys[i], e);
		else
			key_free(keys[i]);
	}
	free(keys);
	return status;
}

int trust_add_list(struct trust *t, const char *paths, struct err *e)
{
	while (*paths != '\0') {
		size_t len = strcspn(paths, ":");
		char *path = strndup(paths, len);
		if (path == NULL)
			return err_nomem(e);
		int status = len > 0 ? trust_add_file(t, path, e) : 0;
		free(path);
		if (status != 0)
			return -1;
		paths += len + (paths[len] == ':');
	}
	return 0;
}

size_t trust_count(const struct trust *t)
{
	return t->count;
}

int trust_set_threshold(struct trust *t, uint64_t threshold, struct err *e)
{
	if (threshold == 0)
		return err_set(e, ERR_USAGE, "--threshold 0 would trust whatever comes");
	if (threshold > t->count)
		return err_set(e, ERR_USAGE,
			       "--threshold asks for %llu signatures, but the number of "
			       "different keys to trust is %zu",
			       (unsigned long long)threshold, t->count);
	t->threshold = threshold;
	return 0;
}

struct trust *trust_load(const struct opt_list *files, const char *list,
			 const struct opt_number *threshold, struct err *e)
{
	struct trust *t = trust_new(e);
	int status = t != NULL ? 0 : -1;

	for (size_t i = 0; i < files->count && status == 0; i++)
		status = trust_add_file(t, files->items[i], e);
	if (status == 0 && files->count == 0 && list != NULL && *list != '\0')
		status = trust_add_list(t, list, e);
	if (status == 0 && trust_count(t) == 0)
		status =
		    err_set(e, ERR_USAGE, "no key to believe: give --trust PUB or set SWARM_TRUST");
	if (status == 0 && threshold->given)
		status = trust_set_threshold(t, threshold->value, e);
	if (status == 0)
		return t;
	trust_free(t);
	return NULL;
}

/* --- signatures ------------------------------------------------------------------------------- */

/* Appends the i-th keyid of a list, short; what stands in an envelope may be any text. */
static void add_id(struct buf *to, size_t i, const char *id)
{
	if (i == IDS_SHOWN)
		buf_adds(to, " and others");
	if (i >= IDS_SHOWN)
		return;
	if (i > 0)
		buf_adds(to, ", ");
	if (*id == '\0')
		buf_adds(to, "an unnamed key");
	else
		buf_addf(to, strlen(id) > ID_SHOWN ? "%.*s…" : "%.*s", ID_SHOWN, id);
}

static void describe_none(struct buf *to, const struct trust *t, const struct envelope *v)
{
	for (size_t i = 0; i < v->signature_count; i++) {
		if (!is_trusted(t, v->signatures[i].keyid))
			continue;
		buf_adds(to, "the signature in the name of ");
		add_id(to, 0, v->signatures[i].keyid);
		buf_adds(to, " is invalid: was it changed after it was signed?");
		return;
	}
	buf_adds(to, "it bears signatures by ");
	for (size_t i = 0; i < v->signature_count; i++)
		add_id(to, i, v->signatures[i].keyid);
	buf_adds(to, "; you trust ");
	for (size_t i = 0; i < t->count; i++)
		add_id(to, i, key_id(t->keys[i].key));
	if (t->count == 0)
		buf_adds(to, "no key at all");
}

static int refuse(const struct trust *t, const struct envelope *v, const char *name,
		  const struct trust_signers *signers, struct err *e)
{
	struct buf text = BUF_INIT;

	if (signers->count == 0) {
		describe_none(&text, t, v);
		(void)err_set(e, ERR_UNTRUSTED, "'%s' is not signed by a key you trust (%s)", name,
			      text.data);
	} else {
		for (size_t i = 0; i < signers->count; i++)
			add_id(&text, i, signers->keyids[i]);
		(void)err_set(e, ERR_UNTRUSTED,
			      "'%s' has %zu valid signature%s of the %llu that --threshold asks "
			      "for (%s)",
			      name, signers->count, signers->count == 1 ? "" : "s",
			      (unsigned long long)t->threshold, text.data);
	}
	if (text.failed)
		(void)err_nomem(e);
	buf_release(&text);
	return -1;
}

/* A key counts once, and so does a signature, in whatever form: one can be made to fit two keys. */
static bool repeats(const struct envelope *v, size_t i, const bool *used)
{
	const struct envelope_signature *s = &v->signatures[i];

	for (size_t j = 0; j < i; j++)
		if (used[j] && key_shares_nonce(s->sig, s->sig_len, v->signatures[j].sig,
						v->signatures[j].sig_len))
			return true;
	return false;
}

int trust_check(const struct trust *t, const struct envelope *v, const char *name,
		struct trust_signers *ret, struct err *e)
{
	struct buf signed_bytes = BUF_INIT;
	bool counted[KEYS_MAX] = {false}, used[ENVELOPE_SIGNATURES] = {false};

	*ret = (struct trust_signers){0};
	envelope_preauth(&signed_bytes, v->payload.data, v->payload.len);
	if (buf_check(&signed_bytes, e) != 0) {
		buf_release(&signed_bytes);
		return -1;
	}
	for (size_t i = 0; i < v->signature_count; i++) {
		const struct envelope_signature *s = &v->signatures[i];
		if (repeats(v, i, used))
			continue;
		for (size_t k = 0; k < t->count; k++) {
			if (counted[k] || !key_verify(t->keys[k].key, signed_bytes.data,
						      signed_bytes.len, s->sig, s->sig_len))
				continue;
			counted[k] = used[i] = true;
			ret->keyids[ret->count++] = key_id(t->keys[k].key);
			break;
		}
	}
	buf_release(&signed_bytes);
	return ret->count >= t->threshold ? 0 : refuse(t, v, name, ret, e);
}

/* --- documents -------------------------------------------------------------------------------- */

/* Checks the signatures; the envelope's payload may be parsed then. `v` is initialised. */
static int open_envelope(const struct trust *t, const struct document *d, struct envelope *v,
			 struct trust_signers *ret_signers, struct err *e)
{
	*ret_signers = (struct trust_signers){0};
	if (document_envelope(d, v, e) != 0)
		return -1;
	return trust_check(t, v, document_name(d), ret_signers, e);
}

/* A head and the last line of a delta look alike until they are read. */
static int parse_head(const struct envelope *v, const struct document *d, struct head *ret,
		      struct err *e)
{
	const char *name = document_name(d);
	struct pledge pledge;
	struct err ignored;

	if (head_parse(v->payload.data, v->payload.len, ret, e) == 0)
		return 0;
	if (pledge_parse(v->payload.data, v->payload.len, &pledge, &ignored) == 0)
		return err_set(e, ERR_UNTRUSTED,
			       document_kind(d) == DOCUMENT_HEAD
				   ? "'%s' is the last line of a delta, not a head"
				   : "'%s' is signed as a delta, not as a release",
			       name);
	return err_prefix(e, "'%s'", name);
}

int trust_head(const struct trust *t, const struct document *d, struct head *ret,
	       struct trust_signers *ret_signers, struct err *e)
{
	struct envelope v;

	envelope_init(&v);
	*ret = (struct head){.bytes = 0};
	int status = open_envelope(t, d, &v, ret_signers, e) == 0 ? parse_head(&v, d, ret, e) : -1;
	envelope_release(&v);
	return status;
}

static bool is_same_release(const struct release_id *a, const struct release_id *b)
{
	return strcmp(a->product, b->product) == 0 && strcmp(a->channel, b->channel) == 0 &&
	       strcmp(a->version, b->version) == 0 && a->serial == b->serial;
}

static int check_header(const char *name, const struct header *h, const struct head *head,
			struct err *e)
{
	if (h->kind != HEADER_MANIFEST)
		return err_set(e, ERR_UNTRUSTED, "'%s' is no manifest, so no head can be of it",
			       name);
	if (!is_same_release(&h->id, &head->id))
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' is of %s %s (%s, serial %llu), but the head is of %s %s (%s, "
			       "serial %llu)",
			       name, h->id.product, h->id.version, h->id.channel,
			       (unsigned long long)h->id.serial, head->id.product, head->id.version,
			       head->id.channel, (unsigned long long)head->id.serial);
	if (h->files != head->files)
		return err_set(e, ERR_UNTRUSTED, "'%s' lists %llu files, but the head says %llu",
			       name, (unsigned long long)h->files, (unsigned long long)head->files);
	return 0;
}

static int check_bytes(const char *name, uint64_t bytes, const struct head *head, struct err *e)
{
	if (bytes == head->bytes)
		return 0;
	return err_set(e, ERR_UNTRUSTED,
		       "'%s' is not the manifest that was signed: without its last line it has "
		       "%llu bytes, but the head says %llu",
		       name, (unsigned long long)bytes, (unsigned long long)head->bytes);
}

static int check_digest(const char *name, const uint8_t *digest, const struct head *head,
			struct err *e)
{
	char got[2 * SHA256_SIZE + 1], wanted[2 * SHA256_SIZE + 1];

	if (memcmp(digest, head->digest, SHA256_SIZE) == 0)
		return 0;
	hex_format(got, digest, SHA256_SIZE);
	hex_format(wanted, head->digest, SHA256_SIZE);
	return err_set(e, ERR_UNTRUSTED,
		       "'%s' is not the manifest that was signed: without its last line its "
		       "SHA-256 is %s, but the head says %s",
		       name, got, wanted);
}

int trust_digest(const struct header *header, const uint8_t digest[static SHA256_SIZE],
		 uint64_t bytes, const char *name, const struct head *head, struct err *e)
{
	if (check_header(name, header, head, e) != 0 || check_bytes(name, bytes, head, e) != 0)
		return -1;
	return check_digest(name, digest, head, e);
}

int trust_body(const struct body *body, const char *name, const struct head *head, struct err *e)
{
	uint8_t digest[SHA256_SIZE];
	uint64_t bytes;

	body_digest(body, digest, &bytes);
	return trust_digest(body_header(body), digest, bytes, name, head, e);
}

int trust_listing(struct document *d, const struct head *head, struct listing *ret, struct err *e)
{
	const char *name = document_name(d);

	*ret = (struct listing){.arena = ARENA_INIT};
	if (document_kind(d) != DOCUMENT_MANIFEST)
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' is no manifest, but %s: no head can be of it", name,
			       document_kind(d) == DOCUMENT_HEAD    ? "a head itself"
			       : document_kind(d) == DOCUMENT_DELTA ? "a delta"
								    : "an inventory");
	struct body *body = document_body(d, e);
	if (body == NULL)
		return -1;
	/* The length comes before the reading: no more is read than was signed. */
	int status = check_header(name, body_header(body), head, e) != 0 ||
			     check_bytes(name, document_body_bytes(d), head, e) != 0 ||
			     listing_read(body, ret, e) != 0 || trust_body(body, name, head, e) != 0
			 ? -1
			 : 0;
	body_close(body);
	return status;
}

/* --- deltas ----------------------------------------------------------------------------------- */

static int check_delta_bytes(const char *name, uint64_t bytes, const struct pledge *p,
			     struct err *e)
{
	if (bytes == p->bytes)
		return 0;
	return err_set(e, ERR_UNTRUSTED,
		       "'%s' is not the delta that was signed: without its last line it has %llu "
		       "bytes, but that line says %llu",
		       name, (unsigned long long)bytes, (unsigned long long)p->bytes);
}

static int parse_pledge(const struct envelope *v, const struct document *d, struct pledge *ret,
			struct err *e)
{
	const char *name = document_name(d);
	struct head head;
	struct err ignored;

	if (pledge_parse(v->payload.data, v->payload.len, ret, e) == 0)
		return check_delta_bytes(name, document_body_bytes(d), ret, e);
	if (head_parse(v->payload.data, v->payload.len, &head, &ignored) == 0)
		return err_set(e, ERR_UNTRUSTED,
			       "the last line of '%s' is the head of a release: no delta was "
			       "signed by it",
			       name);
	return err_prefix(e, "'%s'", name);
}

int trust_delta(const struct trust *t, const struct document *d, struct pledge *ret,
		struct trust_signers *ret_signers, struct err *e)
{
	struct envelope v;

	*ret = (struct pledge){.bytes = 0};
	*ret_signers = (struct trust_signers){0};
	if (document_kind(d) != DOCUMENT_DELTA)
		return err_set(e, ERR_UNTRUSTED, "'%s' is no delta", document_name(d));
	envelope_init(&v);
	int status =
	    open_envelope(t, d, &v, ret_signers, e) == 0 ? parse_pledge(&v, d, ret, e) : -1;
	envelope_release(&v);
	return status;
}

static bool is_same_end(const struct delta_end *a, const struct delta_end *b)
{
	return strcmp(a->version, b->version) == 0 && a->serial == b->serial &&
	       memcmp(a->digest, b->digest, SHA256_SIZE) == 0;
}

int trust_recipe(const struct recipe *r, const char *name, const struct pledge *p, struct err *e)
{
	const struct delta_header *h = recipe_header(r);
	uint8_t digest[SHA256_SIZE];
	uint64_t bytes;

	recipe_digest(r, digest, &bytes);
	if (check_delta_bytes(name, bytes, p, e) != 0)
		return -1;
	if (memcmp(digest, p->digest, SHA256_SIZE) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' is not the delta that was signed: its SHA-256 is another one",
			       name);
	if (strcmp(h->product, p->product) != 0 || strcmp(h->channel, p->channel) != 0 ||
	    !is_same_end(&h->from, &p->from) || !is_same_end(&h->to, &p->to))
		return err_set(e, ERR_UNTRUSTED,
			       "the first line of '%s' is of other releases than its last line",
			       name);
	return 0;
}
