/* A file of public keys: what loads must write a file that loads as the same key. */
#include <stdlib.h>
#include <string.h>

#include "swarm/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct key *k)
{
	size_t count = 0;
	struct buf text = BUF_INIT;
	struct err e;

	if (key_format_public(k, &text, &e) != 0)
		abort();
	struct key **again = key_parse_public("again", text.data, text.len, &count, &e);
	if (again == NULL || count != 1 || strcmp(key_id(again[0]), key_id(k)) != 0)
		abort();
	key_free(again[0]);
	free(again);
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = 0;
	struct err e;
	struct key **keys = key_parse_public("fuzz", (const char *)data, size, &count, &e);

	if (keys == NULL)
		return 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t sig[64] = {0};
		(void)key_verify(keys[i], data, size, sig, sizeof sig);
		check_again(keys[i]);
		key_free(keys[i]);
	}
	free(keys);
	return 0;
}
