/*
 * survey: goes through a copy of a release once and takes down what stands where, for audit.h. What
 * can be judged by its name and type alone gets its finding here; the content of the rest is
 * hashed.
 */
#ifndef SWARM_SURVEY_H
#define SWARM_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/audit.h"
#include "swarm/err.h"
#include "swarm/filehash.h"
#include "swarm/finding.h"
#include "swarm/listing.h"
#include "swarm/names.h"
#include "swarm/source.h"

#define SURVEY_NONE SIZE_MAX

/* A file that the copy holds. */
struct survey_file {
	const char *path;          /* its name in the copy */
	const char *name;          /* without what --strip-components takes */
	const struct entry *entry; /* what it should be; NULL: extra */
	char *error;               /* why it could not be read; NULL if it could */
	uint64_t size;             /* as it was listed, or once all are read, as it was then */
	uint64_t found_size;       /* when it was read */
	/* Of the entry's bytes; NULL: it was not hashed, or is right. */
	struct filehash_digests *digests;
	size_t same_as; /* of a hard link: the file with the content, else NONE */
	bool exec;
	bool hashed; /* of a directory: it was read */
	bool right;  /* and is what it should be */
	bool gone;   /* while we looked */
	bool silent; /* only of interest for others that share its content */
	bool taken;  /* of an extra one: it is the new place of a missing file */
};

struct survey {
	const struct listing *listing;
	struct source *copy;
	const struct audit_options *options;
	struct finding_list *findings;
	struct err failure; /* the copy could only be read up to here; else ERR_NONE */

	struct survey_file *files;
	size_t count, cap;
	size_t *file_of; /* for each entry of the listing: its file, or NONE */
	bool *settled;   /* for each entry: it has its finding */
	uint64_t *sizes; /* of files whose content may turn up elsewhere, sorted */
	size_t size_count;
	struct names
	    composed; /* of an archive: NFC of the release's names that are not, to entries */
	struct names by_path; /* of an archive: its files, for hard links */
	struct names broken;  /* paths below which nothing is known */
};

/* Whether content with these digests is the entry's. */
bool survey_is_right(const struct entry *entry, const struct filehash_digests *d);

/* The first four fields are set by the caller, the rest is zero. Released also after a failure. */
ERR_CHECK int survey_run(struct survey *s, struct err *e);
void survey_release(struct survey *s);
/* Whether --only lets a file of this name be looked at. */
bool survey_wants(const struct survey *s, const char *name);

#endif
