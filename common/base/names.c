#include "swarm/names.h"

#include <search.h>
#include <string.h>

struct node {
	const char *name;
	size_t number;
};

static int compare(const void *left, const void *right)
{
	return strcmp(((const struct node *)left)->name, ((const struct node *)right)->name);
}

void names_release(struct names *n)
{
	while (n->root != NULL)
		(void)tdelete(*(struct node **)n->root, &n->root, compare);
	arena_release(&n->arena);
}

int names_put(struct names *n, const char *name, size_t number, struct err *e)
{
	struct node *node = arena_alloc(&n->arena, sizeof *node);

	if (node == NULL)
		return err_nomem(e);
	*node = (struct node){name, number};
	struct node **there = tsearch(node, &n->root, compare);
	if (there == NULL)
		return err_nomem(e);
	(*there)->number = number;
	return 0;
}

bool names_get(const struct names *n, const char *name, size_t *ret_number)
{
	struct node key = {.name = name};
	struct node *const *there = tfind(&key, &n->root, compare);

	if (there == NULL)
		return false;
	*ret_number = (*there)->number;
	return true;
}
