#include "swarm/plain.h"

int plain_check(const struct entry *entry, const char *use, struct err *e)
{
	if (entry->has_sha256)
		return 0;
	return err_set(e, ERR_REFUSED,
		       "'%s' has no plain digest, %s: pack the release without --no-sha256",
		       entry->path, use);
}
