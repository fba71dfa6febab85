/*
 * request: what is asked of release.h, read from the words of a command line. Messages name the
 * options of swarmsign(1).
 */
#ifndef SWARM_REQUEST_H
#define SWARM_REQUEST_H

#include <stdbool.h>

#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/opt.h"
#include "swarm/release.h"
#include "swarm/ring.h"

struct request_words {
	struct opt_list keys, trust; /* files of keys, see ring.h */
	bool resign, add_signature;  /* neither: a new release */
	/* NULL where nothing is said. */
	const char *product, *channel, *version;
	const char *serial;        /* a number, or "next": one above that of `previous` */
	const char *previous;      /* its file */
	const char *torrent;       /* its file */
	const char *expires;       /* a time, or how long after that of issue; else RELEASE_LIFE */
	const char *rollout_start; /* a time; else that of issue */
	struct opt_number rollout_window; /* else RELEASE_WINDOW */
};

/* Whether nothing is said of a release, as for a delta that is to be signed. */
bool request_is_empty(const struct request_words *words);
/*
 * ERR_USAGE for words that cannot be said of the document at `path`, as far as that is known before
 * it is read (what comes through a pipe is not waited for), and where two inputs are standard
 * input.
 */
ERR_CHECK int request_check_operand(const struct request_words *words, const char *path,
				    struct err *e);
/* ERR_USAGE for words that contradict each other, and for those that are missing. */
ERR_CHECK int request_check(const struct request_words *words, struct err *e);
/* ERR_USAGE for words that cannot be said of a delta. */
ERR_CHECK int request_check_delta(const struct request_words *words, struct err *e);
/* ERR_USAGE for a product, channel or version that cannot be one. */
ERR_CHECK int request_check_names(const struct request_words *words, struct err *e);
/*
 * Fills the task, names, serial and times of `ret`, which borrows the words, and leaves the rest.
 * The time of issue is utc_epoch()'s. ERR_USAGE for what is no number or time. To be called after
 * both checks.
 */
ERR_CHECK int request_read(const struct request_words *words, struct release_request *ret,
			   struct err *e);

/* A request that is complete: with the keys that sign, the previous release, and the torrent. */
struct request {
	struct release_request release;
	struct head previous;
};

/*
 * Checks the words, and reads what they name. `ret` borrows the words and the ring, and is released
 * with request_close(), also after a failure.
 */
ERR_CHECK int request_open(const struct request_words *words, const struct ring *ring,
			   struct request *ret, struct err *e);
void request_close(struct request *r);

#endif
