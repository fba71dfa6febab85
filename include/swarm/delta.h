/*
 * delta: the lines of a delta: how one manifest becomes the next, and where each file's content
 * comes from.
 *
 *   delta  = header-line *line [envelope-line]              the envelope is swarmsign's
 *   header = {"swarm":"delta/1","product":S,"channel":S,
 *             "from":{"version":S,"serial":N,"sha256":HEX},"to":{"version":S,"serial":N,"sha256":HEX},
 *             "removes":N,"files":N,"header":{...the new manifest's first line...},
 *             "solid":{"version":N,"size":N,"sha256":HEX}}  solid: only where there is one
 *   line   = {"remove":P}
 *          | {"file":{...the new manifest's line...}}                                   bare
 *          | {"file":{...},"copy":P}                                                    from P
 *          | {"file":{...},"patch":{"codec":"dcz","base":P,"size":N,"sha256":HEX}}      from P
 *          | {"file":{...},"patch":{"codec":"zstd","size":N,"sha256":HEX}}
 *          and, behind any of these but a copy, ,"solid":true for a file of the solid payload
 *
 * from.sha256 and to.sha256 are of the manifests' bodies (manifest's every byte before its last
 * line); to.serial is above from.serial. A path that no line names is kept. `copy` and `base` are
 * paths of the old manifest, read as they were in the old release. `size` and `sha256` of a patch
 * are the payload's. An empty file is bare and needs no source. Lines stand in file-tree order by
 * path (path.h), each path once.
 */
#ifndef SWARM_DELTA_H
#define SWARM_DELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/arena.h"
#include "swarm/buf.h"
#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/header.h"
#include "swarm/jsonl.h"
#include "swarm/sha256.h"

/* One end of a delta. */
struct delta_end {
	char version[HEADER_VERSION_MAX + 1];
	uint64_t serial;
	uint8_t digest[SHA256_SIZE]; /* of the manifest's body */
};

struct delta_header {
	char product[HEADER_PRODUCT_MAX + 1];
	char channel[HEADER_PRODUCT_MAX + 1];
	struct delta_end from, to;
	uint64_t removes, files; /* lines that follow, of each kind */
	struct header header;    /* the new manifest's */
	bool has_solid;
	struct {
		uint64_t version; /* of the container, see solid.h; at least 1 */
		uint64_t size;    /* bytes */
		uint8_t sha256[SHA256_SIZE];
	} solid;
};

enum delta_source {
	DELTA_BARE, /* fetched whole or by piece; an empty file: nothing is fetched */
	DELTA_COPY,
	DELTA_DCZ,  /* a payload against an old file, see dcz.h */
	DELTA_ZSTD, /* a payload on its own */
};

#define DELTA_SOURCES 4

struct delta_line {
	const char *path;
	bool remove; /* else all of the below counts */
	struct entry file;
	const char *text; /* the new manifest's line, without its line feed */
	size_t text_len;
	enum delta_source source;
	const char *from;            /* of DELTA_COPY and DELTA_DCZ: the old path */
	uint64_t size;               /* of a payload, in bytes */
	uint8_t sha256[SHA256_SIZE]; /* of a payload */
	bool solid;                  /* the solid payload has it too */
};

/* Append the line without its line feed. delta_format_line() writes `text`, not `file`. */
void delta_format_header(struct buf *to, const struct delta_header *header);
void delta_format_line(struct buf *to, const struct delta_line *line);

/*
 * Parse a line (without its line feed) and check what can be checked on it alone: the one spelling,
 * paths, which members go together. What `ret` points to lives in `arena`, text too. ERR_MALFORMED
 * says what is wrong; the caller puts the place in front.
 */
ERR_CHECK int delta_parse_header(const char *text, size_t len, struct delta_header *ret,
				 struct err *e);
ERR_CHECK int delta_parse_line(const char *text, size_t len, uint64_t piece_length,
			       struct arena *arena, struct delta_line *ret, struct err *e);

/* "from" and "to", for what names both: written, and taken out of `o`. */
void delta_format_ends(struct jsonl_writer *w, const struct delta_end *from,
		       const struct delta_end *to);
void delta_get_ends(struct jsonl_object *o, struct delta_end *ret_from, struct delta_end *ret_to);

/* "bare", "copy", "dcz", "zstd". */
const char *delta_source_name(enum delta_source source);

#endif
