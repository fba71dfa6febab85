/*
 * accesslog: the requests in a web server's log, line by line.
 *
 * Two families are read, told by content:
 *   - common and combined log format (nginx, Apache, most others):
 *       ADDRESS IDENT USER [10/Oct/2000:13:55:36 -0700] "GET /x?y HTTP/1.1" 200 2326 ...
 *     whatever stands in front of the time (a host too) and behind the bytes; \xHH, \" and \\ in
 *     the request are undone.
 *   - the W3C extended log format (CloudFront, IIS): `#Fields:` names the columns, which are
 *     separated by tabs or blanks; a later `#Fields:` replaces it. Needed are cs-method, sc-status
 *     and cs-uri-stem or cs-uri; date, time and sc-bytes are used where they are.
 */
#ifndef SWARM_ACCESSLOG_H
#define SWARM_ACCESSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "swarm/buf.h"
#include "swarm/err.h"

enum accesslog_line {
	ACCESSLOG_REQUEST,   /* `ret` is filled */
	ACCESSLOG_NOTHING,   /* a directive, a comment or a blank line */
	ACCESSLOG_MALFORMED, /* neither */
};

struct accesslog_request {
	/* Borrowed from the line. Empty, as the path is then, where the line is whole but what the
	 * client sent is no HTTP request ("-", the first bytes of TLS). */
	const char *method;
	size_t method_len;
	/* The path of the URL as it was logged (escapes of the log undone, percent-encoding not),
	 * without scheme, host, query and fragment; starts with '/', or is empty where the request
	 * has none ("OPTIONS *"). Borrowed from the line or the log until the next line. */
	const char *path;
	size_t path_len;
	unsigned status;
	uint64_t bytes; /* that were sent; at most NUM_MAX */
	int64_t time;   /* seconds since 1970 UTC, INT64_MIN if the log does not tell */
	bool recoded;   /* the log percent-encodes what was percent-encoded already (W3C) */
};

struct accesslog;

/* One for each file. */
struct accesslog *accesslog_new(struct err *e);
void accesslog_free(struct accesslog *l);
/* A line without its line feed; a carriage return at its end is passed over. -1 only where memory
 * runs out. */
ERR_CHECK int accesslog_parse(struct accesslog *l, const char *line, size_t len,
			      enum accesslog_line *ret_kind, struct accesslog_request *ret,
			      struct err *e);

#endif
