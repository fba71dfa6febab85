#include "swarm/nginx.h"

static void add(struct buf *to, const char *text, const char *dollar)
{
	buf_addc(to, '"');
	for (; *text != '\0'; text++) {
		if (*text == '$') {
			buf_adds(to, dollar);
			continue;
		}
		if (*text == '"' || *text == '\\')
			buf_addc(to, '\\');
		buf_addc(to, *text);
	}
	buf_addc(to, '"');
}

void nginx_add_key(struct buf *to, const char *text)
{
	add(to, text, "$");
}

void nginx_add_value(struct buf *to, const char *text)
{
	add(to, text, NGINX_DOLLAR);
}

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

int nginx_compare(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return lower(*a) - lower(*b);
}
