/*
 * header: the first line of an inventory or a manifest.
 *
 *   inventory = {"swarm":"inventory/1","piece_length":N,"files":N,"bytes":N}
 *   manifest  = {"swarm":"manifest/1","product":S,"channel":S,"version":S,"serial":N,
 *                "piece_length":N,"files":N,"bytes":N}
 *
 *   product, channel   [A-Za-z0-9][A-Za-z0-9._-]{0,31}
 *   version            [A-Za-z0-9][A-Za-z0-9.+_-]{0,47}
 *   serial             at least 1; piece_length: a power of two from 16 KiB to 128 MiB
 *   files, bytes       count and sum of the lines that follow; at least one file
 */
#ifndef SWARM_HEADER_H
#define SWARM_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"
#include "swarm/jsonl.h"

#define HEADER_PRODUCT_MAX 32
#define HEADER_VERSION_MAX 48

enum header_kind {
	HEADER_INVENTORY,
	HEADER_MANIFEST,
};

/* Which release a document is of. */
struct release_id {
	char product[HEADER_PRODUCT_MAX + 1];
	char channel[HEADER_PRODUCT_MAX + 1];
	char version[HEADER_VERSION_MAX + 1];
	uint64_t serial;
};

struct header {
	enum header_kind kind;
	struct release_id id; /* of a manifest */
	uint64_t piece_length;
	uint64_t files;
	uint64_t bytes;
};

/* Whether `text` can be a product or a channel; a version. */
bool header_is_name(const char *text);
bool header_is_version(const char *text);
bool header_is_piece_length(uint64_t n);

/* Appends "farm-1.0.2": what a torrent of the release is called. */
void header_torrent_name(struct buf *to, const struct release_id *id);

/* Take a product or a channel, a version out of `o`; what cannot be one is rejected with `why`. */
void header_get_name(struct jsonl_object *o, const char *key, const char *why,
		     char ret[static HEADER_PRODUCT_MAX + 1]);
void header_get_version(struct jsonl_object *o, const char *key, const char *why,
			char ret[static HEADER_VERSION_MAX + 1]);

/* Takes all members of a header out of `o`. */
void header_get(struct jsonl_object *o, struct header *ret);

/* Appends the line without its line feed. */
void header_format(struct buf *to, const struct header *header);
/* ERR_MALFORMED says what is wrong; the caller puts the place in front. */
ERR_CHECK int header_parse(const char *line, size_t len, struct header *ret, struct err *e);

#endif
