/*
 * maketree FOLDER FILES: a tree of small files, the same bytes everywhere.
 *
 * Files of 100 to 3000 bytes, in directories of 100 to 1000 of them. FOLDER must not exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEN_MIN 100
#define LEN_MAX 3000
#define FEW     100
#define MANY    1000

/* xorshift64* (Marsaglia, Vigna). */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static size_t random_between(uint64_t *state, size_t least, size_t most)
{
	return least + (size_t)(random_next(state) >> 33) % (most - least + 1);
}

/* Lines of letters, in which no guard sees anything. */
static void fill(char *text, size_t len, uint64_t *state)
{
	for (size_t at = 0; at < len; at += 16) {
		uint64_t bits = random_next(state);
		for (size_t i = at; i < at + 16 && i < len; i++, bits >>= 4)
			text[i] = i % 64 == 63 ? '\n' : (char)('a' + (bits & 15));
	}
}

static int make_file(int folder, unsigned long number, uint64_t *state)
{
	char name[32], text[LEN_MAX];
	size_t len = random_between(state, LEN_MIN, LEN_MAX);

	snprintf(name, sizeof name, "%07lu.txt", number);
	fill(text, len, state);
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, len);
	return close(fd) == 0 && n == (ssize_t)len ? 0 : -1;
}

/* Opens one that is new, or -1. */
static int make_folder(int parent, const char *name)
{
	if (mkdirat(parent, name, 0755) != 0)
		return -1;
	return openat(parent, name, O_RDONLY | O_DIRECTORY);
}

static int make_tree(int tree, unsigned long files)
{
	uint64_t state = UINT64_C(0x5eed);
	int folder = -1;
	size_t left = 0;

	for (unsigned long i = 0; i < files; i++, left--) {
		if (left == 0) {
			char name[32];
			if (folder >= 0)
				(void)close(folder);
			snprintf(name, sizeof name, "%07lu", i);
			if ((folder = make_folder(tree, name)) < 0)
				return -1;
			left = random_between(&state, FEW, MANY);
		}
		if (make_file(folder, i, &state) != 0)
			return -1;
	}
	return folder < 0 ? 0 : close(folder);
}

int main(int argc, char **argv)
{
	unsigned long files = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	if (files == 0 || files > 9999999) {
		fputs("usage: maketree FOLDER FILES\n", stderr);
		return 2;
	}
	int tree = make_folder(AT_FDCWD, argv[1]);
	if (tree < 0 || make_tree(tree, files) != 0) {
		fprintf(stderr, "maketree: '%s': %s\n", argv[1], strerror(errno));
		return 1;
	}
	return 0;
}
