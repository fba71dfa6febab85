#include "swarm/proof.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "swarm/buf.h"
#include "swarm/filehash.h"
#include "swarm/io.h"

struct proof {
	struct filehash *root; /* of files without a plain digest */
	struct filehash *both;
	struct filehash_digests digests;
	const struct entry *entry;
	uint64_t size; /* bytes that came */
};

struct proof *proof_new(struct err *e)
{
	/* The root is the same for any piece length; no layer is wanted. */
	struct filehash_options how = {.piece_length = MERKLE_PIECE_MAX};
	struct proof *p = calloc(1, sizeof *p);

	if (p == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	buf_init(&p->digests.layer);
	p->root = filehash_new(&how, e);
	how.plain = true;
	if (p->root != NULL)
		p->both = filehash_new(&how, e);
	if (p->both == NULL) {
		proof_free(p);
		return NULL;
	}
	return p;
}

void proof_free(struct proof *p)
{
	if (p == NULL)
		return;
	filehash_free(p->root);
	filehash_free(p->both);
	filehash_release(&p->digests);
	free(p);
}

static struct filehash *hash_of(const struct proof *p)
{
	return p->entry->has_sha256 ? p->both : p->root;
}

void proof_begin(struct proof *p, const struct entry *entry)
{
	p->entry = entry;
	p->size = 0;
	filehash_reset(hash_of(p));
}

int proof_update(struct proof *p, const void *bytes, size_t len, struct err *e)
{
	if (len > p->entry->size - p->size)
		return err_set(e, ERR_UNTRUSTED, "it has more than %llu bytes",
			       (unsigned long long)p->entry->size);
	p->size += len;
	filehash_update(hash_of(p), bytes, len);
	return 0;
}

int proof_end(struct proof *p, struct err *e)
{
	const struct entry *entry = p->entry;

	if (p->size != entry->size)
		return err_set(e, ERR_UNTRUSTED, "it has %llu bytes instead of %llu",
			       (unsigned long long)p->size, (unsigned long long)entry->size);
	if (filehash_final(hash_of(p), &p->digests, e) != 0)
		return -1;
	if (memcmp(p->digests.root, entry->root, SHA256_SIZE) != 0)
		return err_set(e, ERR_UNTRUSTED, "its content differs");
	if (entry->has_sha256 && memcmp(p->digests.sha256, entry->sha256, SHA256_SIZE) != 0)
		return err_set(e, ERR_UNTRUSTED,
			       "its pieces are right, its plain digest is not: the manifest "
			       "contradicts itself");
	return 0;
}

int proof_read(struct proof *p, int fd, const struct entry *entry, char *block, const char *name,
	       struct err *e)
{
	uint64_t at = 0;
	ssize_t n;

	proof_begin(p, entry);
	do {
		n = io_read_at(fd, block, PROOF_BLOCK, at, name, e);
		if (n < 0 || proof_update(p, block, (size_t)n, e) != 0)
			return -1;
		at += (uint64_t)n;
	} while (n == (ssize_t)PROOF_BLOCK);
	return proof_end(p, e);
}

static int read_stock(struct proof *p, struct stock_file *f, char *block, struct err *e)
{
	uint64_t at = 0;
	ssize_t n;

	do {
		n = stock_file_read(f, at, block, PROOF_BLOCK, e);
		if (n < 0 || proof_update(p, block, (size_t)n, e) != 0)
			return -1;
		at += (uint64_t)n;
	} while (n == (ssize_t)PROOF_BLOCK);
	return proof_end(p, e);
}

/* Why a file of a directory cannot be found, where a link stands for a directory above it. */
static void name_link(const struct stock *stock, const char *path, struct err *e)
{
	struct buf name = BUF_INIT;
	struct stat st;

	for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
		buf_clear(&name);
		buf_addf(&name, "%s/%.*s", stock_name(stock), (int)(slash - path), path);
		if (name.failed || lstat(name.data, &st) != 0)
			break;
		if (S_ISLNK(st.st_mode)) {
			(void)err_set(e, ERR_REFUSED,
				      "'%s' is not in '%s': '%.*s' is a symbolic link", path,
				      stock_name(stock), (int)(slash - path), path);
			break;
		}
	}
	buf_release(&name);
}

int proof_stock(struct proof *p, const struct stock *stock, const struct entry *entry, char *block,
		struct err *e)
{
	struct stock_file f;
	struct err late;

	if (stock_file_open(stock, entry->path, &f, e) != 0) {
		if (e->code == ERR_REFUSED && stock_is_directory(stock))
			name_link(stock, entry->path, e);
		return -1;
	}
	proof_begin(p, entry);
	int status = read_stock(p, &f, block, e);
	if (stock_file_close(&f, status == 0 ? e : &late) != 0)
		status = -1;
	if (status != 0 && e->code == ERR_UNTRUSTED)
		(void)err_prefix(e, "'%s' in '%s' is not the file of the manifest", entry->path,
				 stock_name(stock));
	return status;
}
