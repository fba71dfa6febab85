#include "swarm/urlpath.h"

#include <string.h>

#include "swarm/urls.h"

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool stays(unsigned char c, enum urlpath_style style)
{
	if (style == URLPATH_COMPONENTS)
		return is_alnum(c) || strchr("/-_.!~*'()", c) != NULL;
	return c > ' ' && c < 0x7F && strchr("\"#%<>?\\^`{}", c) == NULL;
}

void urlpath_add(struct buf *to, const char *path, enum urlpath_style style)
{
	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;
		if (stays(c, style))
			buf_addc(to, *path);
		else
			buf_addf(to, "%%%02X", c);
	}
}

int urlpath_add_prefix(struct buf *to, const char *prefix, enum urlpath_style style, struct err *e)
{
	struct buf path = BUF_INIT;
	int status = -1;

	if (prefix == NULL)
		return 0;
	if (urls_prefix(&path, prefix, e) == 0 && buf_check(&path, e) == 0) {
		urlpath_add(to, path.data, style);
		status = 0;
	}
	buf_release(&path);
	return status;
}
