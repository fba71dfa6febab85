#include "swarm/merge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "swarm/body.h"
#include "swarm/io.h"
#include "swarm/jsonl.h"
#include "swarm/outfile.h"
#include "swarm/part.h"
#include "swarm/path.h"
#include "swarm/text.h"

/* Of a list in a message. */
#define SHOWN 3

struct merge_part {
	const char *name;
	int fd;
	struct part part;
	struct body *body;
	struct arena arena; /* of the entry */
	struct entry entry; /* the next one */
};

struct merger {
	const struct merge_options *options;
	struct merge_result *result;
	struct merge_part *parts; /* as they were given */
	size_t count;
	struct merge_part **heap; /* those that have an entry, the first in order on top */
	size_t heap_count;
	struct sha256 *listing;
	struct buf room;
	struct buf text; /* to be written */
	struct outfile *out;
};

/* --- the parts ----------------------------------------------------------------------------------
 */

static int open_part(struct merge_part *p, const char *path, struct err *e)
{
	p->name = io_name(path);
	p->fd = io_open(path, e);
	if (p->fd < 0)
		return -1;
	p->body = body_open_part(p->fd, p->name, &p->part, e);
	return p->body != NULL ? 0 : -1;
}

/* Whether `p` is of the same run as the first one. */
static int check_kin(const struct merge_part *first, const struct merge_part *p, struct err *e)
{
	const struct part *a = &first->part, *b = &p->part;
	const char *what = NULL;

	if (a->shard.count != b->shard.count)
		return err_set(e, ERR_REFUSED, "'%s' is part %u of %u, but '%s' is part %u of %u",
			       p->name, b->shard.number, b->shard.count, first->name,
			       a->shard.number, a->shard.count);
	if (a->files != b->files || a->bytes != b->bytes ||
	    memcmp(a->listing, b->listing, SHA256_SIZE) != 0)
		what = "lists other files or labels: its tree, rules or logs were not the same";
	else if (a->piece_length != b->piece_length)
		what = "has another piece length";
	else if (a->plain != b->plain)
		what = a->plain ? "has no plain digests" : "has plain digests";
	else if (memcmp(a->guards, b->guards, SHA256_SIZE) != 0)
		what = "was held against other guards, or by another version of swarmpack";
	if (what == NULL)
		return 0;
	return err_set(e, ERR_REFUSED, "'%s' does not go with '%s': it %s", p->name, first->name,
		       what);
}

static int say_missing(const struct merge_part *const *by_number, uint32_t count, struct err *e)
{
	struct buf list = BUF_INIT;
	uint32_t n = 0;

	for (uint32_t k = 0; k < count; k++)
		if (by_number[k] == NULL && n++ < SHOWN)
			buf_addf(&list, "%s%u/%u", n > 1 ? ", " : "", k + 1, count);
	if (n > SHOWN)
		buf_addf(&list, " and %u more", n - SHOWN);
	if (buf_check(&list, e) == 0)
		(void)err_set(e, ERR_REFUSED,
			      n == 1 ? "part %s is missing" : "parts %s are missing", list.data);
	buf_release(&list);
	return -1;
}

/* Each part is there once. */
static int check_set(const struct merger *m, struct err *e)
{
	uint32_t count = m->parts->part.shard.count;
	const struct merge_part **by_number = calloc(count, sizeof *by_number);
	int status = -1;

	if (by_number == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->count; i++) {
		const struct merge_part *p = &m->parts[i];
		const struct merge_part **place = &by_number[p->part.shard.number - 1];
		if (*place != NULL) {
			(void)err_set(e, ERR_REFUSED, "'%s' is part %u/%u, and so is '%s'", p->name,
				      p->part.shard.number, count, (*place)->name);
			goto out;
		}
		*place = p;
	}
	status = m->count == count ? 0 : say_missing(by_number, count, e);
out:
	free(by_number);
	return status;
}

static int open_parts(struct merger *m, struct err *e)
{
	for (; m->count < m->options->count; m->count++) {
		struct merge_part *p = &m->parts[m->count];
		*p = (struct merge_part){.fd = -1, .arena = ARENA_INIT};
		if (open_part(p, m->options->parts[m->count], e) != 0 ||
		    check_kin(m->parts, p, e) != 0) {
			m->count++;
			return -1;
		}
	}
	return check_set(m, e);
}

static void close_parts(struct merger *m)
{
	for (size_t i = 0; i < m->count; i++) {
		body_close(m->parts[i].body);
		arena_release(&m->parts[i].arena);
		if (m->parts[i].fd >= 0)
			(void)close(m->parts[i].fd);
	}
}

/* --- their lines --------------------------------------------------------------------------------
 */

/* 1 with the next entry, 0 after the last one. */
static int advance(struct merge_part *p, struct err *e)
{
	uint8_t digest[SHA256_SIZE];
	uint64_t length;

	arena_release(&p->arena);
	int got = body_next(p->body, &p->arena, &p->entry, e);
	if (got < 0)
		return -1;
	if (got > 0 && p->entry.has_sha256 == p->part.plain)
		return 1;
	if (got > 0)
		return err_set(e, ERR_MALFORMED,
			       "'%s': its first line and that of '%s' differ on plain digests",
			       p->name, p->entry.path);
	body_digest(p->body, digest, &length);
	if (memcmp(digest, p->part.own_digest, SHA256_SIZE) != 0)
		return err_set(e, ERR_MALFORMED,
			       "'%s' is damaged: its lines do not have the digest that its first "
			       "line tells",
			       p->name);
	return 0;
}

static void sink(struct merger *m, size_t at)
{
	struct merge_part **heap = m->heap;

	for (size_t child; (child = 2 * at + 1) < m->heap_count; at = child) {
		if (child + 1 < m->heap_count &&
		    path_compare(heap[child + 1]->entry.path, heap[child]->entry.path) < 0)
			child++;
		if (path_compare(heap[at]->entry.path, heap[child]->entry.path) <= 0)
			return;
		struct merge_part *down = heap[at];
		heap[at] = heap[child];
		heap[child] = down;
	}
}

static int fill_heap(struct merger *m, struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		int got = advance(&m->parts[i], e);
		if (got < 0)
			return -1;
		if (got > 0)
			m->heap[m->heap_count++] = &m->parts[i];
	}
	for (size_t i = m->heap_count / 2; i-- > 0;)
		sink(m, i);
	return 0;
}

static int take(struct merger *m, const struct merge_part *p, struct err *e)
{
	size_t len;
	const char *line = body_line(p->body, &len);

	buf_add(&m->text, line, len);
	buf_addc(&m->text, '\n');
	m->result->totals[p->entry.label].files++;
	m->result->totals[p->entry.label].bytes += p->entry.size;
	progress_add(m->options->progress, p->entry.size);
	if (part_list(m->listing, &m->room, &p->entry, e) != 0)
		return -1;
	return outfile_gather(m->out, &m->text, e);
}

static int merge_lines(struct merger *m, struct err *e)
{
	if (fill_heap(m, e) != 0)
		return -1;
	while (m->heap_count > 0) {
		struct merge_part *top = m->heap[0];
		if (take(m, top, e) != 0)
			return -1;
		int got = advance(top, e);
		if (got < 0)
			return -1;
		if (got == 0)
			m->heap[0] = m->heap[--m->heap_count];
		sink(m, 0);
	}
	return outfile_drain(m->out, &m->text, e);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

/* What was merged is what every machine had listed: nothing is missing, nothing stands twice. */
static int check_listing(struct merger *m, struct err *e)
{
	uint8_t digest[SHA256_SIZE];

	sha256_final(m->listing, digest);
	if (sha256_check(m->listing, e) != 0)
		return -1;
	if (memcmp(digest, m->parts->part.listing, SHA256_SIZE) == 0)
		return 0;
	return err_set(e, ERR_MALFORMED,
		       "the files of '%s' and the other parts are not those that its first line "
		       "tells of",
		       m->parts->name);
}

static int check_output(const struct merge_options *o, struct err *e)
{
	size_t dashes = 0;

	for (size_t i = 0; i < o->count; i++) {
		dashes += strcmp(o->parts[i], "-") == 0;
		if (strcmp(o->inventory, "-") != 0 && outfile_is_same(o->inventory, o->parts[i]))
			return err_set(e, ERR_USAGE, "the output '%s' is a part as well",
				       o->inventory);
	}
	if (dashes > 1)
		return err_set(e, ERR_USAGE, "only one part can be standard input");
	return 0;
}

static int merge(struct merger *m, struct err *e)
{
	if (open_parts(m, e) != 0)
		return -1;
	const struct part *first = &m->parts->part;
	const struct header header = {.kind = HEADER_INVENTORY,
				      .piece_length = first->piece_length,
				      .files = first->files,
				      .bytes = first->bytes};
	m->result->piece_length = first->piece_length;
	m->result->parts = m->count;
	header_format(&m->text, &header);
	buf_addc(&m->text, '\n');
	progress_begin(m->options->progress, "merging", first->bytes);
	int status = merge_lines(m, e);
	progress_end(m->options->progress);
	if (status != 0 || check_listing(m, e) != 0 || outfile_sync(m->out, e) != 0)
		return -1;
	return outfile_commit(m->out, e);
}

int merge_run(const struct merge_options *options, struct merge_result *ret, struct err *e)
{
	const struct outfile_options how = {.force = options->force};
	struct merger m = {.options = options, .result = ret, .room = BUF_INIT, .text = BUF_INIT};
	int status = -1;

	*ret = (struct merge_result){.parts = 0};
	if (check_output(options, e) != 0)
		return -1;
	m.parts = calloc(options->count, sizeof *m.parts);
	m.heap = calloc(options->count, sizeof *m.heap);
	if (m.parts == NULL || m.heap == NULL)
		(void)err_nomem(e);
	else if ((m.listing = sha256_new(e)) != NULL &&
		 (m.out = outfile_open(options->inventory, &how, options->scratch, e)) != NULL)
		status = merge(&m, e);
	close_parts(&m);
	free(m.parts);
	free(m.heap);
	sha256_free(m.listing);
	outfile_free(m.out);
	buf_release(&m.room);
	buf_release(&m.text);
	return status;
}

void merge_describe(struct buf *to, const struct merge_result *r)
{
	for (enum label label = LABEL_PUBLIC; label <= LABEL_ORIGIN; label++) {
		buf_addf(to, "%-8s ", label_name(label));
		text_plural(to, r->totals[label].files, "file");
		buf_adds(to, ", ");
		text_bytes(to, r->totals[label].bytes);
		buf_addc(to, '\n');
	}
	buf_adds(to, "merged   ");
	text_plural(to, r->parts, "part");
	buf_addc(to, '\n');
}

void merge_format(struct buf *to, const struct merge_result *r)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	for (enum label label = LABEL_PUBLIC; label <= LABEL_ORIGIN; label++) {
		jsonl_open(&w, label_name(label));
		jsonl_number(&w, "files", r->totals[label].files);
		jsonl_number(&w, "bytes", r->totals[label].bytes);
		jsonl_close(&w);
	}
	jsonl_number(&w, "piece_length", r->piece_length);
	jsonl_number(&w, "parts", r->parts);
	jsonl_close(&w);
	buf_addc(to, '\n');
}
