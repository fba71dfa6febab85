#include "swarm/share.h"

#include <stdlib.h>

#include "swarm/buf.h"
#include "swarm/inventory.h"
#include "swarm/sha256.h"
#include "swarm/split.h"

static int list_all(const struct scan *scan, struct part *part, struct err *e)
{
	struct buf room = BUF_INIT;
	struct sha256 *sha = sha256_new(e);
	int status = -1;

	if (sha == NULL)
		return -1;
	for (size_t i = 0; i < scan->count; i++) {
		struct entry entry;
		inventory_entry(&scan->files[i], NULL, &entry);
		if (part_list(sha, &room, &entry, e) != 0)
			goto out;
		part->bytes += entry.size;
	}
	part->files = scan->count;
	sha256_final(sha, part->listing);
	status = sha256_check(sha, e);
out:
	buf_release(&room);
	sha256_free(sha);
	return status;
}

int share_take(struct scan *scan, struct part *part, struct err *e)
{
	uint32_t *shares = calloc(scan->count + 1, sizeof *shares);
	size_t n = 0;
	int status = -1;

	if (shares == NULL)
		return err_nomem(e);
	part->bytes = part->own_bytes = 0;
	if (list_all(scan, part, e) != 0 ||
	    split_files(scan->files, scan->count, part->shard.count, shares, e) != 0)
		goto out;
	for (size_t i = 0; i < scan->count; i++) {
		if (shares[i] + 1 != part->shard.number)
			continue;
		part->own_bytes += scan->files[i].size;
		scan->files[n++] = scan->files[i];
	}
	scan->count = n;
	part->own_files = n;
	status = 0;
out:
	free(shares);
	return status;
}
