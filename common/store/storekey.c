#include "swarm/storekey.h"

#include <string.h>

#include "swarm/hex.h"
#include "swarm/path.h"

const char *const storekey_layouts[] = {
    [STOREKEY_RELEASE] = "release", [STOREKEY_HASH] = "hash", NULL};

int storekey_prefix(struct buf *to, const char *prefix, struct err *e)
{
	struct buf text = BUF_INIT;
	int status = -1;

	if (prefix != NULL)
		buf_adds(&text, prefix + strspn(prefix, "/"));
	while (text.len > 0 && text.data[text.len - 1] == '/')
		buf_truncate(&text, text.len - 1);
	if (buf_check(&text, e) != 0)
		goto out;
	if (text.len > 0) {
		const char *why = path_unportable(text.data);
		if (why != NULL) {
			(void)err_set(e, ERR_USAGE, "--prefix '%s' is not portable: %s", prefix,
				      why);
			goto out;
		}
		buf_addc(&text, '/');
	}
	buf_add(to, text.data, text.len);
	status = 0;
out:
	buf_release(&text);
	return status;
}

void storekey_content(struct buf *to, enum storekey_layout layout, const struct release_id *id,
		      const struct entry *entry)
{
	if (layout == STOREKEY_RELEASE) {
		buf_addf(to, "%s-%s/%s", id->product, id->version, entry->path);
		return;
	}
	char hex[2 * SHA256_SIZE + 1];
	const char *name = path_base(entry->path);
	const char *dot = strrchr(name, '.');
	hex_format(hex, entry->sha256, SHA256_SIZE);
	buf_adds(to, hex);
	if (dot != NULL && dot > name)
		buf_adds(to, dot);
}

void storekey_payload(struct buf *to, const struct offer *offer)
{
	buf_adds(to, "payloads/");
	offers_name(to, offer);
}

void storekey_delta(struct buf *to, const char *from, const char *to_version)
{
	buf_addf(to, "%s-%s.delta", from, to_version);
}

void storekey_manifest(struct buf *to, const struct release_id *id)
{
	buf_addf(to, "%s-%s.manifest", id->product, id->version);
}

void storekey_head(struct buf *to, const struct release_id *id)
{
	buf_addf(to, "%s-%s.head", id->product, id->channel);
}
