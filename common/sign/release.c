#include "swarm/release.h"

#include <string.h>

#include "swarm/body.h"
#include "swarm/document.h"
#include "swarm/envelope.h"
#include "swarm/hex.h"
#include "swarm/hybrid.h"
#include "swarm/info.h"
#include "swarm/jsonl.h"
#include "swarm/num.h"
#include "swarm/outfile.h"
#include "swarm/seal.h"
#include "swarm/sha256.h"
#include "swarm/text.h"
#include "swarm/utc.h"

/* --- the body -----------------------------------------------------------------------------------
 */

/* A body on its way from one document to the next. */
struct copy {
	struct body *body;
	struct outfile *out;
	struct sha256 *sha; /* of what is written */
	uint64_t length;
	struct buf text;
	struct buf name;   /* of the torrent */
	struct info *info; /* NULL: no infohash is wanted */
	struct sha256 *info_sha;
	struct hybrid *hybrid; /* that must be of these files; NULL: none */
	bool has_public;       /* a public file that is not empty */
};

static int hash_info(void *context, const void *bytes, size_t len, struct err *e)
{
	(void)e;
	sha256_update(context, bytes, len);
	return 0;
}

static int copy_init(struct copy *c, struct document *in, struct hybrid *hybrid,
		     struct outfile *out, struct err *e)
{
	*c = (struct copy){.out = out, .hybrid = hybrid, .text = BUF_INIT, .name = BUF_INIT};
	c->sha = sha256_new(e);
	if (c->sha == NULL)
		return -1;
	c->body = document_body(in, e);
	return c->body != NULL ? 0 : -1;
}

/* From here on, the infohash of the public files is made. */
static int start_info(struct copy *c, const struct header *header, struct err *e)
{
	header_torrent_name(&c->name, &header->id);
	if (buf_check(&c->name, e) != 0 || (c->info_sha = sha256_new(e)) == NULL)
		return -1;
	const struct info_options how = {INFO_V2, c->name.data, header->piece_length};
	c->info = info_new(&how, hash_info, c->info_sha, e);
	return c->info != NULL ? 0 : -1;
}

static void copy_release(struct copy *c)
{
	body_close(c->body);
	info_free(c->info);
	sha256_free(c->info_sha);
	sha256_free(c->sha);
	buf_release(&c->text);
	buf_release(&c->name);
}

/* Makes something of a file that peers may share. */
static int take_public(struct copy *c, const struct entry *entry, struct err *e)
{
	c->has_public = c->has_public || entry->size > 0;
	if (c->info != NULL && info_add(c->info, entry, e) != 0)
		return -1;
	return c->hybrid != NULL ? hybrid_add(c->hybrid, entry, e) : 0;
}

static int begin_hybrid(const struct copy *c, const struct header *header, struct err *e)
{
	struct buf name = BUF_INIT;
	int status = -1;

	if (c->hybrid == NULL)
		return 0;
	header_torrent_name(&name, &header->id);
	if (buf_check(&name, e) == 0)
		status = hybrid_begin(c->hybrid, name.data, header->piece_length, e);
	buf_release(&name);
	return status;
}

/* Ends the line that begins at `start` of the text, and passes it on. */
static int put_line(struct copy *c, size_t start, struct err *e)
{
	buf_addc(&c->text, '\n');
	if (buf_check(&c->text, e) != 0)
		return -1;
	sha256_update(c->sha, c->text.data + start, c->text.len - start);
	c->length += c->text.len - start;
	return outfile_gather(c->out, &c->text, e);
}

static int copy_line(struct copy *c, struct err *e)
{
	size_t start = c->text.len, len;
	const char *line = body_line(c->body, &len);

	buf_add(&c->text, line, len);
	return put_line(c, start, e);
}

/* Writes `header` and all file lines, unchanged. */
static int copy_lines(struct copy *c, const struct header *header, struct err *e)
{
	struct arena arena = ARENA_INIT;
	struct entry entry;
	int got;

	if (begin_hybrid(c, header, e) != 0)
		return -1;
	header_format(&c->text, header);
	if (put_line(c, 0, e) != 0)
		return -1;
	while ((got = body_next(c->body, &arena, &entry, e)) > 0) {
		if (copy_line(c, e) != 0 ||
		    (entry.label == LABEL_PUBLIC && take_public(c, &entry, e) != 0))
			got = -1;
		arena_release(&arena);
		if (got < 0)
			return -1;
	}
	arena_release(&arena);
	if (got < 0 || outfile_drain(c->out, &c->text, e) != 0)
		return -1;
	if (c->hybrid != NULL && hybrid_end(c->hybrid, e) != 0)
		return -1;
	return sha256_check(c->sha, e);
}

static int finish_info(struct copy *c, struct head *head, struct err *e)
{
	head->has_btmh = c->has_public;
	if (!c->has_public)
		return 0;
	if (info_end(c->info, NULL, e) != 0)
		return -1;
	sha256_final(c->info_sha, head->btmh);
	return sha256_check(c->info_sha, e);
}

/* --- the head -----------------------------------------------------------------------------------
 */

static int sign_head(const struct head *head, const struct release_request *request,
		     struct buf *ret, struct err *e)
{
	struct envelope envelope;
	int status = -1;

	envelope_init(&envelope);
	head_format(&envelope.payload, head);
	if (buf_check(&envelope.payload, e) == 0 &&
	    seal_sign(&envelope, request->keys, request->key_count, e) == 0)
		status = seal_format(ret, &envelope, e);
	envelope_release(&envelope);
	return status;
}

static int write_line(struct outfile *out, const struct buf *line, struct err *e)
{
	if (outfile_write(out, line->data, line->len, e) != 0)
		return -1;
	return outfile_write(out, "\n", 1, e);
}

/* --- what may follow what -----------------------------------------------------------------------
 */

static void copy_word(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

/* Clients hold on to the newest `issued` they have seen: one that lies before it locks them out. */
static int check_issued(const struct release_request *request, const struct head *before,
			struct err *e)
{
	char now[UTC_SIZE], then[UTC_SIZE];

	if (request->issued >= before->issued)
		return 0;
	utc_format(now, request->issued);
	utc_format(then, before->issued);
	return err_set(e, ERR_REFUSED,
		       "it would be issued at %s, before the head it follows (%s): clients would "
		       "refuse it (is SOURCE_DATE_EPOCH or the clock wrong?)",
		       now, then);
}

static int check_previous(const struct release_request *request, struct head *head, struct err *e)
{
	const struct head *previous = request->previous;

	if (previous == NULL)
		return 0;
	if (strcmp(previous->id.product, head->id.product) != 0 ||
	    strcmp(previous->id.channel, head->id.channel) != 0)
		return err_set(e, ERR_REFUSED,
			       "the previous release is of %s (%s), this one of %s (%s): give the "
			       "current head of the same product and channel",
			       previous->id.product, previous->id.channel, head->id.product,
			       head->id.channel);
	if (head->id.serial <= previous->id.serial)
		return err_set(e, ERR_REFUSED,
			       "the serial %llu is not above that of the previous release, %llu",
			       (unsigned long long)head->id.serial,
			       (unsigned long long)previous->id.serial);
	head->has_previous = true;
	memcpy(head->previous.version, previous->id.version, sizeof head->previous.version);
	head->previous.serial = previous->id.serial;
	memcpy(head->previous.digest, previous->digest, SHA256_SIZE);
	return check_issued(request, previous, e);
}

static int name_release(const struct release_request *request, const struct header *in,
			struct head *head, struct err *e)
{
	bool named = in->kind == HEADER_MANIFEST;

	if (request->product == NULL && !named)
		return err_set(e, ERR_USAGE, "an inventory has no product: give --product");
	copy_word(head->id.product, sizeof head->id.product,
		  request->product != NULL ? request->product : in->id.product);
	copy_word(head->id.channel, sizeof head->id.channel,
		  request->channel != NULL ? request->channel
		  : named                  ? in->id.channel
					   : "stable");
	copy_word(head->id.version, sizeof head->id.version, request->version);
	head->id.serial = request->serial;
	if (request->serial == 0)
		head->id.serial = request->previous->id.serial + 1;
	if (head->id.serial > NUM_MAX)
		return err_set(e, ERR_REFUSED, "there is no serial above 2^53-1");
	return 0;
}

static void set_times(const struct release_request *request, struct head *head)
{
	head->issued = request->issued;
	head->expires = request->expires;
	if (request->has_rollout) {
		head->has_rollout = true;
		head->rollout_start = request->rollout_start;
		head->rollout_window = request->rollout_window;
	}
}

static void set_hybrid(const struct release_request *request, struct head *head)
{
	if (request->hybrid == NULL)
		return;
	head->has_hybrid = true;
	memcpy(head->hybrid_btmh, hybrid_btmh(request->hybrid), SHA256_SIZE);
	memcpy(head->hybrid_btih, hybrid_btih(request->hybrid), HEAD_BTIH_SIZE);
}

/* --- the three ways -----------------------------------------------------------------------------
 */

static int make_release(struct document *in, const struct release_request *request,
			struct outfile *out, struct buf *ret_line, struct head *ret, struct err *e)
{
	struct copy c = {.text = BUF_INIT, .name = BUF_INIT};
	struct trust_signers signers;
	struct head old;
	int status = -1;
	bool is_manifest = document_kind(in) == DOCUMENT_MANIFEST;

	*ret = (struct head){.bytes = 0};
	if (is_manifest && trust_head(request->trust, in, &old, &signers, e) != 0)
		return -1;
	if (copy_init(&c, in, request->hybrid, out, e) != 0)
		goto out;
	struct header header = *body_header(c.body);
	if (name_release(request, &header, ret, e) != 0 || check_previous(request, ret, e) != 0)
		goto out;
	if (is_manifest && strcmp(old.id.product, ret->id.product) == 0 &&
	    strcmp(old.id.channel, ret->id.channel) == 0 && ret->id.serial <= old.id.serial) {
		(void)err_set(
		    e, ERR_REFUSED,
		    "the serial %llu is not above that of the release it is made of, %llu",
		    (unsigned long long)ret->id.serial, (unsigned long long)old.id.serial);
		goto out;
	}
	header.kind = HEADER_MANIFEST;
	header.id = ret->id;
	set_times(request, ret);
	set_hybrid(request, ret);
	if (start_info(&c, &header, e) != 0 || copy_lines(&c, &header, e) != 0 ||
	    (is_manifest && trust_body(c.body, document_name(in), &old, e) != 0))
		goto out;
	sha256_final(c.sha, ret->digest);
	ret->bytes = c.length;
	ret->files = header.files;
	if (finish_info(&c, ret, e) != 0 || sign_head(ret, request, ret_line, e) != 0)
		goto out;
	status = write_line(out, ret_line, e);
out:
	copy_release(&c);
	return status;
}

/* Copies the body of a manifest as it is; a head has none. */
static int keep_body(struct document *in, const struct head *head, struct hybrid *hybrid,
		     struct outfile *out, struct err *e)
{
	struct copy c = {.text = BUF_INIT, .name = BUF_INIT};
	int status = -1;

	if (document_kind(in) == DOCUMENT_HEAD)
		return 0;
	if (copy_init(&c, in, hybrid, out, e) == 0 && copy_lines(&c, body_header(c.body), e) == 0)
		status = trust_body(c.body, document_name(in), head, e);
	copy_release(&c);
	return status;
}

static int resign(struct document *in, const struct release_request *request, struct outfile *out,
		  struct buf *ret_line, struct head *ret, struct err *e)
{
	struct trust_signers signers;

	if (trust_head(request->trust, in, ret, &signers, e) != 0 ||
	    check_issued(request, ret, e) != 0)
		return -1;
	set_times(request, ret);
	if (request->hybrid != NULL && document_kind(in) == DOCUMENT_HEAD)
		return err_set(e, ERR_USAGE,
			       "--torrent is checked against the files: give the manifest, not "
			       "its head");
	if (keep_body(in, ret, request->hybrid, out, e) != 0)
		return -1;
	set_hybrid(request, ret);
	if (sign_head(ret, request, ret_line, e) != 0)
		return -1;
	return write_line(out, ret_line, e);
}

static int add_signature(struct document *in, const struct release_request *request,
			 struct outfile *out, struct buf *ret_line, struct head *ret, struct err *e)
{
	struct trust_signers signers;
	struct envelope envelope;
	int status = -1;

	envelope_init(&envelope);
	if (trust_head(request->trust, in, ret, &signers, e) != 0 ||
	    document_envelope(in, &envelope, e) != 0 || keep_body(in, ret, NULL, out, e) != 0)
		goto out;
	if (seal_sign(&envelope, request->keys, request->key_count, e) != 0 ||
	    seal_format(ret_line, &envelope, e) != 0)
		goto out;
	status = write_line(out, ret_line, e);
out:
	envelope_release(&envelope);
	return status;
}

int release_previous(const char *path, const struct trust *trust, struct head *ret, struct err *e)
{
	struct trust_signers signers;
	struct document *d = document_open(path, e);

	if (d == NULL)
		return -1;
	int status = trust_head(trust, d, ret, &signers, e);
	document_close(d);
	return status;
}

static int perform(struct document *in, const struct release_request *request, struct outfile *out,
		   struct buf *ret_line, struct head *ret, struct err *e)
{
	switch (request->task) {
	case RELEASE_RESIGN: return resign(in, request, out, ret_line, ret, e);
	case RELEASE_ADD_SIGNATURE: return add_signature(in, request, out, ret_line, ret, e);
	case RELEASE_MAKE: break;
	}
	return make_release(in, request, out, ret_line, ret, e);
}

int release_run(struct document *in, const struct release_files *files,
		const struct release_request *request, struct scratch *scratch, struct head *ret,
		struct err *e)
{
	struct outfile_options how = {.force = files->force};
	struct outfile *out = NULL, *head = NULL;
	struct buf line = BUF_INIT;
	int status = -1;

	if (files->head != NULL && document_kind(in) == DOCUMENT_HEAD) {
		(void)err_set(e, ERR_USAGE, "--head is for a manifest: of a head, -o is the head");
		goto out;
	}
	if (files->head != NULL && outfile_is_same(files->out, files->head)) {
		(void)err_set(e, ERR_USAGE, "the manifest and its head cannot both go to '%s'",
			      files->head);
		goto out;
	}
	out = outfile_open(files->out, &how, scratch, e);
	if (out == NULL)
		goto out;
	if (files->head != NULL && (head = outfile_open(files->head, &how, scratch, e)) == NULL)
		goto out;
	if (perform(in, request, out, &line, ret, e) != 0 || outfile_sync(out, e) != 0)
		goto out;
	if (head != NULL && (write_line(head, &line, e) != 0 || outfile_sync(head, e) != 0))
		goto out;
	if (outfile_commit(out, e) != 0 || (head != NULL && outfile_commit(head, e) != 0))
		goto out;
	status = 0;
out:
	buf_release(&line);
	outfile_free(out);
	outfile_free(head);
	return status;
}

/* --- what was done ------------------------------------------------------------------------------
 */

void release_describe(struct buf *to, const struct head *head,
		      const struct release_summary *summary)
{
	char expires[UTC_SIZE];

	utc_format(expires, head->expires);
	buf_addf(to, "%s %s %s (%s, serial %llu): ",
		 summary->only_signatures ? "added signatures to" : "signed", head->id.product,
		 head->id.version, head->id.channel, (unsigned long long)head->id.serial);
	text_plural(to, head->files, "file");
	buf_addf(to, ", expires %s%s\n", expires,
		 head->expires <= summary->now
		     ? ", which has passed: nobody will believe it (is SOURCE_DATE_EPOCH set?)"
		     : "");
	if (summary->verbose && head->has_btmh) {
		char hex[2 * SHA256_SIZE + 1];
		hex_format(hex, head->btmh, SHA256_SIZE);
		buf_addf(to, "btmh %s\n", hex);
	}
	if (summary->verbose && head->has_hybrid) {
		char btmh[2 * SHA256_SIZE + 1], btih[2 * HEAD_BTIH_SIZE + 1];
		hex_format(btmh, head->hybrid_btmh, SHA256_SIZE);
		hex_format(btih, head->hybrid_btih, HEAD_BTIH_SIZE);
		buf_addf(to, "hybrid btmh %s, btih %s\n", btmh, btih);
	}
}

void release_format(struct buf *to, const struct head *head)
{
	struct jsonl_writer w = {.to = to};
	char expires[UTC_SIZE];

	utc_format(expires, head->expires);
	jsonl_open(&w, NULL);
	jsonl_string(&w, "product", head->id.product);
	jsonl_string(&w, "channel", head->id.channel);
	jsonl_string(&w, "version", head->id.version);
	jsonl_number(&w, "serial", head->id.serial);
	jsonl_number(&w, "files", head->files);
	jsonl_hex(&w, "sha256", head->digest, SHA256_SIZE);
	if (head->has_btmh)
		jsonl_hex(&w, "btmh", head->btmh, SHA256_SIZE);
	if (head->has_hybrid) {
		jsonl_open(&w, "hybrid");
		jsonl_hex(&w, "btmh", head->hybrid_btmh, SHA256_SIZE);
		jsonl_hex(&w, "btih", head->hybrid_btih, HEAD_BTIH_SIZE);
		jsonl_close(&w);
	}
	jsonl_string(&w, "expires", expires);
	jsonl_close(&w);
	buf_addc(to, '\n');
}
