/*
 * nginxmaps: what nginx needs to know to serve a release with its payloads (RFC 9842), as a file to
 * be included in its http block. It defines variables by maps, which swarmexport(1) describes:
 *
 *   $swarm_entry       of the files of the release: URI and digest, looked up by $uri
 *   $swarm_uri, $swarm_sha256         the same, only where the spelling is exact; else ""
 *   $swarm_payload     the name of the payload that the client can decode, else ""
 *   $swarm_encoding    its Content-Encoding: "dcz", "zstd" or ""
 *   $swarm_etag, $swarm_last_modified, $swarm_unchanged   so that 304 means the same content
 *   $swarm_vary, $swarm_cache_control, $swarm_dictionary  values of header fields
 */
#ifndef SWARM_NGINXMAPS_H
#define SWARM_NGINXMAPS_H

#include <stddef.h>
#include <stdint.h>

#include "swarm/entry.h"
#include "swarm/err.h"
#include "swarm/header.h"
#include "swarm/outfile.h"
#include "swarm/sha256.h"

struct nginxmaps;

struct nginxmaps_options {
	const char *url_prefix;     /* in front of the paths of files, as in urls.h; NULL: "/" */
	const char *payloads;       /* their folder; NULL: there are none */
	const char *const *matches; /* as for dictionaries_new() */
	size_t match_count;
};

/* How much there is of what. */
struct nginxmaps_counts {
	uint64_t files, dictionaries;
	uint64_t dcz, zstd;     /* payloads on offer */
	uint64_t payload_bytes; /* of these */
	uint64_t strangers;     /* payloads that are of no file of the release */
	uint64_t useless;       /* payloads that are not smaller than the file */
	uint64_t shared;        /* dictionaries whose pattern another file has as well */
};

/* ERR_USAGE for a match or prefix that cannot be one. */
struct nginxmaps *nginxmaps_new(const struct nginxmaps_options *options, struct err *e);
void nginxmaps_free(struct nginxmaps *h);
/*
 * Takes a file of the release in, of which nothing is kept by reference. ERR_REFUSED for one
 * without a plain digest; ERR_MALFORMED for a payload that is none.
 */
ERR_CHECK int nginxmaps_add(struct nginxmaps *h, const struct entry *entry, struct err *e);
/*
 * Writes it all. `digest` is that of the manifest's body. ERR_REFUSED for what nginx cannot
 * express: two URIs that differ in case only, a word of over 4,000 bytes.
 */
ERR_CHECK int nginxmaps_write(struct nginxmaps *h, const struct release_id *id,
			      const uint8_t digest[static SHA256_SIZE], struct outfile *out,
			      struct nginxmaps_counts *ret, struct err *e);

#endif
