#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/headertree.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/grow.h"
#include "swarm/nginx.h"

/* --- files --------------------------------------------------------------------------------------
 */

void headertree_release(struct headertree *t)
{
	free(t->nodes);
	free(t->sorted);
	arena_release(&t->arena);
}

static int add_node(struct headertree *t, const char *path, size_t len, bool is_folder,
		    struct err *e)
{
	struct headertree_node *nodes =
	    grow_for_one(t->nodes, t->count, &t->room, sizeof *nodes, e);

	if (nodes == NULL)
		return -1;
	t->nodes = nodes;
	struct headertree_node node = {
	    .path = arena_copy(&t->arena, path, len), .end = t->count + 1, .is_folder = is_folder};
	if (node.path == NULL)
		return err_nomem(e);
	t->nodes[t->count++] = node;
	return 0;
}

/* Leaves the folders that the path is not in, and enters those that it is. */
static int enter(struct headertree *t, const char *path, struct err *e)
{
	if (t->depth == 0) {
		if (add_node(t, "", 0, true, e) != 0)
			return -1;
		t->open[t->depth++] = 0;
	}
	while (t->depth > 1 && !path_is_below(path, t->nodes[t->open[t->depth - 1]].path))
		t->nodes[t->open[--t->depth]].end = t->count;
	const char *at = path + strlen(t->nodes[t->open[t->depth - 1]].path);
	at += *at == '/';
	for (const char *slash; (slash = strchr(at, '/')) != NULL; at = slash + 1) {
		if (add_node(t, path, (size_t)(slash - path), true, e) != 0)
			return -1;
		t->open[t->depth++] = t->count - 1;
	}
	return 0;
}

int headertree_add(struct headertree *t, const char *path, struct headertree_node **ret,
		   struct err *e)
{
	if (enter(t, path, e) != 0 || add_node(t, path, strlen(path), false, e) != 0)
		return -1;
	*ret = &t->nodes[t->count - 1];
	return 0;
}

/* --- paths as the host compares them ------------------------------------------------------------
 */

static int by_bytes(const void *left, const void *right)
{
	const struct headertree_node *const *a = left, *const *b = right;

	int order = strcmp((*a)->path, (*b)->path);

	return order != 0 ? order : (*a)->is_folder - (*b)->is_folder;
}

static int by_letters(const void *left, const void *right)
{
	const struct headertree_node *const *a = left, *const *b = right;
	int order = nginx_compare((*a)->path, (*b)->path);

	return order != 0 ? order : (*a)->is_folder - (*b)->is_folder;
}

static int sort(struct headertree *t, struct err *e)
{
	t->sorted = reallocarray(NULL, t->count, sizeof *t->sorted);
	if (t->sorted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < t->count; i++)
		t->sorted[i] = &t->nodes[i];
	bool netlify = t->host == HEADERTREE_NETLIFY;
	qsort(t->sorted, t->count, sizeof *t->sorted, netlify ? by_letters : by_bytes);
	for (size_t i = 1; netlify && i < t->count; i++) {
		const struct headertree_node *a = t->sorted[i - 1], *b = t->sorted[i];
		if (!(a->is_folder && b->is_folder) && nginx_compare(a->path, b->path) == 0)
			return err_set(e, ERR_REFUSED,
				       "'%s' and '%s' differ in case only: Netlify cannot tell "
				       "them apart in rules",
				       a->path, b->path);
	}
	return 0;
}

static bool is_file(const struct headertree *t, const char *path)
{
	const struct headertree_node node = {.path = path}, *key = &node;

	return bsearch(&key, t->sorted, t->count, sizeof *t->sorted,
		       t->host == HEADERTREE_NETLIFY ? by_letters : by_bytes) != NULL;
}

/* Below, equal or above 0: `path` against all that begin with `start`. */
static int compare_start(const char *path, const char *start)
{
	char text[PATH_LENGTH_MAX + 1];
	size_t len = strnlen(path, strlen(start));

	memcpy(text, path, len);
	text[len] = '\0';
	return nginx_compare(text, start);
}

/* How many paths come before those that begin with `start`, or with `after` before their end. */
static size_t count_before(const struct headertree *t, const char *start, bool after)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_start(t->sorted[middle]->path, start);
		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool headertree_can_have_rule(const struct headertree *t, size_t folder, bool at_root)
{
	const struct headertree_node *n = &t->nodes[folder];

	if (t->host == HEADERTREE_CLOUDFLARE)
		return folder > 0 || !at_root;
	return folder > 0 &&
	       count_before(t, n->path, true) - count_before(t, n->path, false) == n->end - folder;
}

/* --- the second URLs of pages -------------------------------------------------------------------
 */

#define PAGE  ".html"
#define INDEX "index" PAGE

bool headertree_alias(const char *path, struct buf *to)
{
	size_t len = strlen(path), name = (size_t)(path_base(path) - path);

	buf_clear(to);
	if (strcmp(path + name, INDEX) == 0)
		len = name;
	else if (len - name >= sizeof PAGE && strcmp(path + len - (sizeof PAGE - 1), PAGE) == 0)
		len -= sizeof PAGE - 1;
	else
		return false;
	buf_add(to, path, len);
	return true;
}

/* A file of that name comes first; on Netlify so may the index of a folder of that name. */
static int find_aliases(struct headertree *t, struct err *e)
{
	struct buf alias = BUF_INIT;
	int status = -1;

	for (size_t i = 0; i < t->count; i++) {
		struct headertree_node *n = &t->nodes[i];
		if (n->is_folder || !headertree_alias(n->path, &alias))
			continue;
		n->has_alias = !is_file(t, alias.data);
		if (strcmp(path_base(n->path), INDEX) == 0 || t->host != HEADERTREE_NETLIFY)
			continue;
		buf_adds(&alias, "/" INDEX);
		if (buf_check(&alias, e) != 0)
			goto out;
		n->has_alias = n->has_alias && !is_file(t, alias.data);
	}
	status = buf_check(&alias, e);
out:
	buf_release(&alias);
	return status;
}

int headertree_finish(struct headertree *t, struct err *e)
{
	while (t->depth > 0)
		t->nodes[t->open[--t->depth]].end = t->count;
	return sort(t, e) == 0 ? find_aliases(t, e) : -1;
}
