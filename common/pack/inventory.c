#include "swarm/inventory.h"

#include <string.h>

#include "swarm/buf.h"
#include "swarm/header.h"
#include "swarm/sha256.h"

#define WRITE_BLOCK ((size_t)256 * 1024)

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

/* Passes all file lines on in blocks; `text` may hold something before them. */
static int put_lines(const struct inventory *in, struct buf *text,
		     int (*put)(void *context, const struct buf *text, struct err *e),
		     void *context, struct err *e)
{
	for (size_t i = 0; i < in->scan->count; i++) {
		struct entry entry;
		inventory_entry(&in->scan->files[i], &in->digests[i], &entry);
		entry_format(text, &entry);
		buf_addc(text, '\n');
		if (text->len < WRITE_BLOCK)
			continue;
		if (buf_check(text, e) != 0 || put(context, text, e) != 0)
			return -1;
		buf_clear(text);
	}
	return buf_check(text, e) == 0 ? put(context, text, e) : -1;
}

static int to_digest(void *context, const struct buf *text, struct err *e)
{
	(void)e;
	sha256_update(context, text->data, text->len);
	return 0;
}

static int to_file(void *context, const struct buf *text, struct err *e)
{
	return outfile_write(context, text->data, text->len, e);
}

/* The first line has the digest of those that follow: they are formatted twice, not kept. */
static int put_part_line(const struct inventory *in, struct buf *text, struct err *e)
{
	struct part part = *in->part;
	struct sha256 *sha = sha256_new(e);
	int status = -1;

	if (sha != NULL && put_lines(in, text, to_digest, sha, e) == 0) {
		sha256_final(sha, part.own_digest);
		status = sha256_check(sha, e);
	}
	sha256_free(sha);
	buf_clear(text);
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
	if (status == 0)
		status = put_lines(in, &text, to_file, to, e);
	buf_release(&text);
	return status;
}
