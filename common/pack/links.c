#include "swarm/links.h"

#include <stdlib.h>
#include <string.h>

#include "swarm/buf.h"
#include "swarm/path.h"

/* The first item whose path is not below `path`. */
static size_t lower_bound(const struct links_tree *tree, const char *path)
{
	size_t low = 0, high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (path_compare(tree->items[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct links_item *find(const struct links_tree *tree, const char *path)
{
	size_t at = lower_bound(tree, path);
	const struct links_item *found = NULL;

	for (; at < tree->count && strcmp(tree->items[at].path, path) == 0; at++)
		found = &tree->items[at];
	return found;
}

/* Whether anything lies below `dir`, and what. An archive need not list its directories. */
static bool find_below(const struct links_tree *tree, const char *dir, struct links_found *ret)
{
	size_t at = *dir != '\0' ? lower_bound(tree, dir) : 0;

	while (at < tree->count && *dir != '\0' && strcmp(tree->items[at].path, dir) == 0)
		at++;
	ret->first = at;
	ret->prefix = *dir != '\0' ? strlen(dir) + 1 : 0;
	while (at < tree->count && (*dir == '\0' || path_is_below(tree->items[at].path, dir)))
		at++;
	ret->count = at - ret->first;
	return ret->count > 0;
}

static void drop_last(struct buf *path)
{
	const char *slash = strrchr(path->data, '/');

	buf_truncate(path, slash != NULL ? (size_t)(slash - path->data) : 0);
}

/* Puts `target` in front of what is left to walk. */
static void prepend(struct buf *rest, const char *target)
{
	struct buf joined = BUF_INIT;

	buf_adds(&joined, target);
	if (rest->len > 0)
		buf_addc(&joined, '/');
	buf_add(&joined, rest->data, rest->len);
	buf_clear(rest);
	buf_add(rest, joined.data, joined.len);
	rest->failed = rest->failed || joined.failed;
	buf_release(&joined);
}

struct resolution {
	const struct links_tree *tree;
	struct links_found *found;
	struct buf at, rest; /* where we are; what is left to walk from there */
};

/* Follows `link`, which stands at r->at. */
static enum links_result hop(struct resolution *r, const struct links_item *link)
{
	if (r->found->hop_count == LINKS_HOPS)
		return LINKS_CIRCLE;
	r->found->hops[r->found->hop_count++] = link;
	if (link->type == SOURCE_HARDLINK)
		buf_clear(&r->at); /* names another member of the archive */
	else if (link->target[0] == '/')
		return LINKS_OUTSIDE;
	else
		drop_last(&r->at);
	prepend(&r->rest, link->target);
	return LINKS_FILE;
}

static enum links_result step(struct resolution *r)
{
	size_t n = strcspn(r->rest.data, "/");
	enum links_result result = LINKS_FILE;

	if (n == 2 && memcmp(r->rest.data, "..", 2) == 0) {
		if (r->at.len == 0)
			return LINKS_OUTSIDE;
		drop_last(&r->at);
		buf_consume(&r->rest, n);
	} else if (n > 0 && !(n == 1 && r->rest.data[0] == '.')) {
		if (r->at.len > 0)
			buf_addc(&r->at, '/');
		buf_add(&r->at, r->rest.data, n);
		buf_consume(&r->rest, n);
		const struct links_item *here = find(r->tree, r->at.data);
		if (here != NULL && (here->type == SOURCE_SYMLINK || here->type == SOURCE_HARDLINK))
			result = hop(r, here);
		else if (here != NULL && here->type == SOURCE_FILE && r->rest.len > 0)
			result = LINKS_NOWHERE;
	} else {
		buf_consume(&r->rest, n);
	}
	while (r->rest.len > 0 && r->rest.data[0] == '/' && result == LINKS_FILE)
		buf_consume(&r->rest, 1);
	return result;
}

static enum links_result arrive(struct resolution *r, const struct links_item *link,
				struct links_found *ret)
{
	const struct links_item *here = find(r->tree, r->at.data);

	if (here != NULL && here->type == SOURCE_FILE) {
		ret->file = here;
		return LINKS_FILE;
	}
	if (here != NULL && here->type != SOURCE_DIRECTORY)
		return LINKS_OTHER;
	if (link->type == SOURCE_HARDLINK)
		return LINKS_NOWHERE;
	/* A link that leads to a directory around itself would unfold without end. */
	if (r->at.len == 0 || path_is_below(link->path, r->at.data))
		return LINKS_CIRCLE;
	if (find_below(r->tree, r->at.data, ret) || here != NULL)
		return LINKS_DIRECTORY;
	return LINKS_NOWHERE;
}

bool links_is_symbolic(const struct links_tree *tree, const struct links_item *link)
{
	for (int hops = 0; link != NULL && hops < LINKS_HOPS; hops++) {
		if (link->type != SOURCE_HARDLINK)
			return link->type == SOURCE_SYMLINK;
		char *target = strdup(link->target);
		link = target != NULL && path_normalize(target) ? find(tree, target) : NULL;
		free(target);
	}
	return false;
}

enum links_result links_resolve(const struct links_tree *tree, const struct links_item *link,
				struct links_found *ret)
{
	struct resolution r = {.tree = tree, .found = ret, .at = BUF_INIT, .rest = BUF_INIT};

	*ret = (struct links_found){.file = NULL};
	buf_adds(&r.at, link->path);
	enum links_result result = hop(&r, link);
	while (result == LINKS_FILE && r.rest.len > 0 && !r.at.failed && !r.rest.failed)
		result = step(&r);
	if (r.at.failed || r.rest.failed)
		result = LINKS_NO_MEMORY;
	if (result == LINKS_FILE)
		result = arrive(&r, link, ret);
	buf_release(&r.at);
	buf_release(&r.rest);
	return result;
}

const char *links_why(enum links_result result)
{
	switch (result) {
	case LINKS_FILE:
	case LINKS_DIRECTORY: break;
	case LINKS_NOWHERE: return "a link that leads nowhere";
	case LINKS_OUTSIDE: return "a link that leads out of the tree";
	case LINKS_CIRCLE: return "a link that leads in a circle";
	case LINKS_OTHER: return "a link to something that is neither a file nor a directory";
	case LINKS_NO_MEMORY: return "a link too long to follow";
	}
	return "a link";
}
