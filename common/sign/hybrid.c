#include "swarm/hybrid.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/bencode.h"
#include "swarm/io.h"
#include "swarm/path.h"

/* A hybrid torrent of a million files has about 200 MB. */
#define TORRENT_MAX ((size_t)1024 * 1024 * 1024)

struct hybrid {
	const char *name; /* of the file */
	struct buf bytes;
	struct bencode info;
	uint8_t btmh[SHA256_SIZE], btih[SHA1_SIZE];
	uint64_t piece_length;
	/* `file tree`: the folders that are open, and the path of what was found last. */
	struct bencode_walk levels[BENCODE_DEPTH_MAX];
	size_t lengths[BENCODE_DEPTH_MAX]; /* of the paths of those folders */
	size_t depth;
	struct buf path;
	/* `files` */
	struct bencode_walk list;
	uint64_t offset; /* where the next one begins */
};

/* --- opening ------------------------------------------------------------------------------------
 */

static int is_none(const struct hybrid *h, const char *why, struct err *e)
{
	return err_set(e, ERR_MALFORMED, "'%s' is no hybrid torrent: %s", h->name, why);
}

static int read_all(struct hybrid *h, const char *path, struct err *e)
{
	int fd = io_open(path, e);

	if (fd < 0)
		return -1;
	int status = io_read_all(fd, &h->bytes, TORRENT_MAX, h->name, e);
	(void)close(fd);
	return status;
}

static int find_info(struct hybrid *h, struct err *e)
{
	struct bencode root, v;
	uint64_t version;

	if (bencode_check(h->bytes.data, h->bytes.len, e) != 0)
		return err_prefix(e, "'%s' is no torrent", h->name);
	root = bencode_root(h->bytes.data, h->bytes.len);
	h->info = bencode_get(&root, "info");
	if (h->info.type != 'd')
		return is_none(h, "it has no 'info'", e);
	v = bencode_get(&h->info, "meta version");
	if (!bencode_get_number(&v, &version) || version != 2)
		return is_none(h, "its 'meta version' is not 2", e);
	v = bencode_get(&h->info, "file tree");
	if (v.type != 'd')
		return is_none(h, "it has no 'file tree'", e);
	h->levels[0] = bencode_begin(&v);
	h->depth = 1;
	v = bencode_get(&h->info, "files");
	if (v.type != 'l')
		return is_none(h, "it has no 'files' of v1", e);
	h->list = bencode_begin(&v);
	/* Some clients would go by the one, some by the other. */
	v = bencode_get(&h->info, "length");
	return v.type != 0 ? is_none(h, "it has a 'length' of v1 beside its 'files'", e) : 0;
}

static int hash_info(struct hybrid *h, struct err *e)
{
	struct sha256 *v2 = sha256_new(e);
	struct sha1 *v1 = v2 != NULL ? sha1_new(e) : NULL;
	int status = -1;

	if (v1 != NULL) {
		sha256_once(v2, h->info.at, h->info.len, h->btmh);
		sha1_update(v1, h->info.at, h->info.len);
		sha1_final(v1, h->btih);
		status = sha256_check(v2, e) != 0 ? -1 : sha1_check(v1, e);
	}
	sha256_free(v2);
	sha1_free(v1);
	return status;
}

struct hybrid *hybrid_open(const char *path, struct err *e)
{
	struct hybrid *h = calloc(1, sizeof *h);

	if (h == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	h->name = io_name(path);
	buf_init(&h->bytes);
	buf_init(&h->path);
	if (read_all(h, path, e) == 0 && find_info(h, e) == 0 && hash_info(h, e) == 0)
		return h;
	hybrid_close(h);
	return NULL;
}

void hybrid_close(struct hybrid *h)
{
	if (h == NULL)
		return;
	buf_release(&h->bytes);
	buf_release(&h->path);
	free(h);
}

const uint8_t *hybrid_btmh(const struct hybrid *h)
{
	return h->btmh;
}

const uint8_t *hybrid_btih(const struct hybrid *h)
{
	return h->btih;
}

/* --- comparing ----------------------------------------------------------------------------------
 */

static int differs(const struct hybrid *h, const char *what, struct err *e)
{
	return err_set(e, ERR_UNTRUSTED, "'%s' is not a torrent of this release: %s", h->name,
		       what);
}

static int file_differs(const struct hybrid *h, const char *path, const char *what, struct err *e)
{
	return err_set(e, ERR_UNTRUSTED, "'%s' is not a torrent of this release: '%s' %s", h->name,
		       path, what);
}

static bool is_text(const struct bencode *v, const char *text, size_t len)
{
	size_t n;
	const char *found = bencode_get_string(v, &n);

	return found != NULL && n == len && memcmp(found, text, len) == 0;
}

static bool has_letter(const struct bencode *file, char letter)
{
	struct bencode attr = bencode_get(file, "attr");
	size_t len;
	const char *text = bencode_get_string(&attr, &len);

	return len > 0 && memchr(text, letter, len) != NULL;
}

int hybrid_begin(struct hybrid *h, const char *name, uint64_t piece_length, struct err *e)
{
	struct bencode v = bencode_get(&h->info, "name");
	struct bencode again = bencode_get(&h->info, "name.utf-8");
	size_t len = strlen(name);
	uint64_t n;

	if (!is_text(&v, name, len) || (again.type != 0 && !is_text(&again, name, len)))
		return err_set(e, ERR_UNTRUSTED,
			       "'%s' is not a torrent of this release: its name is not '%s'",
			       h->name, name);
	v = bencode_get(&h->info, "piece length");
	if (!bencode_get_number(&v, &n) || n != piece_length)
		return differs(h, "it has another piece length", e);
	h->piece_length = piece_length;
	return 0;
}

/* --- file tree ----------------------------------------------------------------------------------
 */

static int bad_tree(const struct hybrid *h, struct err *e)
{
	return is_none(h, "its 'file tree' is none", e);
}

/* Goes into the folder or the file `v`, of the name `key`. 1 if it is a file. */
static int enter(struct hybrid *h, const struct bencode *key, const struct bencode *v,
		 struct bencode *ret_file, struct err *e)
{
	size_t len;
	const char *name = bencode_get_string(key, &len);
	struct bencode_walk inside = bencode_begin(v);
	struct bencode first, value;

	if (v->type != 'd' || len == 0 || memchr(name, '/', len) != NULL ||
	    memchr(name, '\0', len) != NULL)
		return bad_tree(h, e);
	size_t above = h->path.len;
	if (above > 0)
		buf_addc(&h->path, '/');
	buf_add(&h->path, name, len);
	if (buf_check(&h->path, e) != 0)
		return -1;
	h->levels[h->depth] = inside;
	h->lengths[h->depth++] = above;
	if (!bencode_next(&inside, &first, &value))
		return bad_tree(h, e);
	if (!is_text(&first, "", 0))
		return 0;
	if (inside.at != inside.end || value.type != 'd')
		return bad_tree(h, e);
	h->levels[h->depth - 1] = inside;
	*ret_file = value;
	return 1;
}

/* 1 with the next file, whose path is h->path; 0 after the last one. */
static int next_in_tree(struct hybrid *h, struct bencode *ret, struct err *e)
{
	struct bencode key, v;
	int got = 0;

	while (got == 0) {
		if (bencode_next(&h->levels[h->depth - 1], &key, &v)) {
			got = enter(h, &key, &v, ret, e);
			continue;
		}
		if (h->depth == 1)
			return 0;
		buf_truncate(&h->path, h->lengths[--h->depth]);
	}
	return got;
}

static int check_tree(struct hybrid *h, const struct entry *entry, struct err *e)
{
	struct bencode file, v;
	uint64_t size;
	int got = next_in_tree(h, &file, e);

	if (got < 0)
		return -1;
	if (got == 0 || strcmp(h->path.data, entry->path) != 0)
		return got > 0 && path_compare(h->path.data, entry->path) < 0
			   ? file_differs(h, h->path.data, "is no public file of it", e)
			   : file_differs(h, entry->path, "is missing in it", e);
	v = bencode_get(&file, "length");
	if (!bencode_get_number(&v, &size) || size != entry->size)
		return file_differs(h, entry->path, "has another length", e);
	v = bencode_get(&file, "pieces root");
	if (size == 0 ? v.type != 0 : !is_text(&v, (const char *)entry->root, SHA256_SIZE))
		return file_differs(h, entry->path, "has another content", e);
	if (has_letter(&file, 'p') || has_letter(&file, 'l'))
		return file_differs(h, entry->path, "is no plain file in it", e);
	return 0;
}

/* --- files --------------------------------------------------------------------------------------
 */

static bool is_path(const struct bencode *list, const char *path)
{
	struct bencode_walk w = bencode_begin(list);
	struct bencode v;

	for (;; path++) {
		size_t n = strcspn(path, "/");
		if (w.keyed || !bencode_next(&w, NULL, &v) || !is_text(&v, path, n))
			return false;
		path += n;
		if (*path == '\0')
			return w.at == w.end;
	}
}

/* 1 with the next file that is no pad, and its length; 0 after the last one. */
static int next_in_list(struct hybrid *h, struct bencode *ret, uint64_t *ret_size, struct err *e)
{
	struct bencode v;

	while (bencode_next(&h->list, NULL, ret)) {
		v = bencode_get(ret, "length");
		if (!bencode_get_number(&v, ret_size))
			return is_none(h, "a file of v1 has no length", e);
		if (!has_letter(ret, 'p'))
			return 1;
		uint64_t over = h->offset % h->piece_length;
		if (over == 0 || *ret_size != h->piece_length - over)
			return differs(h, "its padding does not end on a piece", e);
		h->offset += *ret_size;
	}
	return 0;
}

/* Clients that know `path.utf-8` go by it, others do not. */
static bool is_at(const struct bencode *file, const char *path)
{
	struct bencode v = bencode_get(file, "path"), again = bencode_get(file, "path.utf-8");

	return is_path(&v, path) && (again.type == 0 || is_path(&again, path));
}

static int check_list(struct hybrid *h, const struct entry *entry, struct err *e)
{
	struct bencode file;
	uint64_t size;
	int got = next_in_list(h, &file, &size, e);

	if (got < 0)
		return -1;
	if (got == 0 || !is_at(&file, entry->path) || size != entry->size)
		return file_differs(h, entry->path, "is not what stands there in its v1 'files'",
				    e);
	if (has_letter(&file, 'l'))
		return file_differs(h, entry->path, "is no plain file in its v1 'files'", e);
	if (size > 0 && h->offset % h->piece_length != 0)
		return file_differs(h, entry->path, "does not start at a piece in its v1 'files'",
				    e);
	h->offset += size;
	return 0;
}

int hybrid_add(struct hybrid *h, const struct entry *entry, struct err *e)
{
	return check_tree(h, entry, e) != 0 ? -1 : check_list(h, entry, e);
}

int hybrid_end(struct hybrid *h, struct err *e)
{
	struct bencode v;
	uint64_t size;
	size_t len;
	int more = next_in_tree(h, &v, e);

	if (more > 0)
		return file_differs(h, h->path.data, "is no public file of it", e);
	if (more == 0 && (more = next_in_list(h, &v, &size, e)) > 0)
		return differs(h, "its v1 'files' are more", e);
	if (more < 0)
		return -1;
	v = bencode_get(&h->info, "pieces");
	const char *pieces = bencode_get_string(&v, &len);
	if (pieces == NULL || len % SHA1_SIZE != 0 ||
	    len / SHA1_SIZE != merkle_pieces(h->offset, h->piece_length))
		return differs(h, "its v1 'pieces' are not as many as its files have", e);
	return 0;
}
