/* intake: reads a manifest for those who make something else of it. */
#ifndef SWARM_INTAKE_H
#define SWARM_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/head.h"
#include "swarm/header.h"
#include "swarm/trust.h"

struct intake_options {
	const char *manifest; /* "-" is standard input */
	const char *head;     /* a newer head over the same body; NULL: the manifest's own judges */
	/* Whose signature makes it genuine; NULL: no signature is looked at, nor is the expiry. */
	const struct trust *trust;
	int64_t now;
	bool expired_too; /* the expiry is not looked at */
};

/* Who makes something of it; both return 0, or -1 with `e` filled. */
struct intake_sink {
	void *context;
	/* Before the first file. */
	int (*begin)(void *context, const struct header *header, const struct head *head,
		     struct err *e);
	/* Keeps nothing of the file. */
	int (*put)(void *context, const struct entry *entry, struct err *e);
};

/*
 * Hands the release and each of its files to the sink. What it was given counts only once this has
 * returned 0: then the body was the one that the head (`ret`) is about, and with a trust the head
 * was genuine and had not expired. ERR_UNTRUSTED if it is another body, or not signed as asked for;
 * ERR_REFUSED if it has expired.
 */
ERR_CHECK int intake_read(const struct intake_options *options, const struct intake_sink *sink,
			  struct head *ret, struct err *e);

#endif
