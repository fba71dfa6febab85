/*
 * Input: a byte that says how long the new text is, then a solid payload without its lengths, which
 * are put in. Decoding stays within the texts, whatever it says; and what it gives, encoded again,
 * comes back.
 */
#include <stdlib.h>
#include <string.h>

#include "swarm/solid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY     (UINT64_C(256) << 20)
#define LENGTHS_AT 10

static const char old_text[] =
    "function update( matrix ) { return this.texture.matrix.copy( matrix ); }\n"
    "function render( target ) { return this.texture.target.copy( target ); }\n"
    "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37";
#define OLD_LEN (sizeof old_text)

struct made {
	uint8_t bytes[1 << 16];
	size_t len, want;
};

static int read_old(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	(void)context;
	(void)e;
	if (offset > OLD_LEN || len > OLD_LEN - offset)
		abort();
	memcpy(to, old_text + offset, len);
	return 0;
}

static int put(void *context, const void *bytes, size_t len, struct err *e)
{
	struct made *made = context;

	(void)e;
	if (len > made->want - made->len)
		abort();
	memcpy(made->bytes + made->len, bytes, len);
	made->len += len;
	return 0;
}

static int decode(const uint8_t *payload, size_t len, struct made *made, struct err *e)
{
	struct solid_io io = {made, read_old, put};
	uint8_t *exact = malloc(len + (len == 0));

	if (exact == NULL)
		abort();
	memcpy(exact, payload, len);
	int result = solid_decode(exact, len, OLD_LEN, made->want, MEMORY, &io, e);
	free(exact);
	return result;
}

static void put_length(uint8_t *to, uint64_t n)
{
	for (unsigned i = 0; i < 8; i++)
		to[i] = (uint8_t)(n >> (8 * i));
}

static void check_again(const struct made *made)
{
	static struct made again;
	struct solid_text old = {(const uint8_t *)old_text, OLD_LEN};
	struct solid_text new = {made->bytes, made->len};
	struct solid_options options = {1, MEMORY};
	struct buf payload = BUF_INIT;
	struct err e;

	again.len = 0;
	again.want = made->len;
	if (solid_encode(&old, &new, &options, &payload, &e) != 0 ||
	    decode((const uint8_t *)payload.data, payload.len, &again, &e) != 0 ||
	    again.len != made->len || memcmp(again.bytes, made->bytes, made->len) != 0)
		abort();
	buf_release(&payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct made made;
	struct buf payload = BUF_INIT;
	struct err e = {0};

	if (size == 0)
		return 0;
	made.len = 0;
	made.want = (size_t)data[0] * 16;
	buf_add(&payload, data + 1, size - 1);
	if (payload.len >= LENGTHS_AT + 16) {
		put_length((uint8_t *)payload.data + LENGTHS_AT, OLD_LEN);
		put_length((uint8_t *)payload.data + LENGTHS_AT + 8, made.want);
	}
	int result = decode((const uint8_t *)payload.data, payload.len, &made, &e);
	if (result != 0 && (e.code != ERR_MALFORMED && e.code != ERR_REFUSED))
		abort();
	if (result == 0 && made.len != made.want)
		abort();
	if (result == 0)
		check_again(&made);
	buf_release(&payload);
	return 0;
}
