/*
 * policy: whether a genuine head is the one wanted: of this product and channel, not expired, not
 * older than what was seen before.
 *
 * A state file remembers what was seen, on one line:
 *
 *   {"swarm":"state/1","product":S,"channel":S,"serial":N,"sha256":HEX,"issued":TIME}
 *
 * It pins product and channel on first use and holds the highest serial with its body's digest and
 * `issued`.
 */
#ifndef SWARM_POLICY_H
#define SWARM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/scratch.h"

struct policy {
	const char *product; /* NULL: any */
	const char *channel; /* NULL: any */
	uint64_t min_serial; /* 0: any */
	int64_t now;         /* the one time that everything is judged by */
};

/* Product, channel and serial. ERR_REFUSED says what was wanted and what came. */
ERR_CHECK int policy_check(const struct policy *p, const struct head *head, struct err *e);
/* The same of what has no head. */
ERR_CHECK int policy_check_id(const struct policy *p, const struct release_id *id, struct err *e);
/*
 * Whether it had expired by p->now (it has in the very second of `expires`): ERR_REFUSED says when,
 * and how long ago.
 */
ERR_CHECK int policy_check_expiry(const struct policy *p, const struct head *head, struct err *e);

/* What a state file holds. */
struct policy_state {
	struct release_id id; /* version is not kept */
	uint8_t digest[SHA256_SIZE];
	int64_t issued;
	bool exists; /* false before first use */
};

/* The line without its line feed. ERR_CONFIG where the text is no state. */
void policy_state_format(struct buf *to, const struct policy_state *state);
ERR_CHECK int policy_state_parse(const char *text, size_t len, struct policy_state *ret,
				 struct err *e);
/*
 * Another product or channel than the one pinned, a lower serial, an equal serial over another
 * body, an earlier `issued`: ERR_REFUSED.
 */
ERR_CHECK int policy_check_state(const struct policy_state *state, const struct head *head,
				 struct err *e);

/*
 * A state file. An update reads it again under a lock, so that of two users at the same time the
 * one with the older head fails; nobody waits while the other one is only reading.
 */
struct policy_file;

/* The file need not exist. One that does not parse is ERR_CONFIG: it is never started over. */
struct policy_file *policy_file_open(const char *path, struct err *e);
void policy_file_close(struct policy_file *f);
const struct policy_state *policy_file_state(const struct policy_file *f);
/*
 * Records the head, atomically; the file is unchanged on failure. ERR_REFUSED as above, also for
 * what somebody else has recorded since.
 */
ERR_CHECK int policy_file_update(struct policy_file *f, const struct head *head,
				 struct scratch *scratch, struct err *e);

#endif
