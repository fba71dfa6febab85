#include "swarm/base64.h"

void base64_format(struct buf *to, const uint8_t *bytes, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	size_t size = (len / 3 + (len % 3 != 0)) * 4;
	char *p = buf_room(to, size);
	if (p == NULL)
		return;
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)bytes[i] << 16;
		v |= n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		v |= n > 2 ? bytes[i + 2] : 0;
		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = n > 1 ? digits[v >> 6 & 63] : '=';
		*p++ = n > 2 ? digits[v & 63] : '=';
	}
	buf_grew(to, size);
}

size_t base64_size(const char *text, size_t len)
{
	size_t size = len / 4 * 3;

	if (len >= 4 && text[len - 1] == '=')
		size--;
	if (len >= 4 && text[len - 2] == '=')
		size--;
	return size;
}

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_parse(uint8_t *to, const char *text, size_t len)
{
	if (len % 4 != 0)
		return false;
	for (size_t i = 0; i < len; i += 4) {
		size_t pads = 0;
		if (i + 4 == len)
			pads = text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
		uint32_t v = 0;
		for (size_t k = 0; k < 4; k++) {
			int s = k >= 4 - pads ? 0 : sextet(text[i + k]);
			if (s < 0)
				return false;
			v = v << 6 | (uint32_t)s;
		}
		if (v & (pads == 2 ? 0xFFFFu : pads == 1 ? 0xFFu : 0))
			return false;
		*to++ = (uint8_t)(v >> 16);
		if (pads < 2)
			*to++ = (uint8_t)(v >> 8);
		if (pads < 1)
			*to++ = (uint8_t)v;
	}
	return true;
}
