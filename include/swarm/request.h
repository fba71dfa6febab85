/*
 * request: what is asked of release.h, read from the words of a command line. Messages name the
 * options of swarmsign(1).
 */
#ifndef SWARM_REQUEST_H
#define SWARM_REQUEST_H

#include <stdbool.h>

#include "swarm/err.h"
#include "swarm/opt.h"
#include "swarm/release.h"

struct request_words {
	bool resign, add_signature; /* neither: a new release */
	/* NULL where nothing is said. */
	const char *product, *channel, *version;
	const char *serial;        /* a number, or "next": one above that of `previous` */
	const char *previous;      /* its file, which the caller reads */
	const char *torrent;       /* its file, which the caller reads */
	const char *expires;       /* a time, or how long after that of issue; else RELEASE_LIFE */
	const char *rollout_start; /* a time; else that of issue */
	struct opt_number rollout_window; /* else RELEASE_WINDOW */
};

/* Whether nothing is said of a release, as for a delta that is to be signed. */
bool request_is_empty(const struct request_words *words);
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

#endif
