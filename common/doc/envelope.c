#include "swarm/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/jsonl.h"

void envelope_init(struct envelope *v)
{
	v->signature_count = 0;
	buf_init(&v->payload);
}

void envelope_release(struct envelope *v)
{
	buf_release(&v->payload);
	envelope_init(v);
}

static void read_signature(struct jsonl_object *o, struct envelope_signature *ret)
{
	struct buf sig = BUF_INIT;

	*ret = (struct envelope_signature){.sig_len = 0};
	if (jsonl_has(o, "keyid")) {
		const char *keyid = jsonl_get_string(o, "keyid");
		if (strlen(keyid) > ENVELOPE_KEYID_MAX)
			jsonl_reject(o, "keyid", "is over 128 bytes long");
		else
			memcpy(ret->keyid, keyid, strlen(keyid) + 1);
	}
	jsonl_get_base64(o, "sig", &sig);
	if (sig.failed || sig.len > ENVELOPE_SIG_MAX) {
		jsonl_reject(o, "sig", "is over 512 bytes long");
	} else {
		memcpy(ret->sig, sig.data, sig.len);
		ret->sig_len = sig.len;
	}
	buf_release(&sig);
}

int envelope_parse(const char *line, size_t len, struct envelope *ret, struct err *e)
{
	if (len > ENVELOPE_MAX)
		return err_set(e, ERR_MALFORMED, "the envelope is over %zu bytes long",
			       ENVELOPE_MAX);
	struct jsonl_object *o = jsonl_parse(line, len, e);
	if (o == NULL)
		return -1;
	if (strcmp(jsonl_get_string(o, "payloadType"), ENVELOPE_TYPE) != 0)
		jsonl_reject(o, "payloadType", "is not " ENVELOPE_TYPE);
	buf_clear(&ret->payload);
	jsonl_get_base64(o, "payload", &ret->payload);
	size_t count = jsonl_get_array(o, "signatures");
	if (count == 0 || count > ENVELOPE_SIGNATURES)
		jsonl_reject(o, "signatures", "does not hold 1 to 16 signatures");
	ret->signature_count = 0;
	for (size_t i = 0; i < count && i < ENVELOPE_SIGNATURES; i++)
		read_signature(jsonl_get_item(o, "signatures", i),
			       &ret->signatures[ret->signature_count++]);
	int status = jsonl_done(o, e);
	if (status == 0)
		status = buf_check(&ret->payload, e);
	jsonl_free(o);
	return status;
}

static int compare_keyid(const void *a, const void *b)
{
	const struct envelope_signature *left = a, *right = b;

	return strcmp(left->keyid, right->keyid);
}

void envelope_format(struct buf *to, const struct envelope *v)
{
	struct envelope_signature sorted[ENVELOPE_SIGNATURES];
	struct jsonl_writer w = {.to = to};

	memcpy(sorted, v->signatures, v->signature_count * sizeof *sorted);
	qsort(sorted, v->signature_count, sizeof *sorted, compare_keyid);
	jsonl_open(&w, NULL);
	jsonl_string(&w, "payloadType", ENVELOPE_TYPE);
	jsonl_base64(&w, "payload", (const uint8_t *)v->payload.data, v->payload.len);
	jsonl_open_array(&w, "signatures");
	for (size_t i = 0; i < v->signature_count; i++) {
		jsonl_open(&w, NULL);
		/* Of another writer's envelope it may be any text. */
		jsonl_any_string(&w, "keyid", sorted[i].keyid);
		jsonl_base64(&w, "sig", sorted[i].sig, sorted[i].sig_len);
		jsonl_close(&w);
	}
	jsonl_close_array(&w);
	jsonl_close(&w);
}

int envelope_add(struct envelope *v, const char *keyid, const uint8_t *sig, size_t sig_len,
		 struct err *e)
{
	size_t at = 0;

	while (at < v->signature_count && strcmp(v->signatures[at].keyid, keyid) != 0)
		at++;
	if (at == ENVELOPE_SIGNATURES)
		return err_set(e, ERR_USAGE, "an envelope holds at most %d signatures",
			       ENVELOPE_SIGNATURES);
	if (strlen(keyid) > ENVELOPE_KEYID_MAX || sig_len > ENVELOPE_SIG_MAX)
		return err_set(e, ERR_USAGE, "the signature is too long for an envelope");
	if (at == v->signature_count)
		v->signature_count++;
	memcpy(v->signatures[at].keyid, keyid, strlen(keyid) + 1);
	memcpy(v->signatures[at].sig, sig, sig_len);
	v->signatures[at].sig_len = sig_len;
	return 0;
}

void envelope_preauth(struct buf *to, const void *payload, size_t len)
{
	buf_addf(to, "DSSEv1 %zu %s %zu ", sizeof ENVELOPE_TYPE - 1, ENVELOPE_TYPE, len);
	buf_add(to, payload, len);
}
