#include "swarm/info.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/bencode.h"
#include "swarm/buf.h"
#include "swarm/pads.h"
#include "swarm/path.h"

#define BLOCK ((size_t)64 * 1024)

struct info {
	struct info_options options;
	int (*put)(void *context, const void *bytes, size_t len, struct err *e);
	void *context;
	struct buf last; /* path of the last file */
	struct buf out;  /* what is not passed on yet */
	struct bencode_writer tree;
	size_t depth; /* open dictionaries below `file tree` */
	struct buf list_out;
	struct bencode_writer list;
	struct spool *spool; /* `files` of a hybrid, which stands behind `file tree` */
	struct pads *pads;
	uint64_t padding; /* in front of the last file */
	struct info_tally tally;
};

static bool has_tree(const struct info *i)
{
	return i->options.kind != INFO_V1;
}

static bool has_list(const struct info *i)
{
	return i->options.kind != INFO_V2;
}

static void start(struct info *i)
{
	bencode_open_dictionary(&i->tree);
	if (has_tree(i)) {
		bencode_text(&i->tree, "file tree");
		bencode_open_dictionary(&i->tree);
	}
	if (has_list(i)) {
		bencode_text(&i->list, "files");
		bencode_open_list(&i->list);
	}
}

struct info *info_new(const struct info_options *options,
		      int (*put)(void *context, const void *bytes, size_t len, struct err *e),
		      void *context, struct err *e)
{
	struct info *i = calloc(1, sizeof *i);

	if (i == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	i->options = *options;
	i->put = put;
	i->context = context;
	buf_init(&i->last);
	buf_init(&i->out);
	buf_init(&i->list_out);
	i->tree.to = &i->out;
	/* What needs no second place goes straight through. */
	i->list.to = options->kind == INFO_HYBRID ? &i->list_out : &i->out;
	if (options->kind == INFO_HYBRID &&
	    ((i->spool = spool_new(e)) == NULL || (i->pads = pads_new(e)) == NULL)) {
		info_free(i);
		return NULL;
	}
	start(i);
	return i;
}

void info_free(struct info *i)
{
	if (i == NULL)
		return;
	buf_release(&i->last);
	buf_release(&i->out);
	buf_release(&i->list_out);
	spool_free(i->spool);
	pads_free(i->pads);
	free(i);
}

const struct info_tally *info_tally(const struct info *i)
{
	return &i->tally;
}

const char *info_last(const struct info *i)
{
	return i->last.data;
}

uint64_t info_padding(const struct info *i)
{
	return i->padding;
}

static int pass_on(struct info *i, struct err *e)
{
	if (buf_check(&i->out, e) != 0)
		return -1;
	int status = i->put(i->context, i->out.data, i->out.len, e);
	i->tally.bytes += i->out.len;
	i->tally.tokens = i->tree.tokens + i->list.tokens;
	buf_clear(&i->out);
	return status;
}

/* --- file tree ----------------------------------------------------------------------------------
 */

static void close_to(struct info *i, size_t depth)
{
	for (; i->depth > depth; i->depth--)
		bencode_close(&i->tree);
}

static void note_depth(struct info *i, size_t depth)
{
	if (depth > i->tally.depth)
		i->tally.depth = depth;
}

static void add_leaf(struct info *i, const struct entry *entry)
{
	bencode_open_dictionary(&i->tree);
	bencode_text(&i->tree, "");
	bencode_open_dictionary(&i->tree);
	bencode_text(&i->tree, "length");
	bencode_number(&i->tree, entry->size);
	if (entry->size > 0) {
		bencode_text(&i->tree, "pieces root");
		bencode_string(&i->tree, entry->root, SHA256_SIZE);
	}
	bencode_close(&i->tree);
	bencode_close(&i->tree);
}

static void add_to_tree(struct info *i, const struct entry *entry)
{
	const char *path = entry->path, *last = i->last.data;
	size_t shared = 0;

	/* Folders that this file and the last one are both in stay open. */
	for (;;) {
		size_t n = strcspn(path, "/");
		if (path[n] != '/' || strncmp(path, last, n + 1) != 0)
			break;
		path += n + 1;
		last += n + 1;
		shared++;
	}
	close_to(i, shared);
	for (size_t n; path[n = strcspn(path, "/")] == '/'; path += n + 1, i->depth++) {
		bencode_string(&i->tree, path, n);
		bencode_open_dictionary(&i->tree);
	}
	bencode_text(&i->tree, path);
	add_leaf(i, entry);
	/* `info`, `file tree`, the folders, the file's own two. */
	note_depth(i, i->depth + 4);
}

/* --- files --------------------------------------------------------------------------------------
 */

static int add_pad(struct info *i, struct err *e)
{
	uint64_t over = i->tally.length % i->options.piece_length;
	struct buf name = BUF_INIT;
	int status = -1;

	i->padding = i->pads != NULL && over > 0 ? i->options.piece_length - over : 0;
	if (i->padding == 0)
		return 0;
	if (pads_name(i->pads, i->padding, &name, e) != 0 || buf_check(&name, e) != 0)
		goto out;
	bencode_open_dictionary(&i->list);
	bencode_text(&i->list, "attr");
	bencode_text(&i->list, "p");
	bencode_text(&i->list, "length");
	bencode_number(&i->list, i->padding);
	bencode_text(&i->list, "path");
	bencode_open_list(&i->list);
	bencode_text(&i->list, ".pad");
	bencode_text(&i->list, name.data);
	bencode_close(&i->list);
	bencode_close(&i->list);
	i->tally.pads++;
	i->tally.pad_bytes += i->padding;
	i->tally.length += i->padding;
	status = 0;
out:
	buf_release(&name);
	return status;
}

static int add_to_list(struct info *i, const struct entry *entry, struct err *e)
{
	if (add_pad(i, e) != 0)
		return -1;
	bencode_open_dictionary(&i->list);
	bencode_text(&i->list, "length");
	bencode_number(&i->list, entry->size);
	bencode_text(&i->list, "path");
	bencode_open_list(&i->list);
	for (const char *p = entry->path;; p++) {
		size_t n = strcspn(p, "/");
		bencode_string(&i->list, p, n);
		p += n;
		if (*p == '\0')
			break;
	}
	bencode_close(&i->list);
	bencode_close(&i->list);
	note_depth(i, 4);
	i->tally.length += entry->size;
	return 0;
}

/* Sends what `files` has gathered to where it waits for `file tree` to end. */
static int keep_list(struct info *i, struct err *e)
{
	if (buf_check(&i->list_out, e) != 0 ||
	    spool_write(i->spool, i->list_out.data, i->list_out.len, e) != 0)
		return -1;
	i->tally.bytes += i->list_out.len;
	buf_clear(&i->list_out);
	return 0;
}

static int copy_spool(struct info *i, const struct spool *s, struct err *e)
{
	uint64_t end = spool_position(s);

	for (uint64_t at = 0; at < end;) {
		size_t n = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
		char *room = buf_room(&i->out, n);
		if (room == NULL)
			return err_nomem(e);
		if (spool_read(s, at, room, n, e) != 0)
			return -1;
		buf_grew(&i->out, n);
		if (pass_on(i, e) != 0)
			return -1;
		at += n;
	}
	return 0;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

int info_add(struct info *i, const struct entry *entry, struct err *e)
{
	if (has_tree(i))
		add_to_tree(i, entry);
	if (has_list(i) && add_to_list(i, entry, e) != 0)
		return -1;
	if (i->options.kind == INFO_V1)
		i->tally.pieces = merkle_pieces(i->tally.length, i->options.piece_length);
	else
		i->tally.pieces += merkle_pieces(entry->size, i->options.piece_length);
	buf_clear(&i->last);
	buf_adds(&i->last, entry->path);
	if (buf_check(&i->last, e) != 0)
		return -1;
	if (i->list_out.len >= BLOCK && keep_list(i, e) != 0)
		return -1;
	return pass_on(i, e);
}

static int end_files(struct info *i, struct err *e)
{
	if (has_tree(i)) {
		close_to(i, 0);
		bencode_close(&i->tree);
	}
	if (has_list(i))
		bencode_close(&i->list);
	if (i->spool == NULL)
		return 0;
	if (pass_on(i, e) != 0 || keep_list(i, e) != 0)
		return -1;
	/* Counted when it was kept. */
	i->tally.bytes -= spool_position(i->spool);
	return copy_spool(i, i->spool, e);
}

int info_end(struct info *i, const struct spool *pieces, struct err *e)
{
	struct bencode_writer *w = &i->tree;

	if (end_files(i, e) != 0)
		return -1;
	if (has_tree(i)) {
		bencode_text(w, "meta version");
		bencode_number(w, 2);
	}
	bencode_text(w, "name");
	bencode_text(w, i->options.name);
	bencode_text(w, "piece length");
	bencode_number(w, i->options.piece_length);
	if (has_list(i)) {
		bencode_text(w, "pieces");
		bencode_start_string(w, spool_position(pieces));
		if (pass_on(i, e) != 0 || copy_spool(i, pieces, e) != 0)
			return -1;
	}
	bencode_close(w);
	return pass_on(i, e);
}
