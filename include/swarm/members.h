/* members: the items of an archive, for source.h. */
#ifndef SWARM_MEMBERS_H
#define SWARM_MEMBERS_H

#include "swarm/source.h"

struct members;

/* `fd` is closed by members_close(). `name` is borrowed. `passes` as in source_open(). */
struct members *members_open(int fd, const char *name, int passes, struct err *e);
void members_close(struct members *m);
ERR_CHECK int members_next(struct members *m, struct source_item *ret, struct err *e);
ERR_CHECK int members_rewind(struct members *m, struct err *e);
ERR_CHECK ssize_t members_read(struct members *m, void *to, size_t len, struct err *e);

#endif
