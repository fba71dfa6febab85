/*
 * relay: the large files of a digest job (digest.h). Each is read in chunks, by several threads at
 * once (chunked.h); what has to see its bytes in order, a plain digest or an onlooker, follows
 * behind, on one thread at a time.
 *
 * All threads of the job share one lock, which is the caller's as well.
 */
#ifndef SWARM_RELAY_H
#define SWARM_RELAY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/digest.h"
#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/lanes.h"
#include "swarm/merkle.h"
#include "swarm/reading.h"

struct relay {
	const struct digest_job *job;
	const struct merkle_pads *pads;
	pthread_mutex_t lock;   /* of all that follows */
	pthread_cond_t changed; /* there may be something else to do */
	struct relay_file *open;
	size_t open_count; /* with those whose result is just being told */
	struct relay_block *spare;
	bool stopped; /* done() has ended the job */
};

void relay_init(struct relay *r, const struct digest_job *job, const struct merkle_pads *pads);
/* Before the first file: memory for the chunks that wait. */
ERR_CHECK int relay_reserve(struct relay *r, unsigned threads, struct err *e);
/* No file is open any more. */
void relay_release(struct relay *r);

/* --- without the lock ---------------------------------------------------------------------------
 */

/* Takes over an open file, whose chunks are for whoever comes. */
void relay_add(struct relay *r, struct lanes *lanes, struct reading *file);
/* done() for i; `e` is NULL where there are digests. */
void relay_tell(struct relay *r, size_t i, struct filehash_digests *digests, uint64_t size,
		const struct err *e);

/* --- with the lock, which is given up meanwhile -------------------------------------------------
 */

/*
 * Does what can be done, in the order of what others wait for; false: there is nothing. `room` has
 * CHUNKED_SIZE bytes.
 */
bool relay_help(struct relay *r, struct lanes *lanes, uint8_t *room);
/* Ends all files as they are: the job has been stopped. */
void relay_give_up(struct relay *r, struct lanes *lanes);

#endif
