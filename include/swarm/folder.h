/* folder: a directory that appears complete or not at all, for bundle.h. */
#ifndef SWARM_FOLDER_H
#define SWARM_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/err.h"
#include "swarm/scratch.h"

struct folder;

/*
 * It is built as `.NAME.swarm-XXXXXX` beside its final name; what a killed run left there of that
 * name is removed. An empty directory may stand at `path`, with force a full one too.
 */
struct folder *folder_open(const char *path, bool force, int64_t mtime, struct scratch *scratch,
			   struct err *e);
void folder_free(struct folder *f);
ERR_CHECK int folder_begin(struct folder *f, const char *path, bool exec, struct err *e);
ERR_CHECK int folder_write(struct folder *f, const void *bytes, size_t len, struct err *e);
ERR_CHECK int folder_end(struct folder *f, struct err *e);
ERR_CHECK int folder_sync(struct folder *f, struct err *e);
ERR_CHECK int folder_commit(struct folder *f, struct err *e);

#endif
