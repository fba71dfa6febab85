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

bool nginx_add_line(struct buf *to, const char *key, const char *value)
{
	buf_addc(to, '\t');
	size_t start = to->len;
	nginx_add_key(to, key);
	size_t key_length = to->len - start;
	buf_addc(to, ' ');
	start = to->len;
	nginx_add_value(to, value);
	size_t value_length = to->len - start;
	buf_adds(to, ";\n");
	return key_length <= NGINX_WORD_MAX && value_length <= NGINX_WORD_MAX;
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
