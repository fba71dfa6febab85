#include "swarm/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/buf.h"
#include "swarm/collisions.h"
#include "swarm/entry.h"
#include "swarm/grow.h"
#include "swarm/links.h"
#include "swarm/merkle.h"
#include "swarm/path.h"

/* How many paths links may unfold to, how deep they may lie in each other. */
#define UNFOLD_MAX   ((size_t)1000000)
#define UNFOLD_DEPTH 40
#define READ_BLOCK   ((size_t)256 * 1024)

struct scanner {
	struct source *source;
	const struct scan_options *options;
	struct scan *out;
	struct links_item *items;
	size_t count, cap;
	size_t file_cap, kept_cap;
	size_t unfolded;
};

int scan_add_problem(struct scan *s, const struct scan_problem *problem, struct err *e)
{
	struct scan_problem *more =
	    grow_for_one(s->problems, s->problem_count, &s->problem_room, sizeof *more, e);

	if (more == NULL)
		return -1;
	s->problems = more;
	more[s->problem_count++] = *problem;
	return 0;
}

static int add_problem(struct scanner *s, enum scan_fault fault, const char *path, const char *why,
		       struct err *e)
{
	return scan_add_problem(
	    s->out, &(struct scan_problem){.fault = fault, .path = path, .why = why}, e);
}

/* --- listing ------------------------------------------------------------------------------------
 */

/* Some archives tell a member's size only by its end. */
static int measure(struct scanner *s, struct links_item *item, struct err *e)
{
	char *block = malloc(READ_BLOCK);
	int status = -1;

	if (block == NULL)
		return err_nomem(e);
	for (;;) {
		ssize_t n = source_read(s->source, block, READ_BLOCK, e);
		if (n < 0)
			goto out;
		if (n == 0)
			break;
		item->size += (uint64_t)n;
	}
	status = 0;
out:
	free(block);
	return status;
}

static int keep_item(struct scanner *s, const struct source_item *item, uint64_t number,
		     struct err *e)
{
	struct links_item *more = grow_for_one(s->items, s->count, &s->cap, sizeof *more, e);

	if (more == NULL)
		return -1;
	s->items = more;
	struct links_item *to = &more[s->count];
	*to =
	    (struct links_item){.path = arena_copy(&s->out->arena, item->path, strlen(item->path)),
				.size = item->size,
				.number = number,
				.stamp = item->stamp,
				.type = item->type,
				.exec = item->exec};
	if (item->target != NULL)
		to->target = arena_copy(&s->out->arena, item->target, strlen(item->target));
	if (to->path == NULL || (item->target != NULL && to->target == NULL))
		return err_nomem(e);
	s->count++;
	bool brings_content = item->type == SOURCE_HARDLINK && item->size > 0;
	if (item->unsafe || brings_content)
		to->type = SOURCE_BROKEN; /* nothing more is to be said of it */
	if (item->unsafe)
		return add_problem(s, SCAN_OUTSIDE, to->path, "a name that leads out of the tree",
				   e);
	if (brings_content)
		return add_problem(s, SCAN_LINK, to->path,
				   "a hard link that brings content of its own", e);
	if (item->type == SOURCE_FILE && !item->size_known)
		return measure(s, to, e);
	return 0;
}

static int list(struct scanner *s, struct err *e)
{
	struct source_item item;

	for (uint64_t number = 0;; number++) {
		int got = source_next(s->source, &item, e);
		if (got <= 0)
			return got;
		if (item.type == SOURCE_BROKEN) {
			errno = item.error;
			return err_sys(e, "cannot read '%s' in '%s'", item.path,
				       source_name(s->source));
		}
		if (keep_item(s, &item, number, e) != 0)
			return -1;
	}
}

static int compare_item(const void *a, const void *b)
{
	const struct links_item *left = a, *right = b;
	int order = path_compare(left->path, right->path);

	return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

/* --- labelling ----------------------------------------------------------------------------------
 */

/* The label of a path of the source; public, which makes nothing stricter, if it has none. */
static enum label label_of(const struct scanner *s, const char *source_path)
{
	struct rules_verdict verdict;
	const char *path = path_strip(source_path, s->options->strip);

	if (path == NULL)
		return LABEL_PUBLIC;
	rules_decide(s->options->rules, path, false, &verdict);
	return verdict.labelled ? verdict.label : LABEL_PUBLIC;
}

static int keep_private(struct scanner *s, const struct scan_file *file, struct err *e)
{
	struct scan *out = s->out;

	if (!s->options->keep_private)
		return 0;
	struct scan_file *more =
	    grow_for_one(out->kept, out->kept_count, &s->kept_cap, sizeof *more, e);
	if (more == NULL)
		return -1;
	out->kept = more;
	more[out->kept_count++] = *file;
	return 0;
}

/* The guard that refuses a file by any of its names: in the release, in the tree, of its content.
 */
static const struct guards_guard *judge_names(const struct scanner *s, const char *path,
					      const char *source_path, const char *content_path)
{
	const struct guards *guards = s->options->guards;

	if (guards == NULL)
		return NULL;
	const struct guards_guard *guard = guards_judge_name(guards, path, path);
	if (guard == NULL && source_path != path)
		guard = guards_judge_name(guards, source_path, path);
	if (guard == NULL && content_path != source_path)
		guard = guards_judge_name(guards, content_path, path);
	return guard;
}

/* Names that must not be published although a rule says so. */
static int check_name(struct scanner *s, const char *path, const char *source_path,
		      const char *content_path, struct err *e)
{
	const char *why = path_unportable(path);

	if (why != NULL && add_problem(s, SCAN_UNPORTABLE, path, why, e) != 0)
		return -1;
	const struct guards_guard *guard = judge_names(s, path, source_path, content_path);
	if (guard == NULL)
		return 0;
	return scan_add_problem(
	    s->out,
	    &(struct scan_problem){
		.fault = SCAN_GUARD, .path = path, .why = guard->description, .guard = guard},
	    e);
}

/* Judges a file by its name; `least` is how strict its label must be for other reasons. */
static int add_file(struct scanner *s, const char *source_path, const struct links_item *content,
		    enum label least, struct err *e)
{
	struct scan *out = s->out;
	struct rules_verdict verdict;
	const char *path = path_strip(source_path, s->options->strip);

	if (path == NULL)
		return add_problem(s, SCAN_OUTSIDE, source_path,
				   "no name is left of it after --strip-components", e);
	rules_decide(s->options->rules, path, false, &verdict);
	usage_note(&out->usage, s->options->rules, path, &verdict);
	if (!verdict.labelled)
		return add_problem(s, SCAN_UNLABELLED, path, "no rule labels it", e);
	verdict.label = label_stricter(verdict.label, least);
	out->totals[verdict.label].files++;
	out->totals[verdict.label].bytes += content->size;
	struct scan_file file = {.path = path,
				 .content = content->path,
				 .content_number = content->number,
				 .size = content->size,
				 .stamp = content->stamp,
				 .rule = verdict.rule,
				 .label = verdict.label,
				 .exec = content->exec,
				 .hot = ENTRY_NOT_HOT};
	if (verdict.label == LABEL_PRIVATE)
		return keep_private(s, &file, e);
	if (check_name(s, path, source_path, content->path, e) != 0)
		return -1;
	struct scan_file *more =
	    grow_for_one(out->files, out->count, &s->file_cap, sizeof *more, e);
	if (more == NULL)
		return -1;
	out->files = more;
	more[out->count++] = file;
	return 0;
}

/*
 * What is no file, or leads to none: no problem if it stays at home whatever it is.
 */
static int take_other(struct scanner *s, const char *source_path, enum scan_fault fault,
		      const char *why, struct err *e)
{
	struct rules_verdict verdict;
	const char *path = path_strip(source_path, s->options->strip);

	if (path == NULL)
		return add_problem(s, fault, source_path, why, e);
	rules_decide(s->options->rules, path, false, &verdict);
	if (!verdict.labelled || verdict.label != LABEL_PRIVATE)
		return add_problem(s, fault, source_path, why, e);
	usage_note(&s->out->usage, s->options->rules, path, &verdict);
	s->out->totals[LABEL_PRIVATE].files++;
	return keep_private(s,
			    &(struct scan_file){.path = path,
						.content = source_path,
						.rule = verdict.rule,
						.label = LABEL_PRIVATE,
						.hot = ENTRY_NOT_HOT},
			    e);
}

static int follow(struct scanner *s, const char *path, const struct links_item *item,
		  enum label least, unsigned depth, struct err *e);

/* Takes `item` of a directory that a link leads to, under the name `path`. */
static int unfold(struct scanner *s, const char *path, const struct links_item *item,
		  enum label least, unsigned depth, struct err *e)
{
	if (++s->unfolded > UNFOLD_MAX)
		return err_set(e, ERR_REFUSED,
			       "the symbolic links in '%s' unfold to more than %zu paths",
			       source_name(s->source), UNFOLD_MAX);
	switch (item->type) {
	case SOURCE_FILE:
		return add_file(s, path, item, label_stricter(least, label_of(s, item->path)), e);
	case SOURCE_SYMLINK:
	case SOURCE_HARDLINK: return follow(s, path, item, least, depth + 1, e);
	case SOURCE_SPECIAL: return take_other(s, path, SCAN_SPECIAL, "not a file", e);
	case SOURCE_DIRECTORY:
	case SOURCE_BROKEN: break;
	}
	return 0;
}

/* Takes the link `item` for what it leads to, under the name `path`. */
static int follow(struct scanner *s, const char *path, const struct links_item *item,
		  enum label least, unsigned depth, struct err *e)
{
	struct links_tree tree = {s->items, s->count};
	struct links_found found;
	enum links_result result = links_resolve(&tree, item, &found);

	/* A link to a link to a private file is as private as any of the three. */
	for (size_t i = 0; i < found.hop_count; i++)
		least = label_stricter(least, label_of(s, found.hops[i]->path));
	if (result == LINKS_FILE)
		return add_file(s, path, found.file,
				label_stricter(least, label_of(s, found.file->path)), e);
	if (depth > UNFOLD_DEPTH)
		result = LINKS_CIRCLE;
	if (result != LINKS_DIRECTORY)
		return take_other(s, path, SCAN_LINK, links_why(result), e);
	for (size_t i = 0; i < found.count; i++) {
		const struct links_item *below = &s->items[found.first + i];
		struct buf name = BUF_INIT;
		buf_addf(&name, "%s/%s", path, below->path + found.prefix);
		const char *kept =
		    name.failed ? NULL : arena_copy(&s->out->arena, name.data, name.len);
		buf_release(&name);
		if (kept == NULL)
			return err_nomem(e);
		if (unfold(s, kept, below, least, depth, e) != 0)
			return -1;
	}
	return 0;
}

static int judge_symlink(struct scanner *s, const struct links_item *item, struct err *e)
{
	switch (rules_symlinks(s->options->rules)) {
	case RULES_SYMLINKS_SKIP: s->out->skipped_links++; return 0;
	case RULES_SYMLINKS_FOLLOW: return follow(s, item->path, item, LABEL_PUBLIC, 0, e);
	case RULES_SYMLINKS_ERROR: break;
	}
	return take_other(s, item->path, SCAN_LINK,
			  "a symbolic link (the rules do not say 'symlinks: follow' or 'skip')", e);
}

static int judge(struct scanner *s, const struct links_item *item, struct err *e)
{
	switch (item->type) {
	case SOURCE_FILE: return add_file(s, item->path, item, LABEL_PUBLIC, e);
	case SOURCE_SYMLINK: return judge_symlink(s, item, e);
	case SOURCE_HARDLINK:
		if (links_is_symbolic(&(struct links_tree){s->items, s->count}, item))
			return judge_symlink(s, item, e);
		return follow(s, item->path, item, LABEL_PUBLIC, 0, e);
	case SOURCE_SPECIAL:
		return take_other(s, item->path, SCAN_SPECIAL, "a device, FIFO or socket", e);
	case SOURCE_DIRECTORY:
	case SOURCE_BROKEN: break;
	}
	return 0;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static int compare_file(const void *a, const void *b)
{
	return path_compare(((const struct scan_file *)a)->path,
			    ((const struct scan_file *)b)->path);
}

static int compare_problem(const void *a, const void *b)
{
	const struct scan_problem *left = a, *right = b;
	int order = path_compare(left->path, right->path);

	if (order == 0)
		order = (left->fault > right->fault) - (left->fault < right->fault);
	return order != 0 ? order : (left->guard > right->guard) - (left->guard < right->guard);
}

/*
 * In an archive, a file can have a name below that of something else than a directory: unpacked, it
 * would go through a link, say. In the order of paths, what lies below an item follows it.
 */
static int find_misplaced(struct scanner *s, struct err *e)
{
	const struct links_item *above = NULL;

	for (size_t i = 0; i < s->count; i++) {
		const struct links_item *item = &s->items[i];
		bool below = above != NULL && path_is_below(item->path, above->path);
		const char *why = below && above->type != SOURCE_FILE ? "it lies below a link"
								      : "it lies below a file";
		if (below && add_problem(s, SCAN_DUPLICATE, item->path, why, e) != 0)
			return -1;
		if (!below && item->type != SOURCE_DIRECTORY && item->type != SOURCE_BROKEN)
			above = item;
	}
	return 0;
}

static int find_duplicates(struct scanner *s, struct err *e)
{
	const struct scan_file *files = s->out->files;

	for (size_t i = 1; i < s->out->count; i++) {
		const char *why = NULL;
		if (strcmp(files[i - 1].path, files[i].path) == 0)
			why = "there are two files of this name";
		else if (path_is_below(files[i].path, files[i - 1].path))
			why = "it lies below a file";
		if (why != NULL && add_problem(s, SCAN_DUPLICATE, files[i].path, why, e) != 0)
			return -1;
	}
	return 0;
}

static int add_collision(void *context, const char *first, size_t first_len, const char *second,
			 size_t second_len, struct err *e)
{
	struct scanner *s = context;
	struct scan_problem problem = {
	    .fault = SCAN_COLLISION,
	    .path = arena_copy(&s->out->arena, second, second_len),
	    .other = arena_copy(&s->out->arena, first, first_len),
	};
	struct buf why = BUF_INIT;

	if (problem.path == NULL || problem.other == NULL)
		return err_nomem(e);
	buf_addf(&why, "it is '%s' where neither case nor the spelling of accents matters",
		 problem.other);
	problem.why = why.failed ? NULL : arena_copy(&s->out->arena, why.data, why.len);
	buf_release(&why);
	return problem.why != NULL ? scan_add_problem(s->out, &problem, e) : err_nomem(e);
}

static int find_collisions(struct scanner *s, struct err *e)
{
	const struct scan *out = s->out;
	const char **paths = calloc(out->count + 1, sizeof *paths);
	size_t n = 0;

	if (paths == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < out->count; i++)
		if (n == 0 || strcmp(paths[n - 1], out->files[i].path) != 0)
			paths[n++] = out->files[i].path;
	int status = collisions_find(paths, n, add_collision, s, e);
	free(paths);
	return status;
}

void scan_sort_problems(struct scan *s)
{
	struct scan_problem *list = s->problems;
	size_t n = 0;

	if (s->problem_count > 0)
		qsort(list, s->problem_count, sizeof *list, compare_problem);
	for (size_t i = 0; i < s->problem_count; i++)
		/* One path has one problem of a kind, or of a guard. */
		if (n == 0 || compare_problem(&list[n - 1], &list[i]) != 0)
			list[n++] = list[i];
	s->problem_count = n;
}

size_t scan_count_refused(const struct scan *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->problem_count; i++)
		n += i == 0 || strcmp(s->problems[i - 1].path, s->problems[i].path) != 0;
	return n;
}

/* A directory is listed in order already; qsort() would need as much memory again to see it. */
static void sort(void *list, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	const char *at = list;
	size_t i = 1;

	while (i < count && compare(at + (i - 1) * size, at + i * size) <= 0)
		i++;
	if (i < count)
		qsort(list, count, size, compare);
}

int scan_run(struct source *source, const struct scan_options *options, struct scan *ret,
	     struct err *e)
{
	struct scanner s = {.source = source, .options = options, .out = ret};
	int status = -1;

	*ret = (struct scan){.arena = ARENA_INIT};
	if (usage_init(&ret->usage, options->rules, e) != 0)
		return -1;
	if (list(&s, e) != 0)
		goto out;
	sort(s.items, s.count, sizeof *s.items, compare_item);
	if (!source_is_directory(source) && find_misplaced(&s, e) != 0)
		goto out;
	for (size_t i = 0; i < s.count; i++)
		if (judge(&s, &s.items[i], e) != 0)
			goto out;
	sort(ret->files, ret->count, sizeof *ret->files, compare_file);
	sort(ret->kept, ret->kept_count, sizeof *ret->kept, compare_file);
	if (find_duplicates(&s, e) != 0 || find_collisions(&s, e) != 0)
		goto out;
	scan_sort_problems(ret);
	status = 0;
out:
	/* A part of a tree does not tell which rules are dead. */
	if (status != 0)
		usage_release(&ret->usage);
	free(s.items);
	return status;
}

void scan_release(struct scan *s)
{
	free(s->files);
	free(s->problems);
	free(s->kept);
	usage_release(&s->usage);
	arena_release(&s->arena);
	*s = (struct scan){.arena = ARENA_INIT};
}

const char *scan_fault_name(enum scan_fault fault)
{
	switch (fault) {
	case SCAN_UNLABELLED: return "unlabelled";
	case SCAN_UNPORTABLE: return "unportable";
	case SCAN_LINK: return "link";
	case SCAN_SPECIAL: return "special";
	case SCAN_DUPLICATE: return "duplicate";
	case SCAN_OUTSIDE: return "outside";
	case SCAN_COLLISION: return "collision";
	case SCAN_GUARD: return "guard";
	case SCAN_NEW: return "new";
	}
	return "unknown";
}

uint64_t scan_piece_length(const struct scan *s)
{
	for (uint64_t length = 65536; length < MERKLE_PIECE_MAX; length *= 2) {
		uint64_t pieces = 0;
		for (size_t i = 0; i < s->count; i++)
			if (s->files[i].size > length)
				pieces += merkle_pieces(s->files[i].size, length);
		if (pieces <= 32768)
			return length;
	}
	return MERKLE_PIECE_MAX;
}
