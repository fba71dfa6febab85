#include "swarm/weburl.h"

#include <stdbool.h>
#include <string.h>

#define ALPHANUMERIC "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define UNRESERVED   ALPHANUMERIC "-._~"
#define RESERVED     ":/?#[]@!$&'()*+,;="
#define HEX_DIGITS   "0123456789ABCDEFabcdef"

static bool is_spelled(const char *url)
{
	for (const char *c = url; *c != '\0'; c++) {
		if (*c == '%' && strspn(c + 1, HEX_DIGITS) < 2)
			return false;
		if (strchr(UNRESERVED RESERVED "%", *c) == NULL)
			return false;
	}
	return true;
}

static bool is_port(const char *text, size_t len)
{
	unsigned port = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || port > 65535)
			return false;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	return port > 0 && port <= 65535;
}

/* A name or an address, and perhaps a port. */
static bool is_host(const char *text, size_t len)
{
	size_t n = strspn(text, ALPHANUMERIC "-._");

	if (*text == '[') {
		n = 1 + strspn(text + 1, HEX_DIGITS ":.");
		if (n == 1 || text[n] != ']')
			return false;
		n++;
	}
	return n > 0 &&
	       (n == len || (n < len && text[n] == ':' && is_port(text + n + 1, len - n - 1)));
}

static const char *wrong(enum weburl_kind kind, const char *url)
{
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return "it does not start with http:// or https://";
	if (!is_spelled(url))
		return "it holds what no URL can: percent-encode it";
	const char *host = strstr(url, "://") + 3;
	size_t len = strcspn(host, "/?#");
	if (memchr(host, '@', len) != NULL)
		return "it holds a name or a password, which everybody would read";
	if (!is_host(host, len))
		return "it has no host, or none that can be";
	if (strchr(host, '#') != NULL)
		return "it holds a fragment: percent-encode a '#' as %23";
	if (kind == WEBURL_BASE && strchr(host, '?') != NULL)
		return "it holds a query, and the paths of files would end up in it";
	return NULL;
}

int weburl_check(const char *option, enum weburl_kind kind, const char *url, struct err *e)
{
	const char *why = wrong(kind, url);

	return why == NULL ? 0 : err_set(e, ERR_USAGE, "%s: '%s': %s", option, url, why);
}

static void encode(struct buf *to, const char *text, const char *plain)
{
	while (*text != '\0') {
		size_t n = strspn(text, plain);
		buf_add(to, text, n);
		text += n;
		if (*text != '\0')
			buf_addf(to, "%%%02X", (unsigned char)*text++);
	}
}

void weburl_add(struct buf *to, const char *base, const char *path)
{
	size_t len = strlen(base);

	buf_add(to, base, len);
	if (base[len - 1] != '/')
		buf_addc(to, '/');
	weburl_add_path(to, path);
}

void weburl_add_path(struct buf *to, const char *path)
{
	encode(to, path, UNRESERVED "/");
}

void weburl_add_value(struct buf *to, const char *value)
{
	encode(to, value, UNRESERVED);
}
