/* urlpath: the path of a URL, percent-encoded as those who compare URLs expect it. */
#ifndef SWARM_URLPATH_H
#define SWARM_URLPATH_H

#include "swarm/buf.h"
#include "swarm/err.h"

enum urlpath_style {
	/* As browsers write what stands in a link: the path percent-encode set of
	   url.spec.whatwg.org, and '%' itself. */
	URLPATH_BROWSER,
	/* Each component as encodeURIComponent() has it. */
	URLPATH_COMPONENTS,
};

void urlpath_add(struct buf *to, const char *path, enum urlpath_style style);
/*
 * Appends what URLs have in front of the paths of files, as in urls.h, with a slash at either end;
 * nothing where `prefix` is NULL: then URLs are relative. ERR_USAGE for what cannot be one.
 */
ERR_CHECK int urlpath_add_prefix(struct buf *to, const char *prefix, enum urlpath_style style,
				 struct err *e);

#endif
