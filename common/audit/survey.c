#include "swarm/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/digest.h"
#include "swarm/fold.h"
#include "swarm/grow.h"
#include "swarm/hasher.h"
#include "swarm/path.h"
#include "swarm/pool.h"
#include "swarm/stream.h"

/* --- what is looked at --------------------------------------------------------------------------
 */

bool survey_wants(const struct survey *s, const char *name)
{
	size_t index;

	return s->options->only_count == 0 ||
	       glob_list_match(s->options->only, s->options->only_count, name, false,
			       GLOB_NEGATES_BELOW, &index);
}

static size_t index_of(const struct survey *s, const struct entry *entry)
{
	return (size_t)(entry - s->listing->entries);
}

/* Whether files that are looked at should lie below `name`. */
static bool is_folder_of_release(const struct survey *s, const char *name)
{
	size_t low = 0, high = s->listing->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (path_compare(s->listing->entries[middle].path, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < s->listing->count && path_is_below(s->listing->entries[low].path, name); low++)
		if (survey_wants(s, s->listing->entries[low].path))
			return true;
	return false;
}

static int compare_size(const void *left, const void *right)
{
	uint64_t x = *(const uint64_t *)left, y = *(const uint64_t *)right;

	return (x > y) - (x < y);
}

/* The content of an extra file is of interest only if it can be that of a missing one. */
static bool may_have_moved(const struct survey *s, uint64_t size)
{
	return !s->options->fast && size > 0 && s->size_count > 0 &&
	       bsearch(&size, s->sizes, s->size_count, sizeof size, compare_size) != NULL;
}

static void note_sizes(struct survey *s, bool only_missing)
{
	s->size_count = 0;
	for (size_t i = 0; i < s->listing->count; i++)
		if (!only_missing || s->file_of[i] == SURVEY_NONE)
			s->sizes[s->size_count++] = s->listing->entries[i].size;
	if (s->size_count > 0)
		qsort(s->sizes, s->size_count, sizeof *s->sizes, compare_size);
}

/* --- names --------------------------------------------------------------------------------------
 */

static const char *keep(struct survey *s, const char *text)
{
	return arena_copy(&s->findings->arena, text, strlen(text));
}

/*
 * libarchive composes what some archives say to be UTF-8 (pax headers, .zip, .7z): a name that is
 * not in Unicode NFC comes out of them as another one.
 */
static int note_composed(struct survey *s, struct err *e)
{
	struct buf composed = BUF_INIT;
	int status = 0;

	for (size_t i = 0; status == 0 && i < s->listing->count; i++) {
		const char *path = s->listing->entries[i].path;
		if (fold_is_ascii(path))
			continue;
		status = fold_spelling(&composed, path, e);
		if (status != 0 || strcmp(composed.data, path) == 0)
			continue;
		const char *kept = keep(s, composed.data);
		status = kept != NULL ? names_put(&s->composed, kept, i, e) : err_nomem(e);
	}
	buf_release(&composed);
	return status;
}

/* What the release says of a name in the copy; NULL: nothing. */
static const struct entry *find_entry(const struct survey *s, const char *name)
{
	const struct entry *entry = listing_find(s->listing, name);
	size_t i;

	if (entry == NULL && names_get(&s->composed, name, &i))
		entry = &s->listing->entries[i];
	return entry;
}

/* --- going through the copy ---------------------------------------------------------------------
 */

/* An item of the copy, and what the release says of it. */
struct sighting {
	const struct source_item *item;
	const char *name;          /* without what --strip-components takes */
	const struct entry *entry; /* what it should be; NULL: nothing */
	bool silent;               /* no finding is to be made of it */
};

static struct survey_file *add_file(struct survey *s, const struct sighting *x, struct err *e)
{
	struct survey_file *more = grow_for_one(s->files, s->count, &s->cap, sizeof *more, e);

	if (more == NULL)
		return NULL;
	s->files = more;
	struct survey_file *p = &more[s->count];
	*p = (struct survey_file){.path = keep(s, x->item->path),
				  .entry = x->entry,
				  .size = x->item->size,
				  .same_as = SURVEY_NONE,
				  .exec = x->item->exec,
				  .silent = x->silent};
	if (p->path == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	p->name = p->path + (x->name - x->item->path);
	s->count++;
	return p;
}

/* The file that a hard link shares its content with; SURVEY_NONE if there is none. */
static size_t find_linked(const struct survey *s, const char *target)
{
	size_t found = SURVEY_NONE;
	char *path = strdup(target);

	if (path == NULL || !path_normalize(path) || !names_get(&s->by_path, path, &found))
		found = SURVEY_NONE;
	free(path);
	return found != SURVEY_NONE && s->files[found].same_as != SURVEY_NONE
		   ? s->files[found].same_as
		   : found;
}

/* Whether a link of an archive would, unpacked, lead out of where it is unpacked to. */
static bool leads_out(const struct source_item *item)
{
	size_t depth = 0;

	if (item->target[0] == '/')
		return true;
	for (const char *p = item->path; item->type == SOURCE_SYMLINK && *p != '\0'; p++)
		depth += *p == '/';
	for (const char *p = item->target; *p != '\0';) {
		size_t n = strcspn(p, "/");
		if (n == 2 && memcmp(p, "..", 2) == 0 && depth-- == 0)
			return true;
		if (n > 0 && !(n <= 2 && memcmp(p, "..", n) == 0))
			depth++;
		p += n;
		p += strspn(p, "/");
	}
	return false;
}

/* An entry that is NULL is fine. */
static void settle(struct survey *s, const struct entry *entry)
{
	if (entry != NULL)
		s->settled[index_of(s, entry)] = true;
}

static int note_broken(struct survey *s, const struct source_item *item, const char *name,
		       struct err *e)
{
	struct err why;

	/* It went while we looked: as if it had never been there. */
	if (item->error == ENOENT)
		return 0;
	const char *kept = keep(s, name);
	if (kept == NULL)
		return err_nomem(e);
	if (names_put(&s->broken, kept, 0, e) != 0)
		return -1;
	settle(s, find_entry(s, name));
	errno = item->error;
	(void)err_sys(&why, "cannot be read");
	return finding_add_reason(s->findings, FINDING_UNREADABLE, name, why.msg, e);
}

static int judge_nameless(struct survey *s, const struct source_item *item, struct err *e)
{
	if (item->type == SOURCE_DIRECTORY || s->options->ignore_extra)
		return 0;
	return finding_add_reason(s->findings, FINDING_EXTRA, item->path,
				  "no name is left of it after --strip-components", e);
}

/* Something that is no file. */
static int judge_other(struct survey *s, const struct sighting *x, struct err *e)
{
	const struct source_item *item = x->item;
	bool archived = !source_is_directory(s->copy);

	settle(s, x->entry);
	if (x->entry != NULL)
		return finding_add_reason(s->findings, FINDING_WRONG_TYPE, x->name,
					  source_type_name(item->type), e);
	if (item->type == SOURCE_DIRECTORY)
		return 0;
	if (archived && item->target != NULL && leads_out(item))
		return finding_add_reason(s->findings, FINDING_UNSAFE_PATH, x->name,
					  "a link that leads out of the copy", e);
	if (is_folder_of_release(s, x->name))
		return finding_add_reason(s->findings, FINDING_WRONG_TYPE, x->name,
					  item->type == SOURCE_SYMLINK
					      ? "a symbolic link where a directory should be"
					      : "not the directory that it should be",
					  e);
	if (s->options->ignore_extra || !survey_wants(s, x->name))
		return 0;
	return finding_add_reason(s->findings, FINDING_EXTRA, x->name, source_type_name(item->type),
				  e);
}

/* A file whose name is not the release's. Returns 1 if it is to be kept in mind, silent or not. */
static int judge_stranger(struct survey *s, struct sighting *x, struct err *e)
{
	bool wanted = survey_wants(s, x->name) && !s->options->ignore_extra;
	const char *why = path_unportable(x->name);

	if (is_folder_of_release(s, x->name))
		return finding_add_reason(s->findings, FINDING_WRONG_TYPE, x->name,
					  "a file where a directory should be", e);
	if (wanted && why != NULL)
		return finding_add_reason(s->findings, FINDING_UNSAFE_PATH, x->name, why, e);
	x->silent = !wanted;
	return wanted || may_have_moved(s, x->item->size);
}

/* A file whose name is the release's. Returns 1 if it is the first of this name. */
static int judge_member(struct survey *s, const struct sighting *x, struct err *e)
{
	if (s->file_of[index_of(s, x->entry)] == SURVEY_NONE)
		return 1;
	/* Programs that unpack disagree on which of the two counts. */
	return x->silent ? 0
			 : finding_add_reason(s->findings, FINDING_UNSAFE_PATH, x->name,
					      "the copy holds this name twice", e);
}

/* Takes the file down; its content is that of the file `same_as`, unless that is NONE. */
static struct survey_file *take_file(struct survey *s, const struct sighting *x, size_t same_as,
				     struct err *e)
{
	struct survey_file *p = add_file(s, x, e);

	if (p == NULL || (!source_is_directory(s->copy) &&
			  names_put(&s->by_path, p->path, s->count - 1, e) != 0))
		return NULL;
	if (x->entry != NULL)
		s->file_of[index_of(s, x->entry)] = s->count - 1;
	p->same_as = same_as;
	if (same_as != SURVEY_NONE)
		p->size = s->files[same_as].size;
	return p;
}

static int judge_file(struct survey *s, struct sighting *x, struct survey_file **ret_file,
		      struct err *e)
{
	bool linked = x->item->type == SOURCE_HARDLINK;
	size_t same_as = SURVEY_NONE;

	if (linked && (x->item->size > 0 || leads_out(x->item))) {
		settle(s, x->entry);
		return finding_add_reason(
		    s->findings, FINDING_UNSAFE_PATH, x->name,
		    "a hard link that leads out of the copy or brings content", e);
	}
	int keep_it = x->entry != NULL ? judge_member(s, x, e) : judge_stranger(s, x, e);
	if (keep_it <= 0)
		return keep_it;
	if (linked && (same_as = find_linked(s, x->item->target)) == SURVEY_NONE)
		return x->silent ? 0 : judge_other(s, x, e);
	*ret_file = take_file(s, x, same_as, e);
	return *ret_file != NULL ? 0 : -1;
}

/*
 * Decides what to make of an item; *ret_file is set to the file to be hashed, NULL if there is
 * none.
 */
static int judge(struct survey *s, const struct source_item *item, struct survey_file **ret_file,
		 struct err *e)
{
	bool is_file = item->type == SOURCE_FILE || item->type == SOURCE_HARDLINK;
	struct sighting x = {.item = item};

	*ret_file = NULL;
	if (item->unsafe)
		return finding_add_reason(s->findings, FINDING_UNSAFE_PATH, item->path,
					  "a name that leads out of the copy", e);
	x.name = path_strip(item->path, s->options->strip);
	if (x.name == NULL)
		return judge_nameless(s, item, e);
	if (item->type == SOURCE_BROKEN)
		return note_broken(s, item, x.name, e);
	x.entry = find_entry(s, x.name);
	x.silent = x.entry != NULL && !survey_wants(s, x.name);
	/* What --only leaves out may still be what a hard link leads to. */
	if (x.silent && (!is_file || source_is_directory(s->copy)))
		return 0;
	return is_file ? judge_file(s, &x, ret_file, e) : judge_other(s, &x, e);
}

/* --- reading ------------------------------------------------------------------------------------
 */

static struct filehash_options hash_options(const struct survey *s)
{
	return (struct filehash_options){s->listing->header.piece_length, !s->options->roots_only};
}

static bool is_to_be_read(const struct survey *s, const struct survey_file *p)
{
	if (s->options->fast || p->same_as != SURVEY_NONE)
		return false;
	return p->entry != NULL || may_have_moved(s, p->size);
}

static int list_directory(struct survey *s, struct err *e)
{
	struct source_item item;
	struct survey_file *file;
	int got;

	while ((got = source_next(s->copy, &item, e)) > 0)
		if (judge(s, &item, &file, e) != 0)
			return -1;
	return got;
}

static uint64_t file_size(void *context, size_t i)
{
	const struct survey *s = context;
	const struct survey_file *p = &s->files[i];
	uint64_t limit = p->entry != NULL ? p->entry->size : UINT64_MAX;

	if (!is_to_be_read(s, p))
		return DIGEST_SKIP;
	return p->size < limit ? p->size : limit;
}

static bool want_file(void *context, size_t i, struct digest_file *ret, struct source_item *room)
{
	const struct survey *s = context;
	const struct survey_file *p = &s->files[i];

	(void)room;
	*ret = (struct digest_file){.path = p->path,
				    .limit = p->entry != NULL ? p->entry->size : UINT64_MAX};
	return true;
}

bool survey_is_right(const struct entry *entry, const struct filehash_digests *d)
{
	if (d->size != entry->size || memcmp(d->root, entry->root, SHA256_SIZE) != 0)
		return false;
	return !entry->has_sha256 || !d->has_sha256 ||
	       memcmp(d->sha256, entry->sha256, SHA256_SIZE) == 0;
}

static struct filehash_digests *new_digests(void)
{
	struct filehash_digests *d = calloc(1, sizeof *d);

	if (d != NULL)
		buf_init(&d->layer);
	return d;
}

static int file_done(void *context, size_t i, struct filehash_digests *digests, uint64_t size,
		     const struct err *e)
{
	struct survey *s = context;
	struct survey_file *p = &s->files[i];

	if (e != NULL) {
		p->gone = e->code == ERR_SYSTEM && e->sys == ENOENT;
		/* Several threads come here, and the arena is for one. */
		p->error = strdup(e->msg);
		return 0;
	}
	p->found_size = size;
	p->hashed = true;
	/* Of most files that is all there is to know; a million digests would take as many bytes as
	 * the manifest. */
	p->right = p->entry != NULL && size == p->entry->size && survey_is_right(p->entry, digests);
	if (p->right)
		return 0;
	p->digests = new_digests();
	if (p->digests == NULL)
		return -1;
	*p->digests = *digests;
	buf_init(&digests->layer);
	return 0;
}

static uint64_t bytes_to_read(const struct survey *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->count; i++)
		if (is_to_be_read(s, &s->files[i]))
			sum += s->files[i].size;
	return sum;
}

static int read_directory(struct survey *s, struct pool *pool, struct err *e)
{
	struct digest_job job = {.source = s->copy,
				 .hash = hash_options(s),
				 .progress = s->options->progress,
				 .context = s,
				 .size = file_size,
				 .want = want_file,
				 .done = file_done};

	if (list_directory(s, e) != 0)
		return -1;
	note_sizes(s, true);
	job.count = s->count;
	progress_begin(s->options->progress, "checking", bytes_to_read(s));
	int status = digest_files(&job, pool, e);
	/* Not before: what is to be read is decided by what was listed. */
	for (size_t i = 0; i < s->count; i++)
		if (s->files[i].hashed)
			s->files[i].size = s->files[i].found_size;
	if (status == 0)
		return 0;
	/* file_done() gives up for one reason only. */
	return e->code != ERR_NONE ? -1 : err_nomem(e);
}

static int read_member(struct survey *s, struct hasher *hasher, struct survey_file *p,
		       struct err *e)
{
	struct stream stream = {.source = s->copy,
				.hasher = hasher,
				.progress = s->options->progress,
				.limit = p->entry != NULL ? p->entry->size : UINT64_MAX};

	p->digests = new_digests();
	if (p->digests == NULL)
		return err_nomem(e);
	uint64_t size = 0;
	int status = stream_read(&stream, p->digests, &size, e);
	/* The archive's word for what was not read. */
	if (size > stream.limit || p->size == 0)
		p->size = p->size > size ? p->size : size;
	else
		p->size = size;
	if (status == 0)
		return 0;
	p->error = strdup(e->msg);
	return -1;
}

/* An archive is hashed as it comes, before it is known which files are missing. */
static int read_archive(struct survey *s, struct pool *pool, struct err *e)
{
	struct filehash_options hash = hash_options(s);
	struct hasher *hasher = hasher_new(pool, &hash, e);
	struct source_item item;
	struct survey_file *file;
	struct err late;
	int got;

	if (hasher == NULL)
		return -1;
	progress_begin(s->options->progress, "checking", 0);
	while ((got = source_next(s->copy, &item, e)) > 0) {
		if (judge(s, &item, &file, e) != 0 || (file != NULL && is_to_be_read(s, file) &&
						       read_member(s, hasher, file, e) != 0)) {
			got = -1;
			break;
		}
	}
	if (hasher_wait(hasher, got == 0 ? e : &late) != 0)
		got = -1;
	hasher_free(hasher);
	/* What came before the damage can still be told. */
	if (got < 0 && e->code == ERR_MALFORMED) {
		s->failure = *e;
		return 0;
	}
	return got;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static int prepare(struct survey *s, struct err *e)
{
	size_t n = s->listing->count;
	bool any = false;

	s->file_of = calloc(n, sizeof *s->file_of);
	s->settled = calloc(n, sizeof *s->settled);
	s->sizes = calloc(n, sizeof *s->sizes);
	if (s->file_of == NULL || s->settled == NULL || s->sizes == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		s->file_of[i] = SURVEY_NONE;
		any = any || survey_wants(s, s->listing->entries[i].path);
	}
	if (!any)
		return err_set(e, ERR_USAGE, "--only matches no file of the manifest");
	note_sizes(s, false);
	return source_is_directory(s->copy) ? 0 : note_composed(s, e);
}

int survey_run(struct survey *s, struct err *e)
{
	if (prepare(s, e) != 0)
		return -1;
	struct pool *pool = pool_new(s->options->threads, e);
	if (pool == NULL)
		return -1;
	source_read_ahead(s->copy, pool);
	int status =
	    source_is_directory(s->copy) ? read_directory(s, pool, e) : read_archive(s, pool, e);
	progress_end(s->options->progress);
	pool_free(pool);
	return status;
}

void survey_release(struct survey *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->files[i].digests != NULL)
			filehash_release(s->files[i].digests);
		free(s->files[i].digests);
		free(s->files[i].error);
	}
	names_release(&s->composed);
	names_release(&s->by_path);
	free(s->files);
	free(s->file_of);
	free(s->settled);
	free(s->sizes);
	names_release(&s->broken);
}
