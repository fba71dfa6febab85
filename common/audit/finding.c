#include "swarm/finding.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/grow.h"
#include "swarm/jsonl.h"
#include "swarm/path.h"
#include "swarm/text.h"

void finding_list_release(struct finding_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i].pieces);
	free(l->items);
	arena_release(&l->arena);
	*l = (struct finding_list)FINDING_LIST_INIT;
}

int finding_add(struct finding_list *l, const struct finding *f, struct err *e)
{
	struct finding *more = grow_for_one(l->items, l->count, &l->cap, sizeof *more, e);

	if (more == NULL) {
		free(f->pieces);
		return -1;
	}
	l->items = more;
	more[l->count++] = *f;
	l->counts[f->kind]++;
	return 0;
}

int finding_add_reason(struct finding_list *l, enum finding_kind kind, const char *path,
		       const char *why, struct err *e)
{
	struct finding f = {.kind = kind, .path = arena_copy(&l->arena, path, strlen(path))};

	if (why != NULL)
		f.why = arena_copy(&l->arena, why, strlen(why));
	if (f.path == NULL || (why != NULL && f.why == NULL))
		return err_nomem(e);
	return finding_add(l, &f, e);
}

static int compare(const void *left, const void *right)
{
	const struct finding *x = left, *y = right;
	int order = path_compare(x->path, y->path);

	return order != 0 ? order : (x->kind > y->kind) - (x->kind < y->kind);
}

void finding_sort(struct finding_list *l)
{
	if (l->count > 0)
		qsort(l->items, l->count, sizeof *l->items, compare);
}

const char *finding_name(enum finding_kind kind)
{
	switch (kind) {
	case FINDING_CORRUPT: return "corrupt";
	case FINDING_MISSING: return "missing";
	case FINDING_WRONG_TYPE: return "wrong-type";
	case FINDING_UNSAFE_PATH: return "unsafe-path";
	case FINDING_UNREADABLE: return "unreadable";
	case FINDING_MOVED: return "moved";
	case FINDING_EXTRA: return "extra";
	case FINDING_WRONG_MODE: return "wrong-mode";
	case FINDING_OK: return "ok";
	}
	return "unknown";
}

/* The bytes of a run of pieces, as far as the file goes. */
static void range_of(const struct finding *f, const struct finding_pieces *run,
		     uint64_t *ret_offset, uint64_t *ret_length)
{
	uint64_t pieces = run->last - run->first + 1;

	*ret_offset = run->first * f->piece_length;
	*ret_length = f->size - *ret_offset;
	if (*ret_length / f->piece_length >= pieces)
		*ret_length = pieces * f->piece_length;
}

static void put_pair(struct jsonl_writer *w, uint64_t a, uint64_t b)
{
	jsonl_open_array(w, NULL);
	jsonl_number(w, NULL, a);
	jsonl_number(w, NULL, b);
	jsonl_close_array(w);
}

static void put_pieces(struct jsonl_writer *w, const struct finding *f)
{
	jsonl_number(w, "size", f->size);
	jsonl_number(w, "found_size", f->found_size);
	jsonl_open_array(w, "pieces");
	for (size_t i = 0; i < f->piece_count; i++)
		put_pair(w, f->pieces[i].first, f->pieces[i].last);
	jsonl_close_array(w);
	jsonl_open_array(w, "ranges");
	for (size_t i = 0; i < f->piece_count; i++) {
		uint64_t offset, length;
		range_of(f, &f->pieces[i], &offset, &length);
		put_pair(w, offset, length);
	}
	jsonl_close_array(w);
}

void finding_format(struct buf *to, const struct finding *f)
{
	struct jsonl_writer w = {.to = to};

	jsonl_open(&w, NULL);
	jsonl_path(&w, "path", f->path);
	jsonl_string(&w, "finding", finding_name(f->kind));
	if (f->kind == FINDING_CORRUPT)
		put_pieces(&w, f);
	if (f->found != NULL)
		jsonl_path(&w, "found", f->found);
	if (f->why != NULL)
		jsonl_any_string(&w, "reason", f->why);
	jsonl_close(&w);
}

#define RUNS_SHOWN 4

static void describe_ranges(struct buf *to, const struct finding *f)
{
	uint64_t bad = 0;

	for (size_t i = 0; i < f->piece_count; i++)
		bad += f->pieces[i].last - f->pieces[i].first + 1;
	uint64_t all = f->size / f->piece_length + (f->size % f->piece_length != 0);
	if (all > 1) {
		text_count(to, bad);
		buf_adds(to, " of ");
		text_plural(to, all, "piece");
		buf_adds(to, bad == 1 ? " is bad: bytes " : " are bad: bytes ");
	} else {
		buf_adds(to, "its one piece is bad: bytes ");
	}
	for (size_t i = 0; i < f->piece_count && i < RUNS_SHOWN; i++) {
		uint64_t offset, length;
		range_of(f, &f->pieces[i], &offset, &length);
		buf_addf(to, "%s%llu-%llu", i > 0 ? ", " : "", (unsigned long long)offset,
			 (unsigned long long)(offset + length - 1));
	}
	if (f->piece_count > RUNS_SHOWN)
		buf_addf(to, " and %zu more runs", f->piece_count - RUNS_SHOWN);
}

static void describe_size(struct buf *to, const struct finding *f)
{
	bool longer = f->found_size > f->size;

	text_bytes(to, longer ? f->found_size - f->size : f->size - f->found_size);
	buf_addf(to, " too %s: %llu instead of %llu", longer ? "long" : "short",
		 (unsigned long long)f->found_size, (unsigned long long)f->size);
}

void finding_describe(struct buf *to, const struct finding *f)
{
	size_t start = to->len;

	if (f->kind == FINDING_CORRUPT) {
		if (f->found_size != f->size)
			describe_size(to, f);
		if (f->piece_count > 0) {
			buf_adds(to, to->len > start ? "; " : "");
			describe_ranges(to, f);
		}
	}
	if (f->found != NULL) {
		buf_adds(to, "now at ");
		text_printable(to, f->found, strlen(f->found));
	}
	if (f->why != NULL) {
		buf_adds(to, to->len > start ? "; " : "");
		text_printable(to, f->why, strlen(f->why));
	}
}
