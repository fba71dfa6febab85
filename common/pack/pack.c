#include "swarm/pack.h"

#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/body.h"
#include "swarm/digest.h"
#include "swarm/document.h"
#include "swarm/entry.h"
#include "swarm/hasher.h"
#include "swarm/num.h"
#include "swarm/path.h"
#include "swarm/pool.h"
#include "swarm/spool.h"

#define WRITE_BLOCK ((size_t)256 * 1024)
#define NOT_SPOOLED UINT64_MAX

struct packer {
	struct source *source;
	const struct scan *scan;
	const struct pack_options *options;
	struct bundle *bundle; /* NULL if none is wanted */
	struct pool *pool;
	struct hasher *hasher;
	struct filehash_digests *digests; /* of each of scan->files */
};

/* --- a directory without a bundle: every thread takes files of its own -------------------------- */

struct crew {
	struct packer *packer;
	pthread_mutex_t lock;
	struct err err; /* the first */
};

static bool want_file(void *context, size_t i, struct digest_file *ret, struct source_item *room)
{
	const struct crew *crew = context;
	const struct scan_file *file = &crew->packer->scan->files[i];

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
	struct packer *p = crew->packer;
	struct err changed;

	(void)size;
	if (e == NULL && digests->size != p->scan->files[i].size) {
		(void)file_changed(&p->scan->files[i], &changed);
		e = &changed;
	}
	if (e == NULL) {
		p->digests[i] = *digests;
		buf_init(&digests->layer);
		return 0;
	}
	pthread_mutex_lock(&crew->lock);
	if (crew->err.code == ERR_NONE)
		crew->err = *e;
	pthread_mutex_unlock(&crew->lock);
	return -1;
}

static int hash_apart(struct packer *p, struct err *e)
{
	struct crew crew = {.packer = p, .err = {.code = ERR_NONE}};
	struct digest_job job = {.source = p->source,
				 .hash = {p->options->piece_length, p->options->plain},
				 .progress = p->options->progress,
				 .count = p->scan->count,
				 .context = &crew,
				 .want = want_file,
				 .done = file_done};

	pthread_mutex_init(&crew.lock, NULL);
	int status = digest_files(&job, p->pool, e);
	pthread_mutex_destroy(&crew.lock);
	if (crew.err.code != ERR_NONE)
		*e = crew.err;
	return status;
}

/* --- one reader: a bundle is written, or an archive is read ------------------------------------- */

static int to_bundle(void *context, const void *bytes, size_t len, struct err *e)
{
	return bundle_write(context, bytes, len, e);
}

static int to_spool(void *context, const void *bytes, size_t len, struct err *e)
{
	return spool_write(context, bytes, len, e);
}

/* Reads one file's content to its end; the rest of `stream` is filled in here. */
static int read_through(struct packer *p, size_t i, struct digest_stream stream, struct err *e)
{
	uint64_t size = 0;

	stream.source = p->source;
	stream.hasher = p->hasher;
	stream.progress = p->options->progress;
	stream.limit = UINT64_MAX;
	if (digest_read(&stream, &p->digests[i], &size, e) != 0)
		return -1;
	return size == p->scan->files[i].size ? 0 : file_changed(&p->scan->files[i], e);
}

static int begin_in_bundle(struct packer *p, size_t i, struct err *e)
{
	const struct scan_file *file = &p->scan->files[i];

	return bundle_begin(p->bundle, file->path, file->size, file->exec, e);
}

/* A directory into a bundle: any file can be read in its turn. */
static int read_in_turn(struct packer *p, struct err *e)
{
	for (size_t i = 0; i < p->scan->count; i++) {
		const struct scan_file *file = &p->scan->files[i];
		const struct source_item expected = {.size = file->size, .stamp = file->stamp};
		struct source_file in;
		struct digest_stream stream = {
		    .file = &in, .tee = to_bundle, .context = p->bundle};
		struct err late;
		if (source_file_open(p->source, file->content, &expected, &in, e) != 0)
			return -1;
		int status = begin_in_bundle(p, i, e);
		if (status == 0)
			status = read_through(p, i, stream, e);
		if (source_file_close(&in, status == 0 ? e : &late) != 0)
			status = -1;
		if (status != 0 || bundle_end(p->bundle, e) != 0)
			return -1;
	}
	return hasher_wait(p->hasher, e);
}

/* An archive being read in its own order, for files that are wanted in ours. */
struct reorder {
	struct packer *packer;
	size_t *by_content; /* indices of files, by the number of their content */
	size_t at;	    /* in by_content: the next that is to come */
	uint64_t *spooled;  /* for each file: where it stands in the spool */
	struct spool *spool;
	size_t turn; /* the next file of the bundle */
};

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

static int sort_by_content(struct reorder *r, struct err *e)
{
	const struct scan *scan = r->packer->scan;
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
static int write_due(struct reorder *r, struct err *e)
{
	struct packer *p = r->packer;

	for (; r->turn < p->scan->count && r->spooled[r->turn] != NOT_SPOOLED; r->turn++) {
		uint64_t at = r->spooled[r->turn], left = p->scan->files[r->turn].size;
		if (begin_in_bundle(p, r->turn, e) != 0)
			return -1;
		while (left > 0) {
			char block[16384];
			size_t n = left < sizeof block ? (size_t)left : sizeof block;
			if (spool_read(r->spool, at, block, n, e) != 0 ||
			    bundle_write(p->bundle, block, n, e) != 0)
				return -1;
			at += n;
			left -= n;
		}
		if (bundle_end(p->bundle, e) != 0)
			return -1;
	}
	return 0;
}

/* The member that has just been found is the content of `users` files from r->at on. */
static int take_member(struct reorder *r, size_t users, struct err *e)
{
	struct packer *p = r->packer;
	size_t first = r->by_content[r->at];
	struct digest_stream stream = {.tee = NULL};

	if (p->bundle == NULL)
		return read_through(p, first, stream, e);
	if (users == 1 && first == r->turn) {
		stream.tee = to_bundle;
		stream.context = p->bundle;
		if (begin_in_bundle(p, first, e) != 0 || read_through(p, first, stream, e) != 0 ||
		    bundle_end(p->bundle, e) != 0)
			return -1;
		r->turn++;
	} else {
		stream.tee = to_spool;
		stream.context = r->spool;
		for (size_t i = 0; i < users; i++)
			r->spooled[r->by_content[r->at + i]] = spool_position(r->spool);
		if (read_through(p, first, stream, e) != 0)
			return -1;
	}
	return write_due(r, e);
}

/* Files with one content have one set of digests. */
static int copy_digests(struct reorder *r, struct err *e)
{
	const struct scan *scan = r->packer->scan;
	struct filehash_digests *digests = r->packer->digests;

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

static int read_members(struct reorder *r, struct err *e)
{
	const struct packer *p = r->packer;
	const struct scan *scan = p->scan;
	struct source_item item;

	if (source_rewind(p->source, e) != 0)
		return -1;
	for (uint64_t number = 0; r->at < scan->count; number++) {
		int got = source_next(p->source, &item, e);
		if (got < 0)
			return -1;
		const struct scan_file *file = &scan->files[r->by_content[r->at]];
		if (got == 0 ||
		    (number == file->content_number && strcmp(item.path, file->content) != 0))
			return err_set(e, ERR_CHANGED, "'%s' changed while it was read",
				       source_name(p->source));
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

static int read_archive(struct packer *p, struct err *e)
{
	struct reorder r = {.packer = p};
	int status = -1;

	r.spool = spool_new(e);
	if (r.spool == NULL || sort_by_content(&r, e) != 0 || read_members(&r, e) != 0)
		goto out;
	if (hasher_wait(p->hasher, e) != 0)
		goto out;
	status = copy_digests(&r, e);
out:
	spool_free(r.spool);
	free(r.by_content);
	free(r.spooled);
	return status;
}

static int read_alone(struct packer *p, struct err *e)
{
	struct filehash_options hash = {p->options->piece_length, p->options->plain};

	p->hasher = hasher_new(p->pool, &hash, e);
	if (p->hasher == NULL)
		return -1;
	int status = source_is_directory(p->source) ? read_in_turn(p, e) : read_archive(p, e);
	/* Waits for what is being hashed into p->digests. */
	hasher_free(p->hasher);
	return status;
}

/* --- the inventory ------------------------------------------------------------------------------ */

static int count_bytes(const struct scan *scan, uint64_t *ret, struct err *e)
{
	*ret = 0;
	for (size_t i = 0; i < scan->count; i++)
		if (!num_add(*ret, scan->files[i].size, ret) || *ret > NUM_MAX)
			return err_set(e, ERR_REFUSED,
				       "the files add up to more than 2^53-1 bytes");
	return 0;
}

static void make_entry(const struct scan_file *file, const struct filehash_digests *digests,
		       struct entry *ret)
{
	*ret = (struct entry){.path = file->path,
			      .size = file->size,
			      .label = file->label,
			      .has_sha256 = digests->has_sha256,
			      .pieces = (const uint8_t *)digests->layer.data,
			      .piece_count = digests->layer.len / SHA256_SIZE,
			      .exec = file->exec,
			      .type = file->rule != NULL ? file->rule->type : NULL,
			      .cache = file->rule != NULL ? file->rule->cache : NULL,
			      .hot = ENTRY_NOT_HOT};
	memcpy(ret->sha256, digests->sha256, SHA256_SIZE);
	memcpy(ret->root, digests->root, SHA256_SIZE);
}

static int write_inventory(const struct packer *p, struct outfile *out, struct err *e)
{
	struct header header = {.kind = HEADER_INVENTORY,
				.piece_length = p->options->piece_length,
				.files = p->scan->count};
	struct buf text = BUF_INIT;
	int status = -1;

	if (count_bytes(p->scan, &header.bytes, e) != 0)
		return -1;
	header_format(&text, &header);
	buf_addc(&text, '\n');
	for (size_t i = 0; i < p->scan->count; i++) {
		struct entry entry;
		make_entry(&p->scan->files[i], &p->digests[i], &entry);
		entry_format(&text, &entry);
		buf_addc(&text, '\n');
		if (text.len < WRITE_BLOCK)
			continue;
		if (buf_check(&text, e) != 0 || outfile_write(out, text.data, text.len, e) != 0)
			goto out;
		buf_clear(&text);
	}
	if (buf_check(&text, e) == 0)
		status = outfile_write(out, text.data, text.len, e);
out:
	buf_release(&text);
	return status;
}

/* --- the whole ---------------------------------------------------------------------------------- */

int pack_run(struct source *source, const struct scan *scan, const struct pack_options *options,
	     struct bundle *bundle, struct outfile *inventory, struct err *e)
{
	struct packer p = {.source = source, .scan = scan, .options = options, .bundle = bundle};
	uint64_t total = 0;
	int status = -1;

	if (count_bytes(scan, &total, e) != 0)
		return -1;
	p.digests = calloc(scan->count, sizeof *p.digests);
	if (p.digests == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < scan->count; i++)
		buf_init(&p.digests[i].layer);
	p.pool = pool_new(options->threads, e);
	if (p.pool == NULL)
		goto out;
	progress_begin(options->progress, "hashing", total);
	bool apart = bundle == NULL && source_is_directory(source);
	status = apart ? hash_apart(&p, e) : read_alone(&p, e);
	progress_end(options->progress);
	if (status == 0)
		status = write_inventory(&p, inventory, e);
out:
	pool_free(p.pool);
	for (size_t i = 0; i < scan->count; i++)
		filehash_release(&p.digests[i]);
	free(p.digests);
	return status;
}

int pack_like(const char *path, uint64_t *ret_piece_length, struct err *e)
{
	struct body *body = NULL;
	int status = -1;
	struct document *d = document_open(path, e);

	if (d == NULL)
		return -1;
	body = document_body(d, e);
	if (body != NULL) {
		*ret_piece_length = body_header(body)->piece_length;
		status = 0;
	}
	body_close(body);
	document_close(d);
	return status;
}

/* The folder that `path` is to stand in, by its real name; NULL if there is none yet. */
static char *real_folder(const char *path)
{
	char *copy = strdup(path);
	char *real = copy != NULL ? realpath(dirname(copy), NULL) : NULL;

	free(copy);
	return real;
}

int pack_check_output(const struct source *source, const struct scan_options *options,
		      const char *path, struct err *e)
{
	struct buf name = BUF_INIT;
	struct rules_verdict verdict = {.labelled = false};
	int status = 0;
	char *folder = real_folder(path);
	char *tree = realpath(source_name(source), NULL);

	if (folder == NULL || tree == NULL || !source_is_directory(source))
		goto out;
	size_t len = strlen(tree);
	while (len > 0 && tree[len - 1] == '/')
		len--;
	if (strncmp(folder, tree, len) != 0 || (folder[len] != '/' && folder[len] != '\0'))
		goto out;
	/* Its name in the tree; a bundle's folder has a slash at its end. */
	buf_addf(&name, "%s/", folder + len);
	char *copy = strdup(path);
	if (copy == NULL || name.failed) {
		free(copy);
		status = err_nomem(e);
		goto out;
	}
	buf_adds(&name, basename(copy));
	free(copy);
	const char *inside = path_strip(name.data + 1, options->strip);
	bool is_folder = path[strlen(path) - 1] == '/';
	if (inside != NULL)
		rules_decide(options->rules, inside, is_folder, &verdict);
	if (!verdict.labelled || verdict.label != LABEL_PRIVATE)
		status = err_set(e, ERR_USAGE,
				 "the output '%s' would lie in the tree that is packed: write it "
				 "elsewhere, or label it private",
				 path);
out:
	buf_release(&name);
	free(folder);
	free(tree);
	return status;
}
