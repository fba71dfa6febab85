#include "swarm/magnet.h"

#include <stdbool.h>
#include <string.h>

#include "swarm/hex.h"
#include "swarm/sha1.h"
#include "swarm/sha256.h"
#include "swarm/weburl.h"

/* As a multihash: SHA-256, 32 bytes. */
#define MULTIHASH "1220"

static bool is_tracker(const char *url)
{
	static const char *const schemes[] = {"udp://", "http://", "https://", "ws://", "wss://"};

	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t n = strlen(schemes[i]);
		if (strncmp(url, schemes[i], n) == 0)
			return url[n] != '\0' && url[n] != '/';
	}
	return false;
}

int magnet_check_tracker(const char *url, struct err *e)
{
	if (is_tracker(url))
		return 0;
	return err_set(e, ERR_USAGE,
		       "--tracker needs a URL with udp, http, https, ws or wss, not '%s'", url);
}

static void add_hash(struct buf *to, const char *name, const uint8_t *hash, size_t len)
{
	char hex[2 * SHA256_SIZE + 1];

	hex_format(hex, hash, len);
	buf_addf(to, "%s%s", name, hex);
}

void magnet_start(struct buf *to, const uint8_t *v2, const uint8_t *v1)
{
	buf_adds(to, "magnet:?");
	if (v2 != NULL)
		add_hash(to, "xt=urn:btmh:" MULTIHASH, v2, SHA256_SIZE);
	if (v1 != NULL)
		add_hash(to, v2 != NULL ? "&xt=urn:btih:" : "xt=urn:btih:", v1, SHA1_SIZE);
}

void magnet_add(struct buf *to, const char *key, const char *value)
{
	buf_addf(to, "&%s=", key);
	weburl_add_value(to, value);
}
