#define _DEFAULT_SOURCE /* reallocarray() */
#include "swarm/faults.h"

#include <stdlib.h>
#include <string.h>

void faults_release(struct faults *f)
{
	free(f->items);
	arena_release(&f->arena);
	*f = (struct faults)FAULTS_INIT;
}

int faults_add(struct faults *f, const char *path, const char *what, struct err *e)
{
	struct fault item = {arena_copy(&f->arena, path, strlen(path)),
			     arena_copy(&f->arena, what, strlen(what))};

	if (item.path == NULL || item.what == NULL)
		return err_nomem(e);
	if (f->count == f->room) {
		size_t want = f->room == 0 ? 16 : f->room * 2;
		struct fault *more = reallocarray(f->items, want, sizeof *more);
		if (more == NULL)
			return err_nomem(e);
		f->items = more;
		f->room = want;
	}
	f->items[f->count++] = item;
	return 0;
}
