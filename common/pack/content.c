#include "swarm/content.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/digest.h"
#include "swarm/hasher.h"
#include "swarm/spool.h"

#define NOT_SPOOLED UINT64_MAX

/* --- a directory without a bundle: every thread takes files of its own --------------------------
 */

struct crew {
	const struct content *content;
	pthread_mutex_t lock;
	struct err err; /* the first */
};

static bool want_file(void *context, size_t i, struct digest_file *ret, struct source_item *room)
{
	const struct crew *crew = context;
	const struct scan_file *file = &crew->content->scan->files[i];

	*room = (struct source_item){.size = file->size, .stamp = file->stamp};
	*ret = (struct digest_file){file->content, room, UINT64_MAX};
	return true;
}

static int file_changed(const struct scan_file *file, struct err *e)
{
	return err_set(e, ERR_CHANGED, "'%s' changed while it was read", file->content);
}

static int file_done(void *context, size_t i, struct filehash_digests *digests, uint64_t size,
		     const struct err *e)
{
	struct crew *crew = context;
	const struct content *c = crew->content;
	struct err changed;

	(void)size;
	if (e == NULL && digests->size != c->scan->files[i].size) {
		(void)file_changed(&c->scan->files[i], &changed);
		e = &changed;
	}
	if (e == NULL) {
		c->digests[i] = *digests;
		buf_init(&digests->layer);
		return 0;
	}
	pthread_mutex_lock(&crew->lock);
	if (crew->err.code == ERR_NONE)
		crew->err = *e;
	pthread_mutex_unlock(&crew->lock);
	return -1;
}

static int hash_apart(const struct content *c, struct err *e)
{
	struct crew crew = {.content = c, .err = {.code = ERR_NONE}};
	struct digest_job job = {.source = c->source,
				 .hash = {c->hash.piece_length, c->hash.plain},
				 .progress = c->progress,
				 .count = c->scan->count,
				 .context = &crew,
				 .want = want_file,
				 .done = file_done};

	pthread_mutex_init(&crew.lock, NULL);
	int status = digest_files(&job, c->pool, e);
	pthread_mutex_destroy(&crew.lock);
	if (crew.err.code != ERR_NONE)
		*e = crew.err;
	return status;
}

/* --- one reader: a bundle is written, or an archive is read -------------------------------------
 */

static int to_bundle(void *context, const void *bytes, size_t len, struct err *e)
{
	return bundle_write(context, bytes, len, e);
}

static int to_spool(void *context, const void *bytes, size_t len, struct err *e)
{
	return spool_write(context, bytes, len, e);
}

/* One thread that reads one file after the other. */
struct reader {
	const struct content *content;
	struct hasher *hasher;
	/* Only for an archive, which is read in its own order for files that are wanted in ours: */
	size_t *by_content; /* indices of files, by the number of their content */
	size_t at;          /* in by_content: the next that is to come */
	uint64_t *spooled;  /* for each file: where it stands in the spool */
	struct spool *spool;
	size_t turn; /* the next file of the bundle */
};

/* Reads one file's content to its end; the rest of `stream` is filled in here. */
static int read_through(const struct reader *r, size_t i, struct digest_stream stream,
			struct err *e)
{
	const struct content *c = r->content;
	uint64_t size = 0;

	stream.source = c->source;
	stream.hasher = r->hasher;
	stream.progress = c->progress;
	stream.limit = UINT64_MAX;
	if (digest_read(&stream, &c->digests[i], &size, e) != 0)
		return -1;
	return size == c->scan->files[i].size ? 0 : file_changed(&c->scan->files[i], e);
}

static int begin_in_bundle(const struct content *c, size_t i, struct err *e)
{
	const struct scan_file *file = &c->scan->files[i];

	return bundle_begin(c->bundle, file->path, file->size, file->exec, e);
}

/* A directory into a bundle: any file can be read in its turn. */
static int read_in_turn(struct reader *r, struct err *e)
{
	const struct content *c = r->content;

	for (size_t i = 0; i < c->scan->count; i++) {
		const struct scan_file *file = &c->scan->files[i];
		const struct source_item expected = {.size = file->size, .stamp = file->stamp};
		struct source_file in;
		struct digest_stream stream = {.file = &in, .tee = to_bundle, .context = c->bundle};
		struct err late;
		if (source_file_open(c->source, file->content, &expected, &in, e) != 0)
			return -1;
		int status = begin_in_bundle(c, i, e);
		if (status == 0)
			status = read_through(r, i, stream, e);
		if (source_file_close(&in, status == 0 ? e : &late) != 0)
			status = -1;
		if (status != 0 || bundle_end(c->bundle, e) != 0)
			return -1;
	}
	return hasher_wait(r->hasher, e);
}

/* qsort() takes no context: sort pairs. */
struct content_key {
	uint64_t number;
	size_t index;
};

static int compare_key(const void *a, const void *b)
{
	const struct content_key *left = a, *right = b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return (left->index > right->index) - (left->index < right->index);
}

static int sort_by_content(struct reader *r, struct err *e)
{
	const struct scan *scan = r->content->scan;
	struct content_key *keys = calloc(scan->count, sizeof *keys);

	r->by_content = calloc(scan->count, sizeof *r->by_content);
	r->spooled = calloc(scan->count, sizeof *r->spooled);
	if (keys == NULL || r->by_content == NULL || r->spooled == NULL) {
		free(keys);
		return err_nomem(e);
	}
	for (size_t i = 0; i < scan->count; i++) {
		keys[i] = (struct content_key){scan->files[i].content_number, i};
		r->spooled[i] = NOT_SPOOLED;
	}
	qsort(keys, scan->count, sizeof *keys, compare_key);
	for (size_t i = 0; i < scan->count; i++)
		r->by_content[i] = keys[i].index;
	free(keys);
	return 0;
}

/* Writes to the bundle what has come already and is now due. */
static int write_due(struct reader *r, struct err *e)
{
	const struct content *c = r->content;

	for (; r->turn < c->scan->count && r->spooled[r->turn] != NOT_SPOOLED; r->turn++) {
		uint64_t at = r->spooled[r->turn], left = c->scan->files[r->turn].size;
		if (begin_in_bundle(c, r->turn, e) != 0)
			return -1;
		while (left > 0) {
			char block[16384];
			size_t n = left < sizeof block ? (size_t)left : sizeof block;
			if (spool_read(r->spool, at, block, n, e) != 0 ||
			    bundle_write(c->bundle, block, n, e) != 0)
				return -1;
			at += n;
			left -= n;
		}
		if (bundle_end(c->bundle, e) != 0)
			return -1;
	}
	return 0;
}

/* The member that has just been found is the content of `users` files from r->at on. */
static int take_member(struct reader *r, size_t users, struct err *e)
{
	const struct content *c = r->content;
	size_t first = r->by_content[r->at];
	struct digest_stream stream = {.tee = NULL};

	if (c->bundle == NULL)
		return read_through(r, first, stream, e);
	if (users == 1 && first == r->turn) {
		stream.tee = to_bundle;
		stream.context = c->bundle;
		if (begin_in_bundle(c, first, e) != 0 || read_through(r, first, stream, e) != 0 ||
		    bundle_end(c->bundle, e) != 0)
			return -1;
		r->turn++;
	} else {
		stream.tee = to_spool;
		stream.context = r->spool;
		for (size_t i = 0; i < users; i++)
			r->spooled[r->by_content[r->at + i]] = spool_position(r->spool);
		if (read_through(r, first, stream, e) != 0)
			return -1;
	}
	return write_due(r, e);
}

/* Files with one content have one set of digests. */
static int copy_digests(struct reader *r, struct err *e)
{
	const struct scan *scan = r->content->scan;
	struct filehash_digests *digests = r->content->digests;

	for (size_t i = 1; i < scan->count; i++) {
		size_t from = r->by_content[i - 1], to = r->by_content[i];
		if (scan->files[from].content_number != scan->files[to].content_number)
			continue;
		struct buf layer = BUF_INIT;
		buf_add(&layer, digests[from].layer.data, digests[from].layer.len);
		digests[to] = digests[from];
		digests[to].layer = layer;
		if (buf_check(&layer, e) != 0)
			return -1;
	}
	return 0;
}

static int read_members(struct reader *r, struct err *e)
{
	const struct content *c = r->content;
	const struct scan *scan = c->scan;
	struct source_item item;

	if (source_rewind(c->source, e) != 0)
		return -1;
	for (uint64_t number = 0; r->at < scan->count; number++) {
		int got = source_next(c->source, &item, e);
		if (got < 0)
			return -1;
		const struct scan_file *file = &scan->files[r->by_content[r->at]];
		if (got == 0 ||
		    (number == file->content_number && strcmp(item.path, file->content) != 0))
			return err_set(e, ERR_CHANGED, "'%s' changed while it was read",
				       source_name(c->source));
		if (number != file->content_number)
			continue;
		size_t users = 1;
		while (r->at + users < scan->count &&
		       scan->files[r->by_content[r->at + users]].content_number == number)
			users++;
		if (take_member(r, users, e) != 0)
			return -1;
		r->at += users;
	}
	return 0;
}

static int read_archive(struct reader *r, struct err *e)
{
	int status = -1;

	r->spool = spool_new(e);
	if (r->spool == NULL || sort_by_content(r, e) != 0 || read_members(r, e) != 0)
		goto out;
	if (hasher_wait(r->hasher, e) != 0)
		goto out;
	status = copy_digests(r, e);
out:
	spool_free(r->spool);
	free(r->by_content);
	free(r->spooled);
	return status;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

int content_read(const struct content *c, struct err *e)
{
	struct reader r = {.content = c};

	/* Only a directory's files can be read in any order, and only a bundle needs one. */
	if (c->bundle == NULL && source_is_directory(c->source))
		return hash_apart(c, e);
	r.hasher = hasher_new(c->pool, &c->hash, e);
	if (r.hasher == NULL)
		return -1;
	int status = source_is_directory(c->source) ? read_in_turn(&r, e) : read_archive(&r, e);
	/* Waits for what is being hashed into c->digests. */
	hasher_free(r.hasher);
	return status;
}
