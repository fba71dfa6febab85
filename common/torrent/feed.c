#include "swarm/feed.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/arena.h"
#include "swarm/hasher.h"
#include "swarm/path.h"
#include "swarm/source.h"
#include "swarm/stream.h"

/* How many files may wait for their digests. */
#define PENDING ((size_t)512)

struct pending {
	const char *path;
	uint64_t size;
	uint8_t root[SHA256_SIZE];
	struct filehash_digests digests;
};

struct feed {
	struct source *source;
	struct pool *pool;
	struct progress *progress;
	struct hasher *hasher;
	struct pending *list;
	size_t count;
	struct arena arena; /* the paths of those that wait */
};

struct feed *feed_new(const char *tree, struct pool *pool, struct progress *progress, struct err *e)
{
	struct feed *f = calloc(1, sizeof *f);

	if (f == NULL || (f->list = calloc(PENDING, sizeof *f->list)) == NULL) {
		free(f);
		(void)err_nomem(e);
		return NULL;
	}
	f->pool = pool;
	f->progress = progress;
	f->source = source_open(tree, 1, e);
	if (f->source != NULL)
		return f;
	feed_free(f);
	return NULL;
}

static void forget(struct feed *f)
{
	for (size_t i = 0; i < f->count; i++)
		filehash_release(&f->list[i].digests);
	f->count = 0;
	arena_release(&f->arena);
}

void feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	progress_end(f->progress);
	hasher_free(f->hasher);
	forget(f);
	source_close(f->source);
	free(f->list);
	free(f);
}

int feed_begin(struct feed *f, uint64_t piece_length, uint64_t bytes, struct err *e)
{
	const struct filehash_options how = {.piece_length = piece_length};

	f->hasher = hasher_new(f->pool, &how, e);
	if (f->hasher == NULL)
		return -1;
	progress_begin(f->progress, "hashing", bytes);
	return 0;
}

/* --- what is wrong with a file ------------------------------------------------------------------
 */

static int not_it(const struct feed *f, const char *path, const char *why, struct err *e)
{
	return err_set(e, ERR_UNTRUSTED, "'%s' in '%s' is not the file of the manifest: %s", path,
		       source_name(f->source), why);
}

static int wrong_size(const struct feed *f, const struct entry *entry, uint64_t size, struct err *e)
{
	return err_set(e, ERR_UNTRUSTED,
		       "'%s' in '%s' is not the file of the manifest: it has %s bytes than %llu",
		       entry->path, source_name(f->source), size > entry->size ? "more" : "fewer",
		       (unsigned long long)entry->size);
}

/* Waits for all that is hashed. */
static int settle(struct feed *f, struct err *e)
{
	if (hasher_wait(f->hasher, e) != 0)
		return -1;
	for (size_t i = 0; i < f->count; i++) {
		const struct pending *p = &f->list[i];
		if (p->digests.size != p->size ||
		    memcmp(p->digests.root, p->root, SHA256_SIZE) != 0)
			return not_it(f, p->path, "its content differs", e);
	}
	forget(f);
	return 0;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static struct pending *wait_for(struct feed *f, const struct entry *entry, struct err *e)
{
	if (f->count == PENDING && settle(f, e) != 0)
		return NULL;
	struct pending *p = &f->list[f->count];
	p->path = arena_copy(&f->arena, entry->path, strlen(entry->path));
	if (p->path == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	p->size = entry->size;
	memcpy(p->root, entry->root, SHA256_SIZE);
	p->digests = (struct filehash_digests)FILEHASH_DIGESTS_INIT;
	f->count++;
	return p;
}

static int read_content(struct feed *f, struct stream stream, const struct entry *entry,
			struct err *e)
{
	struct pending *p = wait_for(f, entry, e);
	uint64_t size;

	if (p == NULL)
		return -1;
	stream.source = f->source;
	stream.hasher = f->hasher;
	stream.progress = f->progress;
	stream.limit = entry->size;
	if (stream_read(&stream, &p->digests, &size, e) != 0)
		return -1;
	return size == entry->size ? 0 : wrong_size(f, entry, size, e);
}

static int read_file(struct feed *f, struct stream stream, const struct entry *entry, struct err *e)
{
	struct source_file file;
	struct err late;
	int status;

	if (source_file_open(f->source, entry->path, NULL, &file, e) != 0)
		return source_judge(f->source, entry->path, NULL, e);
	stream.file = &file;
	status = file.size == entry->size ? read_content(f, stream, entry, e)
					  : wrong_size(f, entry, file.size, e);
	if (source_file_close(&file, &late) != 0) {
		/* This is why, whatever else it looked like. */
		*e = late;
		return -1;
	}
	return status;
}

static int read_member(struct feed *f, struct stream stream, const struct entry *entry,
		       struct err *e)
{
	struct source_item item;
	int got;

	while ((got = source_next(f->source, &item, e)) > 0)
		if (!item.unsafe && strcmp(item.path, entry->path) == 0 &&
		    item.type != SOURCE_DIRECTORY)
			break;
	if (got < 0)
		return err_prefix(e, "'%s'", source_name(f->source));
	if (got == 0)
		return err_set(e, ERR_REFUSED,
			       "'%s' is not in '%s', or not in file-tree order, in which the "
			       "members of a bundle stand",
			       entry->path, source_name(f->source));
	if (item.type != SOURCE_FILE)
		return source_refuse(f->source, entry->path, item.type, NULL, e);
	return read_content(f, stream, entry, e);
}

int feed_file(struct feed *f, const struct entry *entry,
	      int (*see)(void *context, const void *bytes, size_t len, struct err *e),
	      void *context, struct err *e)
{
	const struct stream stream = {.tee = see, .context = context};

	return source_is_directory(f->source) ? read_file(f, stream, entry, e)
					      : read_member(f, stream, entry, e);
}

int feed_end(struct feed *f, struct err *e)
{
	int status = settle(f, e);

	progress_end(f->progress);
	return status;
}
