#include "swarm/inventory.h"

#include <string.h>

#include "swarm/buf.h"
#include "swarm/header.h"
#include "swarm/sha256.h"

void inventory_entry(const struct scan_file *file, const struct filehash_digests *digests,
		     struct entry *ret)
{
	*ret = (struct entry){.path = file->path,
			      .size = file->size,
			      .label = file->label,
			      .exec = file->exec,
			      .type = file->rule != NULL ? file->rule->type : NULL,
			      .cache = file->rule != NULL ? file->rule->cache : NULL,
			      .hot = file->hot};
	if (digests == NULL)
		return;
	ret->has_sha256 = digests->has_sha256;
	ret->pieces = (const uint8_t *)digests->layer.data;
	ret->piece_count = digests->layer.len / SHA256_SIZE;
	memcpy(ret->sha256, digests->sha256, SHA256_SIZE);
	memcpy(ret->root, digests->root, SHA256_SIZE);
}

static void format_line(const struct inventory *in, size_t i, struct buf *text)
{
	struct entry entry;

	inventory_entry(&in->scan->files[i], &in->digests[i], &entry);
	entry_format(text, &entry);
	buf_addc(text, '\n');
}

static int hash_lines(const struct inventory *in, struct sha256 *sha, struct err *e)
{
	struct buf line = BUF_INIT;

	for (size_t i = 0; i < in->scan->count && !line.failed; i++) {
		buf_clear(&line);
		format_line(in, i, &line);
		sha256_update(sha, line.data, line.len);
	}
	int status = buf_check(&line, e);
	buf_release(&line);
	return status;
}

/* The first line has the digest of those that follow: they are formatted twice, not kept. */
static int put_part_line(const struct inventory *in, struct buf *text, struct err *e)
{
	struct part part = *in->part;
	struct sha256 *sha = sha256_new(e);
	int status = -1;

	if (sha != NULL && hash_lines(in, sha, e) == 0) {
		sha256_final(sha, part.own_digest);
		status = sha256_check(sha, e);
	}
	sha256_free(sha);
	part_format(text, &part);
	return status;
}

int inventory_write(const struct inventory *in, struct outfile *to, struct err *e)
{
	const struct header header = {.kind = HEADER_INVENTORY,
				      .piece_length = in->piece_length,
				      .files = in->scan->count,
				      .bytes = in->bytes};
	struct buf text = BUF_INIT;
	int status = 0;

	if (in->part != NULL)
		status = put_part_line(in, &text, e);
	else
		header_format(&text, &header);
	buf_addc(&text, '\n');
	for (size_t i = 0; status == 0 && i < in->scan->count; i++) {
		format_line(in, i, &text);
		status = outfile_gather(to, &text, e);
	}
	if (status == 0)
		status = outfile_drain(to, &text, e);
	buf_release(&text);
	return status;
}
