/* seal: signatures on an envelope, and the line that it becomes. */
#ifndef SWARM_SEAL_H
#define SWARM_SEAL_H

#include <stddef.h>

#include "swarm/buf.h"
#include "swarm/envelope.h"
#include "swarm/err.h"
#include "swarm/key.h"

/* Adds the signatures of all keys over the envelope's payload. */
ERR_CHECK int seal_sign(struct envelope *envelope, struct key *const *keys, size_t key_count,
			struct err *e);
/* Appends the envelope's line without its line feed. ERR_USAGE if it is longer than any may be. */
ERR_CHECK int seal_format(struct buf *to, const struct envelope *envelope, struct err *e);

#endif
