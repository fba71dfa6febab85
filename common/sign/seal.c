#include "swarm/seal.h"

#include <stdint.h>

int seal_sign(struct envelope *envelope, struct key *const *keys, size_t key_count, struct err *e)
{
	struct buf text = BUF_INIT;
	int status = 0;

	envelope_preauth(&text, envelope->payload.data, envelope->payload.len);
	status = buf_check(&text, e);
	for (size_t i = 0; i < key_count && status == 0; i++) {
		uint8_t sig[KEY_SIG_MAX];
		size_t len = 0;
		status = key_sign(keys[i], text.data, text.len, sig, &len, e);
		if (status == 0)
			status = envelope_add(envelope, key_id(keys[i]), sig, len, e);
	}
	buf_release(&text);
	return status;
}

int seal_format(struct buf *to, const struct envelope *envelope, struct err *e)
{
	size_t before = to->len;

	envelope_format(to, envelope);
	if (buf_check(to, e) != 0)
		return -1;
	if (to->len - before > ENVELOPE_MAX)
		return err_set(e, ERR_USAGE,
			       "the signatures do not fit into an envelope of %zu bytes",
			       ENVELOPE_MAX);
	return 0;
}
