#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/digest.h"
#include "swarm/hasher.h"
#include "swarm/path.h"
#include "swarm/pool.h"

#define NONE SIZE_MAX

/* A file that the copy holds. */
struct probe {
	const char *path;	   /* its name in the copy */
	const char *name;	   /* without what --strip-components takes */
	const struct entry *entry; /* what it should be; NULL: extra */
	char *error;		   /* why it could not be read; NULL if it could */
	uint64_t size;
	struct filehash_digests *digests; /* NULL: it was not hashed */
	size_t same_as; /* of a hard link: the probe that has the content; else NONE */
	bool exec, gone;
	bool taken; /* of an extra one: it is the new place of a missing file */
};

struct auditor {
	const struct listing *listing;
	struct source *copy;
	const struct audit_options *options;
	struct audit *out;
	size_t finding_cap;
	struct probe *probes;
	size_t count, cap;
	size_t *probe_of; /* for each entry: its probe, or NONE */
	bool *settled;	  /* for each entry: a finding was made already */
	uint64_t *sizes;  /* of the files whose content may turn up elsewhere, sorted */
	size_t size_count;
	const char **broken; /* paths below which nothing is known */
	size_t broken_count;
	struct pool *pool;
};

/* --- findings ----------------------------------------------------------------------------------- */

static int add(struct auditor *a, const struct finding *finding, struct err *e)
{
	struct audit *out = a->out;

	out->counts[finding->kind]++;
	if (out->count == a->finding_cap) {
		size_t want = a->finding_cap == 0 ? 64 : a->finding_cap * 2;
		struct finding *more = reallocarray(out->findings, want, sizeof *more);
		if (more == NULL) {
			free(finding->pieces);
			return err_nomem(e);
		}
		out->findings = more;
		a->finding_cap = want;
	}
	out->findings[out->count++] = *finding;
	return 0;
}

static const char *keep(struct auditor *a, const char *text)
{
	return text != NULL ? arena_copy(&a->out->arena, text, strlen(text)) : NULL;
}

static int add_simple(struct auditor *a, enum finding_kind kind, const char *path, const char *why,
		      struct err *e)
{
	struct finding finding = {.kind = kind, .path = keep(a, path), .why = keep(a, why)};

	if (finding.path == NULL || (why != NULL && finding.why == NULL))
		return err_nomem(e);
	return add(a, &finding, e);
}

/* --- what is looked at -------------------------------------------------------------------------- */

static bool is_wanted(const struct auditor *a, const char *name)
{
	size_t index;

	return a->options->only_count == 0 ||
	       glob_list_match(a->options->only, a->options->only_count, name, false, &index);
}

static size_t index_of(const struct auditor *a, const struct entry *entry)
{
	return (size_t)(entry - a->listing->entries);
}

/* Whether files of the release lie below `name`. */
static bool is_folder_of_release(const struct auditor *a, const char *name)
{
	size_t low = 0, high = a->listing->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (path_compare(a->listing->entries[middle].path, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < a->listing->count && path_is_below(a->listing->entries[low].path, name);
}

static int compare_size(const void *left, const void *right)
{
	uint64_t x = *(const uint64_t *)left, y = *(const uint64_t *)right;

	return (x > y) - (x < y);
}

/* The content of an extra file is of interest only if it can be that of a missing one. */
static bool may_have_moved(const struct auditor *a, uint64_t size)
{
	return !a->options->fast && size > 0 && a->size_count > 0 &&
	       bsearch(&size, a->sizes, a->size_count, sizeof size, compare_size) != NULL;
}

static void note_sizes(struct auditor *a, bool only_missing)
{
	a->size_count = 0;
	for (size_t i = 0; i < a->listing->count; i++)
		if (!only_missing || a->probe_of[i] == NONE)
			a->sizes[a->size_count++] = a->listing->entries[i].size;
	if (a->size_count > 0)
		qsort(a->sizes, a->size_count, sizeof *a->sizes, compare_size);
}

/* --- going through the copy --------------------------------------------------------------------- */

static struct probe *add_probe(struct auditor *a, const struct source_item *item, const char *name,
			       const struct entry *entry, struct err *e)
{
	if (a->count == a->cap) {
		size_t want = a->cap == 0 ? 64 : a->cap * 2;
		struct probe *more = reallocarray(a->probes, want, sizeof *more);
		if (more == NULL) {
			(void)err_nomem(e);
			return NULL;
		}
		a->probes = more;
		a->cap = want;
	}
	struct probe *p = &a->probes[a->count];
	*p = (struct probe){.path = keep(a, item->path),
			    .entry = entry,
			    .size = item->size,
			    .same_as = NONE,
			    .exec = item->exec};
	if (p->path == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	p->name = p->path + (name - item->path);
	a->count++;
	return p;
}

/* The probe that a hard link of an archive shares its content with; NONE if there is none. */
static size_t find_linked(const struct auditor *a, const char *target)
{
	size_t found = NONE;
	char *path = strdup(target);

	if (path != NULL && path_normalize(path)) {
		const char *name = path_strip(path, a->options->strip);
		const struct entry *entry = name != NULL ? listing_find(a->listing, name) : NULL;
		if (entry != NULL)
			found = a->probe_of[index_of(a, entry)];
	}
	free(path);
	return found != NONE && a->probes[found].same_as != NONE ? a->probes[found].same_as : found;
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

/* Something that is no file. */
static int judge_other(struct auditor *a, const struct source_item *item, const char *name,
		       const struct entry *entry, struct err *e)
{
	bool archived = !source_is_directory(a->copy);

	if (entry != NULL) {
		a->settled[index_of(a, entry)] = true;
		return add_simple(a, FINDING_WRONG_TYPE, name, source_type_name(item->type), e);
	}
	if (item->type == SOURCE_DIRECTORY)
		return 0;
	if (archived && item->target != NULL && leads_out(item))
		return add_simple(a, FINDING_UNSAFE_PATH, name, "a link that leads out of the copy",
				  e);
	if (is_folder_of_release(a, name))
		return add_simple(a, FINDING_WRONG_TYPE, name,
				  item->type == SOURCE_SYMLINK
				      ? "a symbolic link where a directory should be"
				      : "not the directory that it should be",
				  e);
	if (a->options->ignore_extra || !is_wanted(a, name))
		return 0;
	return add_simple(a, FINDING_EXTRA, name, source_type_name(item->type), e);
}

/* A name that is not the release's. */
static int judge_stranger(struct auditor *a, const struct source_item *item, const char *name,
			  bool *ret_probe, struct err *e)
{
	const char *why = path_unportable(name);

	*ret_probe = false;
	if (!is_wanted(a, name))
		return 0;
	if (is_folder_of_release(a, name))
		return add_simple(a, FINDING_WRONG_TYPE, name, "a file where a directory should be",
				  e);
	if (why != NULL && !a->options->ignore_extra)
		return add_simple(a, FINDING_UNSAFE_PATH, name, why, e);
	*ret_probe = !a->options->ignore_extra || may_have_moved(a, item->size);
	return 0;
}

static int note_broken(struct auditor *a, const struct source_item *item, const char *name,
		       struct err *e)
{
	struct err why;

	/* It went while we looked: as if it had never been there. */
	if (item->error == ENOENT)
		return 0;
	const char **more = reallocarray(a->broken, a->broken_count + 1, sizeof *more);
	if (more == NULL)
		return err_nomem(e);
	a->broken = more;
	a->broken[a->broken_count] = keep(a, name);
	if (a->broken[a->broken_count] == NULL)
		return err_nomem(e);
	a->broken_count++;
	const struct entry *entry = listing_find(a->listing, name);
	if (entry != NULL)
		a->settled[index_of(a, entry)] = true;
	errno = item->error;
	(void)err_sys(&why, "cannot be read");
	return add_simple(a, FINDING_UNREADABLE, name, why.msg, e);
}

/*
 * Decides what to make of an item; *ret_probe is set to the probe to be hashed, NULL if there is
 * none.
 */
static int judge(struct auditor *a, const struct source_item *item, struct probe **ret_probe,
		 struct err *e)
{
	*ret_probe = NULL;
	if (item->unsafe)
		return add_simple(a, FINDING_UNSAFE_PATH, item->path,
				  "a name that leads out of the copy", e);
	const char *name = path_strip(item->path, a->options->strip);
	if (name == NULL)
		return item->type == SOURCE_DIRECTORY || a->options->ignore_extra
			   ? 0
			   : add_simple(a, FINDING_EXTRA, item->path,
					"no name is left of it after --strip-components", e);
	if (item->type == SOURCE_BROKEN)
		return note_broken(a, item, name, e);
	const struct entry *entry = listing_find(a->listing, name);
	if (entry != NULL && !is_wanted(a, name))
		return 0;
	if (item->type != SOURCE_FILE && item->type != SOURCE_HARDLINK)
		return judge_other(a, item, name, entry, e);
	if (item->type == SOURCE_HARDLINK && (item->size > 0 || leads_out(item)))
		return add_simple(a, FINDING_UNSAFE_PATH, name,
				  "a hard link that leads out of the copy or brings content", e);
	bool wanted = entry != NULL;
	if (entry == NULL && judge_stranger(a, item, name, &wanted, e) != 0)
		return -1;
	if (!wanted)
		return 0;
	/* Programs that unpack disagree on which of the two counts. */
	if (entry != NULL && a->probe_of[index_of(a, entry)] != NONE)
		return add_simple(a, FINDING_UNSAFE_PATH, name, "the copy holds this name twice", e);
	size_t same_as = item->type == SOURCE_HARDLINK ? find_linked(a, item->target) : NONE;
	if (item->type == SOURCE_HARDLINK && same_as == NONE)
		return judge_other(a, item, name, entry, e);
	struct probe *p = add_probe(a, item, name, entry, e);
	if (p == NULL)
		return -1;
	if (entry != NULL)
		a->probe_of[index_of(a, entry)] = a->count - 1;
	p->same_as = same_as;
	if (same_as != NONE)
		p->size = a->probes[same_as].size;
	*ret_probe = p;
	return 0;
}

/* --- reading ------------------------------------------------------------------------------------ */

static struct filehash_options hash_options(const struct auditor *a)
{
	return (struct filehash_options){a->listing->header.piece_length, !a->options->roots_only};
}

static bool is_to_be_read(const struct auditor *a, const struct probe *p)
{
	if (a->options->fast || p->same_as != NONE)
		return false;
	return p->entry != NULL || may_have_moved(a, p->size);
}

static int list_directory(struct auditor *a, struct err *e)
{
	struct source_item item;
	struct probe *probe;
	int got;

	while ((got = source_next(a->copy, &item, e)) > 0)
		if (judge(a, &item, &probe, e) != 0)
			return -1;
	return got;
}

static bool want_probe(void *context, size_t i, struct digest_file *ret, struct source_item *room)
{
	const struct auditor *a = context;
	const struct probe *p = &a->probes[i];

	(void)room;
	*ret = (struct digest_file){
	    .path = p->path, .limit = p->entry != NULL ? p->entry->size : UINT64_MAX};
	return is_to_be_read(a, p);
}

static struct filehash_digests *new_digests(void)
{
	struct filehash_digests *d = calloc(1, sizeof *d);

	if (d != NULL)
		buf_init(&d->layer);
	return d;
}

static int probe_done(void *context, size_t i, struct filehash_digests *digests, uint64_t size,
		      const struct err *e)
{
	struct auditor *a = context;
	struct probe *p = &a->probes[i];

	if (e != NULL) {
		p->gone = e->code == ERR_SYSTEM && e->sys == ENOENT;
		/* Several threads come here, and the arena is for one. */
		p->error = strdup(e->msg);
		return 0;
	}
	p->size = size;
	p->digests = new_digests();
	if (p->digests == NULL)
		return -1;
	*p->digests = *digests;
	buf_init(&digests->layer);
	return 0;
}

static uint64_t bytes_to_read(const struct auditor *a)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < a->count; i++)
		if (is_to_be_read(a, &a->probes[i]))
			sum += a->probes[i].size;
	return sum;
}

static int read_directory(struct auditor *a, struct err *e)
{
	struct digest_job job = {.source = a->copy,
				 .hash = hash_options(a),
				 .progress = a->options->progress,
				 .context = a,
				 .want = want_probe,
				 .done = probe_done};

	if (list_directory(a, e) != 0)
		return -1;
	note_sizes(a, true);
	job.count = a->count;
	progress_begin(a->options->progress, "checking", bytes_to_read(a));
	return digest_files(&job, a->pool, e);
}

static int read_member(struct auditor *a, struct hasher *hasher, struct probe *p, struct err *e)
{
	struct digest_stream stream = {.source = a->copy,
				       .hasher = hasher,
				       .progress = a->options->progress,
				       .limit = p->entry != NULL ? p->entry->size : UINT64_MAX};

	p->digests = new_digests();
	if (p->digests == NULL)
		return err_nomem(e);
	if (digest_read(&stream, p->digests, &p->size, e) == 0)
		return 0;
	p->error = strdup(e->msg);
	return -1;
}

/* An archive is hashed as it comes, before it is known which files are missing. */
static int read_archive(struct auditor *a, struct err *e)
{
	struct filehash_options hash = hash_options(a);
	struct hasher *hasher = hasher_new(a->pool, &hash, e);
	struct source_item item;
	struct probe *probe;
	struct err late;
	int got;

	if (hasher == NULL)
		return -1;
	progress_begin(a->options->progress, "checking", 0);
	while ((got = source_next(a->copy, &item, e)) > 0) {
		if (judge(a, &item, &probe, e) != 0 ||
		    (probe != NULL && is_to_be_read(a, probe) &&
		     read_member(a, hasher, probe, e) != 0)) {
			got = -1;
			break;
		}
	}
	if (hasher_wait(hasher, got == 0 ? e : &late) != 0)
		got = -1;
	hasher_free(hasher);
	/* What came before the damage can still be told. */
	if (got < 0 && e->code == ERR_MALFORMED) {
		a->out->failure = *e;
		return 0;
	}
	return got;
}

/* --- comparing ---------------------------------------------------------------------------------- */

/* The hash of the i-th piece of what was found, or NULL if it has no comparable one. */
static const uint8_t *found_piece(const struct filehash_digests *d, uint64_t i, uint64_t piece_length)
{
	if (i < d->layer.len / SHA256_SIZE)
		return (const uint8_t *)d->layer.data + i * SHA256_SIZE;
	/* Exactly one whole piece has no layer: its root is the piece's hash. */
	return i == 0 && d->size == piece_length ? d->root : NULL;
}

static int find_bad_pieces(const struct entry *entry, const struct filehash_digests *d,
			   struct finding *ret, struct err *e)
{
	uint64_t count = merkle_pieces(entry->size, ret->piece_length);
	size_t cap = 0;

	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *want = entry->piece_count > 0 ? entry->pieces + i * SHA256_SIZE
							     : entry->root;
		const uint8_t *have = entry->piece_count > 0 ? found_piece(d, i, ret->piece_length)
				      : d->size == entry->size ? d->root
							       : NULL;
		if (have != NULL && memcmp(want, have, SHA256_SIZE) == 0)
			continue;
		if (ret->piece_count > 0 && ret->pieces[ret->piece_count - 1].last + 1 == i) {
			ret->pieces[ret->piece_count - 1].last = i;
			continue;
		}
		if (ret->piece_count == cap) {
			size_t want_cap = cap == 0 ? 4 : cap * 2;
			struct finding_pieces *more =
			    reallocarray(ret->pieces, want_cap, sizeof *more);
			if (more == NULL)
				return err_nomem(e);
			ret->pieces = more;
			cap = want_cap;
		}
		ret->pieces[ret->piece_count++] = (struct finding_pieces){i, i};
	}
	return 0;
}

static bool is_right(const struct entry *entry, const struct filehash_digests *d)
{
	if (d->size != entry->size || memcmp(d->root, entry->root, SHA256_SIZE) != 0)
		return false;
	return !entry->has_sha256 || !d->has_sha256 ||
	       memcmp(d->sha256, entry->sha256, SHA256_SIZE) == 0;
}

static int settle_probe(struct auditor *a, const struct entry *entry, const struct probe *p,
			struct err *e)
{
	const struct probe *content = p->same_as != NONE ? &a->probes[p->same_as] : p;
	bool same_size = content->size == entry->size;
	struct finding finding = {.kind = FINDING_CORRUPT,
				  .path = entry->path,
				  .size = entry->size,
				  .found_size = content->size,
				  .piece_length = a->listing->header.piece_length};

	if (p->gone)
		return add_simple(a, FINDING_MISSING, entry->path, NULL, e);
	if (p->error != NULL)
		return add_simple(a, FINDING_UNREADABLE, entry->path, p->error, e);
	if (a->options->fast ? same_size
			     : content->digests != NULL && same_size && is_right(entry, content->digests)) {
		finding.kind = FINDING_OK;
		if (p->exec != entry->exec &&
		    add_simple(a, FINDING_WRONG_MODE, entry->path,
			       entry->exec ? "it should be executable" : "it should not be executable",
			       e) != 0)
			return -1;
		return add(a, &finding, e);
	}
	if (content->digests != NULL && find_bad_pieces(entry, content->digests, &finding, e) != 0) {
		free(finding.pieces);
		return -1;
	}
	if (content->digests != NULL && same_size && finding.piece_count == 0)
		finding.why = "its pieces are right, its plain digest is not: the manifest "
			      "contradicts itself";
	return add(a, &finding, e);
}

/* Extra files that were hashed, to be found by content. */
struct candidate {
	const struct probe *probe;
	size_t index;
};

static int compare_content(const struct filehash_digests *x, uint64_t size, const uint8_t *root)
{
	if (x->size != size)
		return x->size < size ? -1 : 1;
	return memcmp(x->root, root, SHA256_SIZE);
}

static int compare_candidate(const void *left, const void *right)
{
	const struct candidate *x = left, *y = right;
	int order = compare_content(x->probe->digests, y->probe->digests->size,
				    y->probe->digests->root);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

static size_t find_content(const struct candidate *list, size_t count, const struct entry *entry)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_content(list[middle].probe->digests, entry->size, entry->root) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int collect_candidates(const struct auditor *a, struct candidate **ret, size_t *ret_count,
			      struct err *e)
{
	struct candidate *list = calloc(a->count + 1, sizeof *list);
	size_t n = 0;

	if (list == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < a->count; i++)
		if (a->probes[i].entry == NULL && a->probes[i].digests != NULL)
			list[n++] = (struct candidate){&a->probes[i], i};
	if (n > 0)
		qsort(list, n, sizeof *list, compare_candidate);
	*ret = list;
	*ret_count = n;
	return 0;
}

static bool is_unknown(const struct auditor *a, const char *path)
{
	for (size_t i = 0; i < a->broken_count; i++)
		if (path_is_below(path, a->broken[i]))
			return true;
	return false;
}

/* A file of the manifest that does not stand where it should. */
static int settle_absent(struct auditor *a, const struct entry *entry, struct candidate *list,
			 size_t count, struct err *e)
{
	struct finding moved = {.kind = FINDING_MOVED, .path = entry->path};

	if (is_unknown(a, entry->path))
		return add_simple(a, FINDING_UNREADABLE, entry->path,
				  "a directory above it cannot be read", e);
	for (size_t i = entry->size > 0 ? find_content(list, count, entry) : count;
	     i < count && compare_content(list[i].probe->digests, entry->size, entry->root) == 0;
	     i++) {
		struct probe *p = &a->probes[list[i].index];
		if (p->taken)
			continue;
		p->taken = true;
		moved.found = p->name;
		return add(a, &moved, e);
	}
	return add_simple(a, FINDING_MISSING, entry->path, NULL, e);
}

static int settle_extra(struct auditor *a, struct err *e)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct probe *p = &a->probes[i];
		if (p->entry != NULL || p->taken || p->gone || a->options->ignore_extra)
			continue;
		if (p->error != NULL ? add_simple(a, FINDING_UNREADABLE, p->name, p->error, e)
				     : add_simple(a, FINDING_EXTRA, p->name, NULL, e))
			return -1;
	}
	return 0;
}

static int compare_all(struct auditor *a, struct err *e)
{
	struct candidate *list = NULL;
	size_t count = 0;
	int status = -1;

	if (collect_candidates(a, &list, &count, e) != 0)
		return -1;
	for (size_t i = 0; i < a->listing->count; i++) {
		const struct entry *entry = &a->listing->entries[i];
		if (!is_wanted(a, entry->path))
			continue;
		a->out->checked++;
		a->out->checked_bytes += entry->size;
		if (a->settled[i])
			continue;
		status = a->probe_of[i] != NONE
			     ? settle_probe(a, entry, &a->probes[a->probe_of[i]], e)
			     : settle_absent(a, entry, list, count, e);
		if (status != 0)
			goto out;
	}
	status = settle_extra(a, e);
out:
	free(list);
	return status;
}

/* --- the whole ---------------------------------------------------------------------------------- */

static int compare_finding(const void *left, const void *right)
{
	const struct finding *x = left, *y = right;
	int order = path_compare(x->path, y->path);

	return order != 0 ? order : (x->kind > y->kind) - (x->kind < y->kind);
}

bool audit_is_wrong(const struct audit_options *options, enum finding_kind kind)
{
	if (kind == FINDING_WRONG_MODE)
		return options->strict_modes;
	return kind != FINDING_OK;
}

static int prepare(struct auditor *a, struct err *e)
{
	size_t n = a->listing->count;

	a->probe_of = calloc(n, sizeof *a->probe_of);
	a->settled = calloc(n, sizeof *a->settled);
	a->sizes = calloc(n, sizeof *a->sizes);
	if (a->probe_of == NULL || a->settled == NULL || a->sizes == NULL)
		return err_nomem(e);
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		a->probe_of[i] = NONE;
		any = any || is_wanted(a, a->listing->entries[i].path);
	}
	if (!any)
		return err_set(e, ERR_USAGE, "--only matches no file of the manifest");
	note_sizes(a, false);
	a->pool = pool_new(a->options->threads, e);
	return a->pool != NULL ? 0 : -1;
}

static void release(struct auditor *a)
{
	pool_free(a->pool);
	for (size_t i = 0; i < a->count; i++) {
		if (a->probes[i].digests != NULL)
			filehash_release(a->probes[i].digests);
		free(a->probes[i].digests);
		free(a->probes[i].error);
	}
	free(a->probes);
	free(a->probe_of);
	free(a->settled);
	free(a->sizes);
	free(a->broken);
}

int audit_run(const struct listing *listing, struct source *copy,
	      const struct audit_options *options, struct audit *ret, struct err *e)
{
	struct auditor a = {.listing = listing, .copy = copy, .options = options, .out = ret};
	int status = -1;

	*ret = (struct audit){.arena = ARENA_INIT};
	if (prepare(&a, e) != 0)
		goto out;
	status = source_is_directory(copy) ? read_directory(&a, e) : read_archive(&a, e);
	progress_end(options->progress);
	if (status != 0)
		goto out;
	status = compare_all(&a, e);
	if (status != 0)
		goto out;
	if (ret->count > 0)
		qsort(ret->findings, ret->count, sizeof *ret->findings, compare_finding);
	ret->verified = !options->fast && ret->failure.code == ERR_NONE;
	for (int kind = 0; kind < FINDING_KINDS; kind++)
		if (ret->counts[kind] > 0 && audit_is_wrong(options, (enum finding_kind)kind))
			ret->verified = false;
out:
	release(&a);
	return status;
}

void audit_release(struct audit *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->findings[i].pieces);
	free(a->findings);
	arena_release(&a->arena);
	*a = (struct audit){.arena = ARENA_INIT};
}
