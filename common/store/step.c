#include "swarm/step.h"

#include "swarm/jsonl.h"
#include "swarm/sha256.h"

static const char *const ops[] = {"put", "copy", "delete"};
static const char *const classes[] = {"content", "payload", "delta", "manifest", "head"};

static void format_bytes(struct jsonl_writer *w, const struct step *s)
{
	jsonl_number(w, "size", s->size);
	jsonl_hex(w, "sha256", s->sha256, SHA256_SIZE);
	if (s->size > STEP_SINGLE_MAX)
		jsonl_bool(w, "multipart", true);
	else
		jsonl_base64(w, "checksum", s->sha256, SHA256_SIZE);
	jsonl_string(w, "type", s->type);
	if (s->cache != NULL)
		jsonl_string(w, "cache", s->cache);
	if (s->head)
		jsonl_bool(w, "head", true);
}

void step_format(struct buf *to, const struct step *step)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_string(&w, "op", ops[step->op]);
	jsonl_string(&w, "class", classes[step->class]);
	jsonl_string(&w, "key", step->key);
	if (step->op == STEP_COPY)
		jsonl_string(&w, "from", step->from);
	if (step->op == STEP_PUT)
		jsonl_string(&w, "source", step->source);
	if (step->op != STEP_DELETE)
		format_bytes(&w, step);
	jsonl_close(&w);
	buf_addc(to, '\n');
}
