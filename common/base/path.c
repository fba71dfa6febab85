#include "swarm/path.h"

#include <string.h>

#include "swarm/text.h"

int path_compare(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	/* '/' sorts below every other byte, the end below '/'. */
	int left = *a == '\0' ? 0 : *a == '/' ? 1 : (unsigned char)*a + 2;
	int right = *b == '\0' ? 0 : *b == '/' ? 1 : (unsigned char)*b + 2;
	return left - right;
}

bool path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool equals_ignoring_case(const char *text, size_t len, const char *word)
{
	size_t i = 0;

	for (; i < len && word[i] != '\0'; i++)
		if (lower(text[i]) != word[i])
			return false;
	return i == len && word[i] == '\0';
}

static bool is_port_digit(const char *text, size_t len)
{
	static const char *const superscripts[] = {"\xC2\xB9", "\xC2\xB2", "\xC2\xB3"};

	if (len == 1)
		return *text >= '1' && *text <= '9';
	for (size_t i = 0; i < 3; i++)
		if (len == 2 && memcmp(text, superscripts[i], 2) == 0)
			return true;
	return false;
}

static bool is_device(const char *name, size_t len)
{
	static const char *const devices[] = {"con",    "prn",    "aux",     "nul",
					      "clock$", "conin$", "conout$", NULL};

	const char *dot = memchr(name, '.', len);
	if (dot != NULL)
		len = (size_t)(dot - name);
	/* Windows drops the spaces between a device name and the dot behind it. */
	while (len > 0 && name[len - 1] == ' ')
		len--;
	for (size_t i = 0; devices[i] != NULL; i++)
		if (equals_ignoring_case(name, len, devices[i]))
			return true;
	return len > 3 &&
	       (equals_ignoring_case(name, 3, "com") || equals_ignoring_case(name, 3, "lpt")) &&
	       is_port_digit(name + 3, len - 3);
}

static const char *component_unportable(const char *name, size_t len)
{
	if (len == 0)
		return "it has an empty component";
	if (len > PATH_COMPONENT_MAX)
		return "a component is longer than 255 bytes";
	if ((len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
		return "it has a component '.' or '..'";
	if (name[len - 1] == '.')
		return "a component ends in a dot";
	if (name[len - 1] == ' ')
		return "a component ends in a space";
	if (is_device(name, len))
		return "it has the name of a Windows device";
	if (len == 9 && memcmp(name, "__proto__", 9) == 0)
		return "it has a component '__proto__'";
	return NULL;
}

const char *path_unportable(const char *path)
{
	size_t len = strlen(path);

	if (len == 0)
		return "it is empty";
	if (len > PATH_LENGTH_MAX)
		return "it is longer than 1024 bytes";
	for (size_t i = 0; i < len;) {
		unsigned long point = 0;
		size_t n = text_utf8(path + i, len - i, &point);
		if (n == 0)
			return "it is not valid UTF-8";
		if (point < 0x20 || (point >= 0x7F && point <= 0x9F))
			return "it has a control character";
		if (point < 0x80 && strchr("\\:*?\"<>|", (int)point) != NULL)
			return "it has one of \\ : * ? \" < > |";
		i += n;
	}
	for (const char *p = path;;) {
		size_t n = strcspn(p, "/");
		const char *why = component_unportable(p, n);
		if (why != NULL)
			return why;
		if (p == path && n == 4 && memcmp(p, ".pad", 4) == 0)
			return "a top-level '.pad' is where torrents keep padding";
		if (p[n] == '\0')
			return NULL;
		p += n + 1;
	}
}

bool path_normalize(char *path)
{
	char *to = path;

	if (*path == '/')
		return false;
	for (const char *p = path; *p != '\0';) {
		size_t n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return false;
		if (n > 0 && !(n == 1 && *p == '.')) {
			if (to != path)
				*to++ = '/';
			memmove(to, p, n);
			to += n;
		}
		p += n;
		p += strspn(p, "/");
	}
	*to = '\0';
	return to != path;
}

const char *path_strip(const char *path, unsigned n)
{
	for (; n > 0; n--) {
		const char *slash = strchr(path, '/');
		if (slash == NULL)
			return NULL;
		path = slash + 1;
	}
	return path;
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}
