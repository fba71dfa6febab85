/*
 * weburl: addresses on web servers (RFC 3986) that a release is handed on with: what a caller
 * says, checked, and names in it, percent-encoded.
 */
#ifndef SWARM_WEBURL_H
#define SWARM_WEBURL_H

#include "swarm/buf.h"
#include "swarm/err.h"

enum weburl_kind {
	WEBURL_BASE, /* of a folder: the paths of files are appended */
	WEBURL_FILE, /* of one thing: used as it stands */
};

/*
 * ERR_USAGE, naming `option`, unless it is http:// or https:// with a host, is spelled in the
 * characters of RFC 3986 alone, holds no fragment and no name or password, since whoever gets the
 * release reads it, and, of a base, no query.
 */
ERR_CHECK int weburl_check(const char *option, enum weburl_kind kind, const char *url,
			   struct err *e);
/* Appends the address of the file at `path` below `base`, which has been checked. */
void weburl_add(struct buf *to, const char *base, const char *path);
/*
 * Append a path, a value of a query. What is not unreserved in RFC 3986 is percent-encoded, except
 * for the slashes of a path: also what a path may hold as it stands, since not all servers take a
 * '+' for itself.
 */
void weburl_add_path(struct buf *to, const char *path);
void weburl_add_value(struct buf *to, const char *value);

#endif
