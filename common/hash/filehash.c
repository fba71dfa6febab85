#include "swarm/filehash.h"

#include <stdlib.h>

struct filehash {
	struct lanes *lanes;
	struct merkle *merkle;
	struct sha256 *plain; /* NULL if it is not wanted */
	uint64_t size;
};

void filehash_release(struct filehash_digests *d)
{
	buf_release(&d->layer);
}

struct filehash *filehash_new(const struct filehash_options *options, struct err *e)
{
	struct filehash *f = calloc(1, sizeof *f);

	if (f == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	f->lanes = lanes_new(e);
	if (f->lanes == NULL)
		goto fail;
	f->merkle = merkle_new(options->piece_length, f->lanes, e);
	if (f->merkle == NULL)
		goto fail;
	if (options->plain && (f->plain = sha256_new(e)) == NULL)
		goto fail;
	return f;
fail:
	filehash_free(f);
	return NULL;
}

void filehash_free(struct filehash *f)
{
	if (f == NULL)
		return;
	merkle_free(f->merkle);
	sha256_free(f->plain);
	lanes_free(f->lanes);
	free(f);
}

void filehash_reset(struct filehash *f)
{
	merkle_reset(f->merkle);
	if (f->plain != NULL)
		sha256_reset(f->plain);
	f->size = 0;
}

void filehash_update(struct filehash *f, const void *bytes, size_t len)
{
	merkle_update(f->merkle, bytes, len);
	if (f->plain != NULL)
		sha256_update(f->plain, bytes, len);
	f->size += len;
}

int filehash_final(struct filehash *f, struct filehash_digests *ret, struct err *e)
{
	int status = -1;

	ret->size = f->size;
	ret->has_sha256 = f->plain != NULL;
	buf_clear(&ret->layer);
	if (f->plain != NULL) {
		sha256_final(f->plain, ret->sha256);
		if (sha256_check(f->plain, e) != 0)
			goto out;
	}
	status = merkle_final(f->merkle, ret->root, &ret->layer, e);
out:
	filehash_reset(f);
	return status;
}
