/* Input: three paths with NUL between them. Their order is total; what normalizes is normal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

/* The definition: component by component, as raw bytes. */
static int reference(const char *a, const char *b)
{
	for (;;) {
		size_t n = strcspn(a, "/"), m = strcspn(b, "/");
		int order = memcmp(a, b, n < m ? n : m);
		if (order != 0)
			return order;
		if (n != m)
			return n < m ? -1 : 1;
		if (a[n] == '\0' || b[m] == '\0')
			return (a[n] != '\0') - (b[m] != '\0');
		a += n + 1;
		b += m + 1;
	}
}

static void check_order(const char *a, const char *b, const char *c)
{
	int ab = sign(path_compare(a, b));

	check(ab == sign(reference(a, b)));
	check(ab == -sign(path_compare(b, a)));
	check((ab == 0) == (strcmp(a, b) == 0));
	if (ab <= 0 && path_compare(b, c) <= 0)
		check(path_compare(a, c) <= 0);
	if (path_is_below(b, a)) {
		check(ab < 0);
		/* Nothing but what is below `a` stands between the two. */
		if (path_compare(a, c) < 0 && path_compare(c, b) < 0)
			check(path_is_below(c, a));
	}
}

static bool has_component(const char *path, const char *name)
{
	for (size_t n, len = strlen(name);; path += n + 1) {
		n = strcspn(path, "/");
		if (n == len && memcmp(path, name, n) == 0)
			return true;
		if (path[n] == '\0')
			return false;
	}
}

static void check_normal(const char *path)
{
	size_t len = strlen(path);
	char *copy = malloc(len + 1), *again = malloc(len + 1);

	check(copy != NULL && again != NULL);
	memcpy(copy, path, len + 1);
	if (path_normalize(copy)) {
		check(strlen(copy) <= len && *copy != '\0');
		check(!has_component(copy, "") && !has_component(copy, ".") &&
		      !has_component(copy, ".."));
		strcpy(again, copy);
		check(path_normalize(again) && strcmp(again, copy) == 0);
	} else {
		/* Whatever is portable can be normalized, and is so already. */
		check(path_unportable(path) != NULL);
	}
	if (path_unportable(path) == NULL) {
		check(strcmp(copy, path) == 0);
		check(len > 0 && len <= PATH_LENGTH_MAX);
		check(strpbrk(path, "\\:*?\"<>|") == NULL);
	}
	free(copy);
	free(again);
}

static void check_strip(const char *path)
{
	unsigned slashes = 0;

	for (const char *p = path; *p != '\0'; p++)
		slashes += *p == '/';
	check(path_strip(path, 0) == path);
	check(path_strip(path, slashes) == path_base(path));
	check(path_strip(path, slashes + 1) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 3);

	check(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	memset(text + size, 0, 3);
	const char *a = text, *b = a + strlen(a) + 1;
	b = b < text + size ? b : "";
	const char *c = *b != '\0' ? b + strlen(b) + 1 : "";
	check_order(a, b, c);
	check_order(c, a, b);
	check_order(b, c, a);
	check_normal(a);
	check_strip(a);
	free(text);
	return 0;
}
