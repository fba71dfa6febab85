#include "swarm/endorse.h"

#include <stdint.h>
#include <string.h>

#include "swarm/arena.h"
#include "swarm/envelope.h"
#include "swarm/outfile.h"
#include "swarm/recipe.h"
#include "swarm/seal.h"
#include "swarm/text.h"

/* --- the lines ----------------------------------------------------------------------------------
 */

/* A delta on its way: what is written is what was read and checked. */
struct copy {
	struct recipe *recipe;
	struct outfile *out; /* NULL: it is only read */
	struct buf text;
};

static int copy_line(struct copy *c, struct err *e)
{
	size_t len;
	const char *line = recipe_line(c->recipe, &len);

	if (c->out == NULL)
		return 0;
	buf_add(&c->text, line, len);
	buf_addc(&c->text, '\n');
	return outfile_gather(c->out, &c->text, e);
}

static int copy_lines(struct copy *c, struct endorse *ret, struct err *e)
{
	struct arena arena = ARENA_INIT;
	struct delta_line line;
	int got = 0, status = copy_line(c, e);

	ret->header = *recipe_header(c->recipe);
	ret->tally = (struct tally){.files = 0};
	while (status == 0 && (got = recipe_next(c->recipe, &arena, &line, e)) > 0) {
		tally_add(&ret->tally, &line);
		status = copy_line(c, e);
		arena_release(&arena);
	}
	arena_release(&arena);
	if (status != 0 || got < 0)
		return -1;
	return c->out != NULL ? outfile_drain(c->out, &c->text, e) : 0;
}

int endorse_read(struct recipe *recipe, struct endorse *ret, struct err *e)
{
	struct copy c = {.recipe = recipe, .text = BUF_INIT};

	return copy_lines(&c, ret, e);
}

/* --- the envelope -------------------------------------------------------------------------------
 */

static int copy_delta(struct document *in, struct outfile *out, bool is_signed, struct endorse *ret,
		      struct err *e)
{
	struct copy c = {.out = out, .text = BUF_INIT};
	int status = -1;

	c.recipe = document_recipe(in, e);
	if (c.recipe == NULL || copy_lines(&c, ret, e) != 0)
		goto out;
	if (is_signed) {
		status = trust_recipe(c.recipe, document_name(in), &ret->pledge, e);
	} else {
		uint8_t digest[SHA256_SIZE];
		uint64_t bytes;
		recipe_digest(c.recipe, digest, &bytes);
		pledge_of(&ret->header, digest, bytes, &ret->pledge);
		status = 0;
	}
out:
	recipe_close(c.recipe);
	buf_release(&c.text);
	return status;
}

/* Fills the envelope with what is to be signed, and writes what stands before it. */
static int prepare(struct document *in, const struct endorse_request *request, struct outfile *out,
		   struct envelope *envelope, struct endorse *ret, struct err *e)
{
	struct trust_signers signers;
	bool is_signed = request->add_signature;

	if (is_signed && (trust_delta(request->trust, in, &ret->pledge, &signers, e) != 0 ||
			  document_envelope(in, envelope, e) != 0))
		return -1;
	if (copy_delta(in, out, is_signed, ret, e) != 0)
		return -1;
	if (!is_signed)
		pledge_format(&envelope->payload, &ret->pledge);
	return buf_check(&envelope->payload, e);
}

static int write_envelope(struct outfile *out, const struct envelope *envelope, struct err *e)
{
	struct buf line = BUF_INIT;
	int status = seal_format(&line, envelope, e);

	if (status == 0) {
		buf_addc(&line, '\n');
		status = buf_check(&line, e);
	}
	if (status == 0)
		status = outfile_write(out, line.data, line.len, e);
	buf_release(&line);
	return status;
}

/* What ends in anything but a line of its own is either signed or no delta. */
static int check_unsigned(struct document *in, struct envelope *envelope, struct err *e)
{
	if (!document_is_signed(in))
		return 0;
	if (document_envelope(in, envelope, e) != 0)
		return -1;
	return err_set(e, ERR_USAGE, "'%s' is signed already: give --add-signature to add one",
		       document_name(in));
}

int endorse_run(struct document *in, const struct endorse_request *request, struct scratch *scratch,
		struct endorse *ret, struct err *e)
{
	struct outfile_options how = {.force = request->force};
	struct outfile *out = NULL;
	struct envelope envelope;
	int status = -1;

	envelope_init(&envelope);
	if (!request->add_signature && check_unsigned(in, &envelope, e) != 0)
		goto out;
	out = outfile_open(request->out, &how, scratch, e);
	if (out == NULL || prepare(in, request, out, &envelope, ret, e) != 0 ||
	    seal_sign(&envelope, request->keys, request->key_count, e) != 0 ||
	    write_envelope(out, &envelope, e) != 0)
		goto out;
	status = outfile_commit(out, e);
out:
	envelope_release(&envelope);
	outfile_free(out);
	return status;
}

/* --- what it says -------------------------------------------------------------------------------
 */

void endorse_name(struct buf *to, const struct pledge *pledge)
{
	buf_addf(to, "%s %s -> %s (%s, serial %llu -> %llu)", pledge->product, pledge->from.version,
		 pledge->to.version, pledge->channel, (unsigned long long)pledge->from.serial,
		 (unsigned long long)pledge->to.serial);
}

void endorse_put(struct jsonl_writer *w, const struct pledge *pledge)
{
	jsonl_string(w, "product", pledge->product);
	jsonl_string(w, "channel", pledge->channel);
	delta_format_ends(w, &pledge->from, &pledge->to);
	jsonl_number(w, "bytes", pledge->bytes);
	jsonl_hex(w, "sha256", pledge->digest, SHA256_SIZE);
}

void endorse_describe(struct buf *to, const struct endorse *endorse, bool only_signatures)
{
	buf_adds(to, only_signatures ? "added signatures to " : "signed ");
	endorse_name(to, &endorse->pledge);
	buf_adds(to, ": ");
	text_plural(to, endorse->tally.files, "file");
	buf_adds(to, " new or changed, ");
	text_count(to, endorse->tally.removes);
	buf_adds(to, " removed\n");
}

void endorse_format(struct buf *to, const struct endorse *endorse)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	endorse_put(&w, &endorse->pledge);
	tally_format(&w, &endorse->tally, &endorse->header);
	jsonl_close(&w);
	buf_addc(to, '\n');
}
