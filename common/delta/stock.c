#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/stock.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/arena.h"
#include "swarm/filehash.h"
#include "swarm/names.h"
#include "swarm/path.h"
#include "swarm/spool.h"

#define READ_BLOCK ((size_t)256 * 1024)

/* An item of an archive that can be asked for by name. */
struct member {
	const char *name;      /* without what is stripped */
	uint64_t number;       /* how many items stand before it */
	uint64_t at, size;     /* where its content stands in the spool */
	size_t same_as;        /* of a hard link: the member with the content; else itself */
	enum source_type type; /* SOURCE_FILE, also of a hard link that leads to one */
	bool kept;             /* its content is in the spool */
	bool wanted;           /* by its name */
	bool needed;           /* its content, by its own name or that of a link */
	uint64_t limit;        /* about how much of it */
};

struct stock {
	struct source *source;
	struct spool *spool; /* NULL: a directory */
	const char *link_hint;
	char *block; /* READ_BLOCK bytes */
	struct member *members;
	size_t count, room;
	struct names by_path; /* members, as the archive names them: what hard links speak of */
	struct names by_name; /* the same, without what is stripped */
	struct arena arena;
};

/* --- archives -----------------------------------------------------------------------------------
 */

static int keep_content(struct stock *s, struct member *m, struct err *e)
{
	ssize_t n;

	m->at = spool_position(s->spool);
	m->size = 0;
	while (m->size <= m->limit && (n = source_read(s->source, s->block, READ_BLOCK, e)) != 0) {
		if (n < 0 || spool_write(s->spool, s->block, (size_t)n, e) != 0)
			return -1;
		m->size += (uint64_t)n;
	}
	m->kept = true;
	return 0;
}

static struct member *add_member(struct stock *s, struct err *e)
{
	if (s->count == s->room) {
		size_t want = s->room == 0 ? 64 : s->room * 2;
		struct member *more = reallocarray(s->members, want, sizeof *more);
		if (more == NULL) {
			(void)err_nomem(e);
			return NULL;
		}
		s->members = more;
		s->room = want;
	}
	s->members[s->count] = (struct member){.same_as = s->count};
	return &s->members[s->count++];
}

/* A link that leads nowhere stays what it is, which is no file. */
static int resolve(struct stock *s, struct member *m, const char *target, struct err *e)
{
	char *path = strdup(target);
	size_t at;

	if (path == NULL)
		return err_nomem(e);
	if (path_normalize(path) && names_get(&s->by_path, path, &at)) {
		m->same_as = s->members[at].same_as;
		m->type = s->members[m->same_as].type;
	}
	free(path);
	return 0;
}

static int list_item(struct stock *s, const struct stock_options *o, const struct source_item *item,
		     uint64_t number, struct err *e)
{
	const char *name = item->unsafe ? NULL : path_strip(item->path, o->strip);

	if (name == NULL || item->type == SOURCE_DIRECTORY)
		return 0;
	struct member *m = add_member(s, e);
	if (m == NULL)
		return -1;
	m->number = number;
	m->type = item->type;
	m->limit = UINT64_MAX - 1;
	m->wanted = o->want == NULL || o->want(o->context, name, &m->limit);
	if (item->type == SOURCE_HARDLINK && resolve(s, m, item->target, e) != 0)
		return -1;
	const char *path = arena_copy(&s->arena, item->path, strlen(item->path));
	if (path == NULL)
		return err_nomem(e);
	m->name = path + (name - item->path);
	if (names_put(&s->by_path, path, s->count - 1, e) != 0)
		return -1;
	return names_put(&s->by_name, m->name, s->count - 1, e);
}

/*
 * Only the last member of a name counts, and of a link what it leads to: so an archive with the
 * same name a thousand times takes no more room than one.
 */
static void find_needed(struct stock *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct member *m = &s->members[i];
		size_t last = i;
		bool counts = names_get(&s->by_name, m->name, &last) && last == i && m->wanted;
		struct member *content = &s->members[m->same_as];
		if (!counts || content->type != SOURCE_FILE)
			continue;
		if (!content->needed || content->limit < m->limit)
			content->limit = m->limit;
		content->needed = true;
	}
}

static int keep_needed(struct stock *s, struct err *e)
{
	struct source_item item;
	uint64_t number = 0;
	int got = 1;

	for (size_t i = 0; i < s->count; i++) {
		struct member *m = &s->members[i];
		if (!m->needed)
			continue;
		while (number <= m->number && (got = source_next(s->source, &item, e)) > 0)
			number++;
		if (got < 0)
			return -1;
		if (got == 0)
			return err_set(e, ERR_CHANGED, "'%s' changed while it was read",
				       source_name(s->source));
		if (keep_content(s, m, e) != 0)
			return -1;
	}
	return 0;
}

static int read_archive(struct stock *s, const struct stock_options *o, struct err *e)
{
	struct source_item item;
	uint64_t number = 0;
	int got;

	s->spool = spool_new(e);
	if (s->spool == NULL)
		return -1;
	s->block = malloc(READ_BLOCK);
	if (s->block == NULL)
		return err_nomem(e);
	while ((got = source_next(s->source, &item, e)) > 0)
		if (list_item(s, o, &item, number++, e) != 0)
			return -1;
	if (got < 0 || source_rewind(s->source, e) != 0)
		return -1;
	find_needed(s);
	return keep_needed(s, e);
}

/* --- life ---------------------------------------------------------------------------------------
 */

bool stock_want_listed(const void *context, const char *path, uint64_t *ret_limit)
{
	const struct entry *entry = listing_find(context, path);

	if (entry != NULL)
		*ret_limit = entry->size;
	return entry != NULL;
}

struct stock *stock_open(const char *path, const struct stock_options *options, struct err *e)
{
	static const struct stock_options none = {.strip = 0};
	const struct stock_options *o = options != NULL ? options : &none;
	struct stock *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	s->link_hint = o->link_hint;
	s->source = source_open(path, 2, e);
	if (s->source == NULL)
		goto fail;
	if (!source_is_directory(s->source) && read_archive(s, o, e) != 0) {
		(void)err_prefix(e, "'%s'", source_name(s->source));
		goto fail;
	}
	if (source_is_directory(s->source) && o->strip > 0) {
		(void)err_set(e, ERR_USAGE,
			      "'%s' is a directory: no components can be stripped from its names",
			      source_name(s->source));
		goto fail;
	}
	return s;
fail:
	stock_close(s);
	return NULL;
}

void stock_close(struct stock *s)
{
	if (s == NULL)
		return;
	source_close(s->source);
	spool_free(s->spool);
	names_release(&s->by_path);
	names_release(&s->by_name);
	arena_release(&s->arena);
	free(s->members);
	free(s->block);
	free(s);
}

const char *stock_name(const struct stock *s)
{
	return source_name(s->source);
}

bool stock_is_directory(const struct stock *s)
{
	return s->spool == NULL;
}

/* --- files --------------------------------------------------------------------------------------
 */

static int open_member(const struct stock *s, const char *path, struct stock_file *ret,
		       struct err *e)
{
	size_t at;

	if (!names_get(&s->by_name, path, &at))
		return source_refuse(s->source, path, SOURCE_BROKEN, NULL, e);
	const struct member *m = &s->members[s->members[at].same_as];
	if (!m->kept)
		return source_refuse(s->source, path, m->type, s->link_hint, e);
	ret->at = m->at;
	ret->size = m->size;
	return 0;
}

static int open_file(const struct stock *s, const char *path, struct stock_file *ret, struct err *e)
{
	if (source_file_open(s->source, path, NULL, &ret->file, e) == 0) {
		ret->size = ret->file.size;
		return 0;
	}
	return source_judge(s->source, path, s->link_hint, e);
}

int stock_file_open(const struct stock *s, const char *path, struct stock_file *ret, struct err *e)
{
	*ret = (struct stock_file){.stock = s, .file = {.fd = -1}};
	/* Whoever asks has a manifest's path: of any other one, such as '../x', there is nothing.
	 */
	if (path_unportable(path) != NULL)
		return source_refuse(s->source, path, SOURCE_BROKEN, NULL, e);
	return s->spool != NULL ? open_member(s, path, ret, e) : open_file(s, path, ret, e);
}

ssize_t stock_file_read(struct stock_file *f, uint64_t offset, void *to, size_t len, struct err *e)
{
	if (f->stock->spool == NULL)
		return source_file_read_at(&f->file, offset, to, len, e);
	uint64_t left = offset < f->size ? f->size - offset : 0;
	if (len > left)
		len = (size_t)left;
	return spool_read(f->stock->spool, f->at + offset, to, len, e) == 0 ? (ssize_t)len : -1;
}

int stock_file_close(struct stock_file *f, struct err *e)
{
	return f->stock->spool == NULL ? source_file_close(&f->file, e) : 0;
}

/* --- content that is right ----------------------------------------------------------------------
 */

static int read_whole(struct stock_file *f, struct buf *ret, struct err *e)
{
	char *room = buf_room(ret, (size_t)f->size);

	if (room == NULL)
		return err_nomem(e);
	ssize_t n = stock_file_read(f, 0, room, (size_t)f->size, e);
	if (n < 0)
		return -1;
	buf_grew(ret, (size_t)n);
	return 0;
}

static int check(const struct stock *s, const struct entry *entry, const char *bytes, size_t len,
		 uint8_t *ret_sha256, struct err *e)
{
	struct filehash_options how = {.piece_length = MERKLE_PIECE_MAX, .plain = true};
	struct filehash_digests digests = FILEHASH_DIGESTS_INIT;
	struct filehash *hash = filehash_new(&how, e);
	int status = -1;

	if (hash == NULL)
		return -1;
	filehash_update(hash, bytes, len);
	if (filehash_final(hash, &digests, e) != 0)
		goto out;
	memcpy(ret_sha256, digests.sha256, SHA256_SIZE);
	if (len != entry->size || memcmp(digests.root, entry->root, SHA256_SIZE) != 0 ||
	    (entry->has_sha256 && memcmp(digests.sha256, entry->sha256, SHA256_SIZE) != 0)) {
		(void)err_set(e, ERR_UNTRUSTED,
			      "'%s' in '%s' is not the file of the manifest: its content differs",
			      entry->path, stock_name(s));
		goto out;
	}
	status = 0;
out:
	filehash_release(&digests);
	filehash_free(hash);
	return status;
}

int stock_load(const struct stock *s, const struct entry *entry, struct buf *ret,
	       uint8_t ret_sha256[static SHA256_SIZE], struct err *e)
{
	struct stock_file f;
	struct err late;
	size_t before = ret->len;

	if (stock_file_open(s, entry->path, &f, e) != 0)
		return -1;
	int status = -1;
	if (f.size != entry->size)
		(void)err_set(e, ERR_UNTRUSTED,
			      "'%s' in '%s' is not the file of the manifest: it has %llu bytes "
			      "instead of %llu",
			      entry->path, stock_name(s), (unsigned long long)f.size,
			      (unsigned long long)entry->size);
	else
		status = read_whole(&f, ret, e);
	if (stock_file_close(&f, status == 0 ? e : &late) != 0)
		status = -1;
	if (status == 0)
		status = check(s, entry, ret->data + before, ret->len - before, ret_sha256, e);
	if (status != 0)
		buf_truncate(ret, before);
	return status;
}
