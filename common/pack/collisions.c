#include "swarm/collisions.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/buf.h"
#include "swarm/fold.h"
#include "swarm/grow.h"

/* A file or a folder: the first `len` bytes of a path. 24 bytes each, for a million of them. */
struct name {
	uint64_t hash; /* of the folded name */
	const char *path;
	uint32_t len;
	uint32_t order; /* as they came */
};

struct names_found {
	struct name *list;
	size_t count, room;
	struct buf text, folded;
};

static uint64_t hash_of(const struct buf *text)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */

	for (size_t i = 0; i < text->len; i++)
		hash = (hash ^ (uint8_t)text->data[i]) * UINT64_C(0x100000001B3);
	return hash;
}

/* Folds to f->folded; false: it is not UTF-8, and can be no name that is published. */
static int fold(struct names_found *f, const char *path, size_t len, bool *ret_ok, struct err *e)
{
	buf_clear(&f->text);
	buf_add(&f->text, path, len);
	if (buf_check(&f->text, e) != 0)
		return -1;
	*ret_ok = fold_text(&f->folded, f->text.data, e) == 0;
	return *ret_ok || e->code == ERR_MALFORMED ? 0 : -1;
}

static int add(struct names_found *f, const char *path, size_t len, struct err *e)
{
	bool ok = false;

	if (len > UINT32_MAX || f->count >= UINT32_MAX)
		return err_nomem(e);
	if (fold(f, path, len, &ok, e) != 0)
		return -1;
	if (!ok)
		return 0;
	struct name *more = grow_for_one(f->list, f->count, &f->room, sizeof *more, e);
	if (more == NULL)
		return -1;
	f->list = more;
	more[f->count] =
	    (struct name){hash_of(&f->folded), path, (uint32_t)len, (uint32_t)f->count};
	f->count++;
	return 0;
}

/* The path, and the folders that the one before it does not lie in. */
static int add_path(struct names_found *f, const char *path, const char *before, struct err *e)
{
	size_t same = 0;

	while (path[same] != '\0' && path[same] == before[same])
		same++;
	for (size_t i = 0; path[i] != '\0'; i++) {
		bool known = i < same || (i == same && before[i] == '/');
		if (path[i] == '/' && !known && add(f, path, i, e) != 0)
			return -1;
	}
	return add(f, path, strlen(path), e);
}

static int compare_name(const void *a, const void *b)
{
	const struct name *left = a, *right = b;

	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

static size_t folder_of(const struct name *n)
{
	size_t len = n->len;

	while (len > 0 && n->path[len - 1] != '/')
		len--;
	return len;
}

/* Whether they are one only because the folders are in which they lie. */
static bool differ_above(const struct name *a, const struct name *b)
{
	size_t left = folder_of(a), right = folder_of(b);

	return left != right || memcmp(a->path, b->path, left) != 0;
}

static bool is_same(const struct name *a, const struct name *b)
{
	return a->len == b->len && memcmp(a->path, b->path, a->len) == 0;
}

/* The nearest other name in front of run[i] that is one with it, or NULL. */
static int find_twin(struct names_found *f, const struct name *run, size_t i,
		     const struct name **ret, struct err *e)
{
	struct buf own = BUF_INIT;
	bool ok = false;
	int status = fold(f, run[i].path, run[i].len, &ok, e);

	*ret = NULL;
	buf_add(&own, f->folded.data, f->folded.len);
	if (status == 0)
		status = buf_check(&own, e);
	for (size_t k = i; status == 0 && *ret == NULL && k-- > 0;) {
		/* In an archive, a file can have a folder's name. */
		if (is_same(&run[k], &run[i]))
			continue;
		status = fold(f, run[k].path, run[k].len, &ok, e);
		if (status == 0 && strcmp(own.data, f->folded.data) == 0)
			*ret = &run[k];
	}
	buf_release(&own);
	return status;
}

int collisions_find(const char *const *paths, size_t count,
		    int (*found)(void *context, const char *first, size_t first_len,
				 const char *second, size_t second_len, struct err *e),
		    void *context, struct err *e)
{
	struct names_found f = {.text = BUF_INIT, .folded = BUF_INIT};
	int status = -1;

	for (size_t i = 0; i < count; i++)
		if (add_path(&f, paths[i], i > 0 ? paths[i - 1] : "", e) != 0)
			goto out;
	if (f.count > 0)
		qsort(f.list, f.count, sizeof *f.list, compare_name);
	for (size_t i = 0, n; i < f.count; i += n) {
		for (n = 1; i + n < f.count && f.list[i + n].hash == f.list[i].hash;)
			n++;
		for (size_t k = 1; k < n; k++) {
			const struct name *twin, *own = &f.list[i + k];
			if (find_twin(&f, &f.list[i], k, &twin, e) != 0)
				goto out;
			if (twin != NULL && !differ_above(twin, own) &&
			    found(context, twin->path, twin->len, own->path, own->len, e) != 0)
				goto out;
		}
	}
	status = 0;
out:
	free(f.list);
	buf_release(&f.text);
	buf_release(&f.folded);
	return status;
}
