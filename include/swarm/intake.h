/* intake: reads a manifest for those who make something else of it. */
#ifndef SWARM_INTAKE_H
#define SWARM_INTAKE_H

#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/trust.h"

struct intake_options {
	const char *manifest; /* "-" is standard input */
	const char *head;     /* a newer head over the same body; NULL: the manifest's own judges */
	/* Whose signature makes it genuine; NULL: no signature is looked at, nor is the expiry. */
	const struct trust *trust;
	int64_t now;
};

/*
 * Hands each file of the manifest to `put`, which keeps nothing of it and returns 0, or -1 with `e`
 * filled. What was put counts only once this has returned 0: then the body was the one that the
 * head (`ret`) is about, and with a trust the head was genuine and had not expired. ERR_UNTRUSTED
 * if it is another body, or not signed as asked for; ERR_REFUSED if it has expired.
 */
ERR_CHECK int intake_read(const struct intake_options *options,
			  int (*put)(void *context, const struct entry *entry, struct err *e),
			  void *context, struct head *ret, struct err *e);

#endif
