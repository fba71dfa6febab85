/* reading: one file of a digest job (digest.h), from when it is opened until it has been read. */
#ifndef SWARM_READING_H
#define SWARM_READING_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/digest.h"
#include "swarm/err.h"
#include "swarm/source.h"

struct reading {
	size_t i;
	struct digest_file file; /* without `expected` */
	struct source_file in;
	uint64_t size; /* of what is hashed */
};

/* 0 with the open file, 1 if it is not wanted; after a failure its onlooker has been told. */
ERR_CHECK int reading_open(const struct digest_job *job, size_t i, struct reading *ret,
			   struct err *e);
/* Exactly so many bytes: the file was so large when it was opened. Else it is ERR_CHANGED. */
ERR_CHECK int reading_read(struct reading *r, uint64_t offset, uint8_t *to, size_t len,
			   struct err *e);
/* Lets the job look at it once more; `first` is what it starts with. */
ERR_CHECK int reading_look(const struct digest_job *job, struct reading *r, const uint8_t *first,
			   size_t len, struct err *e);
/*
 * Both return `status`, or -1 with `e` filled where it was 0 and there is a failure now: close the
 * file; tell its onlooker, if there is one, that this was all.
 */
ERR_CHECK int reading_close(struct reading *r, int status, struct err *e);
ERR_CHECK int reading_end(const struct reading *r, int status, struct err *e);

#endif
