#include "swarm/limits.h"

#include "swarm/buf.h"
#include "swarm/text.h"

static int refuse(const struct limits *l, uint64_t is, const char *what, uint64_t limit,
		  const char *advice, struct err *e)
{
	struct buf text = BUF_INIT;
	int status = -1;

	buf_adds(&text, "the torrent has ");
	text_count(&text, is);
	buf_addf(&text, " %s%s, and clients such as libtorrent load no more than ", what,
		 l->so_far ? " so far" : "");
	text_count(&text, limit);
	if (buf_check(&text, e) == 0)
		status = err_set(e, ERR_REFUSED,
				 "%s: %s, make several torrents by --only, or give --oversize",
				 text.data, advice);
	buf_release(&text);
	return status;
}

int limits_check(const struct limits *is, struct err *e)
{
	static const char larger[] = "pack with a larger --piece-length";

	if (is->pieces > LIMITS_PIECES)
		return refuse(is, is->pieces, "pieces", LIMITS_PIECES, larger, e);
	if (is->bytes > LIMITS_BYTES)
		return refuse(is, is->bytes, "bytes of metainfo", LIMITS_BYTES, larger, e);
	if (is->tokens > LIMITS_TOKENS)
		return refuse(is, is->tokens, "items of metainfo", LIMITS_TOKENS,
			      "pack fewer files", e);
	if (is->depth > LIMITS_DEPTH)
		return refuse(is, is->depth, "folders and lists in each other", LIMITS_DEPTH,
			      "use fewer folders in each other", e);
	return 0;
}
