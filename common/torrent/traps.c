#include "swarm/traps.h"

#include <stddef.h>
#include <string.h>

#include "swarm/text.h"

/* Of the code point whose bytes hold text[at]. */
static unsigned long point_at(const char *text, size_t at)
{
	unsigned long point = 0;

	while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
		at--;
	(void)text_utf8(text + at, strlen(text + at), &point);
	return point;
}

static bool is_late_in_utf16(unsigned long point)
{
	return point >= 0xE000 && point <= 0xFFFF;
}

bool traps_are_swapped(const char *path, const char *next)
{
	size_t at = 0;

	while (path[at] != '\0' && path[at] == next[at])
		at++;
	return is_late_in_utf16(point_at(path, at)) && point_at(next, at) >= 0x10000;
}

char traps_in_url(const char *path)
{
	size_t at = strcspn(path, "#%");

	return path[at];
}
