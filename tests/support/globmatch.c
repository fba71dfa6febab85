/*
 * globmatch: our matcher for those who want to compare it with another one.
 *
 * Standard input is pairs "pattern NUL path NUL"; with -l or -g it is "n NUL", n patterns and a
 * path, each followed by NUL. A path that ends in '/' is a directory. Prints a line for each: 1 if
 * it matches (a pair: this very path, whatever a leading '!' says; a list: as glob_list_match(), -l
 * with GLOB_NEGATES_BELOW, -g with GLOB_NEGATES_DIRECTORY), 0 if not, and "! <why>" for a pattern
 * that is refused.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm/glob.h"

#define LIST_MAX 64

struct input {
	char *text;
	size_t size;
};

static bool next(struct input *in)
{
	ssize_t n = getdelim(&in->text, &in->size, '\0', stdin);

	return n > 0 && in->text[n - 1] == '\0';
}

/* Drops the '/' at the end and returns whether there was one. */
static bool take_slash(char *path)
{
	size_t len = strlen(path);

	if (len == 0 || path[len - 1] != '/')
		return false;
	path[len - 1] = '\0';
	return true;
}

static bool answer(struct glob *const *list, size_t n, char mode, char *path)
{
	bool is_directory = take_slash(path);
	size_t index;

	if (mode == 0)
		return glob_match(list[0], path, is_directory);
	return glob_list_match(list, n, path, is_directory,
			       mode == 'g' ? GLOB_NEGATES_DIRECTORY : GLOB_NEGATES_BELOW, &index);
}

/* Reads a record of n patterns and a path, and prints its line. */
static int run(struct input *in, size_t n, char mode)
{
	struct glob *list[LIST_MAX] = {NULL};
	struct err e = {0};
	size_t have = 0;
	int status = 1;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && !next(in))
			goto out;
		if (e.code == ERR_NONE && (list[have] = glob_new(in->text, &e)) != NULL)
			have++;
	}
	if (!next(in))
		goto out;
	if (e.code != ERR_NONE)
		printf("! %s\n", e.msg);
	else
		printf("%d\n", answer(list, n, mode, in->text));
	status = 0;
out:
	for (size_t i = 0; i < have; i++)
		glob_free(list[i]);
	return status;
}

int main(int argc, char **argv)
{
	char mode = argc == 2 && argv[1][0] == '-' ? argv[1][1] : 0;
	struct input in = {NULL, 0};
	int status = 0;

	while (status == 0 && next(&in)) {
		size_t n = mode != 0 ? strtoul(in.text, NULL, 10) : 1;
		if (n < 1 || n > LIST_MAX || (mode != 0 && !next(&in)))
			status = 1;
		else
			status = run(&in, n, mode);
	}
	free(in.text);
	if (status != 0)
		fputs("globmatch: a record is not whole\n", stderr);
	return status;
}
