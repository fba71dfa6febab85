/* Input: an envelope, by anyone. What is accepted is the same after it was written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Signatures are sorted when they are written, so the same line comes only from the second on. */
static void check_again(const struct envelope *v)
{
	struct envelope again;
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct err e = {.code = ERR_NONE};

	envelope_init(&again);
	envelope_format(&first, v);
	check(memchr(first.data, '\n', first.len) == NULL);
	/* Escapes may make it longer than it was. */
	if (envelope_parse(first.data, first.len, &again, &e) != 0) {
		check(first.len > ENVELOPE_MAX);
	} else {
		check(again.signature_count == v->signature_count);
		check(again.payload.len == v->payload.len &&
		      memcmp(again.payload.data, v->payload.data, v->payload.len) == 0);
		envelope_format(&second, &again);
		check(second.len == first.len);
	}
	envelope_release(&again);
	buf_release(&first);
	buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct envelope v;
	struct err e = {.code = ERR_NONE};
	struct buf b = BUF_INIT;

	envelope_init(&v);
	if (envelope_parse((const char *)data, size, &v, &e) == 0) {
		check(size <= ENVELOPE_MAX);
		check(v.signature_count >= 1 && v.signature_count <= ENVELOPE_SIGNATURES);
		for (size_t i = 0; i < v.signature_count; i++)
			check(strlen(v.signatures[i].keyid) <= ENVELOPE_KEYID_MAX &&
			      v.signatures[i].sig_len <= ENVELOPE_SIG_MAX);
		check_again(&v);
		envelope_preauth(&b, v.payload.data, v.payload.len);
		check(b.len > v.payload.len);
	} else {
		check(e.code == ERR_MALFORMED);
	}
	envelope_release(&v);
	buf_release(&b);
	return 0;
}
