/* walk: the items of a directory tree, for source.h. */
#ifndef SWARM_WALK_H
#define SWARM_WALK_H

#include "swarm/source.h"

struct walk;

/* `fd` is the directory; it is closed by walk_close(). `name` is borrowed. */
struct walk *walk_open(int fd, const char *name, struct err *e);
void walk_close(struct walk *w);
/* As source_read_ahead(). */
void walk_read_ahead(struct walk *w, struct pool *pool);
ERR_CHECK int walk_next(struct walk *w, struct source_item *ret, struct err *e);
void walk_rewind(struct walk *w);
/* The regular file at `path`, its descriptor in ret->fd. Any thread. */
ERR_CHECK int walk_file_open(const struct walk *w, const char *path,
			     const struct source_item *expected, struct source_file *ret,
			     struct err *e);

/* As source_type_at(). */
enum source_type walk_type_at(const struct walk *w, const char *path);

#endif
