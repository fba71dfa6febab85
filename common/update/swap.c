#include "swarm/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "swarm/beneath.h"
#include "swarm/buf.h"
#include "swarm/path.h"
#include "swarm/source.h"

static int open_tree(const struct staging *staging, struct err *e)
{
	const char *name = staging_target(staging);
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "cannot open '%s'", name);
}

/* --- what stands in the way ---------------------------------------------------------------------
 */

struct search {
	const struct plan *plan;
	const char *name; /* of the tree */
	int tree;
	struct faults *found;
};

static bool is_old_file(const struct search *s, const char *path)
{
	return listing_find(&s->plan->warrant->old, path) != NULL;
}

static bool is_old_folder(const struct search *s, const char *path)
{
	const struct listing *old = &s->plan->warrant->old;
	size_t low = 0, high = old->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (path_compare(old->entries[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < old->count && path_is_below(old->entries[low].path, path);
}

static int add_obstacle(const struct search *s, const char *path, const char *file, struct err *e)
{
	struct buf what = BUF_INIT;

	buf_addf(&what, "'%s' is no file of the old release, and stands where '%s' must go", path,
		 file);
	int status = buf_check(&what, e);
	if (status == 0)
		status = faults_add(s->found, path, what.data, e);
	buf_release(&what);
	return status;
}

/* A directory stands where the new release has a file: it has to hold old files alone. */
static int search_folder(const struct search *s, const char *path, struct err *e)
{
	struct buf name = BUF_INIT;
	struct source *source = NULL;
	struct source_item item;
	int got = -1;

	if (!is_old_folder(s, path) && add_obstacle(s, path, path, e) != 0)
		goto out;
	buf_addf(&name, "%s/%s", s->name, path);
	if (buf_check(&name, e) != 0 || (source = source_open(name.data, 1, e)) == NULL)
		goto out;
	while ((got = source_next(source, &item, e)) > 0) {
		buf_clear(&name);
		buf_addf(&name, "%s/%s", path, item.path);
		if (buf_check(&name, e) != 0) {
			got = -1;
			break;
		}
		bool old = item.type == SOURCE_DIRECTORY ? is_old_folder(s, name.data)
							 : is_old_file(s, name.data);
		if (!old && add_obstacle(s, name.data, path, e) != 0) {
			got = -1;
			break;
		}
	}
out:
	source_close(source);
	buf_release(&name);
	return got;
}

/* Something above the file: a directory is fine, an old file goes. */
static bool blocks(const struct search *s, const char *folder, const struct stat *st)
{
	return !S_ISDIR(st->st_mode) && !(S_ISREG(st->st_mode) && is_old_file(s, folder));
}

static int search_path(const struct search *s, const char *path, struct err *e)
{
	char folder[PATH_LENGTH_MAX + 1];
	struct stat st;

	for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
		memcpy(folder, path, (size_t)(slash - path));
		folder[slash - path] = '\0';
		if (beneath_stat(s->tree, folder, &st) != 0)
			return errno == ENOENT
				   ? 0
				   : err_sys(e, "cannot examine '%s' in '%s'", folder, s->name);
		if (blocks(s, folder, &st) && add_obstacle(s, folder, path, e) != 0)
			return -1;
		if (!S_ISDIR(st.st_mode))
			return 0;
	}
	if (beneath_stat(s->tree, path, &st) != 0)
		return errno == ENOENT ? 0
				       : err_sys(e, "cannot examine '%s' in '%s'", path, s->name);
	if (S_ISDIR(st.st_mode))
		return search_folder(s, path, e);
	return is_old_file(s, path) ? 0 : add_obstacle(s, path, path, e);
}

int swap_obstacles(const struct staging *staging, const struct plan *plan, struct faults *ret,
		   struct err *e)
{
	struct search s = {.plan = plan, .name = staging_target(staging), .found = ret};
	int status = 0;

	s.tree = open_tree(staging, e);
	if (s.tree < 0)
		return -1;
	for (size_t i = 0; i < plan->count && status == 0; i++)
		if (plan->items[i].way != PLAN_STAYS)
			status = search_path(&s, plan->items[i].file->path, e);
	(void)close(s.tree);
	return status;
}

/* --- what is to be moved ------------------------------------------------------------------------
 */

static bool stays(const struct plan *plan, const char *path)
{
	const struct listing *new = &plan->warrant->new;
	const struct entry *entry = listing_find(new, path);

	return entry != NULL && plan->items[entry - new->entries].way == PLAN_STAYS;
}

int swap_plan(const struct plan *plan, struct journal *ret, struct err *e)
{
	const struct warrant *w = plan->warrant;

	memcpy(ret->from, w->delta.from.digest, SHA256_SIZE);
	ret->to = w->delta.to;
	for (size_t i = 0; i < w->old.count; i++)
		if (!stays(plan, w->old.entries[i].path) &&
		    journal_add(ret, false, w->old.entries[i].path, e) != 0)
			return -1;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].way != PLAN_STAYS &&
		    journal_add(ret, true, plan->items[i].file->path, e) != 0)
			return -1;
	return 0;
}

/* --- where it is --------------------------------------------------------------------------------
 */

struct swap {
	const struct journal *journal;
	const char *name; /* of the tree */
	int tree, new, old;
};

enum kind { KIND_NONE, KIND_FILE, KIND_DIRECTORY, KIND_OTHER };

/* What stands at `path` below one of the three. */
static int look(int root, const char *path, enum kind *ret, struct err *e)
{
	struct stat st;

	*ret = KIND_NONE;
	if (beneath_stat(root, path, &st) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot examine '%s'", path);
	if (S_ISREG(st.st_mode))
		*ret = KIND_FILE;
	else
		*ret = S_ISDIR(st.st_mode) ? KIND_DIRECTORY : KIND_OTHER;
	return 0;
}

/*
 * Where the file of a move is, and what stands in its place in the tree. There, an old and a new
 * file may have one name: which of them it is the staging folder tells.
 */
static int locate(const struct swap *s, const struct journal_move *m, enum staging_part *ret,
		  enum kind *ret_tree, struct err *e)
{
	enum kind aside, old = KIND_FILE;

	if (look(m->in ? s->new : s->old, m->path, &aside, e) != 0 ||
	    look(s->tree, m->path, ret_tree, e) != 0)
		return -1;
	if (m->in && journal_has(s->journal, false, m->path) && look(s->old, m->path, &old, e) != 0)
		return -1;
	if (aside == KIND_NONE && *ret_tree == KIND_FILE && old == KIND_FILE)
		*ret = STAGING_TREE;
	else
		*ret = m->in ? STAGING_NEW : STAGING_OLD;
	return 0;
}

static int add_conflict(struct faults *to, const char *path, const char *why, struct err *e)
{
	struct buf what = BUF_INIT;

	buf_addf(&what, "'%s' %s", path, why);
	int status = buf_check(&what, e);
	if (status == 0)
		status = faults_add(to, path, what.data, e);
	buf_release(&what);
	return status;
}

/* NULL, or why no point among the moves explains that a file that is aside has `tree` there. */
static const char *objection(const struct journal *j, const struct journal_move *m, enum kind tree,
			     bool new_aside)
{
	if (!m->in && tree == KIND_FILE && (new_aside || !journal_has(j, true, m->path)))
		return "stands in the tree, although it was moved out of it";
	if (m->in && tree == KIND_OTHER)
		return "stands in the tree, and is no file";
	if (m->in && tree == KIND_FILE && !journal_has(j, false, m->path))
		return "stands in the tree, although it was not moved into it yet";
	return NULL;
}

static int examine(const struct swap *s, enum staging_part *ret_parts, struct faults *ret,
		   struct err *e)
{
	bool all_out = true;

	for (size_t i = 0; i < s->journal->count; i++) {
		const struct journal_move *m = &s->journal->moves[i];
		const char *why = NULL;
		enum kind tree, new = KIND_NONE;
		if (locate(s, m, &ret_parts[i], &tree, e) != 0)
			return -1;
		bool here = ret_parts[i] == STAGING_TREE;
		if (!m->in && !here && look(s->new, m->path, &new, e) != 0)
			return -1;
		all_out = all_out && (m->in || !here);
		if (!here)
			why = objection(s->journal, m, tree, new != KIND_NONE);
		else if (m->in && !all_out)
			why = "stands in the tree, although old files still do";
		if (why != NULL && add_conflict(ret, m->path, why, e) != 0)
			return -1;
	}
	return 0;
}

/* --- moving -------------------------------------------------------------------------------------
 */

/*
 * Removes the directories that these moves have left empty, before the others begin: a file may
 * have to go where one of them stands.
 */
static void prune(const struct swap *s, bool in)
{
	for (size_t i = 0; i < s->journal->count; i++)
		if (s->journal->moves[i].in == in)
			beneath_prune(s->tree, s->journal->moves[i].path);
}

/* Moves a file to the tree or out of it, unless it has been, or is nowhere. */
static int carry(const struct swap *s, const struct journal_move *m, bool to_tree, struct err *e)
{
	int side = m->in ? s->new : s->old;
	enum staging_part part;
	enum kind tree, aside;

	if (locate(s, m, &part, &tree, e) != 0 || look(side, m->path, &aside, e) != 0)
		return -1;
	if (to_tree ? aside == KIND_NONE : part != STAGING_TREE)
		return 0;
	int status =
	    to_tree ? beneath_move(side, s->tree, m->path) : beneath_move(s->tree, side, m->path);
	if (status != 0)
		return err_sys(e, "cannot move '%s' %s '%s'", m->path, to_tree ? "into" : "out of",
			       s->name);
	return 0;
}

static int carry_all(const struct swap *s, bool in, bool to_tree, struct err *e)
{
	for (size_t i = 0; i < s->journal->count; i++)
		if (s->journal->moves[i].in == in &&
		    carry(s, &s->journal->moves[i], to_tree, e) != 0)
			return -1;
	return 0;
}

static int finish(const struct swap *s, struct err *e)
{
	if (carry_all(s, false, false, e) != 0)
		return -1;
	prune(s, false);
	return carry_all(s, true, true, e);
}

static int undo(const struct swap *s, struct err *e)
{
	if (carry_all(s, true, false, e) != 0)
		return -1;
	prune(s, true);
	return carry_all(s, false, true, e);
}

/*
 * Once the journal is gone, there is no way back, and nothing more can go wrong: should it come
 * back after a crash, the tree is found to be what it leads to.
 */
static int settle(const struct staging *staging, struct err *e)
{
	if (staging_sync(staging, e) != 0)
		return -1;
	return journal_remove(staging_path(staging), e);
}

static int move(const struct staging *staging, const struct swap *s, struct err *e)
{
	struct err late;

	if (finish(s, e) == 0 && settle(staging, e) == 0)
		return 0;
	if (undo(s, &late) == 0 && settle(staging, &late) == 0)
		return err_prefix(e, "nothing was changed");
	return err_prefix(e, "'%s' is neither old nor new: run this again to finish it", s->name);
}

static int open_swap(const struct staging *staging, const struct journal *journal, struct swap *ret,
		     struct err *e)
{
	*ret = (struct swap){.journal = journal,
			     .name = staging_target(staging),
			     .tree = open_tree(staging, e),
			     .new = staging_new(staging),
			     .old = staging_old(staging)};
	return ret->tree >= 0 ? 0 : -1;
}

int swap_examine(const struct staging *staging, const struct journal *journal,
		 enum staging_part *ret_parts, struct faults *ret_conflicts, struct err *e)
{
	struct swap s;

	if (open_swap(staging, journal, &s, e) != 0)
		return -1;
	int status = examine(&s, ret_parts, ret_conflicts, e);
	(void)close(s.tree);
	return status;
}

int swap_run(const struct staging *staging, const struct journal *journal, bool written,
	     struct scratch *scratch, struct err *e)
{
	struct swap s;
	struct err late;
	int status = -1;

	if (open_swap(staging, journal, &s, e) != 0)
		return -1;
	if (!written && journal_write(journal, staging_path(staging), scratch, e) != 0) {
		/* It may stand there, although not on disk. */
		(void)!journal_remove(staging_path(staging), &late);
		goto out;
	}
	/* A signal that asks us to stop has to wait for these few names. */
	if (scratch_enter(scratch, e) != 0)
		goto out;
	status = move(staging, &s, e);
	scratch_leave(scratch);
out:
	(void)close(s.tree);
	return status;
}

int swap_undo(const struct staging *staging, const struct journal *journal, struct scratch *scratch,
	      struct err *e)
{
	struct swap s;
	int status = -1;

	if (open_swap(staging, journal, &s, e) != 0)
		return -1;
	if (scratch_enter(scratch, e) == 0) {
		if (undo(&s, e) == 0)
			status = settle(staging, e);
		scratch_leave(scratch);
	}
	(void)close(s.tree);
	return status;
}
