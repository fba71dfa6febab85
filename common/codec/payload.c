#include "swarm/payload.h"

#include <string.h>

#include "swarm/hex.h"

#define DIGITS (2 * SHA256_SIZE)

static const char zstd_suffix[] = ".zst";
static const char dcz_suffix[] = ".dcz";

static void add_hex(struct buf *to, const uint8_t *digest)
{
	char hex[DIGITS + 1];

	hex_format(hex, digest, SHA256_SIZE);
	buf_adds(to, hex);
}

void payload_name(struct buf *to, const uint8_t file_sha256[static SHA256_SIZE],
		  const uint8_t *base_sha256)
{
	add_hex(to, file_sha256);
	if (base_sha256 == NULL) {
		buf_adds(to, zstd_suffix);
		return;
	}
	buf_addc(to, '.');
	add_hex(to, base_sha256);
	buf_adds(to, dcz_suffix);
}

bool payload_name_parse(const char *name, uint8_t ret_file[static SHA256_SIZE], bool *ret_has_base,
			uint8_t ret_base[static SHA256_SIZE])
{
	size_t len = strlen(name);

	if (len < DIGITS || !hex_parse(ret_file, SHA256_SIZE, name, DIGITS))
		return false;
	const char *rest = name + DIGITS;
	*ret_has_base = len == 2 * DIGITS + sizeof dcz_suffix;
	if (!*ret_has_base)
		return strcmp(rest, zstd_suffix) == 0;
	return *rest == '.' && strcmp(rest + 1 + DIGITS, dcz_suffix) == 0 &&
	       hex_parse(ret_base, SHA256_SIZE, rest + 1, DIGITS);
}

int payload_digest(const void *bytes, size_t len, uint8_t ret[static SHA256_SIZE], struct err *e)
{
	struct sha256 *sha = sha256_new(e);

	if (sha == NULL)
		return -1;
	sha256_once(sha, bytes, len, ret);
	int status = sha256_check(sha, e);
	sha256_free(sha);
	return status;
}
