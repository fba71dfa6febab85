#include "swarm/content.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/digest.h"
#include "swarm/hasher.h"
#include "swarm/lookout.h"
#include "swarm/passage.h"
#include "swarm/reuse.h"
#include "swarm/spool.h"
#include "swarm/stream.h"
#include "swarm/watcher.h"

#define NOT_SPOOLED UINT64_MAX

/* --- what is in an open file ------------------------------------------------------------------ */

static ssize_t read_file_at(void *context, uint64_t offset, void *to, size_t len, struct err *e)
{
	return source_file_read_at(context, offset, to, len, e);
}

/* Looks into an open file that starts like this; NULL for a lookout: nobody does. */
static int inspect_file(struct lookout *l, size_t i, struct source_file *file, const uint8_t *first,
			size_t len, struct err *e)
{
	struct probe p = {.size = file->size,
			  .first = first,
			  .first_len = len,
			  .read_at = read_file_at,
			  .context = file};

	return l != NULL && lookout_knows(l, &i, 1, first, len) ? lookout_inspect(l, &i, 1, &p, e)
								: 0;
}

/* --- a directory without a bundle: every thread takes files of its own --------------------------
 */

/* By number of the file. */
struct marks {
	bool *known; /* by the cache: not to be read */
	bool *done;  /* read to its end, and not changed meanwhile */
};

struct crew {
	const struct content *content;
	struct lookout *lookout;
	const bool *known; /* by the cache */
	bool *done;
	pthread_mutex_t lock;
	struct err err; /* the first */
};

static void keep_failure(struct crew *crew, const struct err *e)
{
	pthread_mutex_lock(&crew->lock);
	if (crew->err.code == ERR_NONE)
		crew->err = *e;
	pthread_mutex_unlock(&crew->lock);
}

static uint64_t file_size(void *context, size_t i)
{
	const struct crew *crew = context;

	return crew->known[i] ? DIGEST_SKIP : crew->content->scan->files[i].size;
}

static bool want_file(void *context, size_t i, struct digest_file *ret, struct source_item *room)
{
	struct crew *crew = context;
	const struct scan_file *file = &crew->content->scan->files[i];
	struct err e;

	*room = (struct source_item){.size = file->size, .stamp = file->stamp};
	*ret = (struct digest_file){.path = file->content, .expected = room, .limit = UINT64_MAX};
	if (crew->lookout == NULL)
		return true;
	ret->onlooker = lookout_take(crew->lookout, &i, 1, &e);
	if (ret->onlooker == NULL)
		keep_failure(crew, &e);
	return ret->onlooker != NULL;
}

static int look_into(void *context, size_t i, struct source_file *file, const uint8_t *first,
		     size_t first_len, struct err *e)
{
	const struct crew *crew = context;

	return inspect_file(crew->lookout, i, file, first, first_len, e);
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
		crew->done[i] = true;
		return 0;
	}
	keep_failure(crew, e);
	return -1;
}

static int hash_apart(const struct content *c, struct lookout *lookout, const struct marks *marks,
		      struct err *e)
{
	struct crew crew = {.content = c,
			    .lookout = lookout,
			    .known = marks->known,
			    .done = marks->done,
			    .err = {.code = ERR_NONE}};
	struct digest_job job = {.source = c->source,
				 .hash = {c->hash.piece_length, c->hash.plain},
				 .progress = c->progress,
				 .count = c->scan->count,
				 .context = &crew,
				 .size = file_size,
				 .want = want_file,
				 .look = look_into,
				 .done = file_done};

	pthread_mutex_init(&crew.lock, NULL);
	int status = digest_files(&job, c->pool, e);
	pthread_mutex_destroy(&crew.lock);
	if (crew.err.code == ERR_NONE)
		return status;
	*e = crew.err;
	return -1;
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
	struct lookout *lookout;
	struct hasher *hasher;
	/* Only for an archive, which is read in its own order for files that are wanted in ours: */
	size_t *by_content; /* indices of files, by the number of their content */
	size_t at;          /* in by_content: the next that is to come */
	uint64_t *spooled;  /* for each file: where it stands in the spool */
	struct spool *spool;
	size_t turn; /* the next file of the bundle */
};

/* The onlooker for content of these files; NULL where there are no guards. */
static int look_on(const struct reader *r, const size_t *indices, size_t n, struct onlooker **ret,
		   struct err *e)
{
	*ret = NULL;
	if (r->lookout != NULL)
		*ret = lookout_take(r->lookout, indices, n, e);
	return r->lookout == NULL || *ret != NULL ? 0 : -1;
}

/* Reads one file's content to its end; the rest of `stream` is filled in here. */
static int read_through(const struct reader *r, size_t i, struct stream stream, struct err *e)
{
	const struct content *c = r->content;
	uint64_t size = 0;

	stream.source = c->source;
	stream.hasher = r->hasher;
	stream.progress = c->progress;
	stream.limit = UINT64_MAX;
	if (stream_read(&stream, &c->digests[i], &size, e) != 0)
		return -1;
	return size == c->scan->files[i].size ? 0 : file_changed(&c->scan->files[i], e);
}

static int begin_in_bundle(const struct content *c, size_t i, struct err *e)
{
	const struct scan_file *file = &c->scan->files[i];

	return bundle_begin(c->bundle, file->path, file->size, file->exec, e);
}

/* Once its content has gone elsewhere. */
static int inspect_again(struct lookout *l, size_t i, struct source_file *file, struct err *e)
{
	uint8_t first[WATCHER_START];
	ssize_t n = source_file_read_at(file, 0, first, sizeof first, e);

	return n >= 0 ? inspect_file(l, i, file, first, (size_t)n, e) : -1;
}

/* A directory into a bundle: any file can be read in its turn. */
static int read_in_turn(struct reader *r, struct err *e)
{
	const struct content *c = r->content;

	for (size_t i = 0; i < c->scan->count; i++) {
		const struct scan_file *file = &c->scan->files[i];
		const struct source_item expected = {.size = file->size, .stamp = file->stamp};
		struct source_file in;
		struct stream stream = {.file = &in, .tee = to_bundle, .context = c->bundle};
		struct err late;
		if (source_file_open(c->source, file->content, &expected, &in, e) != 0)
			return -1;
		int status = begin_in_bundle(c, i, e);
		if (status == 0)
			status = look_on(r, &i, 1, &stream.onlooker, e);
		if (status == 0)
			status = read_through(r, i, stream, e);
		if (status == 0 && r->lookout != NULL)
			status = inspect_again(r->lookout, i, &in, e);
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

/* Reads the member that has just been found, for all its users. */
static int read_member(struct reader *r, size_t users,
		       int (*tee)(void *, const void *, size_t, struct err *), void *context,
		       struct err *e)
{
	const size_t *indices = &r->by_content[r->at];
	struct passage p = {.lookout = r->lookout,
			    .indices = indices,
			    .count = users,
			    .size = r->content->scan->files[*indices].size,
			    .tee = tee,
			    .context = context};
	struct stream stream = {.tee = passage_see, .context = &p};

	if (look_on(r, indices, users, &stream.onlooker, e) != 0)
		return -1;
	int status = read_through(r, *indices, stream, e);
	if (status == 0)
		status = passage_end(&p, e);
	passage_release(&p);
	return status;
}

/* The member that has just been found is the content of `users` files from r->at on. */
static int take_member(struct reader *r, size_t users, struct err *e)
{
	const struct content *c = r->content;
	size_t first = r->by_content[r->at];

	if (c->bundle == NULL)
		return read_member(r, users, NULL, NULL, e);
	if (users == 1 && first == r->turn) {
		if (begin_in_bundle(c, first, e) != 0 ||
		    read_member(r, users, to_bundle, c->bundle, e) != 0 ||
		    bundle_end(c->bundle, e) != 0)
			return -1;
		r->turn++;
	} else {
		for (size_t i = 0; i < users; i++)
			r->spooled[r->by_content[r->at + i]] = spool_position(r->spool);
		if (read_member(r, users, to_spool, r->spool, e) != 0)
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

static int read_by_one(const struct content *c, struct lookout *lookout, struct err *e)
{
	struct reader r = {.content = c, .lookout = lookout};

	r.hasher = hasher_new(c->pool, &c->hash, e);
	if (r.hasher == NULL)
		return -1;
	int status = source_is_directory(c->source) ? read_in_turn(&r, e) : read_archive(&r, e);
	/* Waits for what is being hashed into c->digests. */
	hasher_free(r.hasher);
	return status;
}

static int read_all(const struct content *c, const struct marks *marks, struct err *e)
{
	struct lookout *lookout = NULL;

	bool guarded = c->guards != NULL && guards_look_inside(c->guards);

	if (guarded && (lookout = lookout_new(c->guards, c->scan, c->hits, e)) == NULL)
		return -1;
	/* Only a directory's files can be read in any order, and only a bundle needs one. */
	int status = c->bundle == NULL && source_is_directory(c->source)
			 ? hash_apart(c, lookout, marks, e)
			 : read_by_one(c, lookout, e);
	lookout_free(lookout);
	return status;
}

static int read_unknown(const struct content *c, const struct marks *marks, struct err *e)
{
	struct err late;
	bool apart = c->bundle == NULL && source_is_directory(c->source);

	if (c->cache == NULL || !apart)
		return read_all(c, marks, e);
	if (reuse_find(c, marks->known, e) != 0)
		return -1;
	for (size_t i = 0; i < c->scan->count; i++)
		if (marks->known[i])
			progress_add(c->progress, c->scan->files[i].size);
	int status = read_all(c, marks, e);
	/* A release does not fail for want of memory for what the next run could save. */
	(void)!reuse_remember(c, marks->done, &late);
	return status;
}

int content_read(const struct content *c, struct err *e)
{
	struct marks marks = {.known = calloc(c->scan->count + 1, sizeof *marks.known),
			      .done = calloc(c->scan->count + 1, sizeof *marks.done)};
	int status =
	    marks.known != NULL && marks.done != NULL ? read_unknown(c, &marks, e) : err_nomem(e);

	free(marks.known);
	free(marks.done);
	return status;
}
